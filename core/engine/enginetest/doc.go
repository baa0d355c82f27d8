// Package enginetest is the conformance kit of package core/engine for backends: it runs the rules of the engine
// on a backend. Its user is the author of a backend:
//
//	func TestEngine(t *testing.T) {
//		enginetest.Run(t, func(tb testing.TB, m *core.Model) core.Backend {
//			return mybackend.New(...)
//		})
//	}
//
// Every rule is a subtest with the rule as its name, such as creating/a_list_is_all_or_nothing. Most rules are
// scripts: requests with their expected answers, one per line (script.go). Other cases are functions; among them
// are random requests compared with a simple reference model (random.go, reference_model.go) and concurrent
// requests (concurrency.go).
//
// The factory must return an empty backend for each call. Integer keys must be generated as 1, 2, 3 and so on, as
// long as no request fails or chooses a key. [Run] takes a few seconds on memory. The environment variable
// LARDER_ROUNDS sets the number of rounds of the concurrent cases, by default 50. [Crowd] is separate, because it
// inserts 100,000 records.
package enginetest
