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

// errPanic has the text of the error that observers get after a panic.
var errPanic = errors.New("operation was interrupted by a panic")

// check compares the journal with the events.
func check(tb testing.TB, j *kittest.Journal, events []observertest.Event) {
	tb.Helper()
	var want []string
	for _, e := range events {
		if e.Panicked {
			e.Err = errPanic
		}
		want = append(want, fmt.Sprintf("%s %d %v", fmt.Sprint(e.Kind, e.Resource, e.Principal), e.Rows, e.Err))
	}
	if got := j.Take(); !slices.Equal(got, want) {
		tb.Errorf("the journal says %q, want %q", got, want)
	}
}

// watched returns a stack of a journal and further, inner decorators.
func watched(inside ...core.Decorator) observertest.Transparency {
	return observertest.Transparency{
		Options: storetest.Options{Checks: 20, Patience: 2 * time.Millisecond},
		Stack: func(testing.TB) observertest.ObservedStack {
			j := new(kittest.Journal)
			return observertest.ObservedStack{Decorators: append([]core.Decorator{j.Decorator()}, inside...), Check: checks(j)}
		},
	}
}

func TestCorrectObserverPassesTransparent(t *testing.T) {
	observertest.Transparent(t, kittest.OpenNaive, watched())
}

// checks returns the check of a journal.
func checks(j *kittest.Journal) func(tb testing.TB, events []observertest.Event) {
	return func(tb testing.TB, events []observertest.Event) {
		tb.Helper()
		check(tb, j, events)
	}
}
