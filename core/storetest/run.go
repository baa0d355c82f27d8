package storetest

import (
	"testing"
	"time"

	"github.com/larder-go/larder/core"
)

// Factory returns a fresh, empty backend that can hold the model and is not
// bound to it yet. What it leaves behind is removed with tb.Cleanup. It may be
// called several times by one test.
type Factory = func(tb testing.TB, m *core.Model) core.Backend

// Options are the settings of the kit. The zero value suits a fast backend that
// is not durable.
type Options struct {
	// Checks is how many random programs, schedules and histories are run, of
	// each; 0 means what the flag -rapid.checks says, 100 by default.
	Checks int
	// Patience is how long a step of a transaction may take before the kit
	// assumes that it waits for another transaction, and lets that one go on. One
	// that is too short makes the cases of isolation find less, and never makes
	// them fail. 0 means 5 ms.
	Patience time.Duration
	// Timeout is when the contexts of a case or of a random check expire, so that
	// what hangs is told from what is slow. 0 means a minute.
	Timeout time.Duration
	// Reopen returns a backend with the content of one that was closed, to be
	// bound anew: what a program finds after a restart. With it, the cases of
	// durability run, and random programs reopen their backend as they go. nil
	// means that the backend is not durable.
	Reopen func(tb testing.TB, closed core.Backend) core.Backend
	// Decorators returns decorators, outermost first, to stand around the backend
	// in all cases: those that change nothing, such as logs and metrics, must
	// keep every promise of what they stand around. nil means none.
	Decorators func(tb testing.TB) []core.Decorator
}

// Run checks all rules of [Cases], each in a subtest of its own.
func Run(t *testing.T, open Factory) { Options{}.Run(t, open) }

// Run is the function [Run] with settings.
func (o Options) Run(t *testing.T, open Factory) {
	cases := Cases()
	for len(cases) > 0 {
		n := 1
		for n < len(cases) && cases[n].Family == cases[0].Family {
			n++
		}
		family := cases[:n]
		cases = cases[n:]
		if family[0].Durable && o.Reopen == nil {
			continue
		}
		t.Run(family[0].Family, func(t *testing.T) {
			for _, c := range family {
				t.Run(c.Name, func(t *testing.T) { c.Check(t, open, o) })
			}
		})
	}
}
