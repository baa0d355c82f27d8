package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/larder-go/larder/core"
)

// Factory returns a fresh, empty backend that can hold the model. The kit binds the backend to the model and closes it.
// The factory registers further clean-up with tb.Cleanup. A case may call the factory several times.
type Factory = func(tb testing.TB, m *core.Model) core.Backend

// Options are optional settings of the kit. The zero value suits a fast backend that is not durable.
type Options struct {
	// Checks is the number of random checks in each random case, for instance of random programs and of random schedules.
	// 0 means the value of the flag -rapid.checks, by default 100.
	Checks int
	// Patience is the time after which the kit assumes that an action waits for another transaction, and lets that one
	// continue. If it is too short, the isolation cases find fewer defects, but do not fail without one. 0 means 5 ms.
	Patience time.Duration
	// Timeout bounds each case and each random check, so that a hanging backend fails. 0 means one minute.
	Timeout time.Duration
	// Reopen returns a backend with the content of a closed one, as after a restart of the program. The kit binds it. If
	// Reopen is set, the durability cases run, and random programs reopen the backend. nil means that the backend is not
	// durable.
	Reopen func(tb testing.TB, closed core.Backend) core.Backend
	// Decorators returns decorators, outermost first, that the kit puts around the backend in each case. They must not
	// change operations or results. nil means none.
	Decorators func(tb testing.TB) []core.Decorator
}

// Run checks each case of [Cases] in a subtest family/name.
func Run(t *testing.T, open Factory) { Options{}.Run(t, open) }

// Run checks each case of [Cases] with the options. It leaves out durable cases if Reopen is nil, and cases with tuples
// if the backend cannot store them.
func (o Options) Run(t *testing.T, open Factory) {
	cases, tuples := Cases(), StoresTuples(t, open)
	for len(cases) > 0 {
		n := 1
		for n < len(cases) && cases[n].Family == cases[0].Family {
			n++
		}
		family := cases[:n]
		cases = cases[n:]
		if family[0].Durable && o.Reopen == nil || family[0].Tuples && !tuples {
			continue
		}
		t.Run(family[0].Family, func(t *testing.T) {
			for _, c := range family {
				t.Run(c.Name, func(t *testing.T) { c.Check(t, open, o) })
			}
		})
	}
}

// StoresTuples reports whether backends of the factory store keys and relations of several fields, whose values have the
// type [core.Tuple]. Otherwise Bind returns an error that wraps [errors.ErrUnsupported]. The test ends at any other error.
func StoresTuples(tb testing.TB, open Factory) bool {
	tb.Helper()
	m := core.MustModel("tuples", core.ResourceSpec{Name: "pair", Fields: []core.FieldSpec{
		{Name: "first", Type: core.Int, Key: true}, {Name: "second", Type: core.Int, Key: true},
	}})
	store, err := core.New(tb.Context(), m, open(tb, m))
	if errors.Is(err, errors.ErrUnsupported) {
		return false
	}
	if err == nil {
		err = store.Close()
	}
	if err != nil {
		tb.Fatalf("a store with a key of several fields: %v", err)
	}
	return true
}
