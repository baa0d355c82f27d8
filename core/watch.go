package core

import (
	"context"
	"time"
)

// Watcher looks on at operations: it is told of each when it comes by and when it has
// ended. It holds neither a handler nor an [Op], and so cannot change, answer or lose
// one. Its methods are called by many goroutines at once.
//
// Watchers that stand next to each other in a stack see the same: they are told one
// after the other, and of the same duration.
type Watcher interface {
	// Begin is called when an operation comes by, with its kind and resource; the
	// latter is nil for a Tx. A decorator further out may have spoiled both, and then
	// the store refuses the operation. It must not panic.
	Begin(kind Kind, r *Resource)
	// End is called once for each Begin, after a panic too, with the context that the
	// operation came with.
	End(ctx context.Context, seen *Seen)
}

// Seen is an operation that has ended: what was asked for, as it was when it came by,
// and what became of it. Observers next to each other share it: they may keep it and
// must not write to it or to its slices.
type Seen struct {
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

// watchers stand next to each other, outermost first.
type watchers []Watcher

// epoch is what clocks are read against: a time.Time of its own for each reading
// costs twice as much.
var epoch = time.Now()

// around returns the handler that tells the watchers of what goes on to next.
func (ws watchers) around(next Handler) Handler {
	if len(ws) == 0 {
		return next
	}
	return func(ctx context.Context, op *Op) (res Result, err error) {
		seen := &Seen{ // before inner decorators change the op
			Kind: op.Kind, Resource: op.Resource, Keys: op.Keys, Records: op.Records,
			Principal: op.Principal, Tx: op.Tx, Attempt: op.Attempt(),
		}
		for _, w := range ws {
			w.Begin(op.Kind, op.Resource)
		}
		begun := time.Since(epoch)
		err = errInterrupted // stays if what is further in panics
		defer func() {
			seen.Took, seen.Result, seen.Err = time.Since(epoch)-begun, res, err
			ws.end(ctx, seen)
		}()
		return next(ctx, op)
	}
}

// end tells the innermost first, and each of them although another one panics.
func (ws watchers) end(ctx context.Context, seen *Seen) {
	last := len(ws) - 1
	if last > 0 {
		defer ws[:last].end(ctx, seen)
	}
	ws[last].End(ctx, seen)
}
