package policytest

import (
	"testing"

	"github.com/larder-go/larder/core/storetest"
)

// NonInterference checks that a principal learns nothing about what it may not
// see. It makes two worlds, each a store with the stack on a backend of its own,
// that differ only in rows which the principal does not see and in fields which it
// does not read; it runs the same random program in both on behalf of the
// principal, while others read and write in one of them; and it compares every
// result, count, cursor, id, error with its details, and what [Stack.Observe] has
// seen. It does so for each principal, in two subtests: operations on the store,
// and requests to a core/engine over it. What differs is shrunk, and printed step
// by step with the seed that repeats it.
//
// Some things tell of other rows with any policy, and no program does them:
//
//   - gaps in the ids that are handed out: others insert with keys of their own;
//   - a key or a unique value that is taken: programs set none that is hidden;
//   - a relation that is set at the store, not the engine, to a row which is there
//     though it is not seen: programs set it to what is seen or is never there;
//   - a row that others point at, which cannot be deleted: programs do not;
//   - at the store, not the engine, the id of a row that is not seen, where one that
//     is seen points at it: it is the same in both worlds.
func NonInterference(t *testing.T, open storetest.Factory, g PolicySpec) {
	t.Run("store", func(t *testing.T) { NonInterferenceOfStore(t, open, g) })
	t.Run("engine", func(t *testing.T) { NonInterferenceOfEngine(t, open, g) })
}

// NonInterferenceOfStore is the part of [NonInterference] that sends operations
// to the store.
func NonInterferenceOfStore(tb testing.TB, open storetest.Factory, g PolicySpec) {
	tb.Helper()
	interfere(tb, open, g.filled(tb), false, newStoreActor)
}

// NonInterferenceOfEngine is the part of [NonInterference] that sends requests to
// an engine over the store.
func NonInterferenceOfEngine(tb testing.TB, open storetest.Factory, g PolicySpec) {
	tb.Helper()
	interfere(tb, open, g.filled(tb), true, newEngineActor)
}
