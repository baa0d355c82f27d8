// Package storetest holds the conformance kits for backends and for decorators.
//
// # Backends
//
// Whoever implements [core.Backend] runs the first, and has a backend when it
// passes.
//
//	func TestConformance(t *testing.T) {
//		storetest.Run(t, func(tb testing.TB, m *core.Model) core.Backend {
//			return mybackend.New()
//		})
//	}
//
// The factory returns a fresh and empty backend for each call; it need not bind
// it to the model, which is passed in case tables have to be made first. What the
// backend leaves behind is removed with tb.Cleanup. The kit closes the backend.
//
// # What is checked
//
// Each [Case] is one rule of the contract and runs on a backend of its own, so
// that one failure does not hide the next. A failure says which rule it breaks.
// [Cases] lists all of them. They come in families, which are subtests:
//
//	go test -run 'TestConformance/isolation/write_skew'
//
// Everything goes through a [core.Store], as it does in production; a decorator
// of the kit's sets the conditions that policies would set, and hands the backend
// copies of the op's slices, which it wipes afterwards.
//
// Besides directed cases there are three that draw at random, with rapid:
// programs, compared operation by operation with an obviously right model;
// schedules of concurrent transactions, in the notation of the literature ("r1(x)
// w2(x) c2 w1(x) c1"); and clients that run at full speed. For the last two,
// porcupine looks for a serial order that explains what was read. What they find
// is shrunk, and printed with the seed that repeats it.
//
// # Settings
//
// [Options] has them: how much is drawn, how a durable backend is opened again,
// decorators to put around the backend. The zero Options suits a fast one.
//
// # Decorators that guard
//
// A policy is one when nobody gets round it. [Guard] sends operations of every
// kind through a stack of decorators and looks at what comes back, at what reaches
// the backend and at what is stored afterwards; each of [GuardCases] is a rule.
// [NonInterference] looks at nothing but what a principal is told, in two worlds
// that differ only in what the principal may not see. Both need an oracle, which
// says what that is, row by row:
//
//	func TestNobodyGetsRound(t *testing.T) {
//		spec := storetest.PolicySpec{
//			Stack: func(testing.TB) storetest.Stack {
//				return storetest.Stack{Decorators: []core.Decorator{mypolicy.New()}}
//			},
//			Model: model, Rows: rows, Principals: principals,
//			CanRead: func(p *core.Principal, row core.Record) bool {
//				return p.ID.IsSet() && row.Get("owner") == p.ID
//			},
//		}
//		storetest.Guard(t, open, guarded)
//		storetest.NonInterference(t, open, guarded)
//	}
//
// A policy that changes what a principal sees, may change and may leave apart,
// that hides fields, that refuses kinds, or that does not care who asks says so in
// further fields of [PolicySpec]. The two kits find different things: Guard knows
// which op was not guarded, even if nothing was lost by it; NonInterference knows
// what somebody learned, by whatever way.
//
// The model, the rows and the principals can be left out by policies on a field
// owner, see [OwnedModel].
//
// # Decorators that watch
//
// Logs, metrics and traces change nothing: [Transparent] runs all cases of the kit
// for backends through them, with a watch on both sides that compares every op,
// result and error, and hands over what happened, an [Event] for each operation
// and each attempt at a transaction, to be compared with lines and counters:
//
//	func TestItOnlyWatches(t *testing.T) {
//		storetest.Transparent(t, open, storetest.Transparency{
//			Stack: func(testing.TB) storetest.ObservedStack {
//				log := new(buffer)
//				return storetest.ObservedStack{
//					Decorators: []core.Decorator{mylog.New(log)},
//					Check: func(tb testing.TB, happened []storetest.Event) {
//						if got := log.takeLines(); len(got) != len(happened) {
//							tb.Errorf("%d lines for %d events", len(got), len(happened))
//						}
//					},
//				}
//			},
//		})
//	}
package storetest
