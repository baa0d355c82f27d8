// Package resttest checks the rules of package core/rest over HTTP, on any backend. The author of a backend runs it in
// one line:
//
//	func TestREST(t *testing.T) {
//		resttest.Run(t, func(tb testing.TB, m *core.Model) core.Backend { return mine.New() })
//	}
//
// The suite starts a server over a new store for each rule and talks to it with a real client. It covers routes,
// methods, arguments, Links, bodies, media types, statuses, headers, the JSON of values, entity tags, authentication
// and the log. Package core/engine/enginetest has the rules of the engine; run both.
//
// Each subtest has the name of its rule. Most rules are tables of requests and answers. In addition, every answer must
// keep the rules that hold for all answers, such as the shape of errors and the headers for caches.
//
// The backend must be empty, and must generate small ascending ids; gaps are allowed.
package resttest
