package limit_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/limit"
)

// slow makes each operation, other than the transaction around it, take a second, and records how many run at once and who has run.
type slow struct {
	mu            sync.Mutex
	running, most int
	order         []string
}

func (s *slow) decorator() core.Decorator {
	return core.Decorator{Name: "slow", Kind: core.KindAnswer, KnowsRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if op.Kind == core.Tx {
				return next(ctx, op)
			}
			s.mu.Lock()
			s.running++
			s.most = max(s.most, s.running)
			s.order = append(s.order, op.Principal.String())
			s.mu.Unlock()
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
			s.mu.Lock()
			s.running--
			s.mu.Unlock()
			return next(ctx, op)
		}, nil
	}}
}

// rush lets principals send requests at the same time, in the order of ids, and returns what the backend has seen and the errors.
func rush(t *testing.T, rule limit.Rule, ids ...int64) (*slow, []error) {
	t.Helper()
	rule.Name = "at once"
	seen := new(slow)
	store := open(t, memory.New(), limit.New(rule), seen.decorator())
	errs := make([]error, len(ids))
	var all sync.WaitGroup
	for i, id := range ids {
		all.Go(func() { errs[i] = read(as(t, id), store) })
		synctest.Wait() // the request runs or waits
	}
	all.Wait()
	return seen, errs
}

func TestPlacesAndTurns(t *testing.T) {
	for name, c := range map[string]struct {
		rule   limit.Rule
		ids    []int64
		most   int
		order  string
		denied int
	}{
		"per key":              {limit.Rule{Concurrent: 1}, []int64{1, 1, 2, 2}, 2, "1 2", 2},
		"in total":             {limit.Rule{Total: 3}, []int64{1, 2, 3, 4, 5}, 3, "1 2 3", 2},
		"one key in its order": {limit.Rule{Concurrent: 1, Wait: time.Hour}, []int64{1, 1, 1}, 1, "1 1 1", 0},
		"keys take turns":      {limit.Rule{Total: 1, Wait: time.Hour}, []int64{1, 1, 1, 1, 2, 3, 2}, 1, "1 1 2 3 1 2 1", 0},
		"a full key does not block others": {
			limit.Rule{Concurrent: 1, Total: 2, Wait: time.Hour}, []int64{1, 1, 2}, 2, "1 2 1", 0,
		},
		"too long a wait": {limit.Rule{Total: 1, Wait: 1500 * time.Millisecond}, []int64{1, 2, 3}, 1, "1 2", 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				seen, errs := rush(t, c.rule, c.ids...)
				denied := 0
				for _, err := range errs {
					switch e := core.AsError(err); {
					case err == nil:
					case e.Code != core.TooManyRequests || e.Quota.Window != 0 || e.Quota.RetryAfter < time.Second:
						t.Error(err)
					default:
						denied++
					}
				}
				if order := strings.Join(seen.order, " "); seen.most != c.most || order != c.order || denied != c.denied {
					t.Errorf("%d at once, order %s, %d denied; want %d, %s, %d", seen.most, order, denied, c.most, c.order, c.denied)
				}
			})
		})
	}
}

// fair checks that a caller with one request waits for at most one request of a caller with many.
func fair(order []string) error {
	for i, id := range order {
		if id == "2" {
			if i > 2 {
				return fmt.Errorf("the caller with one request is served at place %d: %v", i+1, order)
			}
			return nil
		}
	}
	return errors.New("the caller with one request is not served")
}

func TestQueueIsFair(t *testing.T) {
	crowd := []int64{1, 1, 1, 1, 1, 1, 2}
	synctest.Test(t, func(t *testing.T) {
		seen, _ := rush(t, limit.Rule{Total: 1, Wait: time.Hour}, crowd...)
		if err := fair(seen.order); err != nil {
			t.Error(err)
		}
	})
	synctest.Test(t, func(t *testing.T) { // one queue for all is not fair, and the check finds it
		seen, _ := rush(t, limit.Rule{Total: 1, Wait: time.Hour, Key: limit.Everyone}, crowd...)
		if fair(seen.order) == nil {
			t.Error("the check passes a queue in order of arrival")
		}
	})
}

func TestWaitEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := open(t, memory.New(), limit.New(limit.Rule{Name: "rule", Total: 1, Wait: time.Hour}), new(slow).decorator())
		done := make(chan error)
		go func() { done <- read(as(t, 1), store) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(as(t, 2), time.Millisecond)
		defer cancel()
		if err := read(ctx, store); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, core.Unavailable) {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := read(as(t, 3), store); err != nil {
			t.Errorf("the place is not free again: %v", err)
		}
	})
}

func TestAPanicGivesThePlaceBack(t *testing.T) {
	store := open(t, memory.New(), limit.New(limit.Rule{Name: "rule", Total: 1}))
	func() {
		defer func() { _ = recover() }()
		_ = store.Tx(t.Context(), func(context.Context, *core.Transaction) error { panic("bug") })
	}()
	if err := read(t.Context(), store); err != nil {
		t.Error(err)
	}
}

func TestManyRequestsAtRandom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := new(slow)
		store := open(t, memory.New(), limit.New(limit.Rule{Name: "rule", Concurrent: 2, Total: 5, Wait: 3 * time.Second}), seen.decorator())
		var all sync.WaitGroup
		for i := range 200 {
			all.Go(func() {
				time.Sleep(time.Duration(i*7919%5000) * time.Millisecond)
				ctx, cancel := context.WithTimeout(as(t, int64(i%7)), time.Duration(i%5)*time.Second+time.Millisecond)
				defer cancel()
				if err := read(ctx, store); err != nil && !errors.Is(err, core.TooManyRequests) && !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if seen.most != 5 {
			t.Errorf("%d at once", seen.most)
		}
		for id := range int64(5) { // all places are free
			all.Go(func() {
				if err := read(as(t, id), store); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	})
}
