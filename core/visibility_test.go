package core_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
)

func TestGuardOfTheRelatedResource(t *testing.T) {
	adminIn := core.Related("org", core.Related("members", core.Eq("role", "admin")))
	own := policy(func(op *core.Op) error { // everyone sees the own memberships
		if op.Resource.Name() == "member" {
			var id core.Value
			if op.Principal != nil {
				id = op.Principal.ID
			}
			op.Guard(op.Resource.Field("user").Equals(id))
		}
		return nil
	})
	s := teamsStore(t, own)
	project := s.Model().Resource("project")
	ann, bob := core.WithPrincipal(t.Context(), &core.Principal{ID: core.IntValue(1)}), core.WithPrincipal(t.Context(), &core.Principal{ID: core.IntValue(2)})
	for name, c := range map[string]struct {
		ctx   context.Context
		where core.Filter
		want  string
	}{
		"each principal has its own guard": {ann, adminIn, "[1]"},
		"another principal":                {bob, adminIn, "[2]"},
		"no principal":                     {t.Context(), adminIn, "[]"},
		"the system sees all":              {core.System(t.Context()), adminIn, "[1,2]"},
		"Not":                              {ann, core.Not(adminIn), "[2,3]"},
		"a key of a hidden record":         {ann, core.Related("org", core.Related("members", core.Eq("id", 2))), "[]"},
		"all of the visible ones":          {ann, core.And(core.Related("org", core.All()), core.Not(core.Related("org", core.Related("members", core.Ne("role", "admin"))))), "[1]"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := found(c.ctx, t, s, project, c.where); got != c.want {
				t.Errorf("selected %s, want %s", got, c.want)
			}
			n, err := s.Count(c.ctx, project, c.where)
			if want := strings.Count(strings.Trim(c.want, "[]")+",", ",") - strings.Count(c.want, "[]"); err != nil || n != want {
				t.Errorf("counted %d, %v, want %d", n, err, want)
			}
		})
	}
}

func TestVisibilityOp(t *testing.T) {
	var asked []string
	see := policy(func(op *core.Op) error {
		if op.Kind == core.Visibility {
			asked = append(asked, fmt.Sprintf("%v where %v, %v", op.Resource, op.Where, op.Fields))
			if slices.Contains(op.Where.Fields(), op.Resource.Field("mail")) { // a rule without this field does not contribute
				op.Guard(core.Eq("name", "bob"))
			}
		}
		return nil
	})
	s := teamsStore(t, see)
	member := s.Model().Resource("member")
	byUser := func(f core.Filter) core.Filter { return core.Related("user", f) }
	for name, c := range map[string]struct {
		q     core.Query
		keys  string
		asked []string
	}{
		"the whole condition": {
			core.Query{Where: byUser(core.Or(core.Eq("name", "ann"), core.Eq("id", 9)))}, "[1,3]",
			[]string{`user where (name = ["ann"] or id = [9]), []`},
		},
		"a rule by the fields": {core.Query{Where: byUser(core.Ne("mail", nil))}, "[2,4]", []string{`user where mail <> [null], []`}},
		"one op for equal fields": {
			core.Query{Where: core.Or(byUser(core.Eq("name", "ann")), byUser(core.In("name", "bob", "x")))}, "[1,2,3,4]", []string{`user where name = ["ann"], []`},
		},
		"further ops for other fields": {
			core.Query{Where: core.And(byUser(core.Eq("name", "bob")), byUser(core.Eq("mail", "b@x")))}, "[2,4]",
			[]string{`user where name = ["bob"], []`, `user where mail = ["b@x"], []`},
		},
		"the field that stores the relation": {
			core.Query{Where: core.Related("org", core.Related("members", core.Eq("id", 1)))}, "[1,2]",
			[]string{`member where id = [1], [member.org]`, `org where (members any id = [1]), []`},
		},
		"an order": {core.Query{Order: []string{"-user.name"}}, "[2,4,1,3]", []string{`user where all, [user.name]`}},
	} {
		t.Run(name, func(t *testing.T) {
			asked = nil
			page, err := s.Select(t.Context(), member, c.q)
			if got := core.ListOf(keysOf(page.Records)...).Text(); err != nil || got != c.keys || !slices.Equal(asked, c.asked) {
				t.Errorf("got %s, %v, asked %q", got, err, asked)
			}
		})
	}
}

func TestPolicyMayRefuseVisibility(t *testing.T) {
	s := teamsStore(t, policy(func(op *core.Op) error {
		if op.Resource.Name() == "user" {
			return op.Resource.Forbidden()
		}
		return nil
	}))
	member := s.Model().Resource("member")
	for _, q := range []core.Query{{Where: core.Not(core.Related("user", core.All()))}, {Order: []string{"user.name"}}} {
		if _, err := s.Select(t.Context(), member, q); !errors.Is(err, core.Forbidden) {
			t.Errorf("%v: %v", q, err)
		}
	}
	if got := found(t.Context(), t, s, member, core.Eq("user", 1)); got != "[1,3]" {
		t.Errorf("the stored reference: %s", got)
	}
}

func TestStackThatHidesNothingIsNotAsked(t *testing.T) {
	var ops []string
	s := teamsStore(t, core.Decorator{Name: "observer", Kind: core.KindObserve, Observe: func(*core.Model) (core.Observer, error) {
		return endFunc(func(e *core.Event) { ops = append(ops, e.Kind.String()) }), nil
	}})
	ops = nil
	if got := found(t.Context(), t, s, s.Model().Resource("issue"), core.Related("labels", core.Eq("name", "bug"))); got != "[1]" {
		t.Errorf("got %s", got)
	}
	if got := strings.Join(ops, " "); got != "select" {
		t.Errorf("ops: %s", got)
	}
}

// TestConditionOfAPolicySeesAllRecords has a policy by memberships, which are hidden themselves.
func TestConditionOfAPolicySeesAllRecords(t *testing.T) {
	s := teamsStore(t, hide("member", core.None()), core.Decorator{Name: "membership", Kind: core.KindPolicy, UsesRelated: true, Wrap: policy(func(op *core.Op) error {
		if op.Resource.Name() == "project" {
			op.Guard(core.Related("org", core.Related("members", core.And(core.Eq("user", op.Principal.ID.Any()), core.Eq("role", "admin")))))
		}
		return nil
	}).Wrap})
	project, issue := s.Model().Resource("project"), s.Model().Resource("issue")
	ann := core.WithPrincipal(t.Context(), &core.Principal{ID: core.IntValue(1)})
	for name, c := range map[string]struct {
		r     *core.Resource
		where core.Filter
		want  string
	}{
		"the policy":                {project, core.All(), "[1]"},
		"a condition of the caller": {project, core.Related("org", core.Related("members", core.All())), "[]"},
		"through the policy":        {issue, core.Related("project", core.All()), "[1]"},
		"Not through the policy":    {issue, core.Not(core.Related("project", core.All())), "[2,3]"},
	} {
		if got := found(ann, t, s, c.r, c.where); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
	rec, _ := project.NewRecord(map[string]any{"id": 2, "name": "mine"})
	if _, err := s.Update(ann, project, rec); !errors.Is(err, core.NotFound) {
		t.Errorf("update of a hidden project: %v", err)
	}
	if err := s.Delete(ann, project, core.IntValue(2)); !errors.Is(err, core.NotFound) {
		t.Errorf("delete of a hidden project: %v", err)
	}
}

// existing is an effect: organisations that are gone do not exist, for any principal.
func existing() core.Decorator {
	return core.Decorator{Name: "existing", Kind: core.KindEffect, KnowsRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if op.Resource != nil && op.Resource.Name() == "org" && op.Kind != core.Insert {
				op.Using = core.And(op.Using, core.Ne("gone", true))
			}
			return next(ctx, op)
		}, nil
	}}
}

func TestEffectsRemoveRecordsFromEveryCondition(t *testing.T) {
	inOrg := core.Related("org", core.All())
	only := core.Decorator{Name: "only", Kind: core.KindPolicy, UsesRelated: true, Wrap: policy(func(op *core.Op) error {
		if op.Resource.Name() == "project" && core.PrincipalOf(t.Context()) == op.Principal {
			op.Guard(inOrg)
		}
		return nil
	}).Wrap}
	s := teamsStore(t, only, existing())
	project := s.Model().Resource("project")
	if got := found(t.Context(), t, s, project, core.All()); got != "[1]" {
		t.Errorf("a policy's condition: %s", got)
	}
	if got := found(core.System(t.Context()), t, s, project, inOrg); got != "[1]" {
		t.Errorf("a condition of the system: %s", got)
	}
	rec, _ := project.NewRecord(map[string]any{"org": 2})
	if _, err := s.Insert(t.Context(), project, rec); !errors.Is(err, core.Forbidden) {
		t.Errorf("a check: %v", err)
	}
	if got := found(core.System(t.Context()), t, s, project, core.All()); got != "[1,2,3]" {
		t.Errorf("after a denied insert: %s", got)
	}
	page, err := s.Select(core.System(t.Context()), project, core.Query{Order: []string{"org.name"}})
	if got := core.ListOf(keysOf(page.Records)...).Text(); err != nil || got != "[1,2,3]" {
		t.Errorf("an order: %s, %v", got, err)
	}
}

func TestDecoratorThatDoesNotKnowRelated(t *testing.T) {
	unaware := around("unaware", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) { return next(ctx, op) })
	s := teamsStore(t, unaware)
	issue, org := s.Model().Resource("issue"), s.Model().Resource("org")
	refused := func(what string, err error, want core.Error) {
		t.Helper()
		e, ok := errors.AsType[*core.Error](err)
		if !ok || e.Code != want.Code || e.Resource != want.Resource || e.Field != want.Field || e.Cause == nil || !strings.Contains(e.Cause.Error(), `"unaware"`) {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := s.Select(t.Context(), issue, core.Query{Where: core.And(core.Eq("id", 1), core.Not(core.Related("project", core.All())))})
	refused("condition", err, core.Error{Code: core.SearchForbidden, Resource: "issue", Field: "project"})
	_, err = s.Count(core.System(t.Context()), org, core.Related("members", core.All()))
	refused("count of the system", err, core.Error{Code: core.SearchForbidden, Resource: "org", Field: "Members"})
	_, err = s.Select(t.Context(), issue, core.Query{Order: []string{"id", "-project.org.name"}})
	if err != nil {
		t.Errorf("entries after the key do not count: %v", err)
	}
	_, err = s.Select(t.Context(), issue, core.Query{Order: []string{"-project.org.name"}})
	refused("order", err, core.Error{Code: core.SearchForbidden, Resource: "issue", Field: "project"})

	undeclared := around("undeclared", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Resource == issue || op.Resource != nil && op.Resource.Name() == "issue" && op.Kind != core.Tx {
			op.Guard(core.Not(core.Related("project", core.All())))
		}
		return next(ctx, op)
	})
	s, err = core.New(t.Context(), teams(), memory.New(), undeclared)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	issue = s.Model().Resource("issue")
	if _, err = s.Load(t.Context(), issue, []core.Value{core.IntValue(1)}); !errors.Is(err, core.ServerError) || !strings.Contains(err.Error(), `"undeclared"`) {
		t.Errorf("load under an undeclared condition: %v", err)
	}
	rec, _ := issue.NewRecord(map[string]any{})
	if _, err = s.Insert(t.Context(), issue, rec); !errors.Is(err, core.ServerError) {
		t.Errorf("insert under an undeclared condition: %v", err)
	}
}

func TestNewRejectsDecoratorsThatDoNotKnowRelated(t *testing.T) {
	pass := func(_ *core.Model, next core.Handler) (core.Handler, error) { return next, nil }
	uses := core.Decorator{Name: "uses", Kind: core.KindPolicy, UsesRelated: true, Wrap: pass}
	for name, c := range map[string]struct {
		other core.Decorator
		ok    bool
	}{
		"a policy":                     {core.Decorator{Name: "other", Kind: core.KindPolicy, Wrap: pass}, false},
		"an effect":                    {core.Decorator{Name: "other", Kind: core.KindEffect, Wrap: pass}, false},
		"a policy that knows":          {core.Decorator{Name: "other", Kind: core.KindPolicy, KnowsRelated: true, Wrap: pass}, true},
		"a policy that uses":           {core.Decorator{Name: "other", Kind: core.KindPolicy, UsesRelated: true, Wrap: pass}, true},
		"an answer, which is left out": {core.Decorator{Name: "other", Kind: core.KindAnswer, Wrap: pass}, true},
	} {
		t.Run(name, func(t *testing.T) {
			stack := []core.Decorator{uses, c.other}
			for range 2 {
				s, err := core.New(t.Context(), teams(), memory.New(), stack...)
				switch {
				case c.ok && err != nil || !c.ok && err == nil:
					t.Fatalf("error: %v", err)
				case err == nil:
					_ = s.Close()
				case !strings.Contains(err.Error(), `"uses"`) || !strings.Contains(err.Error(), `set KnowsRelated in "other"`):
					t.Errorf("the error names no remedy: %v", err)
				}
				if c.other.Kind == core.KindAnswer {
					return // it cannot stand outside the policy
				}
				slices.Reverse(stack)
			}
		})
	}
}

func TestAnswerThatDoesNotKnowRelatedIsPassed(t *testing.T) {
	for _, knows := range []bool{false, true} {
		var seen []string
		answer := core.Decorator{Name: "cache", Kind: core.KindAnswer, KnowsRelated: knows, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
			return func(ctx context.Context, op *core.Op) (core.Result, error) {
				seen = append(seen, op.Kind.String())
				return next(ctx, op)
			}, nil
		}}
		guard := policy(func(op *core.Op) error {
			if op.Resource.Name() == "project" {
				op.Guard(core.Related("org", core.All()))
			}
			return nil
		})
		s := teamsStore(t, guard, answer)
		project, member := s.Model().Resource("project"), s.Model().Resource("member")
		for name, c := range map[string]struct {
			run    func() error
			passed string // ops that the cache sees if it does not know related conditions
			all    string
		}{
			"condition of the policy": {func() error { _, err := s.Get(t.Context(), project, core.IntValue(1)); return err }, "", "load"},
			"condition of the caller": {func() error {
				_, err := s.Count(t.Context(), member, core.Related("user", core.All()))
				return err
			}, "", "visibility count"},
			"order": {func() error {
				_, err := s.Select(t.Context(), member, core.Query{Order: []string{"user.name"}})
				return err
			}, "", "visibility select"},
			"without either": {func() error { _, err := s.Count(t.Context(), member, core.All()); return err }, "count", "count"},
			"write": {func() error {
				rec, _ := project.NewRecord(map[string]any{"id": 1, "name": "x"})
				_, err := s.Update(t.Context(), project, rec)
				return err
			}, "update", "update"},
		} {
			seen = nil
			want := map[bool]string{false: c.passed, true: c.all}[knows]
			if err := c.run(); err != nil || strings.Join(seen, " ") != want {
				t.Errorf("%s, knows %v: the cache sees %q, %v", name, knows, seen, err)
			}
		}
	}
}
