// Package storetest is the conformance kit for backends: whoever implements
// [core.Backend] runs it, and has a backend when it passes.
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
package storetest
