// Package enginetest holds the rules of the package core/engine as tests that
// take a backend: whoever writes one runs
//
//	func TestEngine(t *testing.T) {
//		enginetest.Run(t, func(tb testing.TB, m *core.Model) core.Backend {
//			return mybackend.New(...)
//		})
//	}
//
// and every rule is a subtest whose name says it. Most rules are scripts, a few
// lines of requests with the answers that they must get; the others are
// functions. Beyond the rules there is a run of random requests against an
// obviously right model, and one of concurrent ones.
//
// The backend must be empty, and must hand out the ids 1, 2, 3 and so on as long
// as no request fails and none chooses an id itself.
package enginetest
