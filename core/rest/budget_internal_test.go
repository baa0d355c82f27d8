package rest

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/core"
)

// acquireAsync acquires n bytes in a goroutine, and returns the channel of the result.
func acquireAsync(ctx context.Context, s *reservation, n int64) <-chan error {
	done := make(chan error, 1)
	go func() { done <- s.acquire(ctx, n) }()
	synctest.Wait()
	return done
}

// waits reports whether a call of acquireAsync has no result yet.
func waits(done <-chan error) bool { return len(done) == 0 }

func TestReservationWaitsUntilItsBytesFit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &byteBudget{limit: 100}
		first, second := &reservation{budget: f}, &reservation{budget: f}
		if err := first.acquire(t.Context(), 60); err != nil {
			t.Fatal(err)
		}
		done := acquireAsync(t.Context(), second, 50)
		if !waits(done) {
			t.Fatal("110 of 100 bytes are in flight")
		}
		if small := acquireAsync(t.Context(), &reservation{budget: f}, 40); waits(small) {
			t.Error("a reservation that fits waits for one that does not")
		}
		first.release(10)
		synctest.Wait()
		if !waits(done) {
			t.Error("140 of 100 bytes are in flight")
		}
		first.releaseAll()
		synctest.Wait()
		if waits(done) || second.held != 50 || f.used != 90 {
			t.Errorf("%d held, %d in flight", second.held, f.used)
		}
	})
}

func TestReservationAboveTheLimitWaitsUntilAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &byteBudget{limit: 100}
		first, large := &reservation{budget: f}, &reservation{budget: f}
		if err := first.acquire(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		done := acquireAsync(t.Context(), large, 1000)
		if !waits(done) {
			t.Fatal("another reservation holds bytes")
		}
		first.releaseAll()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := large.acquire(t.Context(), 1000); err != nil {
			t.Error(err)
		}
	})
}

func TestReservationEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &byteBudget{limit: 100}
		first, second := &reservation{budget: f}, &reservation{budget: f}
		if err := first.acquire(t.Context(), 100); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := <-acquireAsync(ctx, second, 1)
		if !errors.Is(err, core.Unavailable) || !errors.Is(err, errBudgetUsed) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		if first.releaseAll(); f.used != 0 || len(f.waiting) > 0 || second.held != 0 {
			t.Errorf("%+v is left", f)
		}
	})
}

// Reservations that hold all bytes and need more would wait for each other, if none could exceed the limit.
func TestReservationsThatGrowDoNotDeadlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &byteBudget{limit: 100}
		var shares [4]*reservation
		var done [4]<-chan error
		for i := range shares {
			shares[i] = &reservation{budget: f}
			if err := shares[i].acquire(t.Context(), 25); err != nil {
				t.Fatal(err)
			}
		}
		for i, s := range shares {
			if done[i] = acquireAsync(t.Context(), s, 50); waits(done[i]) != (i > 0) {
				t.Errorf("reservation %d waits: %t", i, waits(done[i]))
			}
		}
		for i, s := range shares {
			if err := <-done[i]; err != nil {
				t.Error(err)
			}
			if f.used > 150 {
				t.Errorf("%d bytes are in flight", f.used)
			}
			s.releaseAll()
			synctest.Wait()
		}
		if f.used != 0 || f.overdrawn != nil {
			t.Errorf("%+v is left", f)
		}
	})
}

func TestAtMostOneReservationExceedsTheLimit(t *testing.T) {
	const limit, largest = 1000, 400
	f := &byteBudget{limit: limit}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 500 {
				s := &reservation{budget: f}
				for range 4 {
					if err := s.acquire(t.Context(), rand.Int64N(largest/4)+1); err != nil {
						t.Error(err)
					}
					f.mu.Lock()
					if f.used > limit+largest {
						t.Errorf("%d bytes are in flight", f.used)
					}
					f.mu.Unlock()
				}
				s.releaseAll()
			}
		})
	}
	wg.Wait()
	if f.used != 0 || f.overdrawn != nil || len(f.waiting) > 0 {
		t.Errorf("%+v is left", f)
	}
}
