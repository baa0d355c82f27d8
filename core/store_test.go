package core_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
)

// open composes a store of cookies on memory.
func open(tb testing.TB, decorators ...core.Decorator) *core.Store {
	tb.Helper()
	return openOn(tb, memory.New(), decorators...)
}

func openOn(tb testing.TB, b core.Backend, decorators ...core.Decorator) *core.Store {
	tb.Helper()
	s, err := core.New(tb.Context(), cookies(tb), b, decorators...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

// watch is a decorator that calls see before each op and done after it.
func watch(name string, see func(op *core.Op), done func(op *core.Op, err error)) core.Decorator {
	return core.Decorator{
		Name: name, Kind: core.KindPolicy, Repeatable: true,
		Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
			return func(ctx context.Context, op *core.Op) (core.Result, error) {
				see(op)
				res, err := next(ctx, op)
				done(op, err)
				return res, err
			}, nil
		},
	}
}

func ignore(*core.Op, error) {}

func insert(tb testing.TB, s core.Querier, resource *core.Resource, fields map[string]any) core.Record {
	tb.Helper()
	rec, err := resource.NewRecord(fields)
	if err != nil {
		tb.Fatal(err)
	}
	done, err := s.Insert(tb.Context(), resource, rec)
	if err != nil {
		tb.Fatal(err)
	}
	return done[0]
}

func TestEveryOperationPassesTheChainOutermostFirst(t *testing.T) {
	var seen []string
	note := func(name string) func(*core.Op) {
		return func(op *core.Op) { seen = append(seen, name+" "+op.Kind.String()) }
	}
	s := open(t, watch("outer", note("outer"), ignore), watch("inner", note("inner"), ignore))
	ctx, r := t.Context(), s.Model().Resource("cookie")
	run := func(querier core.Querier) {
		rec := insert(t, querier, r, map[string]any{"type": "muffin"})
		key := rec.Key()
		_, err := querier.Get(ctx, r, key)
		_, err2 := querier.Load(ctx, r, []core.Value{key})
		_, err3 := querier.Select(ctx, r, core.Query{})
		_, err4 := querier.Count(ctx, r, core.All())
		_, err5 := querier.Update(ctx, r, rec)
		_, err6 := querier.NextIDs(ctx, r, 1)
		err7 := querier.Delete(ctx, r, key)
		if err := errors.Join(err, err2, err3, err4, err5, err6, err7); err != nil {
			t.Fatal(err)
		}
	}
	each := "outer insert inner insert outer load inner load outer load inner load outer select inner select " +
		"outer count inner count outer update inner update outer next_id inner next_id outer delete inner delete"
	run(s)
	if got := strings.Join(seen, " "); got != each {
		t.Errorf("outside a transaction: %s", got)
	}
	seen = nil
	if err := s.Tx(ctx, func(_ context.Context, tx *core.Transaction) error {
		run(tx)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(seen, " "); got != "outer tx inner tx "+each {
		t.Errorf("inside a transaction: %s", got)
	}
}

func TestReadOnlyResourceRejectsEveryWrite(t *testing.T) {
	m := core.MustModel("m",
		core.ResourceSpec{Name: "report", APIName: "Report", ReadOnly: true, Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true}, {Name: "n", Type: core.Int}, {Name: "jar", ToOne: "jar"},
		}},
		core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "reports", ToMany: "report", Inverse: "jar"}}},
	)
	var denied bool
	deny := core.Decorator{Name: "deny", Kind: core.KindPolicy, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if denied && op.Kind.Writes() {
				return core.Result{}, &core.Error{Code: core.Forbidden}
			}
			return next(ctx, op)
		}, nil
	}}
	s, err := core.New(t.Context(), m, memory.NewWith(seed.Data{"report": {1: {"n": 7}}}), deny)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	r, jar := m.Resource("report"), m.Resource("jar")
	if !s.ReadOnly(r) || !r.ReadOnly() || s.ReadOnly(jar) || jar.ReadOnly() || !jar.Field("reports").ReadOnly() || r.Field("n").ReadOnly() {
		t.Error("report and jar.reports are read-only, and nothing else")
	}
	rec, err := r.NewRecord(map[string]any{"id": 1, "n": 8})
	if err != nil {
		t.Fatal(err)
	}
	run := func(ctx context.Context, q core.Querier, want core.Code) {
		for name, write := range map[string]func() error{
			"insert": func() error { _, err := q.Insert(ctx, r, rec); return err },
			"update": func() error { _, err := q.Update(ctx, r, rec); return err },
			"delete": func() error { return q.Delete(ctx, r, core.IntValue(1)) },
			"ids":    func() error { _, err := q.NextIDs(ctx, r, 1); return err },
		} {
			if e := core.AsError(write()); e == nil || e.Code != want || want == core.ReadOnly && e.Resource != "Report" {
				t.Errorf("%s: %v, want %s", name, e, want)
			}
		}
		if got, err := q.Get(ctx, r, core.IntValue(1)); err != nil || got.String() != "report{id:1 n:7 jar:null}" {
			t.Errorf("%v %v", got, err)
		}
		if n, err := q.Count(ctx, r, core.All()); err != nil || n != 1 {
			t.Errorf("%d %v", n, err)
		}
	}
	for _, ctx := range []context.Context{t.Context(), core.System(t.Context())} {
		run(ctx, s, core.ReadOnly)
		if err := s.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
			insert(t, tx, jar, nil)
			run(ctx, tx, core.ReadOnly)
			return nil
		}); err != nil {
			t.Error(err)
		}
	}
	denied = true // a denial comes first
	run(t.Context(), s, core.Forbidden)
}

func TestOpMadeByDecoratorIsRejected(t *testing.T) {
	s := open(t, core.Decorator{Name: "forger", Kind: core.KindPolicy, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			return next(ctx, &core.Op{Kind: op.Kind, Resource: op.Resource, Order: op.Order})
		}, nil
	}})
	if _, err := s.Count(t.Context(), s.Model().Resource("cookie"), core.All()); !errors.Is(err, core.ServerError) {
		t.Errorf("got %v", err)
	}
}

func TestUnfitConditionFailsTheOp(t *testing.T) {
	guard := func(f core.Filter) core.Decorator {
		return core.Decorator{Name: "guard", Kind: core.KindPolicy, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
			return func(ctx context.Context, op *core.Op) (core.Result, error) {
				op.Guard(f)
				return next(ctx, op)
			}, nil
		}}
	}
	s := open(t, guard(core.Eq("owner", 1)))
	if n, err := s.Count(t.Context(), s.Model().Resource("cookie"), core.All()); !errors.Is(err, core.ServerError) {
		t.Errorf("got %d, %v", n, err)
	}
	if err := s.Tx(t.Context(), func(context.Context, *core.Transaction) error { return nil }); !errors.Is(err, core.ServerError) {
		t.Errorf("a condition on a transaction: %v", err)
	}
}

func TestConditionsOfDecoratorsAreBound(t *testing.T) {
	s := open(t, around("guard", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind == core.Count || op.Kind == core.Update {
			key := op.Resource.Key()
			op.Where = core.And(op.Where, core.Or(key.Compare(core.FilterGt, core.IntValue(1)), key.Compare(core.FilterLt, core.IntValue(0))))
			op.Guard(core.And(core.Eq("type", "muffin"), core.Gt("price", 0)))
		}
		return next(ctx, op)
	}))
	r := s.Model().Resource("cookie")
	for _, kind := range []string{"muffin", "muffin", "other"} {
		insert(t, s, r, map[string]any{"type": kind})
	}
	if n, err := s.Count(t.Context(), r, core.All()); n != 1 || err != nil {
		t.Errorf("%d records, %v", n, err)
	}
	for _, c := range []struct {
		id, price int
		want      error
	}{{2, 5, nil}, {2, -5, core.Forbidden}, {3, 5, core.Unauthorized}} { // the anonymous caller can read 3
		change := cookie(t, s.Model(), map[string]any{"id": c.id, "price": c.price})
		if _, err := s.Update(t.Context(), r, change); !errors.Is(err, c.want) {
			t.Errorf("%+v: got %v", c, err)
		}
	}
}

func TestNewRejectsStacksWithTheCorrectOrder(t *testing.T) {
	pass := func(_ *core.Model, next core.Handler) (core.Handler, error) { return next, nil }
	decorator := func(name string, k core.DecoratorKind) core.Decorator {
		return core.Decorator{Name: name, Kind: k, Wrap: pass}
	}
	onWrite := func(context.Context, *core.Transaction, []core.Change) error { return nil }
	keeper := decorator("keeper", core.KindEffect)
	keeper.InsidePolicies, keeper.Keeps = true, func(*core.Resource) bool { return true }
	trail := decorator("trail", core.KindEffect)
	trail.InsidePolicies, trail.Inside = true, []string{"bin", "stamp"}
	for _, c := range []struct {
		stack []core.Decorator
		want  string
	}{
		{[]core.Decorator{decorator("cache", core.KindAnswer), decorator("owner", core.KindPolicy)}, `put "owner" before "cache"`},
		{[]core.Decorator{decorator("cache", core.KindAnswer), decorator("stamp", core.KindEffect)}, `put "stamp" before "cache"`},
		{[]core.Decorator{decorator("owner", core.KindPolicy), decorator("owner", core.KindPolicy)}, "is in the stack twice"},
		{[]core.Decorator{decorator("lazy", 0)}, "has no kind"},
		{[]core.Decorator{decorator("eager", core.KindAnswer+1)}, "has no kind"},
		{[]core.Decorator{{Kind: core.KindPolicy, Wrap: pass}}, "needs a name"},
		{[]core.Decorator{{Name: "empty", Kind: core.KindPolicy}}, "needs a name and exactly one of Wrap and Observe"},
		{[]core.Decorator{{Name: "nothing", Kind: core.KindPolicy, Wrap: func(*core.Model, core.Handler) (core.Handler, error) { return nil, nil }}}, "no handler"},
		{[]core.Decorator{{Name: "picky", Kind: core.KindPolicy, Wrap: func(*core.Model, core.Handler) (core.Handler, error) {
			return nil, errors.New("the model has no field owner")
		}}}, `decorator "picky": the model has no field owner`},
		{[]core.Decorator{core.OnWrite("cookie", onWrite), decorator("owner", core.KindPolicy)}, `stands inside "on write", which would see writes that "owner" denies, and change what "owner" decides about; put "owner" before "on write"`},
		{[]core.Decorator{trail, decorator("stamp", core.KindEffect)}, `decorator "stamp": stands inside "trail", which has to see the result of "stamp"; put "stamp" before "trail"`},
		{[]core.Decorator{trail, decorator("owner", core.KindPolicy)}, `put "owner" before "trail"`},
		{[]core.Decorator{core.OnWrite("cookie", onWrite), keeper}, `decorator "keeper": stands inside "on write", which would not see restores; put "keeper" before "on write"`},
		{[]core.Decorator{decorator("cache", core.KindAnswer), core.OnWrite("cookie", onWrite)}, `put "on write" before "cache"`},
		{[]core.Decorator{core.OnWrite("pot", onWrite)}, `decorator "on write": the model has no resource "pot"`},
		{[]core.Decorator{core.OnWrite("jar", nil)}, `decorator "on write": the function for resource "jar" is nil`},
	} {
		if _, err := core.New(t.Context(), cookies(t), memory.New(), c.stack...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
	again := core.Decorator{Name: "owner of another kind", Kind: core.KindPolicy, Repeatable: true, Wrap: pass}
	look := func(name string) core.Decorator {
		return core.Decorator{Name: name, Kind: core.KindObserve, Observe: func(*core.Model) (core.Observer, error) { return nil, nil }}
	}
	good := []core.Decorator{
		look("log"), decorator("early", core.KindEffect), decorator("owner", core.KindPolicy), again, again, decorator("late", core.KindEffect), keeper,
		core.OnWrite("cookie", onWrite), core.OnWrite("cookie", onWrite), decorator("stamp", core.KindEffect), trail,
		look("metrics"), decorator("cache", core.KindAnswer), look("inner"),
	}
	if _, err := core.New(t.Context(), cookies(t), memory.New(), good...); err != nil {
		t.Error(err)
	}
}

func TestEveryDecoratorWithAWrapMayHideRecords(t *testing.T) {
	pass := func(_ *core.Model, next core.Handler) (core.Handler, error) { return next, nil }
	look := func(*core.Model) (core.Observer, error) { return nil, nil }
	for want, stack := range map[bool][]core.Decorator{
		false: {{Name: "observer", Kind: core.KindObserve, Observe: look}},
		true:  {{Name: "observer", Kind: core.KindObserve, Observe: look}, {Name: "cache", Kind: core.KindAnswer, Wrap: pass}},
	} {
		if got := open(t, stack...).Describe().MayHide(); got != want {
			t.Errorf("%v: %v", want, got)
		}
	}
	if open(t).Describe().MayHide() {
		t.Error("a store without decorators hides records")
	}
}

// partial is a backend with reads that may lack the targets of relations.
type partial struct{ core.Backend }

func (p partial) KeySource(r *core.Resource) core.KeySource {
	source := p.Backend.KeySource(r)
	source.Partial = r.Name() == "jar"
	return source
}

func TestReadsAll(t *testing.T) {
	handle := func(kind core.DecoratorKind, knows bool, do func(op *core.Op) error) core.Decorator {
		return core.Decorator{Name: "some", Kind: kind, KnowsRelated: knows, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
			return func(ctx context.Context, op *core.Op) (core.Result, error) {
				if op.Resource != nil && op.Resource.Name() == "jar" && !op.Principal.IsSystem() {
					if err := do(op); err != nil {
						return core.Result{}, err
					}
				}
				return next(ctx, op)
			}, nil
		}}
	}
	permit := func(*core.Op) error { return nil }
	narrow := func(op *core.Op) error { op.Guard(core.Eq("id", 1)); return nil }
	refuse := func(err error) func(op *core.Op) error { return func(*core.Op) error { return err } }
	observer := core.Decorator{Name: "observer", Kind: core.KindObserve, Observe: func(*core.Model) (core.Observer, error) { return nil, nil }}
	for _, c := range []struct {
		name    string
		backend core.Backend
		stack   []core.Decorator
		want    bool
		system  bool
	}{
		{"no decorator", memory.New(), nil, true, true},
		{"observer", memory.New(), []core.Decorator{observer}, true, true},
		{"policy that permits everything", memory.New(), []core.Decorator{handle(core.KindPolicy, true, permit)}, true, true},
		{"policy that narrows", memory.New(), []core.Decorator{observer, handle(core.KindPolicy, true, narrow)}, false, true},
		{"effect that narrows", memory.New(), []core.Decorator{handle(core.KindEffect, true, narrow)}, false, true},
		{"policy that denies", memory.New(), []core.Decorator{handle(core.KindPolicy, true, refuse(core.Forbidden))}, false, true},
		{"policy that needs a principal", memory.New(), []core.Decorator{handle(core.KindPolicy, true, refuse(core.Unauthorized))}, false, true},
		{"policy that denies a field", memory.New(), []core.Decorator{handle(core.KindPolicy, true, refuse(core.UnknownField))}, false, true},
		{"policy without KnowsRelated", memory.New(), []core.Decorator{handle(core.KindPolicy, false, permit)}, false, false},
		{"effect without KnowsRelated", memory.New(), []core.Decorator{handle(core.KindEffect, false, permit)}, false, false},
		{"answer without KnowsRelated", memory.New(), []core.Decorator{handle(core.KindAnswer, false, permit)}, false, false},
		{"backend that reads some records", partial{memory.New()}, nil, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := core.New(t.Context(), cookies(t), c.backend, c.stack...)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			check := func(ctx context.Context, querier core.Querier) {
				t.Helper()
				for who, want := range map[context.Context]bool{ctx: c.want, core.System(ctx): c.system} {
					if all, err := querier.ReadsAll(who, s.Model().Resource("jar")); err != nil || all != want {
						t.Errorf("%v: got %v, %v, want %v", core.PrincipalOf(who), all, err, want)
					}
				}
			}
			check(t.Context(), s)
			if err := s.TxWith(t.Context(), core.TxOptions{ReadOnly: true}, func(ctx context.Context, tx *core.Transaction) error {
				check(ctx, tx.Final()) // asking is no operation that ends the transaction
				check(ctx, tx)
				return nil
			}); err != nil {
				t.Error(err)
			}
		})
	}
	s := open(t, handle(core.KindPolicy, true, refuse(errors.New("broken"))))
	if _, err := s.ReadsAll(t.Context(), s.Model().Resource("jar")); !errors.Is(err, core.ServerError) {
		t.Errorf("the error of a decorator is lost: %v", err)
	}
}

func TestDescribe(t *testing.T) {
	s := open(t, core.Decorator{Name: "owner", Note: "field user_id", Kind: core.KindPolicy, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) { return next, nil }})
	want := "model cookies\n  owner (policy): field user_id\n  memory\n"
	if got := s.Describe().String(); got != want {
		t.Errorf("got %q", got)
	}
}

func TestPrincipalComesFromEachContext(t *testing.T) {
	var seen []string
	s := open(t, watch("see", func(op *core.Op) { seen = append(seen, op.Principal.String()) }, ignore))
	r := s.Model().Resource("cookie")
	alice := core.WithPrincipal(t.Context(), &core.Principal{ID: core.TextValue("alice")})
	count := func(ctx context.Context, querier core.Querier) {
		if _, err := querier.Count(ctx, r, core.All()); err != nil {
			t.Fatal(err)
		}
	}
	count(t.Context(), s)
	count(alice, s)
	count(core.System(alice), s)
	if err := s.Tx(alice, func(ctx context.Context, tx *core.Transaction) error {
		count(ctx, tx)
		count(core.System(ctx), tx)
		count(context.Background(), tx) // a context without a principal is anonymous
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(seen, " "); got != "anonymous alice system alice alice system anonymous" {
		t.Errorf("got %s", got)
	}
}

func TestInvalidArgumentsAreRejected(t *testing.T) {
	s, other := open(t), cookies(t)
	ctx, r := t.Context(), s.Model().Resource("cookie")
	one := insert(t, s, r, map[string]any{"type": "muffin"})
	for name, c := range map[string]struct {
		err  error
		want core.Code
	}{
		"key of another type":     {second(s.Get(ctx, r, core.TextValue("1"))), core.BadFieldValue},
		"key of another, delete":  {s.Delete(ctx, r, core.TextValue("1")), core.BadFieldValue},
		"null key":                {second(s.Load(ctx, r, []core.Value{core.Null})), core.BadFieldValue},
		"resource of another":     {second(s.Get(ctx, other.Resource("cookie"), core.IntValue(1))), core.ServerError},
		"no resource, get":        {second(s.Get(ctx, nil, core.IntValue(1))), core.ServerError},
		"no resource, load":       {second(s.Load(ctx, nil, []core.Value{core.IntValue(1)})), core.ServerError},
		"no resource, select":     {second(s.Select(ctx, nil, core.Query{})), core.ServerError},
		"no resource, count":      {second(s.Count(ctx, nil, core.Eq("id", 1))), core.ServerError},
		"no resource, insert":     {second(s.Insert(ctx, nil, core.Record{})), core.ServerError},
		"no resource, update":     {second(s.Update(ctx, nil, core.Record{})), core.ServerError},
		"no resource, delete":     {s.Delete(ctx, nil, core.IntValue(1)), core.ServerError},
		"no resource, next id":    {second(s.NextIDs(ctx, nil, 1)), core.ServerError},
		"zero record, insert":     {second(s.Insert(ctx, r, core.Record{})), core.ServerError},
		"zero record, update":     {second(s.Update(ctx, r, core.Record{})), core.ServerError},
		"too many fields to sort": {second(s.Select(ctx, r, core.Query{Order: slices.Repeat([]string{"type"}, 17)})), core.BadParam},
		"unknown field to load":   {second(s.Load(ctx, r, []core.Value{core.IntValue(1)}, "x")), core.UnknownField},
		"condition to count":      {second(s.Count(ctx, r, core.Eq("x", 1))), core.UnknownField},
		"record of another":       {second(s.Insert(ctx, r, cookie(t, other, map[string]any{"id": 5}))), core.ServerError},
		"value of another type":   {second(s.Update(ctx, r, one.With(1, core.IntValue(1)))), core.BadFieldValue},
		"text that is not UTF-8":  {second(s.Insert(ctx, r, one.With(1, core.TextValue("\xff")))), core.BadFieldValue},
		"update without a key":    {second(s.Update(ctx, r, one.With(0, core.Value{}))), core.BadFieldValue},
		"two changes to a record": {second(s.Update(ctx, r, one, one)), core.BadRequest},
		"negative limit":          {second(s.Select(ctx, r, core.Query{Limit: -1})), core.BadParam},
		"cursor of nothing":       {second(s.Select(ctx, r, core.Query{After: "x"})), core.BadParam},
		"order by unknown field":  {second(s.Select(ctx, r, core.Query{Order: []string{"-x"}})), core.UnknownField},
		"order by a to-many":      {second(s.Select(ctx, s.Model().Resource("jar"), core.Query{Order: []string{"cookies"}})), core.SearchForbidden},
		"unknown field to read":   {second(s.Select(ctx, r, core.Query{Fields: []string{"x"}})), core.UnknownField},
		"negative number of ids":  {second(s.NextIDs(ctx, r, -1)), core.BadRequest},
		"absent":                  {second(s.Get(ctx, r, core.IntValue(99))), core.NotFound},
		"delete absent":           {s.Delete(ctx, r, core.IntValue(99)), core.NotFound},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: got %v, want %v", name, c.err, c.want)
		}
		if _, ok := c.err.(*core.Error); !ok { //nolint:errorlint // the type itself is promised
			t.Errorf("%s: %T is not *core.Error", name, c.err)
		}
	}
}

func TestStoreThatCannotBeComposedClosesItsBackend(t *testing.T) {
	for name, compose := range map[string]func(core.Backend) (*core.Store, error){
		"no model": func(b core.Backend) (*core.Store, error) { return core.New(t.Context(), nil, b) },
		"bad decorator": func(b core.Backend) (*core.Store, error) {
			return core.New(t.Context(), cookies(t), b, core.Decorator{})
		},
	} {
		closed := 0
		if _, err := compose(counted{memory.New(), &closed}); err == nil || closed != 1 {
			t.Errorf("%s: closed %d times, %v", name, closed, err)
		}
	}
	if _, err := core.New(t.Context(), cookies(t), nil); err == nil {
		t.Error("accepted no backend")
	}
}

func second[T any](_ T, err error) error { return err }

func TestAnswerWithoutRecordsIsAnError(t *testing.T) {
	s := open(t, core.Decorator{Name: "dry", Kind: core.KindAnswer, Wrap: func(*core.Model, core.Handler) (core.Handler, error) {
		return func(context.Context, *core.Op) (core.Result, error) { return core.Result{}, nil }, nil
	}})
	ctx, m := t.Context(), s.Model()
	r := m.Resource("cookie")
	for name, err := range map[string]error{
		"insert": second(s.Insert(ctx, r, cookie(t, m, map[string]any{"type": "muffin"}))),
		"update": second(s.Update(ctx, r, cookie(t, m, map[string]any{"id": 1}))),
		"ids":    second(s.NextIDs(ctx, r, 2)),
	} {
		if !errors.Is(err, core.ServerError) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestCursorIsValidForItsQueryOnly(t *testing.T) {
	s := open(t)
	ctx, r := t.Context(), s.Model().Resource("cookie")
	for range 4 {
		insert(t, s, r, map[string]any{"type": "muffin"})
	}
	q := core.Query{Where: core.Eq("type", "muffin"), Order: []string{"-price"}, Limit: 2}
	page, err := s.Select(ctx, r, q)
	if err != nil || len(page.Records) != 2 || page.Next == "" {
		t.Fatalf("%v, %v", page, err)
	}
	q.After, q.Limit = page.Next, 5
	if rest, err := s.Select(ctx, r, q); err != nil || len(rest.Records) != 2 || rest.Next != "" {
		t.Errorf("the rest: %v, %v", rest, err)
	}
	for name, other := range map[string]core.Query{
		"other condition": {Where: core.Eq("type", "x"), Order: q.Order, After: q.After},
		"other order":     {Where: q.Where, Order: []string{"price"}, After: q.After},
		"other field":     {Where: q.Where, Order: []string{"-jar"}, After: q.After},
		"cut":             {Where: q.Where, Order: q.Order, After: q.After[:len(q.After)-2]},
	} {
		if _, err := s.Select(ctx, r, other); !errors.Is(err, core.BadParam) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestDefaultsAreFilledInBeforeTheChain(t *testing.T) {
	var price core.Value
	s := open(t, watch("see", func(op *core.Op) { price = op.Records[0].Get("price") }, ignore))
	rec := insert(t, s, s.Model().Resource("cookie"), map[string]any{"type": "muffin"})
	if price != core.FloatValue(1) || rec.Get("price") != core.FloatValue(1) {
		t.Errorf("chain saw %v, store has %v", price, rec)
	}
	if rec := insert(t, s, s.Model().Resource("cookie"), map[string]any{"price": nil}); !rec.Get("price").IsNull() {
		t.Errorf("an explicit null became %v", rec)
	}
}

func TestInsertHasRequestedRecords(t *testing.T) {
	var given, records string
	s := open(t, watch("see", func(op *core.Op) { given, records = op.Requested[0].String(), op.Records[0].String() }, ignore))
	insert(t, s, s.Model().Resource("cookie"), map[string]any{"type": "muffin"})
	if given != "cookie{type:muffin}" || records != "cookie{type:muffin price:1}" {
		t.Errorf("given %s, records %s", given, records)
	}
}

func TestLoadWithoutFieldsReadsAll(t *testing.T) {
	s := open(t)
	r := s.Model().Resource("cookie")
	ids, err := s.NextIDs(t.Context(), r, 2)
	if err != nil || ids[0].Type() != core.Int || ids[0] == ids[1] {
		t.Fatalf("ids %v, %v", ids, err)
	}
	var want []core.Record
	for _, key := range ids {
		want = append(want, insert(t, s, r, map[string]any{"id": key, "type": "muffin"}))
	}
	got, err := s.Load(t.Context(), r, []core.Value{ids[1], ids[0]})
	if err != nil || !slices.EqualFunc(got, want, core.Record.Equal) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

// onNothing sends every kind of operation without keys or records.
func onNothing(ctx context.Context, s core.Querier, r *core.Resource) map[string]error {
	return map[string]error{
		"load": second(s.Load(ctx, r, nil)), "insert": second(s.Insert(ctx, r)), "update": second(s.Update(ctx, r)),
		"delete": s.Delete(ctx, r), "next_id": second(s.NextIDs(ctx, r, 0)),
	}
}

func TestEmptyOpsPassTheChain(t *testing.T) {
	seen := make(map[string]int)
	s := open(t, watch("see", func(op *core.Op) { seen[op.Kind.String()]++ }, ignore))
	r := s.Model().Resource("cookie")
	for name, err := range onNothing(t.Context(), s, r) {
		if err != nil || seen[name] != 1 {
			t.Errorf("%s: seen %d times, %v", name, seen[name], err)
		}
	}
	if err := s.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
		for name, err := range onNothing(ctx, tx, r) {
			if err != nil || seen[name] != 2 {
				t.Errorf("in a transaction, %s: seen %d times, %v", name, seen[name], err)
			}
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

func TestPoliciesApplyToEmptyOps(t *testing.T) {
	s := open(t, around("policy", func(context.Context, *core.Op, core.Handler) (core.Result, error) {
		return core.Result{}, core.Unauthorized
	}))
	for name, err := range onNothing(t.Context(), s, s.Model().Resource("cookie")) {
		if !errors.Is(err, core.Unauthorized) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// down is a backend that cannot be reached.
type down struct{ unreachable }

var errDown = &core.Error{Code: core.Unavailable, Cause: errors.New("no server there")}

func (down) Ping(context.Context) error { return errDown }

func TestEmptyOpsPingTheBackend(t *testing.T) {
	s := openOn(t, down{})
	for name, err := range onNothing(t.Context(), s, s.Model().Resource("cookie")) {
		if !errors.Is(err, core.Unavailable) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if err := s.Ping(t.Context()); !errors.Is(err, core.Unavailable) {
		t.Errorf("ping: got %v", err)
	}
}

func TestEmptyFinalOperationCommits(t *testing.T) {
	s := open(t)
	r := s.Model().Resource("cookie")
	if err := s.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
		insert(t, tx, r, map[string]any{"id": 1})
		if err := tx.Final().Delete(ctx, r); err != nil {
			return err
		}
		return second(tx.Count(ctx, r, core.All()))
	}); !errors.Is(err, core.ErrTxDone) {
		t.Errorf("after the final operation: %v", err)
	}
	if n, err := s.Count(t.Context(), r, core.All()); n != 1 || err != nil {
		t.Errorf("%d records, %v", n, err)
	}
}

func TestClosedStore(t *testing.T) {
	s := openOn(t, unreachable{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := s.Count(t.Context(), s.Model().Resource("cookie"), core.All())
	tx := s.Tx(t.Context(), func(context.Context, *core.Transaction) error { return nil })
	for _, err := range []error{err, tx, s.Close()} {
		if !errors.Is(err, core.ErrClosed) || !errors.Is(err, core.Unavailable) {
			t.Errorf("got %v", err)
		}
	}
}

func TestConcurrentOperationsDoNotShareAnOp(t *testing.T) {
	s := open(t)
	r := s.Model().Resource("cookie")
	for i := range 50 {
		insert(t, s, r, map[string]any{"id": i, "price": i})
	}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 500 {
				key := core.IntValue(int64((i * (g + 1)) % 50))
				if rec, err := s.Get(t.Context(), r, key); err != nil || rec.Get("price").Float() != float64(key.Int()) {
					t.Errorf("%v: %v, %v", key, rec, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestUnfitDefaultIsServerError(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "secret", Type: core.Int, Hidden: true, Default: func() any { return "many" }},
	}})
	s, err := core.New(t.Context(), m, unreachable{})
	if err != nil {
		t.Fatal(err)
	}
	r := m.Resource("cookie")
	rec, err := r.NewRecord(nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Insert(t.Context(), r, rec)
	if e := core.AsError(err); e.Code != core.ServerError || errors.Is(err, core.BadFieldValue) || e.Field != "" || !strings.Contains(err.Error(), "cookie.secret") || strings.Contains(err.Error(), "many") {
		t.Errorf("got %v", err)
	}
}

// counted is a function for BackendFunc that counts the opened and the closed backends.
type counted struct {
	core.Backend

	closed *int
}

func (c counted) Close() error { *c.closed++; return c.Backend.Close() }

func TestBackendFuncOpensOneBackendPerTransaction(t *testing.T) {
	opened, closed := 0, 0
	s := openOn(t, core.BackendFunc(func(context.Context) (core.Backend, error) {
		opened++
		return counted{memory.New(), &closed}, nil
	}))
	r := s.Model().Resource("cookie")
	if opened != 1 || closed != 1 {
		t.Fatalf("composing opened %d and closed %d", opened, closed)
	}
	insert(t, s, r, map[string]any{"type": "muffin"})
	if opened != 2 || closed != 2 {
		t.Errorf("an operation: opened %d, closed %d", opened, closed)
	}
	for _, result := range []error{nil, errors.New("no")} {
		opened, closed = 0, 0
		_ = s.Tx(t.Context(), func(_ context.Context, tx *core.Transaction) error {
			insert(t, tx, r, map[string]any{"type": "muffin"})
			insert(t, tx, r, map[string]any{"type": "muffin"})
			if opened != 1 || closed != 0 {
				t.Errorf("inside: opened %d, closed %d", opened, closed)
			}
			return result
		})
		if opened != 1 || closed != 1 {
			t.Errorf("a transaction that ends with %v: opened %d, closed %d", result, opened, closed)
		}
	}
}

func TestBackendFuncGetsTheRequestContext(t *testing.T) {
	tenants := map[any]core.Backend{}
	type tenant struct{}
	s := openOn(t, core.BackendFunc(func(ctx context.Context) (core.Backend, error) {
		name := ctx.Value(tenant{})
		if tenants[name] == nil {
			tenants[name] = &kept{Backend: memory.New()}
		}
		return tenants[name], nil
	}))
	r := s.Model().Resource("cookie")
	insertFor := func(name string) int {
		ctx := context.WithValue(t.Context(), tenant{}, name)
		if _, err := s.Insert(ctx, r, cookie(t, s.Model(), nil)); err != nil {
			t.Fatal(err)
		}
		n, err := s.Count(ctx, r, core.All())
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if a, b, a2 := insertFor("a"), insertFor("b"), insertFor("a"); a != 1 || b != 1 || a2 != 2 {
		t.Errorf("got %d, %d, %d", a, b, a2)
	}
}

// exploding is a backend with transactions that panic at their end.
type exploding struct{ counted }

type explodingTx struct{ core.BackendTx }

func (e exploding) Begin(ctx context.Context, opts core.BackendTxOptions) (core.BackendTx, error) {
	tx, err := e.counted.Begin(ctx, opts)
	return explodingTx{tx}, err
}

func (e explodingTx) Commit(context.Context) error   { panic("boom") }
func (e explodingTx) Rollback(context.Context) error { panic("boom") }

func TestBackendOfATransactionIsClosedEvenIfItPanics(t *testing.T) {
	for _, own := range []error{nil, errors.New("no")} {
		closed := 0
		s := openOn(t, core.BackendFunc(func(context.Context) (core.Backend, error) {
			return exploding{counted{memory.New(), &closed}}, nil
		}))
		func() {
			defer func() {
				if recover() != "boom" || closed != 2 {
					t.Errorf("%v: closed %d times", own, closed)
				}
			}()
			_ = s.Tx(t.Context(), func(context.Context, *core.Transaction) error { return own })
		}()
	}
}

// tripping is a backend that panics in Bind, once armed, or in Begin.
type tripping struct {
	counted

	inBind bool
}

func (f tripping) Bind(ctx context.Context, m *core.Model) error {
	if f.inBind {
		panic("boom")
	}
	return f.counted.Bind(ctx, m)
}

func (f tripping) Begin(context.Context, core.BackendTxOptions) (core.BackendTx, error) {
	panic("boom")
}
func (f tripping) Ping(context.Context) error { panic("boom") }

func TestBackendFuncClosesBackendThatCannotBegin(t *testing.T) {
	for _, inBind := range []bool{true, false} {
		opened, closed := 0, 0
		s := openOn(t, core.BackendFunc(func(context.Context) (core.Backend, error) {
			opened++
			return tripping{counted{memory.New(), &closed}, inBind && opened > 1}, nil
		}))
		for what, do := range map[string]func() error{
			"operation": func() error { return second(s.Count(t.Context(), s.Model().Resource("cookie"), core.All())) },
			"transaction": func() error {
				return s.Tx(t.Context(), func(context.Context, *core.Transaction) error { return nil })
			},
			"ping": func() error { return s.Ping(t.Context()) },
		} {
			func() {
				defer func() {
					if recover() != "boom" || closed != opened {
						t.Errorf("%s, panic in Bind: %v: %d opened, %d closed", what, inBind, opened, closed)
					}
				}()
				_ = do()
			}()
		}
	}
}

// kept is a backend that serves several transactions.
type kept struct {
	core.Backend

	bound bool
}

func (k *kept) Bind(ctx context.Context, m *core.Model) error {
	if k.bound {
		return nil
	}
	k.bound = true
	return k.Backend.Bind(ctx, m)
}

func (k *kept) Close() error { return nil }

func TestBackendFuncErrorFailsTheOperation(t *testing.T) {
	down := errors.New("no route to host")
	var fail error
	s := openOn(t, core.BackendFunc(func(context.Context) (core.Backend, error) { return memory.New(), fail }))
	fail = down
	for _, err := range []error{
		second(s.Count(t.Context(), s.Model().Resource("cookie"), core.All())),
		s.Tx(t.Context(), func(context.Context, *core.Transaction) error { return nil }),
	} {
		if !errors.Is(err, down) || !errors.Is(err, core.ServerError) {
			t.Errorf("got %v", err)
		}
	}
	if _, err := core.New(t.Context(), cookies(t), core.BackendFunc(func(context.Context) (core.Backend, error) { return nil, nil })); err == nil {
		t.Error("a function that returns nothing was accepted")
	}
}

func TestClosedBackendFuncCannotBegin(t *testing.T) {
	opened := 0
	b := core.BackendFunc(func(context.Context) (core.Backend, error) { opened++; return memory.New(), nil })
	if err := b.Bind(t.Context(), cookies(t)); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	before := opened
	if _, err := b.Begin(t.Context(), core.BackendTxOptions{}); !errors.Is(err, core.ErrClosed) || opened != before {
		t.Errorf("got %v, and %d more backends", err, opened-before)
	}
}
