// Package observertest is the kit for authors of observers: decorators such as logs, metrics and traces, which must not
// change operations and results.
//
// # Use
//
//	func TestTransparent(t *testing.T) {
//		observertest.Transparent(t, open, observertest.Transparency{
//			Stack: func(testing.TB) observertest.ObservedStack {
//				log := new(buffer)
//				return observertest.ObservedStack{
//					Decorators: []core.Decorator{mylog.New(log)},
//					Check: func(tb testing.TB, events []observertest.Event) {
//						if lines := log.takeLines(); len(lines) != len(events) {
//							tb.Errorf("%d lines for %d events", len(lines), len(events))
//						}
//					},
//				}
//			},
//		})
//	}
//
// open returns a fresh, empty backend, as for [storetest.Run].
//
// # Mechanism
//
// [Transparent] puts a monitor outside and inside the stack. The monitor compares each op, result, error and panic on both
// sides. It runs operations and transactions with every kind of result, and calls [ObservedStack.Check] after each with the
// events: one for each operation and one for each attempt at a transaction. Check compares them with the lines, counters or
// spans of the observer. Then it runs all cases of the backend kit with the stack around the backend.
//
// # Cost and limits
//
// A run takes as long as the backend kit; [Transparency.Options] sets its options. The kit does not check that an observer
// hides data from its output: the kit NonInterference of package policytest compares that output between two worlds.
package observertest
