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

// around is a decorator of one function.
func around(name string, handle func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error)) core.Decorator {
	return core.Decorator{Name: name, Kind: core.KindPolicy, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) { return handle(ctx, op, next) }, nil
	}}
}

func TestInvalidOpFailsBeforeTheBackend(t *testing.T) {
	m := cookies(t)
	jar, strange := m.Resource("jar"), cookies(t).Resource("cookie")
	one, two := core.IntValue(1), core.IntValue(2)
	for name, spoil := range map[string]func(op *core.Op){
		"other model":            func(op *core.Op) { op.Kind, op.Resource, op.Records = core.Count, strange, nil },
		"no resource":            func(op *core.Op) { op.Resource = nil },
		"no resource to select":  func(op *core.Op) { op.Kind, op.Resource = core.Select, nil },
		"turned into a tx":       func(op *core.Op) { op.Kind = core.Tx },
		"unknown kind":           func(op *core.Op) { op.Kind = 99 },
		"records of another":     func(op *core.Op) { op.Resource = jar },
		"value of wrong type":    func(op *core.Op) { op.Records = []core.Record{op.Records[0].With(1, one)} },
		"key of wrong type":      func(op *core.Op) { op.Kind, op.Keys = core.Load, []core.Value{core.TextValue("1")} },
		"keys that descend":      func(op *core.Op) { op.Kind, op.Keys = core.Load, []core.Value{two, one} },
		"key twice":              func(op *core.Op) { op.Kind, op.Keys = core.Delete, []core.Value{one, one} },
		"more changes than keys": func(op *core.Op) { op.Kind = core.Update },
		"change of another key":  func(op *core.Op) { op.Kind, op.Keys = core.Update, []core.Value{two} },
		"order without key": func(op *core.Op) {
			op.Kind, op.Order = core.Select, []core.Order{{Field: op.Resource.Field("type")}}
		},
		"order of another": func(op *core.Op) {
			op.Kind, op.Order = core.Select, []core.Order{{Field: jar.Key()}, {Field: op.Resource.Key()}}
		},
		"order by nothing": func(op *core.Op) { op.Kind, op.Order = core.Select, []core.Order{{}} },
		"position too long": func(op *core.Op) {
			op.Kind, op.After = core.Select, []core.Value{one, two}
		},
		"negative limit":    func(op *core.Op) { op.Kind, op.Limit = core.Select, -1 },
		"negative number":   func(op *core.Op) { op.Kind, op.N = core.NextID, -1 },
		"fields of another": func(op *core.Op) { op.Kind, op.Fields = core.Select, []*core.Field{jar.Key()} },
		"no field":          func(op *core.Op) { op.Kind, op.Fields = core.Select, []*core.Field{nil} },
		"field that is not stored": func(op *core.Op) {
			op.Kind, op.Resource, op.Records, op.Fields = core.Select, jar, nil, []*core.Field{jar.Field("cookies")}
		},
		"order that is not stored": func(op *core.Op) {
			op.Kind, op.Resource, op.Records, op.Order = core.Select, jar, nil, []core.Order{{Field: jar.Field("cookies")}, {Field: jar.Key()}}
		},
		"condition of another": func(op *core.Op) { op.Kind, op.Where = core.Count, jar.Key().Compare(core.FilterEq, one) },
	} {
		t.Run(name, func(t *testing.T) {
			s, err := core.New(t.Context(), m, unreachable{}, around("spoiler", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
				spoil(op)
				return next(ctx, op)
			}))
			if err != nil {
				t.Fatal(err)
			}
			rec := cookie(t, m, map[string]any{"id": 1, "type": "muffin"})
			if _, err := s.Insert(t.Context(), rec.Resource(), rec); !errors.Is(err, core.ServerError) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestInvalidTxOpFailsBeforeBegin(t *testing.T) {
	for name, spoil := range map[string]func(op *core.Op){
		"of no transaction": func(op *core.Op) { op.Tx = nil },
		"about another":     func(op *core.Op) { op.Resource = cookies(t).Resource("cookie") },
	} {
		s := openOn(t, unreachable{}, around("spoiler", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			spoil(op)
			return next(ctx, op)
		}))
		err := s.Tx(t.Context(), func(context.Context, *core.Transaction) error { t.Errorf("%s: it has begun", name); return nil })
		if !errors.Is(err, core.ServerError) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// unreachable is a backend that fails the test when an operation reaches it.
type unreachable struct{}

func (unreachable) Bind(context.Context, *core.Model) error { return nil }
func (unreachable) Ping(context.Context) error              { return nil }
func (unreachable) KeySource(*core.Resource) core.KeySource { return core.KeySource{} }
func (unreachable) Close() error                            { return nil }
func (unreachable) Begin(context.Context, core.BackendTxOptions) (core.BackendTx, error) {
	return unreachableTx{}, nil
}

type unreachableTx struct{ core.BackendTx } // nil: every operation panics

// broken is a backend whose operations fail.
type broken struct {
	unreachable

	with error
}

func (b broken) Begin(context.Context, core.BackendTxOptions) (core.BackendTx, error) {
	return brokenTx{of: b}, nil
}

type brokenTx struct {
	unreachableTx

	of broken
}

func (t brokenTx) Read(context.Context, *core.Op) (core.Result, error) {
	return core.Result{}, t.of.with
}
func (t brokenTx) Count(context.Context, *core.Op) (int, error) { return 0, t.of.with }
func (t brokenTx) Delete(context.Context, *core.Op) error       { return t.of.with }
func (t brokenTx) Commit(context.Context) error                 { return nil }

func (t brokenTx) Insert(context.Context, *core.Op) ([]core.Record, error) { return nil, t.of.with }
func (t brokenTx) Update(context.Context, *core.Op) ([]core.Record, error) { return nil, t.of.with }
func (t brokenTx) NextIDs(context.Context, *core.Op) ([]core.Value, error) { return nil, t.of.with }

func TestBackendErrorsFailTheOperation(t *testing.T) {
	fails := errors.New("disk full")
	s := openOn(t, broken{with: fails})
	ctx, r, one := t.Context(), s.Model().Resource("cookie"), core.IntValue(1)
	rec := cookie(t, s.Model(), map[string]any{"id": 1})
	for kind, err := range map[string]error{
		"load": second(s.Load(ctx, r, []core.Value{one})), "select": second(s.Select(ctx, r, core.Query{})), "count": second(s.Count(ctx, r, core.All())),
		"insert": second(s.Insert(ctx, r, rec)), "update": second(s.Update(ctx, r, rec)), "delete": s.Delete(ctx, r, one), "next id": second(s.NextIDs(ctx, r, 1)),
	} {
		if !errors.Is(err, fails) || !errors.Is(err, core.ServerError) {
			t.Errorf("%s: got %v", kind, err)
		}
	}
}

func (unreachableTx) Rollback(context.Context) error { return nil }

func TestDerivedOpsShareTheTransaction(t *testing.T) {
	var kinds []string
	inner := watch("see", func(op *core.Op) { kinds = append(kinds, fmt.Sprint(op.Kind, " ", op.Principal, " ", op.Final)) }, ignore)
	audit := around("audit", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind != core.Delete {
			return next(ctx, op)
		}
		read := op.Derive(core.Select, op.Resource)
		read.Where = core.Gt("id", 0)
		before, err := next(ctx, read)
		if err != nil {
			return core.Result{}, err
		}
		res, err := next(ctx, op)
		if err != nil {
			return res, err
		}
		note := op.Derive(core.Insert, op.Resource.Model().Resource("jar"))
		label, err := note.Resource.NewRecord(map[string]any{"label": fmt.Sprint(before.Records)})
		if err != nil {
			return res, err
		}
		note.Records = []core.Record{label}
		_, err = next(ctx, note)
		return res, err
	})
	s := open(t, audit, inner)
	r, jar := s.Model().Resource("cookie"), s.Model().Resource("jar")
	for i := 3; i > 0; i-- {
		insert(t, s, r, map[string]any{"id": i, "price": nil})
	}
	ctx := core.WithPrincipal(t.Context(), &core.Principal{ID: core.TextValue("alice")})
	drop := func(key int64, result error) error {
		return s.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
			if err := tx.Final().Delete(ctx, r, core.IntValue(key)); err != nil {
				return err
			}
			return result
		})
	}
	kinds = nil
	if err := drop(3, nil); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(kinds, ", "); got != "tx alice false, select alice false, delete alice false, insert alice false" {
		t.Errorf("went down: %s", got)
	}
	page, err := s.Select(ctx, jar, core.Query{})
	want := "[cookie{id:1 type:null price:null jar:null} cookie{id:2 type:null price:null jar:null} cookie{id:3 type:null price:null jar:null}]"
	if err != nil || len(page.Records) != 1 || page.Records[0].Get("label").Text() != want {
		t.Errorf("noted %v, %v", page.Records, err)
	}
	if err := drop(2, errors.New("no")); err == nil {
		t.Error("the error is lost")
	}
	if n, err := s.Count(ctx, jar, core.All()); n != 1 || err != nil {
		t.Errorf("after a rollback: %d notes, %v", n, err)
	}
}

func TestDerivedInsertsGetDefaults(t *testing.T) {
	m := core.MustModel("m",
		core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{id()}},
		core.ResourceSpec{Name: "entry", Fields: []core.FieldSpec{
			id(), {Name: "text", Type: core.Text}, {Name: "state", Type: core.Text, Default: "new"},
			{Name: "number", Type: core.Int, Default: func() any { return 7 }},
		}},
	)
	entry := m.Resource("entry")
	s, err := core.New(t.Context(), m, memory.New(), around("audit", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind != core.Insert {
			return next(ctx, op)
		}
		return op.InTx(ctx, next, func(ctx context.Context, op *core.Op) (core.Result, error) {
			derived := op.Derive(core.Insert, entry)
			for _, values := range []map[string]any{{"text": "a"}, {"text": "b", "state": nil, "number": 1}} {
				rec, err := entry.NewRecord(values)
				if err != nil {
					return core.Result{}, err
				}
				derived.Records = append(derived.Records, rec)
			}
			if _, err := next(ctx, derived); err != nil {
				return core.Result{}, err
			}
			return next(ctx, op)
		})
	}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Insert(t.Context(), m.Resource("cookie"), m.Resource("cookie").RecordOf(make([]core.Value, 1))); err != nil {
		t.Fatal(err)
	}
	page, err := s.Select(t.Context(), entry, core.Query{})
	want := "[entry{id:1 text:a state:new number:7} entry{id:2 text:b state:null number:1}]"
	if got := fmt.Sprint(page.Records); got != want || err != nil {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestCopiedOpKeepsItsTransaction(t *testing.T) {
	var kept core.Op
	var next core.Handler
	s := open(t, around("keeper", func(ctx context.Context, op *core.Op, to core.Handler) (core.Result, error) {
		if op.Kind == core.Count {
			kept, next = *op, to
		}
		return to(ctx, op)
	}))
	if err := s.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
		return second(tx.Count(ctx, s.Model().Resource("cookie"), core.All()))
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := next(t.Context(), &kept); !errors.Is(err, core.ErrTxDone) {
		t.Errorf("got %v", err)
	}
}

func TestDecoratorErrorsReachTheCaller(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		code core.Code
		want []error
		text string
	}{
		"wrapped":         {fmt.Errorf("audit: %w", &core.Error{Code: core.Forbidden, Resource: "cookie"}), core.Forbidden, nil, "audit"},
		"joined":          {errors.Join(core.ErrCommitUnknown, &core.Error{Code: core.NotFound}), core.NotFound, []error{core.ErrCommitUnknown}, ""},
		"ended context":   {fmt.Errorf("audit: %w", context.Canceled), core.Unavailable, []error{context.Canceled}, "audit"},
		"wrapped code":    {fmt.Errorf("audit: %w", core.Forbidden), core.Forbidden, nil, "audit"},
		"plain code":      {core.ReadOnly, core.ReadOnly, nil, ""},
		"anything":        {errors.New("disk"), core.ServerError, nil, "disk"},
		"own error as is": {&core.Error{Code: core.Unauthorized}, core.Unauthorized, nil, ""},
	} {
		s := open(t, around("failing", func(context.Context, *core.Op, core.Handler) (core.Result, error) { return core.Result{}, c.err }))
		ctx, r, one := t.Context(), s.Model().Resource("cookie"), core.IntValue(1)
		rec := cookie(t, s.Model(), map[string]any{"id": 1})
		for kind, err := range map[string]error{
			"get": second(s.Get(ctx, r, one)), "load": second(s.Load(ctx, r, []core.Value{one})), "select": second(s.Select(ctx, r, core.Query{})),
			"count": second(s.Count(ctx, r, core.All())), "insert": second(s.Insert(ctx, r, rec)), "update": second(s.Update(ctx, r, rec)),
			"delete": s.Delete(ctx, r, one), "next id": second(s.NextIDs(ctx, r, 1)),
			"tx": s.Tx(ctx, func(context.Context, *core.Transaction) error { return nil }),
		} {
			e, ok := err.(*core.Error) //nolint:errorlint // the type itself is promised
			if !ok || e.Code != c.code || !strings.Contains(err.Error(), c.text) {
				t.Errorf("%s, %s: got %T %v", name, kind, err, err)
			}
			for _, want := range c.want {
				if !errors.Is(err, want) {
					t.Errorf("%s, %s: %v is not %v", name, kind, err, want)
				}
			}
		}
	}
}

func TestPageWithoutSortValuesHasNoCursor(t *testing.T) {
	s := open(t, around("mask", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		res, err := next(ctx, op)
		for i, rec := range res.Records {
			res.Records[i] = rec.With(op.Resource.Field("price").Column(), core.Value{})
		}
		return res, err
	}))
	r := s.Model().Resource("cookie")
	insert(t, s, r, map[string]any{"price": 1})
	insert(t, s, r, map[string]any{"price": 2})
	if _, err := s.Select(t.Context(), r, core.Query{Order: []string{"price"}, Limit: 1}); !errors.Is(err, core.ServerError) {
		t.Errorf("got %v", err)
	}
	if page, err := s.Select(t.Context(), r, core.Query{Order: []string{"type"}, Limit: 1}); err != nil || page.Next == "" {
		t.Errorf("sorted by another field: %v, %v", page, err)
	}
}

// recorder is an observer that records its calls.
type recorder struct {
	name  string
	calls *[]string
	seen  []core.Event
	panic bool
}

func (o *recorder) Begin(_ context.Context, kind core.Kind, r *core.Resource) (context.Context, bool) {
	name := "-"
	if r != nil {
		name = r.Name()
	}
	*o.calls = append(*o.calls, fmt.Sprint(o.name, " begin ", kind, " ", name))
	return nil, true
}

func (o *recorder) End(_ context.Context, event *core.Event) {
	*o.calls = append(*o.calls, fmt.Sprint(o.name, " end ", event.Kind))
	kept := *event
	kept.Keys, kept.Records = slices.Clone(event.Keys), slices.Clone(event.Records)
	o.seen = append(o.seen, kept)
	if o.panic {
		panic(o.name)
	}
}

func (o *recorder) decorator() core.Decorator {
	return core.Decorator{Name: o.name, Kind: core.KindObserve, Observe: func(*core.Model) (core.Observer, error) { return o, nil }}
}

func TestObserversAreNotifiedOutermostFirst(t *testing.T) {
	var calls []string
	a, b, c := &recorder{name: "a", calls: &calls}, &recorder{name: "b", calls: &calls}, &recorder{name: "c", calls: &calls}
	refuse := around("refuse", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind == core.Count {
			return core.Result{}, core.Forbidden
		}
		return next(ctx, op)
	})
	s := open(t, a.decorator(), b.decorator(), refuse, c.decorator())
	cookies := s.Model().Resource("cookie")
	ctx := core.WithPrincipal(t.Context(), &core.Principal{ID: core.IntValue(7)})
	insertAs := func(ctx context.Context, querier core.Querier) error {
		_, err := querier.Insert(ctx, cookies, cookie(t, s.Model(), map[string]any{"id": 1, "type": "muffin"}))
		return err
	}
	if err := s.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error { return insertAs(ctx, tx) }); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Count(ctx, cookies, core.All()); !errors.Is(err, core.Forbidden) {
		t.Fatal(err)
	}
	want := []string{
		"a begin tx -", "b begin tx -", "c begin tx -",
		"a begin insert cookie", "b begin insert cookie", "c begin insert cookie", "c end insert", "b end insert", "a end insert",
		"c end tx", "b end tx", "a end tx",
		"a begin count cookie", "b begin count cookie", "b end count", "a end count",
	}
	if !slices.Equal(calls, want) {
		t.Errorf("calls\n%s", strings.Join(calls, "\n"))
	}
	in := a.seen[0]
	if in.Principal.ID != core.IntValue(7) || in.Tx == nil || in.Attempt != 1 || len(in.Records) != 1 || len(in.Result.Records) != 1 || in.Err != nil {
		t.Errorf("saw %+v", in)
	}
	for i, outer := range a.seen {
		if inner := b.seen[i]; outer.Took < inner.Took || inner.Took <= 0 {
			t.Errorf("%s took %s and %s", outer.Kind, outer.Took, inner.Took)
		}
	}
	if last := a.seen[2]; !errors.Is(last.Err, core.Forbidden) || last.Tx != nil {
		t.Errorf("saw %+v", last)
	}
}

func TestObserversSeeTheOriginalOp(t *testing.T) {
	var calls []string
	a := &recorder{name: "a", calls: &calls}
	s := open(t, a.decorator(), around("empty", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		further := *op
		op.Kind, op.Resource, op.Keys = core.NextID, nil, nil
		return next(ctx, &further)
	}))
	cookies := s.Model().Resource("cookie")
	if _, err := s.Load(t.Context(), cookies, []core.Value{core.IntValue(5)}); err != nil {
		t.Fatal(err)
	}
	if got := a.seen[0]; got.Kind != core.Load || got.Resource != cookies || len(got.Keys) != 1 {
		t.Errorf("saw %+v", got)
	}
}

func TestObserversAreNotifiedAfterPanics(t *testing.T) {
	var calls []string
	a, b := &recorder{name: "a", calls: &calls}, &recorder{name: "b", calls: &calls, panic: true}
	s := open(t, a.decorator(), b.decorator(), around("falls", func(_ context.Context, _ *core.Op, _ core.Handler) (core.Result, error) {
		panic("falls")
	}))
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic is lost")
			}
		}()
		_, _ = s.Count(t.Context(), s.Model().Resource("cookie"), core.All())
	}()
	if len(a.seen) != 1 || len(b.seen) != 1 {
		t.Fatalf("calls %v", calls)
	}
	if got := a.seen[0].Err; core.OutcomeOf(got) != core.OutcomeFailed {
		t.Errorf("saw %v", got)
	}
}

func TestDecoratorWithoutObserverAddsNothing(t *testing.T) {
	s := open(t, core.Decorator{Name: "off", Kind: core.KindObserve, Observe: func(*core.Model) (core.Observer, error) { return nil, nil }})
	if n, err := s.Count(t.Context(), s.Model().Resource("cookie"), core.All()); n != 0 || err != nil {
		t.Errorf("%d records, %v", n, err)
	}
}

func TestInvalidObserversAreRejected(t *testing.T) {
	nothing := func(*core.Model) (core.Observer, error) { return nil, nil }
	wrap := func(_ *core.Model, next core.Handler) (core.Handler, error) { return next, nil }
	for want, d := range map[string]core.Decorator{
		`decorator "both": needs a name and exactly one of Wrap and Observe`:                                                                                       {Name: "both", Kind: core.KindObserve, Observe: nothing, Wrap: wrap},
		`decorator "neither": needs a name and exactly one of Wrap and Observe`:                                                                                    {Name: "neither", Kind: core.KindObserve},
		`decorator "guard": has an Observe function and the kind policy; the kind of an observer is observe`:                                                       {Name: "guard", Kind: core.KindPolicy, Observe: nothing},
		`decorator "spy": has the kind observe and a Wrap; an observer has an Observe function, and a decorator with a Wrap has the kind policy, effect or answer`: {Name: "spy", Kind: core.KindObserve, Wrap: wrap},
		`decorator "fails": no`: {Name: "fails", Kind: core.KindObserve, Observe: func(*core.Model) (core.Observer, error) { return nil, errors.New("no") }},
	} {
		if _, err := core.New(t.Context(), cookies(t), unreachable{}, d); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := core.New(t.Context(), cookies(t), unreachable{}, core.Decorator{Name: "blind", Kind: core.KindObserve, Observe: nothing}); err != nil {
		t.Error(err)
	}
}

// contextual is an observer that returns contexts.
type contextual struct {
	begin func(ctx context.Context) context.Context
	ends  []string // trace ids of the contexts of End
}

func (o *contextual) Begin(ctx context.Context, _ core.Kind, _ *core.Resource) (context.Context, bool) {
	return o.begin(ctx), true
}

func (o *contextual) End(ctx context.Context, _ *core.Event) {
	o.ends = append(o.ends, core.TraceIDOf(ctx))
}

func (o *contextual) decorator(name string) core.Decorator {
	return core.Decorator{Name: name, Kind: core.KindObserve, Observe: func(*core.Model) (core.Observer, error) { return o, nil }}
}

func TestContextOfAnObserverReachesTheOperation(t *testing.T) {
	adds := func(id string) *contextual {
		return &contextual{begin: func(ctx context.Context) context.Context { return core.WithTraceID(ctx, core.TraceIDOf(ctx)+id) }}
	}
	outer, inner := adds("o"), adds("i")
	var seen []string
	look := around("look", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		seen = append(seen, op.Kind.String()+" "+core.TraceIDOf(ctx))
		return next(ctx, op)
	})
	s := open(t, outer.decorator("outer"), inner.decorator("inner"), look)
	if err := s.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
		return second(tx.Count(ctx, s.Model().Resource("cookie"), core.All()))
	}); err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(seen, outer.ends, inner.ends), "[tx oi count oioi] [oio o] [oioi oi]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestObserverCannotChangeThePrincipal(t *testing.T) {
	thief := &contextual{begin: core.System}
	var seen []string
	look := around("look", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		seen = append(seen, op.Principal.String(), core.PrincipalOf(ctx).String())
		return next(ctx, op)
	})
	s := open(t, thief.decorator("thief"), look)
	ctx := core.WithPrincipal(t.Context(), &core.Principal{ID: core.IntValue(7)})
	if err := s.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
		return second(tx.Count(ctx, s.Model().Resource("cookie"), core.All()))
	}); err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(seen), "[7 7 7 7]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// choosy observes operations on records and no transactions.
type choosy struct{ ends []core.Kind }

func (*choosy) Begin(_ context.Context, k core.Kind, _ *core.Resource) (context.Context, bool) {
	return nil, k != core.Tx
}

func (o *choosy) End(_ context.Context, event *core.Event) { o.ends = append(o.ends, event.Kind) }

func TestObserverLeavesOperationsOut(t *testing.T) {
	o := &choosy{}
	s := open(t, core.Decorator{Name: "choosy", Kind: core.KindObserve, Observe: func(*core.Model) (core.Observer, error) { return o, nil }})
	if err := s.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
		return second(tx.Count(ctx, s.Model().Resource("cookie"), core.All()))
	}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(o.ends, []core.Kind{core.Count}) {
		t.Errorf("End is called for %v", o.ends)
	}
}
