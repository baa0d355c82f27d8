// Package storetest is the conformance kit for authors of backends. A backend that passes it keeps the contract of
// [core.Backend].
//
// Two packages beside it are for authors of decorators. [github.com/larder-go/larder/core/storetest/policytest] checks
// policies, and [github.com/larder-go/larder/core/storetest/observertest] checks logs, metrics and traces.
//
// # Use
//
// One test runs all cases:
//
//	func TestConformance(t *testing.T) {
//		storetest.Run(t, func(tb testing.TB, m *core.Model) core.Backend {
//			return mybackend.New()
//		})
//	}
//
// The factory returns a fresh, empty backend for each call. The kit binds the backend to the model and closes it. A
// backend that needs tables creates them for the model that the factory gets, and removes them with tb.Cleanup.
//
// A durable backend sets [Options.Reopen], so that the durability cases run:
//
//	storetest.Options{Reopen: reopen}.Run(t, open)
//
// # Cases
//
// Each [Case] is one rule of the contract and has a backend of its own, so that a failure does not hide the next one. A
// failed case logs its rule. Cases are subtests of their family:
//
//	go test -run 'TestConformance/isolation/no_write_skew'
//
// [Cases] returns all cases; [Case.Check] runs a single one. Most cases are short programs with a known result. Three
// kinds of cases draw at random:
//
//   - random programs, compared with an oracle of maps after each operation;
//   - schedules of concurrent transactions, in the notation of the literature: "r1(x) w2(x) c2 w1(x) c1";
//   - clients that run transactions without waiting for each other.
//
// The last two search for a serial order of the committed transactions that explains their results. A failure is shrunk and
// printed with the seed that repeats it.
//
// # Mechanism
//
// Cases use a [core.Store] and not the backend itself. A decorator of the kit is outermost: it adds the Using and Check
// that policies would add, answers which related records exist, gives the backend copies of the op's slices, and clears the copies after the call. The
// decorators of [Options.Decorators] are between it and the backend.
//
// The call structure of the three kits:
//
//	storetest: backend authors
//	  Run -> Cases -> Case.Check -> kit.New -> function of the rule -> core.Store -> backend
//	                                             isolation.go       -> internal/serial: runs schedules, finds a serial order
//	                                             random_programs.go -> random_step.go: the same operation on store and oracle
//
//	policytest: policy authors
//	  Guard -> GuardCases -> GuardCase.Check -> guardRun -> function of the rule -> scenario -> core.Store -> stack -> backend
//	  NonInterference -> runPrograms -> worlds: two scenarios <- store driver or engine driver: the same operation in both
//
//	observertest: observer authors
//	  Transparent -> TransparentEffects -> step -> core.Store -> monitor -> stack -> monitor -> backend, then Check
//	              -> storetest.Run with the monitor and the stack as Options.Decorators
//
//	shared
//	  internal/kit      fixture, client of a store, model, comparison of records, random drawing
//	  internal/kittest  a simple backend, a test recorder and a journal, for the tests of the kits themselves
//
// A rule is a line in a table at the top of its file: name, sentence, function. The function gets a fixture, which is a
// store on a fresh backend with a client, and ends the test at the first violation. The tests of this package have broken
// backends, and prove for each case that it catches at least one.
//
// # Cost and limits
//
// A run on a fast backend takes some seconds. [Options.Checks] sets how much is drawn at random, and [Options.Timeout]
// bounds each case.
//
// The kit has no durability cases for crashes: Reopen follows a Close. A backend that must survive crashes tests them
// itself.
package storetest
