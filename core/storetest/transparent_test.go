package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
)

// journal is a log as simple as can be: a line for each op.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) line(op string, rows int, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf("%s %d %v", op, rows, err))
}

// observing is the decorator that writes the journal.
func (j *journal) observing() core.Decorator {
	return core.Decorator{Name: "journal", Kind: core.KindObserve, Observe: func(*core.Model) (core.Observer, error) { return j, nil }}
}

// Begin does nothing: there is a line for what has ended.
func (j *journal) Begin(core.Kind, *core.Resource) {}

// End writes the line.
func (j *journal) End(_ context.Context, event *core.Event) {
	rows := len(event.Result.Records)
	switch {
	case event.Err != nil:
	case event.Kind == core.Count:
		rows = event.Result.Count
	case event.Kind == core.Delete:
		rows = len(event.Keys)
	}
	j.line(fmt.Sprint(event.Kind, event.Resource, event.Principal), rows, event.Err)
}

// errPanic has the text of the error that observers see after a panic.
var errPanic = errors.New("operation was interrupted by a panic")

// check compares the lines with what happened.
func (j *journal) check(tb testing.TB, happened []storetest.Event) {
	tb.Helper()
	var want []string
	for _, e := range happened {
		if e.Panicked {
			e.Err = errPanic
		}
		want = append(want, fmt.Sprintf("%s %d %v", fmt.Sprint(e.Kind, e.Resource, e.Principal), e.Rows, e.Err))
	}
	if !slices.Equal(j.lines, want) {
		tb.Errorf("the journal says %q, want %q", j.lines, want)
	}
	j.lines = nil
}

// watched returns settings for a journal, and decorators inside of it.
func watched(inside ...core.Decorator) storetest.Transparency {
	return storetest.Transparency{
		Options: storetest.Options{Checks: 20, Patience: 2 * time.Millisecond},
		Stack: func(testing.TB) storetest.ObservedStack {
			j := new(journal)
			return storetest.ObservedStack{Decorators: append([]core.Decorator{j.observing()}, inside...), Check: j.check}
		},
	}
}

func TestAnHonestObserverPassesTransparent(t *testing.T) {
	storetest.Transparent(t, naively, watched())
}
