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

// teams has users, organisations with members, projects, and issues with sub-issues and labels.
func teams() *core.Model {
	return core.MustModel("teams",
		core.ResourceSpec{Name: "user", Fields: []core.FieldSpec{id(), {Name: "name", APIName: "Name", Type: core.Text}, {Name: "mail", Type: core.Text}}},
		core.ResourceSpec{Name: "org", Fields: []core.FieldSpec{
			id(), {Name: "name", Type: core.Text}, {Name: "gone", Type: core.Bool},
			{Name: "members", APIName: "Members", ToMany: "member", Inverse: "org"},
			{Name: "projects", ToMany: "project", Inverse: "org"},
		}},
		core.ResourceSpec{Name: "member", Fields: []core.FieldSpec{
			id(), {Name: "org", ToOne: "org"}, {Name: "user", ToOne: "user"}, {Name: "role", Type: core.Text},
		}},
		core.ResourceSpec{Name: "project", Fields: []core.FieldSpec{
			id(), {Name: "name", Type: core.Text}, {Name: "org", ToOne: "org"}, {Name: "issues", ToMany: "issue", Inverse: "project"},
		}},
		core.ResourceSpec{Name: "issue", Fields: []core.FieldSpec{
			id(), {Name: "project", ToOne: "project"}, {Name: "parent", ToOne: "issue"}, {Name: "children", ToMany: "issue", Inverse: "parent"},
			{Name: "labels", ToMany: "label"},
		}},
		core.ResourceSpec{Name: "label", Fields: []core.FieldSpec{id(), {Name: "name", Type: core.Text}}},
	)
}

// teamsStore is a store of teams with records: users 1 to 3, the organisations 1 and 2, of which user 1 is admin and
// member, and user 2 member and admin.
func teamsStore(tb testing.TB, decorators ...core.Decorator) *core.Store {
	tb.Helper()
	return teamsOn(tb, memory.New(), decorators...)
}

func teamsOn(tb testing.TB, b core.Backend, decorators ...core.Decorator) *core.Store {
	tb.Helper()
	s, err := core.New(tb.Context(), teams(), b, decorators...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	for _, row := range []struct {
		resource string
		fields   map[string]any
	}{
		{"user", map[string]any{"name": "ann", "mail": "a@x"}}, {"user", map[string]any{"name": "bob", "mail": "b@x"}}, {"user", map[string]any{"name": "cat"}},
		{"org", map[string]any{"name": "zoo"}}, {"org", map[string]any{"name": "art", "gone": true}},
		{"member", map[string]any{"org": 1, "user": 1, "role": "admin"}}, {"member", map[string]any{"org": 1, "user": 2, "role": "member"}},
		{"member", map[string]any{"org": 2, "user": 1, "role": "member"}}, {"member", map[string]any{"org": 2, "user": 2, "role": "admin"}},
		{"project", map[string]any{"name": "a", "org": 1}}, {"project", map[string]any{"name": "b", "org": 2}}, {"project", map[string]any{"name": "c"}},
		{"label", map[string]any{"name": "bug"}}, {"label", map[string]any{"name": "idea"}},
		{"issue", map[string]any{"project": 1, "labels": []any{1, 2}}}, {"issue", map[string]any{"project": 2, "parent": 1, "labels": []any{2}}}, {"issue", map[string]any{}},
	} {
		rec, err := s.Model().Resource(row.resource).NewRecord(row.fields)
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := s.Insert(core.System(tb.Context()), rec.Resource(), rec); err != nil {
			tb.Fatal(err)
		}
	}
	return s
}

// policy is a decorator that knows conditions on related records. It lets the system pass.
func policy(handle func(op *core.Op) error) core.Decorator {
	d := around("policy", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind != core.Tx && !op.Principal.IsSystem() {
			if err := handle(op); err != nil {
				return core.Result{}, err
			}
		}
		return next(ctx, op)
	})
	d.UsesRelated = true
	return d
}

// hide is a policy that narrows the ops on a resource.
func hide(resource string, guard core.Filter) core.Decorator {
	return policy(func(op *core.Op) error {
		if op.Resource.Name() == resource {
			op.Using = core.And(op.Using, guard)
		}
		return nil
	})
}

// found returns the keys of the records that match, as a text.
func found(ctx context.Context, tb testing.TB, s core.Querier, r *core.Resource, where core.Filter) string {
	tb.Helper()
	page, err := s.Select(ctx, r, core.Query{Where: where})
	if err != nil {
		tb.Fatalf("%v: %v", where, err)
	}
	return core.ListOf(keysOf(page.Records)...).Text()
}

func nested(n int) core.Filter {
	f := core.Eq("id", 1)
	for range n {
		f = core.Related("parent", f)
	}
	return f
}

func TestBindRejectsInvalidRelatedFilters(t *testing.T) {
	m := teams()
	many := func(n int) core.Filter {
		parts := make([]core.Filter, n)
		for i := range parts {
			parts[i] = core.Related("parent", core.Eq("id", i))
		}
		return core.Or(parts...)
	}
	foreign := m.Resource("label").Key().Compare(core.FilterEq, core.IntValue(1))
	for name, c := range map[string]struct {
		filter core.Filter
		want   *core.Error
	}{
		"unknown relation":         {core.Related("labels_of", core.All()), &core.Error{Code: core.UnknownField, Resource: "issue", Field: "labels_of"}},
		"no relation":              {core.Related("id", core.All()), &core.Error{Code: core.SearchForbidden, Resource: "issue", Field: "id"}},
		"unknown field of target":  {core.Related("project", core.Eq("title", "x")), &core.Error{Code: core.UnknownField, Resource: "project", Field: "title"}},
		"inner relation":           {core.Related("project", core.Related("org", core.Eq("members", 1))), &core.Error{Code: core.SearchForbidden, Resource: "org", Field: "Members"}},
		"condition of another":     {core.Related("project", foreign), &core.Error{Code: core.ServerError}},
		"five relations deep":      {nested(5), nil},
		"six relations deep":       {nested(6), &core.Error{Code: core.BadRequest}},
		"sixteen conditions":       {many(16), nil},
		"seventeen conditions":     {many(17), &core.Error{Code: core.BadRequest}},
		"seventeen below a Not":    {core.Related("parent", core.Not(many(16))), &core.Error{Code: core.BadRequest}},
		"a hundred levels below":   {core.Related("parent", deep(98)), nil},
		"nested beyond the levels": {core.Related("parent", deep(110)), &core.Error{Code: core.BadRequest}},
	} {
		t.Run(name, func(t *testing.T) {
			bound, err := m.Resource("issue").Bind(c.filter)
			got, _ := errors.AsType[*core.Error](err)
			switch {
			case c.want == nil && (err != nil || !bound.Bound() || !bound.Crosses()):
				t.Errorf("%v, %v", bound, err)
			case c.want != nil && (got == nil || got.Code != c.want.Code || got.Resource != c.want.Resource || got.Field != c.want.Field):
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// deep returns a filter that is nested n levels deep.
func deep(n int) core.Filter {
	f := core.Eq("id", 1)
	for i := range n {
		if i%2 == 0 {
			f = core.Or(f, core.Eq("id", i))
		} else {
			f = core.And(f, core.Ne("id", i))
		}
	}
	return f
}

func TestRelatedFilterParts(t *testing.T) {
	m := teams()
	project, member, label := m.Resource("project"), m.Resource("member"), m.Resource("label")
	admin := core.And(core.Eq("user", 7), core.Eq("role", "admin"))
	unbound := core.And(core.Eq("name", "x"), core.Not(core.Related("org", core.Related("members", admin))))
	if got := unbound.String(); unbound.Bound() || got != `(name = ? and (not (org any (members any (user = ? and role = ?)))))` {
		t.Errorf("unbound: %s", got)
	}
	bound, err := project.Bind(unbound)
	if err != nil {
		t.Fatal(err)
	}
	if got := bound.String(); got != `(name = ["x"] and (not (org any (members any (user = [7] and role = ["admin"])))))` {
		t.Errorf("bound: %s", got)
	}
	if got := fmt.Sprint(bound.Fields()); got != "[project.name project.org]" {
		t.Errorf("fields: %s", got)
	}
	outer := bound.Filters()[1].Filters()[0]
	inner := outer.Where()
	if outer.Kind() != core.FilterRelated || outer.Field() != nil || outer.Filters() != nil || outer.Relation() != (core.Relation{Stored: project.Field("org")}) || outer.Guard().Kind() != core.FilterAll {
		t.Errorf("outer part: %v %v", outer.Kind(), outer.Relation())
	}
	if inner.Relation() != (core.Relation{Stored: member.Field("org"), Reverse: true}) || inner.Relation().Target() != member || inner.Relation().Source() != m.Resource("org") ||
		len(inner.Fields()) != 0 || !inner.Relation().Many() || outer.Relation().Many() || inner.Relation().Back() != (core.Relation{Stored: member.Field("org")}) {
		t.Errorf("inner part: %v", inner.Relation())
	}
	if core.All().Crosses() || core.Eq("id", 1).Crosses() || !bound.Crosses() || core.Eq("id", 1).Relation() != (core.Relation{}) || core.Eq("id", 1).Where().Kind() != core.FilterAll {
		t.Error("a filter without relations has one")
	}
	labels, _ := m.Resource("issue").Field("labels").Relation()
	good := labels.Match(label.Key().Compare(core.FilterEq, core.IntValue(1)))
	if got := good.String(); got != "(labels any id = [1])" || !good.Bound() {
		t.Errorf("made by a relation: %s", got)
	}
	if back := labels.Back().Match(core.All()); back.String() != "(issue.labels^ any all)" || !labels.Back().Many() {
		t.Errorf("against a list: %v", back)
	}
	for _, bad := range []core.Filter{core.Eq("id", 1), project.Key().Compare(core.FilterEq, core.IntValue(1))} {
		if got := labels.Match(bad); got.Kind() != core.FilterNone {
			t.Errorf("%v does not fail closed: %v", bad, got)
		}
	}
}

func TestRelatedConditionNeedsAReader(t *testing.T) {
	m := teams()
	issue := m.Resource("issue")
	rec, err := issue.NewRecord(map[string]any{"id": 1, "project": 3})
	if err != nil {
		t.Fatal(err)
	}
	project, _ := m.Resource("project").NewRecord(map[string]any{"id": 3})
	related := core.Related("project", core.All())
	errRead := errors.New("broken")
	for name, c := range map[string]struct {
		filter core.Filter
		read   core.RelatedReader
		want   bool
		err    error
	}{
		"no reader":                {related, nil, false, core.ErrUndecided},
		"no reader inside Not":     {core.Not(related), nil, false, core.ErrUndecided},
		"no reader inside Or":      {core.Or(core.Eq("id", 1), related), nil, false, core.ErrUndecided},
		"no reader inside And":     {core.And(core.Eq("id", 2), core.Not(related)), nil, false, core.ErrUndecided},
		"broken reader inside Not": {core.Not(related), func(core.Record, core.Relation, core.Filter) (core.Record, error) { return core.Record{}, errRead }, false, errRead},
		"found":                    {related, func(core.Record, core.Relation, core.Filter) (core.Record, error) { return project, nil }, true, nil},
		"found inside Not":         {core.Not(related), func(core.Record, core.Relation, core.Filter) (core.Record, error) { return project, nil }, false, nil},
		"none inside Not":          {core.Not(related), func(core.Record, core.Relation, core.Filter) (core.Record, error) { return core.Record{}, nil }, true, nil},
	} {
		bound, err := issue.Bind(c.filter)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := bound.Match(rec, c.read); got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		op := core.Op{Kind: core.Count, Resource: issue, Using: bound}
		if got, err := op.Matches(rec, c.read); got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: the op matches %v, %v", name, got, err)
		}
	}
	path := core.Op{Kind: core.Select, Resource: issue, Order: []core.Order{{Path: []core.Hop{{Relation: core.Relation{Stored: issue.Field("project")}}}, Field: m.Resource("project").Key()}, {Field: issue.Key()}}}
	if _, err := path.Position(rec, nil); !errors.Is(err, core.ErrUndecided) {
		t.Errorf("position without a reader: %v", err)
	}
}

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

// TestConditionsOfEachRecord has a decorator that asks for each record whether it is in an organisation with an admin 1.
func TestConditionsOfEachRecord(t *testing.T) {
	var answers [][]bool
	asks := core.Decorator{Name: "asks", Kind: core.KindPolicy, UsesRelated: true, Wrap: func(m *core.Model, next core.Handler) (core.Handler, error) {
		project := m.Resource("project")
		ours, err := project.Bind(core.Related("org", core.Related("members", core.And(core.Eq("user", 1), core.Eq("role", "admin")))))
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if op.Resource == project && op.Kind != core.Delete {
				op.Conditions = append(op.Conditions, ours, project.Field("name").Compare(core.FilterEq, core.TextValue("a")))
			}
			res, err := next(ctx, op)
			answers = res.Conditions
			return res, err
		}, err
	}}
	s := teamsStore(t, asks)
	ctx, project := t.Context(), s.Model().Resource("project")
	patch := func(fields map[string]any) core.Record {
		rec, err := project.NewRecord(fields)
		if err != nil {
			t.Fatal(err)
		}
		return rec
	}
	for _, c := range []struct {
		name string
		run  func() error
		want string
	}{
		{"load", func() error { return second(s.Load(ctx, project, []core.Value{core.IntValue(3), core.IntValue(1)})) }, "[[true true] [false false]]"},
		{"select", func() error {
			return second(s.Select(ctx, project, core.Query{Order: []string{"-id"}, Limit: 2, Fields: []string{}}))
		}, "[[false false] [false false]]"},
		{"select after", func() error {
			return second(s.Select(ctx, project, core.Query{Where: core.Lt("id", 3), Order: []string{"-org.name"}}))
		}, "[[true true] [false false]]"},
		{"update", func() error {
			return second(s.Update(ctx, project, patch(map[string]any{"id": 2, "org": 1}), patch(map[string]any{"id": 1, "org": nil})))
		}, "[[false true] [true false]]"},
		{"insert", func() error {
			one, _ := project.NewRecord(map[string]any{"org": 2, "name": "a"})
			two, _ := project.NewRecord(map[string]any{"org": 1})
			return second(s.Insert(ctx, project, one, two))
		}, "[[false true] [true false]]"},
		{"load of nothing", func() error { return second(s.Load(ctx, project, nil)) }, "[]"},
	} {
		if err := c.run(); err != nil || fmt.Sprint(answers) != c.want {
			t.Errorf("%s: %v, %v, want %s", c.name, answers, err, c.want)
		}
	}
}

// sparse is a backend whose results have neither answers nor positions.
type sparse struct{ core.Backend }

type sparseTx struct{ core.BackendTx }

func (b sparse) Begin(ctx context.Context, opts core.BackendTxOptions) (core.BackendTx, error) {
	tx, err := b.Backend.Begin(ctx, opts)
	return sparseTx{tx}, err
}

func (t sparseTx) Read(ctx context.Context, op *core.Op) (core.Result, error) {
	res, err := t.BackendTx.Read(ctx, op)
	res.Conditions, res.Positions = nil, nil
	return res, err
}

func TestIncompleteResultIsAnError(t *testing.T) {
	ask := false
	asks := core.Decorator{Name: "asks", Kind: core.KindPolicy, UsesRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if ask && op.Resource != nil {
				op.Conditions = append(op.Conditions, op.Resource.Key().Compare(core.FilterEq, core.IntValue(1)))
			}
			return next(ctx, op)
		}, nil
	}}
	s := teamsOn(t, sparse{memory.New()}, asks)
	member := s.Model().Resource("member")
	if _, err := s.Select(t.Context(), member, core.Query{Order: []string{"user.name"}}); !errors.Is(err, core.ServerError) {
		t.Errorf("without positions: %v", err)
	}
	ask = true
	if _, err := s.Get(t.Context(), member, core.IntValue(1)); !errors.Is(err, core.ServerError) {
		t.Errorf("without answers: %v", err)
	}
	rec, _ := member.NewRecord(map[string]any{})
	if _, err := s.Insert(t.Context(), member, rec); !errors.Is(err, core.ServerError) {
		t.Errorf("without answers for an insert: %v", err)
	}
	ask = false
	if got := found(t.Context(), t, s, member, core.All()); got != "[1,2,3,4]" {
		t.Errorf("after the failed insert: %s", got)
	}
}

// TestCheckOnRelatedRecords has a policy that accepts issues in projects of a live organisation, or below such an issue.
func TestCheckOnRelatedRecords(t *testing.T) {
	live := core.Related("project", core.Related("org", core.Ne("gone", true)))
	check := core.And(core.Lt("id", 100), core.Or(live, core.Related("parent", live)))
	s := teamsStore(t, policy(func(op *core.Op) error {
		if op.Resource.Name() == "issue" {
			op.Check = core.And(op.Check, check)
		}
		return nil
	}))
	ctx := t.Context()
	project, issue := s.Model().Resource("project"), s.Model().Resource("issue")
	rec := func(r *core.Resource, fields map[string]any) core.Record {
		made, err := r.NewRecord(fields)
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	insertIn := func(s core.Querier, fields ...map[string]any) error {
		var recs []core.Record
		for _, f := range fields {
			recs = append(recs, rec(issue, f))
		}
		return second(s.Insert(ctx, issue, recs...))
	}
	update := func(s core.Querier, fields map[string]any) error {
		return second(s.Update(ctx, issue, rec(issue, fields)))
	}
	if err := insertIn(s, map[string]any{"id": 10, "project": 1}, map[string]any{"id": 11, "parent": 10}); err != nil {
		t.Errorf("a batch that refers to itself: %v", err)
	}
	for name, err := range map[string]error{
		"insert":                       insertIn(s, map[string]any{"project": 2}),
		"insert of one of two":         insertIn(s, map[string]any{"project": 1}, map[string]any{}),
		"insert that other parts deny": insertIn(s, map[string]any{"id": 100, "project": 1}),
		"update":                       update(s, map[string]any{"id": 10, "project": 2}),
		"update of the parent":         update(s, map[string]any{"id": 11, "parent": 2}),
	} {
		if !errors.Is(err, core.Forbidden) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := found(ctx, t, s, issue, core.All()); got != "[1,2,3,10,11]" {
		t.Errorf("after denied writes: %s", got)
	}
	err := s.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
		made, err := tx.Insert(ctx, project, rec(project, map[string]any{"org": 1}))
		if err != nil {
			return err
		}
		if err := insertIn(tx, map[string]any{"id": 20, "project": made[0].Key()}); err != nil {
			return fmt.Errorf("a project of the transaction: %w", err)
		}
		return update(tx.Final(), map[string]any{"id": 20, "parent": 10, "project": nil})
	})
	if got := found(ctx, t, s, issue, core.Ge("id", 20)); err != nil || got != "[20]" {
		t.Errorf("transaction: %s, %v", got, err)
	}
	err = s.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
		return insertIn(tx.Final(), map[string]any{"id": 30})
	})
	if got := found(ctx, t, s, issue, core.Ge("id", 30)); !errors.Is(err, core.Forbidden) || got != "[]" {
		t.Errorf("denied final operation: %s, %v", got, err)
	}
}

func TestOrderByPath(t *testing.T) {
	s := teamsStore(t, hide("org", core.Ne("name", "art")))
	ctx, issue := t.Context(), s.Model().Resource("issue")
	for order, c := range map[string]struct {
		system, anyone string
		err            *core.Error
	}{
		"project.name":                          {"[1,2,3]", "[1,2,3]", nil},
		"-project.name":                         {"[3,2,1]", "[3,2,1]", nil},
		"project.org.name":                      {"[2,1,3]", "[1,2,3]", nil},
		"-project.org.name":                     {"[3,1,2]", "[2,3,1]", nil},
		"parent.project.org":                    {"[2,1,3]", "[2,1,3]", nil},
		"-parent.parent.project.id":             {"[1,2,3]", "[1,2,3]", nil},
		"labels.name":                           {err: &core.Error{Code: core.SearchForbidden, Resource: "issue", Field: "labels"}},
		"children.id":                           {err: &core.Error{Code: core.SearchForbidden, Resource: "issue", Field: "children"}},
		"id.name":                               {err: &core.Error{Code: core.SearchForbidden, Resource: "issue", Field: "id"}},
		"project.title":                         {err: &core.Error{Code: core.UnknownField, Resource: "project", Field: "title"}},
		"project.":                              {err: &core.Error{Code: core.UnknownField, Resource: "project"}},
		"project.issues":                        {err: &core.Error{Code: core.SearchForbidden, Resource: "project", Field: "issues"}},
		"parent.parent.parent.parent.parent.id": {"[1,2,3]", "[1,2,3]", nil},
		"parent.parent.parent.parent.parent.parent.id": {err: &core.Error{Code: core.BadParam}},
	} {
		for ctx, want := range map[context.Context]string{ctx: c.anyone, core.System(ctx): c.system} {
			var got []core.Value
			q := core.Query{Order: []string{order}, Limit: 1, Fields: []string{}}
			page, err := s.Select(ctx, issue, q)
			for err == nil {
				got = append(got, keysOf(page.Records)...)
				if q.After = page.Next; q.After == "" {
					break
				}
				page, err = s.Select(ctx, issue, q)
			}
			e, _ := errors.AsType[*core.Error](err)
			switch {
			case c.err != nil:
				if e == nil || e.Code != c.err.Code || e.Resource != c.err.Resource || e.Field != c.err.Field {
					t.Errorf("%s: %v, want %v", order, err, c.err)
				}
			case err != nil || core.ListOf(got...).Text() != want:
				t.Errorf("%s: %v, %v, want %s", order, got, err, want)
			}
		}
	}
}

// TestCursorOfAPath continues after each record, with values that fit into a cursor and with longer ones, also if a page
// ends early.
func TestCursorOfAPath(t *testing.T) {
	for _, length := range []int{1, 5000} {
		s := teamsStore(t, hide("project", core.Ne("name", "hidden")))
		ctx, project, issue := t.Context(), s.Model().Resource("project"), s.Model().Resource("issue")
		for i := range 6 {
			at := insert(t, s, project, map[string]any{"name": strings.Repeat("x", length) + string(rune('f'-i))})
			insert(t, s, issue, map[string]any{"project": at.Key()})
			insert(t, s, issue, map[string]any{"project": at.Key()})
		}
		for _, order := range []string{"project.name", "-project.name"} {
			q := core.Query{Order: []string{order}}
			whole, err := s.Select(ctx, issue, q)
			if err != nil || len(whole.Records) != 15 {
				t.Fatalf("%d records, %v", len(whole.Records), err)
			}
			for i := range whole.Records {
				next, err := whole.CursorAfter(i)
				if err != nil || len(next) >= 2048 {
					t.Fatalf("%d bytes, %v", len(next), err)
				}
				rest, err := s.Select(ctx, issue, core.Query{Order: q.Order, After: next})
				if want := keysOf(whole.Records[i+1:]); err != nil || !slices.Equal(keysOf(rest.Records), want) {
					t.Errorf("%s, length %d, after %d: got %v, %v, want %v", order, length, i, keysOf(rest.Records), err, want)
				}
			}
		}
	}
}

func TestGuardIsNoPartOfTheCursor(t *testing.T) {
	s := teamsStore(t, policy(func(op *core.Op) error {
		if op.Kind == core.Visibility {
			op.Guard(core.Ne("id", op.Principal.ID.Any()))
		}
		return nil
	}))
	member := s.Model().Resource("member")
	var cursors []core.Cursor
	for n := range int64(2) {
		ctx := core.WithPrincipal(t.Context(), &core.Principal{ID: core.IntValue(10 + n)})
		page, err := s.Select(ctx, member, core.Query{Where: core.Related("user", core.All()), Order: []string{"-user.name"}, Limit: 2})
		if err != nil {
			t.Fatal(err)
		}
		cursors = append(cursors, page.Next)
	}
	if cursors[0] != cursors[1] || cursors[0] == "" {
		t.Errorf("cursors: %q", cursors)
	}
}

func TestSearchBindsToSearchableFields(t *testing.T) {
	m := core.MustModel("m",
		core.ResourceSpec{Name: "page", Fields: []core.FieldSpec{
			id(), {Name: "title", Type: core.Text, Searchable: true}, {Name: "text", APIName: "body", Type: core.Text, Searchable: true}, {Name: "draft", Type: core.Text},
		}},
		core.ResourceSpec{Name: "tag", APIName: "Tag", Fields: []core.FieldSpec{id(), {Name: "page", ToOne: "page"}}},
	)
	page, tag := m.Resource("page"), m.Resource("tag")
	f, err := page.Bind(core.Not(core.Search(" Foo  ba\"r ")))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := f.String(), `(not (search "Foo" "ba\"r"))`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := core.Search("a b").String(); got != "(search ? ?)" {
		t.Errorf("unbound: %s", got)
	}
	if got := fmt.Sprint(f.Fields()); got != "[page.title page.text]" { // an op of a decorator has no guards, so policies check the fields
		t.Errorf("fields %s", got)
	}
	if core.Search(" \t\n ").Kind() != core.FilterAll {
		t.Error("a search without words is a condition")
	}
	rec, err := page.NewRecord(map[string]any{"id": 1, "title": "some FOO", "text": "BA\"R", "draft": "baz"})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{"foo ba\"r": true, "foo baz": false, "FOO some": true, "o": true} {
		bound, err := page.Bind(core.Search(text))
		if got := matches(t, bound, rec); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, c := range []struct {
		r        *core.Resource
		text     string
		accepted string
	}{
		{tag, "a", "no search, because Tag has no searchable field"},
		{page, strings.Repeat("a ", 17), "at most 16 words and 1000 bytes"},
		{page, strings.Repeat("a", 1001), "at most 16 words and 1000 bytes"},
		{page, "a\xff", "valid UTF-8 without NUL"},
		{page, "a\x00", "valid UTF-8 without NUL"},
	} {
		_, err := c.r.Bind(core.Search(c.text))
		if e := core.AsError(err); err == nil || e.Code != core.BadParam || e.Param != "search" || e.Accepted != c.accepted {
			t.Errorf("%.20q: %v", c.text, err)
		}
	}
	if _, err := tag.Bind(f); !errors.Is(err, core.ServerError) {
		t.Errorf("a search of another resource: %v", err)
	}
	if bound, err := tag.Bind(core.Related("page", core.Search("a"))); err != nil || bound.String() != `(page any (search "a"))` {
		t.Errorf("a related search: %v, %v", bound, err)
	}
}

func TestSearchAsksForEachField(t *testing.T) {
	var asked []string
	see := policy(func(op *core.Op) error {
		if op.Kind != core.Visibility {
			return nil
		}
		asked = append(asked, fmt.Sprintf("%v where %v, %v", op.Resource, op.Where, op.Fields))
		switch op.Fields[0].Name() {
		case "mail":
			op.Guard(core.Eq("name", "bob"))
		case "secret":
			return &core.Error{Code: core.UnknownField, Resource: op.Resource.APIName(), Field: op.Fields[0].APIName()}
		}
		return nil
	})
	m := core.MustModel("m", core.ResourceSpec{Name: "user", Fields: []core.FieldSpec{
		id(), {Name: "name", Type: core.Text, Searchable: true}, {Name: "mail", Type: core.Text, Searchable: true}, {Name: "secret", Type: core.Text, Searchable: true},
	}})
	for name, c := range map[string]struct {
		decorators []core.Decorator
		want       string
	}{
		"a policy by fields":       {[]core.Decorator{see}, "[1,2]"},
		"no policy":                {nil, "[1,2,3]"},
		"a policy that refuses":    {[]core.Decorator{policy(func(op *core.Op) error { return op.Resource.Forbidden() })}, "FORBIDDEN"},
		"a policy that is unaware": {[]core.Decorator{{Name: "old", Kind: core.KindPolicy, Wrap: policy(func(*core.Op) error { return nil }).Wrap}}, "SEARCH_FORBIDDEN"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := core.New(t.Context(), m, memory.New(), c.decorators...)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			user := m.Resource("user")
			for i, rec := range []map[string]any{{"name": "ann x", "mail": "x"}, {"name": "bob", "mail": "x"}, {"name": "cid", "mail": "x", "secret": "x"}} {
				rec["id"] = i + 1
				r, err := user.NewRecord(rec)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := s.Insert(core.System(t.Context()), user, r); err != nil && name != "a policy that refuses" {
					t.Fatal(err)
				}
			}
			asked = nil
			page, err := s.Select(t.Context(), user, core.Query{Where: core.Search("X")})
			got := core.ListOf(keysOf(page.Records)...).Text()
			if err != nil {
				got = string(core.AsError(err).Code)
			}
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if want := []string{"user where all, [user.name]", "user where all, [user.mail]", "user where all, [user.secret]"}; name == "a policy by fields" && !slices.Equal(asked, want) {
				t.Errorf("asked %q", asked)
			}
		})
	}
}
