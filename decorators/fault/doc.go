// Package fault makes a backend fail, for the tests of a program: errors, delays, conflicts, and commits of unknown outcome.
//
//	faults := fault.New(memory.New(), 1,
//		fault.Rule{Kinds: []core.Kind{core.Insert}, Resources: []string{"order"}, Probability: 0.1, Err: core.ErrConflict},
//		fault.Rule{Kinds: []core.Kind{core.Tx}, Skip: 2, Times: 1, Err: core.ErrCommitUnknown, Committed: true},
//		fault.Rule{Delay: 20 * time.Millisecond})
//	store, err := core.New(ctx, model, faults, decorators...)
//
// # In a stack
//
//	store     an operation that conflicts is repeated here, as in production
//	  |
//	decorators: logging, metrics, policies, ...
//	  |
//	fault     a rule matches: delay, then an error in place of the operation
//	  |
//	backend   memory, file or PostgreSQL
//
// It is a [core.Backend] around another one and no decorator, because a decorator does not see the commit of a single
// operation. All decorators therefore stand outside it: they see a fault as they see one of a real backend.
//
// # Faults
//
//	Err: core.ErrConflict                        the store repeats the operation, or the function of [core.Store.Tx]
//	Err: core.Unavailable                        the server cannot be reached: HTTP 503 with Retry-After
//	Err: core.QueryTooExpensive                  the statement took too long: HTTP 503 without Retry-After
//	Err: errors.New("disk full")                 a failure of the server: HTTP 500
//	Err: core.ErrCommitUnknown                   the commit got lost, and nothing was written; for core.Tx only
//	Err: core.ErrCommitUnknown, Committed: true  the transaction was written, and its acknowledgement got lost
//	Delay: time.Second                           a slow backend; ends early with the error of the context
//
// After an error, nothing of the transaction is written, unless Committed is set. Delays use the package time: in a test
// with testing/synctest they take no real time.
//
// # Repeatable runs
//
// Each rule draws from a random source of its own, which the seed and the position of the rule determine. The n-th match of
// a rule therefore fails in each run with the same seed, whatever the other rules do. Concurrent operations match in the order
// in which they happen to arrive. [Backend.Counts] returns how often each rule has matched and failed, so that a test can
// check that its fault occurred.
//
// # Cost and limits
//
// An operation costs about 0.13 µs and one allocation more, as an injector written by hand does (see BenchmarkGet). With a rule
// for core.Tx, the backend gets no hint that an operation is the last one, because the commit must be a step of its own. The
// statements that PostgreSQL gets differ then.
//
// The package is for tests. A service that runs in production should not have it in its stack.
package fault
