package limit_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/limit"
)

var (
	model = core.MustModel("cookies", core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "type", Type: core.Text},
	}})
	cookie = model.Resource("cookie")
)

func open(tb testing.TB, backend core.Backend, decorators ...core.Decorator) *core.Store {
	tb.Helper()
	store, err := core.New(tb.Context(), model, backend, decorators...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = store.Close() })
	return store
}

func as(tb testing.TB, id int64, roles ...string) context.Context {
	return core.WithPrincipal(tb.Context(), &core.Principal{ID: core.IntValue(id), Roles: roles, Claims: map[string]any{"tenant": strconv.FormatInt(id%2, 10)}})
}

func insert(ctx context.Context, q core.Querier) error {
	_, err := q.Insert(ctx, cookie, cookie.RecordOf(make([]core.Value, 2)))
	return err
}

func read(ctx context.Context, q core.Querier) error {
	_, err := q.Count(ctx, cookie, core.All())
	return err
}

// permitted returns how many of n calls succeed. Others must be beyond the named limit.
func permitted(tb testing.TB, n int, name string, call func() error) (ok int) {
	tb.Helper()
	for range n {
		err := call()
		var e *core.Error
		switch {
		case err == nil:
			ok++
		case !errors.As(err, &e) || e.Code != core.TooManyRequests || e.Quota.Name != name:
			tb.Errorf("%v", err)
		}
	}
	return ok
}

func TestWhatARuleCounts(t *testing.T) {
	writes := []core.Kind{core.Insert}
	for name, c := range map[string]struct {
		rule limit.Rule
		ctx  func(tb testing.TB, i int) context.Context
		call func(ctx context.Context, s *core.Store) error
		want int // calls of ten that succeed
	}{
		"operations":               {limit.Rule{Requests: 3}, user(1), readStore, 3},
		"each principal":           {limit.Rule{Requests: 3}, users(2), readStore, 6},
		"numbers and texts as ids": {limit.Rule{Requests: 3}, numbersAndTexts, readStore, 6},
		"everyone together":        {limit.Rule{Requests: 3, Key: limit.Everyone}, users(2), readStore, 3},
		"tenants":                  {limit.Rule{Requests: 2, Key: limit.ByClaim("tenant")}, users(4), readStore, 4},
		"anonymous callers":        {limit.Rule{Requests: 3, Roles: []string{limit.Anonymous}}, anonymous, readStore, 3},
		"only anonymous callers":   {limit.Rule{Requests: 3, Roles: []string{limit.Anonymous}}, user(1), readStore, 10},
		"a role":                   {limit.Rule{Requests: 3, Roles: []string{"guest", "bot"}}, user(1, "user", "bot"), readStore, 3},
		"another role":             {limit.Rule{Requests: 3, Roles: []string{"guest"}}, user(1, "bot"), readStore, 10},
		"the program":              {limit.Rule{Requests: 3}, system, readStore, 10},
		"a kind":                   {limit.Rule{Requests: 3, Kinds: writes}, user(1), insertStore, 3},
		"another kind":             {limit.Rule{Requests: 3, Kinds: writes}, user(1), readStore, 10},
		"transactions":             {limit.Rule{Requests: 3}, user(1), inTx(3, read), 3},
		"a kind in transactions":   {limit.Rule{Requests: 3, Kinds: writes}, user(1), inTx(1, insert), 3},
		"two of a kind":            {limit.Rule{Requests: 4, Kinds: writes}, user(1), inTx(2, insert), 2},
		"transactions as a kind":   {limit.Rule{Requests: 3, Kinds: []core.Kind{core.Tx}}, user(1), inTx(1, insert), 3},
		"after a commit":           {limit.Rule{Requests: 3}, user(1), afterCommit, 3},
		"after a failed write":     {limit.Rule{Requests: 4}, user(1), missedWrite, 4},
		"attempts":                 {limit.Rule{Requests: 3}, user(1), conflicting, 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c.rule.Name, c.rule.Window = "rule", 1000*time.Hour
				store, i := open(t, memory.New(), limit.New(c.rule)), 0
				got := permitted(t, 10, "rule", func() error { i++; return c.call(c.ctx(t, i), store) })
				if got != c.want {
					t.Errorf("%d of 10 calls succeed, want %d", got, c.want)
				}
			})
		})
	}
}

func user(id int64, roles ...string) func(testing.TB, int) context.Context {
	return func(tb testing.TB, _ int) context.Context { return as(tb, id, roles...) }
}

func users(n int) func(testing.TB, int) context.Context {
	return func(tb testing.TB, i int) context.Context { return as(tb, int64(i%n)) }
}

func numbersAndTexts(tb testing.TB, i int) context.Context {
	if i%2 == 0 {
		return as(tb, 1)
	}
	return core.WithPrincipal(tb.Context(), &core.Principal{ID: core.TextValue("1")})
}

func anonymous(tb testing.TB, _ int) context.Context { return tb.Context() }

func system(tb testing.TB, _ int) context.Context { return core.System(tb.Context()) }

func readStore(ctx context.Context, s *core.Store) error { return read(ctx, s) }

func insertStore(ctx context.Context, s *core.Store) error { return insert(ctx, s) }

// inTx makes a call n times in a transaction.
func inTx(n int, call func(context.Context, core.Querier) error) func(context.Context, *core.Store) error {
	return func(ctx context.Context, s *core.Store) error {
		return s.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
			for range n {
				if err := call(ctx, tx); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// afterCommit uses the store after its transaction, as a part of the same request.
func afterCommit(ctx context.Context, s *core.Store) (err error) {
	return errors.Join(s.Tx(ctx, func(_ context.Context, tx *core.Transaction) error {
		tx.AfterCommit(func(ctx context.Context) { err = read(ctx, s) })
		return nil
	}), err)
}

// missedWrite makes the store look whether the caller can read the record.
func missedWrite(ctx context.Context, s *core.Store) error {
	if err := s.Delete(ctx, cookie, core.IntValue(77)); !errors.Is(err, core.NotFound) {
		return err
	}
	return nil
}

// conflicting succeeds at the third attempt.
func conflicting(ctx context.Context, s *core.Store) error {
	attempts := 0
	return s.Tx(ctx, func(context.Context, *core.Transaction) error {
		if attempts++; attempts < 3 {
			return core.ErrConflict
		}
		return nil
	})
}

func TestRetryAfterIsTrue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, ctx := open(t, memory.New(), limit.New(limit.Rule{Name: "reads", Requests: 7, Window: time.Minute})), as(t, 1)
		if n := permitted(t, 10, "reads", func() error { return read(ctx, store) }); n != 7 {
			t.Fatalf("%d requests at once", n)
		}
		for range 20 {
			quota := core.AsError(read(ctx, store)).Quota
			if quota == nil || quota.Limit != 7 || quota.Window != time.Minute || quota.RetryAfter > time.Minute/7+time.Millisecond {
				t.Fatalf("%+v", quota)
			}
			time.Sleep(quota.RetryAfter - time.Millisecond)
			if err := read(ctx, store); !errors.Is(err, core.TooManyRequests) {
				t.Fatalf("a millisecond too early: %v", err)
			}
			time.Sleep(time.Millisecond)
			if err := read(ctx, store); err != nil {
				t.Fatalf("after Retry-After: %v", err)
			}
		}
		time.Sleep(time.Hour)
		if n := permitted(t, 10, "reads", func() error { return read(ctx, store) }); n != 7 {
			t.Errorf("%d requests after an hour", n)
		}
	})
}

func TestADeniedOperationTakesFromNoRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, ctx := open(t, memory.New(), limit.New(
			limit.Rule{Name: "requests", Requests: 5, Window: time.Hour},
			limit.Rule{Name: "inserts", Requests: 2, Window: time.Hour, Kinds: []core.Kind{core.Insert}})), as(t, 1)
		if n := permitted(t, 5, "inserts", func() error { return insert(ctx, store) }); n != 2 {
			t.Errorf("%d inserts", n)
		}
		if n := permitted(t, 5, "requests", func() error { return read(ctx, store) }); n != 3 {
			t.Errorf("%d reads after 2 inserts", n)
		}
	})
}

func TestManyKeysNeitherFillMemoryNorRenewAQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := open(t, memory.New(), limit.New(limit.Rule{Name: "rule", Requests: 2, Window: time.Hour, Keys: 3}))
		send := func(id int64) int { return permitted(t, 4, "rule", func() error { return read(as(t, id), store) }) }
		if got := fmt.Sprint(send(1), send(2), send(3)); got != "2 2 2" {
			t.Errorf("keys with a quota of their own: %s", got)
		}
		if got := fmt.Sprint(send(4), send(5), send(1)); got != "2 0 0" {
			t.Errorf("two keys that share a quota, and the first: %s", got)
		}
		time.Sleep(time.Hour)
		if got := fmt.Sprint(send(6), send(5)); got != "2 2" {
			t.Errorf("keys in place of full quotas: %s", got)
		}
	})
}

func TestInvalidRulesAreRejected(t *testing.T) {
	for mistake, rules := range map[string][]limit.Rule{
		"has no rule":                            nil,
		"option Name: is empty":                  {{Requests: 1}},
		"rule \"b\": limits nothing":             {{Name: "a", Requests: -1}, {Name: "b"}},
		`rule "a\"": option Name: use printable`: {{Name: `a"`, Requests: 1}},
		"limits nothing":                         {{Name: "a"}},
		"must not be negative":                   {{Name: "a", Requests: 1, Wait: -1}},
		"option Window: 1.5s is no whole number": {{Name: "a", Requests: 1, Window: 1500 * time.Millisecond}},
		"an empty list selects no request":       {{Name: "a", Requests: 1, Roles: []string{}}},
		"remove Kinds":                           {{Name: "a", Total: 1, Kinds: []core.Kind{core.Load}}},
		"there is no operation of the kind":      {{Name: "a", Requests: 1, Kinds: []core.Kind{core.Visibility}}},
		"another rule has this name":             {{Name: "a", Requests: 1}, {Name: "a", Time: 1}},
	} {
		_, err := core.New(t.Context(), model, memory.New(), limit.New(rules...))
		if err == nil || !strings.Contains(err.Error(), mistake) {
			t.Errorf("%v, want %s", err, mistake)
		}
	}
}
