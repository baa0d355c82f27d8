package kit

import (
	"context"

	"pgregory.net/rapid"
)

// CheckRandomly checks a property as often as the options say. The property returns an error if it does not hold. A
// failure of concurrent transactions may not occur again while rapid shrinks it, so the first error is logged too.
func (t *Fixture) CheckRandomly(property func(ctx context.Context, r *rapid.T) error) {
	t.Helper()
	var found error
	defer func() {
		if found != nil {
			t.Logf("first failure: %v", found)
		}
	}()
	Repeat(t.TB, t.Opts.Checks, func(r *rapid.T) {
		ctx, cancel := context.WithTimeout(t.TB.Context(), t.Opts.Timeout)
		defer cancel()
		if err := property(ctx, r); err != nil {
			if found == nil {
				found = err
			}
			r.Logf("%v", err)
			r.Fatalf("the property does not hold") // a constant text: rapid compares texts while it shrinks
		}
	})
}

// Repeat checks a property n times. If n is 0, the flag -rapid.checks sets the number.
func Repeat(tb rapid.TB, n int, property func(*rapid.T)) {
	tb.Helper()
	if n == 0 {
		rapid.Check(tb, property)
		return
	}
	left := n
	RepeatWhile(tb, func() bool { left--; return left >= 0 }, property)
}

// RepeatWhile checks a property as long as more returns true. It calls more before each check.
func RepeatWhile(tb rapid.TB, more func() bool, property func(*rapid.T)) {
	tb.Helper()
	done, failing := false, false
	for !done {
		failing = false // Check returns only if the property holds
		rapid.Check(tb, func(r *rapid.T) {
			if !failing { // while rapid repeats a failure, the property must run
				if done = done || !more(); done {
					return
				}
			}
			failed := true
			defer func() { failing = failing || failed }()
			property(r)
			failed = r.Failed()
		})
	}
}
