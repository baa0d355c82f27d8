// Package resttest is the suite of rules that package core/rest keeps over HTTP.
// The author of a backend runs it in one line, and has then seen every promise
// of the REST face kept on that backend:
//
//	func TestREST(t *testing.T) {
//		resttest.Run(t, func(tb testing.TB, m *core.Model) core.Backend { return mine.New() })
//	}
//
// Each subtest is named after the rule that it checks. Most rules are tables of
// requests and answers; besides what its table says, every answer is held
// against what is true of all of them.
package resttest
