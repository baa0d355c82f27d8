package core_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
)

// keeping returns an effect that keeps deleted cookies: those of the kind "gone". It notes the kinds of ops.
func keeping(kinds *[]string) core.Decorator {
	living, deleted := core.Not(core.Eq("type", "gone")), core.Eq("type", "gone")
	return core.Decorator{
		Name: "keeping", Kind: core.KindEffect, KnowsRelated: true, InsidePolicies: true,
		Keeps: func(r *core.Resource) bool { return r.Name() == "cookie" },
		Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
			return func(ctx context.Context, op *core.Op) (core.Result, error) {
				*kinds = append(*kinds, op.Kind.String())
				switch {
				case op.Resource == nil || op.Resource.Name() != "cookie" || op.Principal.SeesDeleted() || op.Asks() && op.Kind == core.Restore:
				case op.Kind == core.Restore:
					update := *op
					update.Kind, update.Using = core.Update, core.And(op.Using, deleted)
					for _, key := range op.Keys {
						update.Records = append(update.Records, op.Resource.Patch(key).Set(op.Resource.Field("type"), core.TextValue("back")))
					}
					return next(ctx, &update)
				case op.Deleted:
					op.Using = core.And(op.Using, deleted)
				case !op.Kind.Writes():
					op.Using = core.And(op.Using, living)
				}
				return next(ctx, op)
			}, nil
		},
	}
}

// keptStore has the living cookies 1 and 2 and the deleted ones 3 and 4.
func keptStore(t *testing.T, kinds *[]string, outer ...core.Decorator) (*core.Store, *core.Resource) {
	t.Helper()
	m := cookies(t)
	s, err := core.New(t.Context(), m, memory.New(), append(outer, keeping(kinds))...)
	if err != nil {
		t.Fatal(err)
	}
	cookie := m.Resource("cookie")
	for _, kind := range []string{"a", "b", "gone", "gone"} {
		rec, err := cookie.NewRecord(map[string]any{"type": kind})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Insert(core.WithDeleted(t.Context()), cookie, rec); err != nil {
			t.Fatal(err)
		}
	}
	*kinds = nil
	return s, cookie
}

func keyNumbers(records []core.Record) (keys []int64) {
	for _, rec := range records {
		keys = append(keys, rec.Key().Int())
	}
	return keys
}

func TestDeletedReadsAskForTheRightToRestore(t *testing.T) {
	var kinds []string
	s, cookie := keptStore(t, &kinds)
	ctx, all := t.Context(), []core.Value{core.IntValue(1), core.IntValue(3), core.IntValue(4)}
	check := func(where string, q core.Querier) {
		t.Helper()
		page, err := q.Deleted().Select(ctx, cookie, core.Query{Order: []string{"-id"}, Limit: 1})
		if err != nil || !slices.Equal(keyNumbers(page.Records), []int64{4}) {
			t.Errorf("%s: selected %v, %v", where, page.Records, err)
		}
		page, err = q.Deleted().Select(ctx, cookie, core.Query{Order: []string{"-id"}, After: page.Next})
		if err != nil || !slices.Equal(keyNumbers(page.Records), []int64{3}) {
			t.Errorf("%s: then %v, %v", where, page.Records, err)
		}
		records, err := q.Deleted().Load(ctx, cookie, all)
		if err != nil || !slices.Equal(keyNumbers(records), []int64{3, 4}) {
			t.Errorf("%s: loaded %v, %v", where, records, err)
		}
		n, err := q.Deleted().Count(ctx, cookie, core.All())
		if living, errLiving := q.Count(ctx, cookie, core.All()); n != 2 || living != 2 || err != nil || errLiving != nil {
			t.Errorf("%s: %d are deleted, %v; %d are not, %v", where, n, err, living, errLiving)
		}
	}
	check("outside a transaction", s)
	if want := []string{"restore", "select", "restore", "select", "restore", "load", "restore", "count", "count"}; !slices.Equal(kinds, want) {
		t.Errorf("the chain gets %v, want %v", kinds, want)
	}
	for _, opts := range []core.TxOptions{{}, {ReadOnly: true}} {
		if err := s.TxWith(ctx, opts, func(_ context.Context, tx *core.Transaction) error { check("in a transaction", tx); return nil }); err != nil {
			t.Error(err)
		}
	}
}

// TestPolicyThatDoesNotKnowRestoreDeniesIt has a policy that permits reads, and denies kinds that it does not know as writes.
func TestPolicyThatDoesNotKnowRestoreDeniesIt(t *testing.T) {
	var kinds []string
	policy := around("policy", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind.Writes() && op.Kind != core.Tx && !op.Principal.IsSystem() {
			return core.Result{}, op.Resource.Forbidden()
		}
		return next(ctx, op)
	})
	s, cookie := keptStore(t, &kinds, policy)
	ctx := t.Context()
	if n, err := s.Count(ctx, cookie, core.All()); n != 2 || err != nil {
		t.Errorf("counted %d, %v", n, err)
	}
	for name, act := range map[string]func() error{
		"restore": func() error { _, err := s.Restore(ctx, cookie, core.IntValue(3)); return err },
		"select":  func() error { _, err := s.Deleted().Select(ctx, cookie, core.Query{}); return err },
		"load":    func() error { _, err := s.Deleted().Get(ctx, cookie, core.IntValue(3)); return err },
		"count":   func() error { _, err := s.Deleted().Count(ctx, cookie, core.All()); return err },
		"aggregate": func() error {
			_, err := s.Deleted().Aggregate(ctx, cookie, core.Aggregation{})
			return err
		},
	} {
		if err := act(); !errors.Is(err, core.Forbidden) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRestoreOfARecordThatNothingKeeps(t *testing.T) {
	var kinds []string
	s, cookie := keptStore(t, &kinds)
	ctx, jar := t.Context(), s.Model().Resource("jar")
	if !s.Keeps(cookie) || s.Keeps(jar) {
		t.Errorf("keeps cookies: %v, and jars: %v", s.Keeps(cookie), s.Keeps(jar))
	}
	restored, err := s.Restore(ctx, cookie, core.IntValue(4), core.IntValue(3))
	if err != nil || !slices.Equal(keyNumbers(restored), []int64{3, 4}) {
		t.Errorf("restored %v, %v", restored, err)
	}
	for code, act := range map[core.Code]func() error{
		core.BadRequest:    func() error { _, err := s.Restore(ctx, jar, core.IntValue(1)); return err },
		core.BadFieldValue: func() error { _, err := s.Restore(ctx, cookie, core.TextValue("3")); return err },
		core.ServerError:   func() error { return s.Deleted().Delete(ctx, cookie, core.IntValue(3)) },
	} {
		if err := act(); !errors.Is(err, code) {
			t.Errorf("got %v, want %v", err, code)
		}
	}
	if _, err := s.Deleted().Count(ctx, jar, core.All()); !errors.Is(err, core.BadRequest) {
		t.Errorf("counted the deleted records of a resource that keeps none: %v", err)
	}
}

// TestDecoratorThatOnlySaysThatItKeeps has a Restore that arrives innermost.
func TestDecoratorThatOnlySaysThatItKeeps(t *testing.T) {
	says := around("says", func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) { return next(ctx, op) })
	says.Keeps = func(*core.Resource) bool { return true }
	m := cookies(t)
	s, err := core.New(t.Context(), m, memory.New(), says)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Restore(t.Context(), m.Resource("cookie"), core.IntValue(1)); !errors.Is(err, core.BadRequest) {
		t.Errorf("got %v", err)
	}
}

func TestOnlyTheProgramSeesDeleted(t *testing.T) {
	for _, c := range []struct {
		ctx    context.Context
		system bool
		sees   bool
	}{
		{t.Context(), false, false},
		{core.System(t.Context()), true, false},
		{core.WithDeleted(t.Context()), true, true},
		{core.WithPrincipal(core.WithDeleted(t.Context()), &core.Principal{ID: core.IntValue(1)}), false, false},
		{core.System(core.WithDeleted(t.Context())), true, false},
	} {
		if p := core.PrincipalOf(c.ctx); p.IsSystem() != c.system || p.SeesDeleted() != c.sees {
			t.Errorf("%v: is the system: %v, sees deleted records: %v", p, p.IsSystem(), p.SeesDeleted())
		}
	}
}
