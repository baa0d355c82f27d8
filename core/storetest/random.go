package storetest

import (
	"context"

	"pgregory.net/rapid"
)

// checkRandomly checks a property as often as the options say. The property
// returns what is wrong. Because concurrent transactions need not go wrong in
// the same way twice, what was found first is logged in any case.
func (t *trial) checkRandomly(property func(ctx context.Context, r *rapid.T) error) {
	t.Helper()
	var found error
	defer func() {
		if found != nil {
			t.Logf("found first: %v", found)
		}
	}()
	repeat(t.TB, t.opts.Checks, func(r *rapid.T) {
		ctx, cancel := context.WithTimeout(t.TB.Context(), t.opts.timeout())
		defer cancel()
		if err := property(ctx, r); err != nil {
			if found == nil {
				found = err
			}
			r.Logf("%v", err)
			r.Fatalf("the property does not hold") // the same words each time, as rapid needs to shrink
		}
	})
}

// repeat has rapid check a property n times; with 0 as often as rapid's own flag
// says, which is all that rapid knows.
func repeat(tb rapid.TB, n int, property func(*rapid.T)) {
	tb.Helper()
	if n == 0 {
		rapid.Check(tb, property)
		return
	}
	left := n
	repeatWhile(tb, func() bool { left--; return left >= 0 }, property)
}

// repeatWhile has rapid check a property as long as there is more to do, which is
// asked before each time.
func repeatWhile(tb rapid.TB, more func() bool, property func(*rapid.T)) {
	tb.Helper()
	done, failing := false, false
	for !done {
		failing = false // else Check would not have returned
		rapid.Check(tb, func(r *rapid.T) {
			if !failing { // what failed has to fail again
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
