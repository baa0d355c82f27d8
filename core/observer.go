package core

import (
	"context"
	"time"
)

// Observer is notified of every operation when it arrives and when it has ended: a log, a metric, a trace. An observer
// holds neither a handler nor an [Op], and so cannot change, answer or lose an operation. Its methods are called by many
// goroutines at once.
type Observer interface {
	// Begin is called when an operation comes by, with its kind and resource; the
	// latter is nil for a Tx. A decorator further out may have spoiled both, and then
	// the store refuses the operation. It must not panic.
	Begin(kind Kind, r *Resource)
	// End is called once for each Begin, after a panic too, with the context that the
	// operation came with.
	End(ctx context.Context, event *Event)
}

// Event describes an operation that has ended: the request as it arrived at the observer, and its result. The observer may
// keep the event, and must not write to its slices.
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

// observe returns a handler that notifies the observer of each operation that it passes to next.
func observe(o Observer, next Handler) Handler {
	return func(ctx context.Context, op *Op) (res Result, err error) {
		event := &Event{ // next may change the op
			Kind: op.Kind, Resource: op.Resource, Keys: op.Keys, Records: op.Records,
			Principal: op.Principal, Tx: op.Tx, Attempt: op.Attempt(),
		}
		o.Begin(op.Kind, op.Resource)
		begun := time.Now()
		err = errInterrupted // if next panics
		defer func() {
			event.Took, event.Result, event.Err = time.Since(begun), res, err
			o.End(ctx, event)
		}()
		return next(ctx, op)
	}
}
