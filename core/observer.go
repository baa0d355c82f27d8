package core

import (
	"context"
	"time"
)

// Observer is notified of every operation when it arrives and when it has ended: a log, a metric, a trace. An observer
// holds neither a handler nor an [Op], and so cannot change, answer or lose an operation. Its methods are called by many
// goroutines at once.
//
// Observers that stand next to each other in a stack are notified one after the other, with the same [Event] and so the
// same duration.
type Observer interface {
	// Begin is called when an operation comes by, with its kind and resource; the
	// latter is nil for a Tx. A decorator further out may have spoiled both, and then
	// the store refuses the operation. It must not panic.
	Begin(kind Kind, r *Resource)
	// End is called once for each Begin, after a panic too, with the context that the
	// operation came with.
	End(ctx context.Context, event *Event)
}

// Event describes an operation that has ended: the request as it arrived at the observer, and its result. Observers next
// to each other share an event: they may keep it and must not write to it or to its slices.
type Event struct {
	Kind      Kind
	Resource  *Resource  // nil for a Tx
	Keys      []Value    // of a Load, Update or Delete
	Records   []Record   // of an Insert or Update
	Principal *Principal // nil means nobody
	Tx        *TxInfo    // nil outside a transaction; as it is at the end, maybe made read-only further in
	Attempt   int        // from 1, see [Op.Attempt]

	Result Result
	// Err is nil if all went well. After a panic it is an error without a code, which
	// is [OutcomeFailed].
	Err error
	// Took is how long it took, everything further in included.
	Took time.Duration
}

// observers stand next to each other, outermost first.
type observers []Observer

// epoch is what clocks are read against: a time.Time of its own for each reading
// costs twice as much.
var epoch = time.Now()

// around returns a handler that notifies the observers of the operations that it passes on to next.
func (os observers) around(next Handler) Handler {
	if len(os) == 0 {
		return next
	}
	return func(ctx context.Context, op *Op) (res Result, err error) {
		event := &Event{ // before inner decorators change the op
			Kind: op.Kind, Resource: op.Resource, Keys: op.Keys, Records: op.Records,
			Principal: op.Principal, Tx: op.Tx, Attempt: op.Attempt(),
		}
		for _, o := range os {
			o.Begin(op.Kind, op.Resource)
		}
		begun := time.Since(epoch)
		err = errInterrupted // stays if what is further in panics
		defer func() {
			event.Took, event.Result, event.Err = time.Since(epoch)-begun, res, err
			os.end(ctx, event)
		}()
		return next(ctx, op)
	}
}

// end tells the innermost first, and each of them although another one panics.
func (os observers) end(ctx context.Context, event *Event) {
	last := len(os) - 1
	if last > 0 {
		defer os[:last].end(ctx, event)
	}
	os[last].End(ctx, event)
}
