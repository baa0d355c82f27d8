package core_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
)

// onlooker notes what it is told.
type onlooker struct {
	name  string
	told  *[]string
	seen  []core.Event
	panic bool
}

func (o *onlooker) Begin(kind core.Kind, r *core.Resource) {
	name := "-"
	if r != nil {
		name = r.Name()
	}
	*o.told = append(*o.told, fmt.Sprint(o.name, " begin ", kind, " ", name))
}

func (o *onlooker) End(_ context.Context, event *core.Event) {
	*o.told = append(*o.told, fmt.Sprint(o.name, " end ", event.Kind))
	kept := *event
	kept.Keys, kept.Records = slices.Clone(event.Keys), slices.Clone(event.Records)
	o.seen = append(o.seen, kept)
	if o.panic {
		panic(o.name)
	}
}

func (o *onlooker) decorator() core.Decorator {
	return core.Decorator{Name: o.name, Kind: core.KindObserve, Observe: func(*core.Model) (core.Observer, error) { return o, nil }}
}

func TestObserversAreToldOfEveryOpFromOutsideInAndBack(t *testing.T) {
	var told []string
	a, b, c := &onlooker{name: "a", told: &told}, &onlooker{name: "b", told: &told}, &onlooker{name: "c", told: &told}
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
	if !slices.Equal(told, want) {
		t.Errorf("told\n%s", strings.Join(told, "\n"))
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

func TestObserversSeeWhatWasAskedForWhateverIsDoneToTheOp(t *testing.T) {
	var told []string
	a := &onlooker{name: "a", told: &told}
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

func TestObserversAreToldOfAPanicAndOfEachOthers(t *testing.T) {
	var told []string
	a, b := &onlooker{name: "a", told: &told}, &onlooker{name: "b", told: &told, panic: true}
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
		t.Fatalf("told %v", told)
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
