package kit

import (
	"context"

	"pgregory.net/rapid"
)

// checkRandomly checks a property as often as the options say. The property
// returns what is wrong. Because concurrent transactions need not go wrong in
// the same way twice, what was found first is logged in any case.
func (t *Fixture) CheckRandomly(property func(ctx context.Context, r *rapid.T) error) {
	t.Helper()
	var found error
	defer func() {
		if found != nil {
			t.Logf("found first: %v", found)
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
			r.Fatalf("the property does not hold") // the same words each time, as rapid needs to shrink
		}
	})
}

// repeat has rapid check a property n times; with 0 as often as rapid's own flag
// says, which is all that rapid knows.
func Repeat(tb rapid.TB, n int, property func(*rapid.T)) {
	tb.Helper()
	if n == 0 {
		rapid.Check(tb, property)
		return
	}
	left := n
	RepeatWhile(tb, func() bool { left--; return left >= 0 }, property)
}

// repeatWhile has rapid check a property as long as there is more to do, which is
// asked before each time.
func RepeatWhile(tb rapid.TB, more func() bool, property func(*rapid.T)) {
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
