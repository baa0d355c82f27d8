package core_test

import (
	"context"
	"errors"
	"fmt"
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
