package observertest_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
	"github.com/larder-go/larder/core/storetest/internal/kittest"
	"github.com/larder-go/larder/core/storetest/observertest"
)

// errPanic has the text of the error that observers see after a panic.
var errPanic = errors.New("operation was interrupted by a panic")

// check compares the lines with what happened.
func check(tb testing.TB, j *kittest.Journal, happened []observertest.Event) {
	tb.Helper()
	var want []string
	for _, e := range happened {
		if e.Panicked {
			e.Err = errPanic
		}
		want = append(want, fmt.Sprintf("%s %d %v", fmt.Sprint(e.Kind, e.Resource, e.Principal), e.Rows, e.Err))
	}
	if got := j.Take(); !slices.Equal(got, want) {
		tb.Errorf("the journal says %q, want %q", got, want)
	}
}

// watched returns settings for a journal, and decorators inside of it.
func watched(inside ...core.Decorator) observertest.Transparency {
	return observertest.Transparency{
		Options: storetest.Options{Checks: 20, Patience: 2 * time.Millisecond},
		Stack: func(testing.TB) observertest.ObservedStack {
			j := new(kittest.Journal)
			return observertest.ObservedStack{Decorators: append([]core.Decorator{j.Decorator()}, inside...), Check: checks(j)}
		},
	}
}

func TestAnHonestObserverPassesTransparent(t *testing.T) {
	observertest.Transparent(t, kittest.OpenNaive, watched())
}

// checks returns the check of a journal for a stack.
func checks(j *kittest.Journal) func(tb testing.TB, happened []observertest.Event) {
	return func(tb testing.TB, happened []observertest.Event) {
		tb.Helper()
		check(tb, j, happened)
	}
}
