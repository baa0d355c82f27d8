package core_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
)

func TestUnknownKindsWrite(t *testing.T) {
	var reads []string
	for _, k := range append(core.Kinds(), 0, 200) {
		if !k.Writes() {
			reads = append(reads, k.String())
		}
	}
	if got := strings.Join(reads, " "); got != "load select count aggregate" {
		t.Errorf("do not write: %s", got)
	}
	names := make([]string, 0, 10)
	for _, k := range append(core.Kinds(), 0, 200) {
		names = append(names, k.String())
	}
	if got := strings.Join(names, " "); got != "load select count insert update delete next_id tx aggregate restore kind(0) kind(200)" {
		t.Errorf("got %s", got)
	}
}

func TestTransactionWritesUnlessItIsReadOnly(t *testing.T) {
	for _, c := range []struct {
		op   core.Op
		want bool
	}{
		{core.Op{Kind: core.Tx, Tx: &core.TxInfo{}}, true},
		{core.Op{Kind: core.Tx, Tx: &core.TxInfo{ReadOnly: true}}, false},
		{core.Op{Kind: core.Load, Tx: &core.TxInfo{}}, false},
		{core.Op{Kind: core.Insert, Tx: &core.TxInfo{ReadOnly: true}}, true}, // the kind counts
		{core.Op{Kind: core.Tx}, true},
	} {
		if c.op.Writes() != c.want {
			t.Errorf("%s: want %v", c.op.Kind, c.want)
		}
	}
}

func TestGuardNarrowsBothImages(t *testing.T) {
	r := cookies(t).Resource("cookie")
	var op core.Op
	op.Guard(r.Key().Compare(core.FilterEq, core.IntValue(1)))
	op.Guard(r.Key().Compare(core.FilterEq, core.IntValue(2)))
	for _, f := range []core.Filter{op.Using, op.Check} {
		if got := f.String(); got != "(id = [1] and id = [2])" {
			t.Errorf("got %s", got)
		}
	}
}

func TestDecoratorKindsAndTypesHaveNames(t *testing.T) {
	var names []string
	for _, k := range []core.DecoratorKind{core.KindObserve, core.KindPolicy, core.KindEffect, core.KindAnswer, 0} {
		names = append(names, k.String())
	}
	for _, typ := range slices.Concat(allTypes, []core.Type{0, 255}) {
		names = append(names, typ.String())
	}
	want := "observe policy effect answer none int float text bool time uuid bytes json list date localtime decimal type(0) type(255)"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("got %s", got)
	}
}

// audited stores a jar with every Delete, with the deleted keys as its label.
func audited(fail func() error) core.Decorator {
	return around("audit", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind != core.Delete {
			return next(ctx, op)
		}
		return op.InTx(ctx, next, func(ctx context.Context, op *core.Op) (core.Result, error) {
			entry := op.Derive(core.Insert, op.Resource.Model().Resource("jar"))
			label, err := entry.Resource.NewRecord(map[string]any{"label": fmt.Sprint(op.Keys)})
			if err != nil {
				return core.Result{}, err
			}
			entry.Records = []core.Record{label}
			if _, err := next(ctx, entry); err != nil {
				return core.Result{}, err
			}
			if err := fail(); err != nil {
				return core.Result{}, err
			}
			return next(ctx, op)
		})
	})
}

func TestInTxStoresBothOpsOrNone(t *testing.T) {
	var kinds []string
	outcome := error(nil)
	seen := watch("see", func(op *core.Op) { kinds = append(kinds, fmt.Sprint(op.Kind, " ", op.Principal, " ", op.Tx != nil)) }, ignore)
	s := open(t, audited(func() error { return outcome }), seen)
	r, jar := s.Model().Resource("cookie"), s.Model().Resource("jar")
	ctx := core.WithPrincipal(t.Context(), &core.Principal{ID: core.TextValue("alice")})
	counts := func() (cookies, entries int) {
		t.Helper()
		cookies, err1 := s.Count(ctx, r, core.All())
		entries, err2 := s.Count(ctx, jar, core.All())
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		return cookies, entries
	}
	for i := range 3 {
		insert(t, s, r, map[string]any{"id": i + 1})
	}
	kinds = nil
	if err := s.Delete(ctx, r, core.IntValue(1)); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(kinds, ", "); got != "tx alice true, insert alice true, delete alice true" {
		t.Errorf("went down: %s", got)
	}
	if cookies, entries := counts(); cookies != 2 || entries != 1 {
		t.Errorf("%d cookies, %d entries", cookies, entries)
	}
	outcome = errors.New("no")
	if err := s.Delete(ctx, r, core.IntValue(2)); !errors.Is(err, outcome) {
		t.Errorf("got %v", err)
	}
	outcome = nil
	if err := s.Delete(ctx, r, core.IntValue(9)); !errors.Is(err, core.NotFound) {
		t.Errorf("got %v", err)
	}
	if cookies, entries := counts(); cookies != 2 || entries != 1 {
		t.Errorf("after failures: %d cookies, %d entries", cookies, entries)
	}
	kinds = nil
	if err := s.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
		return tx.Final().Delete(ctx, r, core.IntValue(2))
	}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(kinds, ", "); got != "tx alice true, insert alice true, delete alice true" {
		t.Errorf("in a transaction went down: %s", got)
	}
	if cookies, entries := counts(); cookies != 1 || entries != 2 {
		t.Errorf("%d cookies, %d entries", cookies, entries)
	}
}

func TestConflictRepeatsInTx(t *testing.T) {
	tries := 0
	s := open(t, audited(func() error {
		if tries++; tries < 3 {
			return core.ErrConflict
		}
		return nil
	}))
	r := s.Model().Resource("cookie")
	insert(t, s, r, map[string]any{"id": 1})
	if err := s.Delete(t.Context(), r, core.IntValue(1)); err != nil || tries != 3 {
		t.Errorf("%v after %d tries", err, tries)
	}
	if n, err := s.Count(t.Context(), s.Model().Resource("jar"), core.All()); n != 1 || err != nil {
		t.Errorf("%d entries, %v", n, err)
	}
}

// together runs every operation with InTx.
func together(fn func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error)) core.Decorator {
	return around("together", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind == core.Tx {
			return next(ctx, op)
		}
		return op.InTx(ctx, next, func(ctx context.Context, op *core.Op) (core.Result, error) { return fn(ctx, op, next) })
	})
}

func TestInTxReturnsEveryFailure(t *testing.T) {
	no := errors.New("no")
	for name, c := range map[string]struct {
		fn     func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error)
		commit int // number of failures
		want   error
	}{
		"of the function": {func(context.Context, *core.Op, core.Handler) (core.Result, error) { return core.Result{}, no }, 0, no},
		"of an operation whose error was dropped": {func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			res, err := next(ctx, op)
			missing := op.Derive(core.Delete, op.Resource)
			missing.Keys = []core.Value{core.IntValue(9)}
			_, _ = next(ctx, missing)
			return res, err
		}, 0, core.NotFound},
		"of the commit": {func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) { return next(ctx, op) }, 1, no},
	} {
		s := openOn(t, &flaky{Backend: memory.New(), failures: c.commit, with: no}, together(c.fn))
		r := s.Model().Resource("cookie")
		if _, err := s.NextIDs(t.Context(), r, 1); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v", name, err)
		}
		if c.commit > 0 {
			continue
		}
		var inner error
		outer := s.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
			_, inner = tx.NextIDs(ctx, r, 1)
			return inner
		})
		if !errors.Is(outer, c.want) {
			t.Errorf("%s, in a transaction: got %v and %v", name, inner, outer)
		}
	}
}

func TestInTxOfAReadIsReadOnly(t *testing.T) {
	var begun []string
	s := open(t, together(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) { return next(ctx, op) }),
		watch("see", func(op *core.Op) {
			if op.Kind == core.Tx {
				begun = append(begun, fmt.Sprint("read only ", op.Tx.ReadOnly))
			}
		}, ignore))
	rec := insert(t, s, s.Model().Resource("cookie"), nil)
	if got, err := s.Get(t.Context(), rec.Resource(), rec.Key()); err != nil || !got.Equal(rec) {
		t.Errorf("got %v, %v", got, err)
	}
	if got := strings.Join(begun, ", "); got != "read only false, read only true" {
		t.Errorf("began %s", got)
	}
}

func TestInTxKeepsTheStoreFromItself(t *testing.T) {
	var s *core.Store
	var inner, onTx error
	s = open(t, around("odd", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind == core.Tx {
			_, onTx = op.InTx(ctx, next, nil)
			return next(ctx, op)
		}
		return op.InTx(ctx, next, func(ctx context.Context, op *core.Op) (core.Result, error) {
			_, inner = s.Count(ctx, op.Resource, core.All())
			return next(ctx, op)
		})
	}), around("lossy", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		res, err := next(ctx, op)
		if op.Kind == core.Tx {
			err = nil
		}
		return res, err
	}))
	r := s.Model().Resource("cookie")
	if err := s.Delete(t.Context(), r, core.IntValue(1)); !errors.Is(err, core.NotFound) {
		t.Errorf("an error was lost on the way: %v", err)
	}
	if !errors.Is(inner, core.ErrOuterStore) {
		t.Errorf("the store inside: %v", inner)
	}
	if err := s.Tx(t.Context(), func(context.Context, *core.Transaction) error { return nil }); err != nil || !errors.Is(onTx, core.ServerError) {
		t.Errorf("%v; a transaction in one: %v", err, onTx)
	}
}

// keeper is a decorator with a goroutine, such as a timeout. The goroutine reads the ops of one principal after the
// decorator has returned and other principals have used the store.
type keeper struct {
	of   string
	look chan struct{}
	seen chan core.Op
}

func newKeeper(of string) *keeper {
	return &keeper{of, make(chan struct{}), make(chan core.Op, 1)}
}

func (k *keeper) decorator() core.Decorator {
	return around("keeper", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		res, err := next(ctx, op)
		if op.Kind != core.Tx && op.Principal.String() == k.of {
			go func() {
				<-k.look
				k.seen <- *op
			}()
		}
		return res, err
	})
}

// as returns a context of the principal with that id.
func as(ctx context.Context, id string) context.Context {
	return core.WithPrincipal(ctx, &core.Principal{ID: core.TextValue(id)})
}

func TestDecoratorMayKeepAnOp(t *testing.T) {
	m := cookies(t)
	r := m.Resource("cookie")
	records := func(id int) []core.Record {
		return []core.Record{cookie(t, m, map[string]any{"id": id, "type": "muffin"})}
	}
	for kind, send := range map[core.Kind]func(ctx context.Context, s core.Querier, id int, records []core.Record) error{
		core.Load: func(ctx context.Context, s core.Querier, id int, _ []core.Record) error {
			return second(s.Get(ctx, r, core.IntValue(int64(id))))
		},
		core.Insert: func(ctx context.Context, s core.Querier, _ int, records []core.Record) error {
			return second(s.Insert(ctx, r, records...))
		},
		core.Update: func(ctx context.Context, s core.Querier, _ int, records []core.Record) error {
			return second(s.Update(ctx, r, records...))
		},
		core.Delete: func(ctx context.Context, s core.Querier, id int, _ []core.Record) error {
			return s.Delete(ctx, r, core.IntValue(int64(id)))
		},
	} {
		for _, where := range []string{"alone", "in a transaction"} {
			t.Run(kind.String()+" "+where, func(t *testing.T) {
				k := newKeeper("alice")
				s, err := core.New(t.Context(), m, memory.New(), k.decorator())
				if err != nil {
					t.Fatal(err)
				}
				if kind != core.Insert {
					if _, err := s.Insert(t.Context(), r, slices.Concat(records(1), records(2))...); err != nil {
						t.Fatal(err)
					}
				}
				run := func(who string, id int) {
					named, ctx := records(id), as(t.Context(), who)
					do := func(ctx context.Context, tx *core.Transaction) error { return send(ctx, tx, id, named) }
					if where == "alone" {
						do = func(ctx context.Context, _ *core.Transaction) error { return send(ctx, s, id, named) }
						if err := do(ctx, nil); err != nil {
							t.Fatal(err)
						}
					} else if err := s.Tx(ctx, do); err != nil {
						t.Fatal(err)
					}
					clear(named) // the caller owns the slice
				}
				run("alice", 1)
				run("bob", 2)
				close(k.look)
				op := <-k.seen
				id := slices.Concat(op.Keys, keysOf(op.Records))
				if op.Kind != kind || op.Principal.String() != "alice" || len(id) == 0 || id[0] != core.IntValue(1) || op.Attempt() != 1 {
					t.Errorf("the op has become %+v", op)
				}
			})
		}
	}
}

func keysOf(records []core.Record) []core.Value {
	keys := make([]core.Value, len(records))
	for i, rec := range records {
		keys[i] = rec.Key()
	}
	return keys
}

func TestEachAttemptHasItsOwnOp(t *testing.T) {
	var tries []*core.Op
	s := openOn(t, &flaky{Backend: memory.New(), failures: 2, with: core.ErrConflict}, around("keeper",
		func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			tries = append(tries, op)
			return next(ctx, op)
		}))
	if _, err := s.NextIDs(t.Context(), s.Model().Resource("cookie"), 1); err != nil {
		t.Fatal(err)
	}
	for i, op := range tries {
		if op.Attempt() != i+1 || op.N != 1 {
			t.Errorf("try %d has become %+v of attempt %d", i+1, op, op.Attempt())
		}
	}
	if len(tries) != 3 {
		t.Errorf("%d tries", len(tries))
	}
}

func TestObserverMayKeepEvents(t *testing.T) {
	var kept []*core.Event
	s := open(t, core.Decorator{Name: "keeper", Kind: core.KindObserve, Observe: func(*core.Model) (core.Observer, error) {
		return endFunc(func(event *core.Event) { kept = append(kept, event) }), nil
	}})
	r := s.Model().Resource("cookie")
	for id, who := range []string{"alice", "bob", "carol"} {
		if _, err := s.Load(as(t.Context(), who), r, []core.Value{core.IntValue(int64(id))}); err != nil {
			t.Fatal(err)
		}
	}
	for id, who := range []string{"alice", "bob", "carol"} {
		if event := kept[id]; event.Kind != core.Load || event.Principal.String() != who || event.Keys[0] != core.IntValue(int64(id)) {
			t.Errorf("the event of %s changed to %+v", who, event)
		}
	}
}

// endFunc is an observer of ends.
type endFunc func(event *core.Event)

func (endFunc) Begin(context.Context, core.Kind, *core.Resource) (context.Context, bool) {
	return nil, true
}
func (f endFunc) End(_ context.Context, event *core.Event) { f(event) }

func TestTransactionEndsBeforeTxReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left, ended := make(chan struct{}), false
		s := open(t, around("impatient", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			if op.Kind != core.Tx {
				return next(ctx, op)
			}
			go func() { _, _ = next(ctx, op) }()
			<-left
			return core.Result{}, core.Unavailable
		}))
		err := s.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
			close(left)
			time.Sleep(time.Second) // of the synctest bubble: the decorator returns first
			ended = true
			return second(tx.NextIDs(ctx, s.Model().Resource("cookie"), 1))
		})
		if !ended || !errors.Is(err, core.Unavailable) {
			t.Errorf("ended: %v, %v", ended, err)
		}
	})
}

func TestLateFunctionOfTxDoesNotRun(t *testing.T) {
	later, done := make(chan struct{}), make(chan error)
	s := open(t, around("late", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		go func() {
			<-later
			done <- second(next(ctx, op))
		}()
		return core.Result{}, core.Unavailable
	}))
	err := s.Tx(t.Context(), func(context.Context, *core.Transaction) error {
		t.Error("the function runs after Tx has returned")
		return nil
	})
	close(later)
	if late := <-done; !errors.Is(err, core.Unavailable) || !errors.Is(late, core.ErrTxDone) {
		t.Errorf("Tx returned %v, and the late attempt %v", err, late)
	}
}

func figuresStore(t *testing.T, rows ...map[string]any) (*core.Store, *core.Resource) {
	t.Helper()
	m := core.MustModel("figures", core.ResourceSpec{Name: "row", APIName: "Row", Fields: []core.FieldSpec{
		id(), {Name: "n", Type: core.Int}, {Name: "d", APIName: "D", Type: core.Decimal}, {Name: "t", Type: core.Text}, {Name: "mood", Type: core.Text, Unordered: true},
		{Name: "f", Type: core.Float}, {Name: "next", ToOne: "row"},
	}})
	s, err := core.New(t.Context(), m, memory.New())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	for _, fields := range rows {
		rec, err := m.Resource("row").NewRecord(fields)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Insert(t.Context(), rec.Resource(), rec); err != nil {
			t.Fatal(err)
		}
	}
	return s, m.Resource("row")
}

func TestAveragesAreRoundedQuotients(t *testing.T) {
	long := strings.Repeat("9", 1000)
	for _, c := range []struct {
		values []any
		want   string
	}{
		{[]any{1, 2}, "1.5"},
		{[]any{1, 1, 2}, "1.3333333333333333"},
		{[]any{2, 2, 1}, "1.6666666666666667"},
		{[]any{-2, -2, -1}, "-1.6666666666666667"},
		{[]any{"0.0000000000000001", 0}, "0.0000000000000001"}, // half away from zero
		{[]any{"-0.0000000000000001", 0}, "-0.0000000000000001"},
		{[]any{"0.00000000000000001", 0}, "0.00000000000000001"},
		{[]any{"0.0000000000000001", 0, 0}, "0"},
		{[]any{nil, 7}, "7"},
		{[]any{nil}, "null"},
		{[]any{long}, long},
		{[]any{long, 0}, "5" + strings.Repeat("0", 999)},
	} {
		var rows []map[string]any
		for _, v := range c.values {
			rows = append(rows, map[string]any{"d": v})
		}
		s, r := figuresStore(t, rows...)
		groups, err := s.Aggregate(t.Context(), r, core.Aggregation{Measures: []core.Measure{core.AvgOf("d")}})
		if err != nil || groups[0].Values[0].String() != c.want {
			t.Errorf("%.60v: got %.60v, %v", c.values, groups, err)
		}
	}
}

func TestInvalidAggregationsAreRejected(t *testing.T) {
	s, r := figuresStore(t, map[string]any{"d": strings.Repeat("9", 1000), "mood": "x"}, map[string]any{"d": 1, "mood": "y"})
	of := func(m ...core.Measure) core.Aggregation { return core.Aggregation{Measures: m} }
	for name, c := range map[string]struct {
		a    core.Aggregation
		want string
	}{
		"sum of too many digits":   {of(core.SumOf("d")), `BAD_REQUEST msg="the sum of Row.D has more than 1000 digits"`},
		"average of such a sum":    {of(core.AvgOf("d")), `BAD_REQUEST msg="the sum of Row.D has more than 1000 digits"`},
		"sum of floats":            {of(core.SumOf("f")), `SEARCH_FORBIDDEN object_name="Row" field_name="f"`},
		"order of an enumeration":  {of(core.MinOf("mood")), `SEARCH_FORBIDDEN object_name="Row" field_name="mood"`},
		"greatest reference":       {of(core.MaxOf("next")), `SEARCH_FORBIDDEN object_name="Row" field_name="next"`},
		"unknown function":         {of(core.Measure{Func: 99, Name: "n"}), `SEARCH_FORBIDDEN object_name="Row" field_name="n"`},
		"no function":              {of(core.Measure{Name: "n"}), `SEARCH_FORBIDDEN object_name="Row" field_name="n"`},
		"unknown field":            {of(core.SumOf("x")), `FIELD_DOES_NOT_EXIST object_name="Row" field_name="x"`},
		"unknown group":            {core.Aggregation{Group: []string{"next.x"}}, `FIELD_DOES_NOT_EXIST object_name="Row" field_name="x"`},
		"descending group":         {core.Aggregation{Group: []string{"-n"}}, `FIELD_DOES_NOT_EXIST object_name="Row" field_name="-n"`},
		"too many fields to group": {core.Aggregation{Group: slices.Repeat([]string{"n"}, 17)}, `BAD_PARAM_VALUE param_name="group" accepted_values="at most 16 fields"`},
		"too many measures":        {of(slices.Repeat([]core.Measure{core.SumOf("n")}, 33)...), `BAD_REQUEST msg="an aggregation has at most 32 measures"`},
		"a wrong condition":        {core.Aggregation{Where: core.Eq("x", 1)}, `FIELD_DOES_NOT_EXIST object_name="Row" field_name="x"`},
	} {
		if _, err := s.Aggregate(t.Context(), r, c.a); core.AsError(err) == nil || core.AsError(err).Public() != c.want {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
	if groups, err := s.Aggregate(t.Context(), r, core.Aggregation{Group: []string{"mood"}}); err != nil || len(groups) != 2 {
		t.Errorf("groups by an enumeration: %v, %v", groups, err)
	}
}

func TestGroupsOfLongTextsAreTooLarge(t *testing.T) {
	var rows []map[string]any
	for i := range 17 {
		rows = append(rows, map[string]any{"n": i, "t": strings.Repeat(string(rune('a'+i)), 1<<20)})
	}
	s, r := figuresStore(t, rows...)
	for name, a := range map[string]core.Aggregation{
		"keys":   {Group: []string{"t"}},
		"values": {Group: []string{"n"}, Measures: []core.Measure{core.MaxOf("t")}},
	} {
		if _, err := s.Aggregate(t.Context(), r, a); !errors.Is(err, core.TooLarge) {
			t.Errorf("%s: %v", name, err)
		}
		a.Where = core.Lt("n", 16)
		if groups, err := s.Aggregate(t.Context(), r, a); err != nil || len(groups) != 16 {
			t.Errorf("%s within the bound: %d groups, %v", name, len(groups), err)
		}
	}
}

// TestStoreRejectsUnfitAggregates has decorators that spoil an op or its result.
func TestStoreRejectsUnfitAggregates(t *testing.T) {
	_, r := figuresStore(t)
	other := core.MustModel("other", core.ResourceSpec{Name: "row", Fields: []core.FieldSpec{id()}}).Resource("row").Key()
	for name, c := range map[string]struct {
		before func(op *core.Op)
		after  func(res *core.Result)
	}{
		"a descending group":     {before: func(op *core.Op) { op.Order = []core.Order{{Field: r.Field("n"), Desc: true}} }},
		"a group of another":     {before: func(op *core.Op) { op.Order = []core.Order{{Field: other}} }},
		"a measure of another":   {before: func(op *core.Op) { op.Measures = []core.Measure{{Func: core.FuncValues, Field: other}} }},
		"an unbound measure":     {before: func(op *core.Op) { op.Measures = []core.Measure{core.SumOf("n")} }},
		"an unannounced field":   {before: func(op *core.Op) { op.Fields = []*core.Field{} }},
		"an average":             {before: func(op *core.Op) { op.Measures[0].Func = core.FuncAvg }},
		"a result without group": {after: func(res *core.Result) { res.Groups = nil }},
		"a group without values": {after: func(res *core.Result) { res.Groups[0].Values = nil }},
		"a group with a key":     {after: func(res *core.Result) { res.Groups[0].Key = []core.Value{core.Null} }},
	} {
		s, err := core.New(t.Context(), r.Model(), memory.New(), around("spoiler", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			if c.before != nil {
				c.before(op)
			}
			res, err := next(ctx, op)
			if c.after != nil && err == nil {
				c.after(&res)
			}
			return res, err
		}))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Aggregate(t.Context(), r, core.Aggregation{Measures: []core.Measure{core.SumOf("n")}}); !errors.Is(err, core.ServerError) {
			t.Errorf("%s: %v", name, err)
		}
		_ = s.Close()
	}
}

func TestKeysOfSeveralFieldsAreNotAggregated(t *testing.T) {
	m := core.MustModel("seats", core.ResourceSpec{Name: "seat", Fields: []core.FieldSpec{
		{Name: "row", Type: core.Int, Key: true}, {Name: "place", Type: core.Int, Key: true},
	}})
	key := m.Resource("seat").Key()
	for _, fn := range []core.Func{core.FuncSum, core.FuncMin, core.FuncMax, core.FuncValues, core.FuncAvg} {
		if fn.Fits(key) {
			t.Errorf("function %d fits the key", fn)
		}
	}
	if key.Groups() || !m.Resource("seat").Field("row").Groups() {
		t.Error("records are grouped by their parts only")
	}
}

func TestFailureInTxPreventsTheCommitOfTheProgram(t *testing.T) {
	no := errors.New("no")
	s := open(t, together(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if _, err := next(ctx, op); err != nil {
			return core.Result{}, err
		}
		return core.Result{}, no // of what the decorator adds
	}))
	jar := s.Model().Resource("jar")
	err := s.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
		_, _ = tx.NextIDs(ctx, jar, 1)
		return nil
	})
	if !errors.Is(err, no) {
		t.Errorf("the program ignored the failure: %v", err)
	}
}

func TestSendReadPassesTheWholeChain(t *testing.T) {
	hides := policy(func(op *core.Op) error {
		if op.Resource.Name() == "jar" && op.Principal != nil && !op.Principal.IsSystem() {
			op.Guard(op.Resource.Field("label").Equals(op.Principal.ID))
		}
		return nil
	})
	var guard core.Filter
	var found []core.Record
	var write error
	asks := core.Decorator{
		Name: "asks", Kind: core.KindEffect, KnowsRelated: true, InsidePolicies: true,
		Wrap: func(m *core.Model, next core.Handler) (core.Handler, error) {
			jar := m.Resource("jar")
			return func(ctx context.Context, op *core.Op) (core.Result, error) {
				if op.Kind != core.Count {
					return next(ctx, op)
				}
				res, err := op.SendRead(ctx, op.Derive(core.Visibility, jar))
				if err != nil {
					return res, err
				}
				guard = res.Guard
				load := op.Derive(core.Load, jar)
				load.Keys = []core.Value{core.IntValue(1), core.IntValue(2)}
				if res, err = op.SendRead(ctx, load); err != nil {
					return res, err
				}
				found = res.Records
				_, write = op.SendRead(ctx, op.Derive(core.Delete, jar))
				return next(ctx, op)
			}, nil
		},
	}
	s := open(t, hides, asks)
	jar := s.Model().Resource("jar")
	insert(t, s, jar, map[string]any{"id": 1, "label": "ann"})
	insert(t, s, jar, map[string]any{"id": 2, "label": "bob"})
	ctx := core.WithPrincipal(t.Context(), &core.Principal{ID: core.TextValue("bob")})
	count := func(ctx context.Context, q core.Querier) {
		t.Helper()
		if _, err := q.Count(ctx, s.Model().Resource("cookie"), core.All()); err != nil {
			t.Fatal(err)
		}
		if guard.String() != `label = ["bob"]` || len(found) != 1 || found[0].Key() != core.IntValue(2) {
			t.Errorf("guard %s, found %v", guard, found)
		}
		if !errors.Is(write, core.ServerError) {
			t.Errorf("a write: %v", write)
		}
		guard, found = core.Filter{}, nil
	}
	count(ctx, s)
	if err := s.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error { count(ctx, tx); return nil }); err != nil {
		t.Fatal(err)
	}
}
