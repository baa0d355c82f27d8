package core

import (
	"context"
	"errors"
	"slices"
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

// Outcome says in one word of a closed set how an op ended, for those who watch:
// logs and metrics that use it agree with each other.
type Outcome uint8

// The outcomes.
const (
	// OutcomeOK: no error. A Load that leaves out what is not there is one.
	OutcomeOK Outcome = iota
	// OutcomeNotFound: [NotFound].
	OutcomeNotFound
	// OutcomeDenied: a policy, or a transaction that is read-only, did not let the
	// op happen: [Unauthorized], [Forbidden], [ReadOnly].
	OutcomeDenied
	// OutcomeInvalid: any other code that says that the client was wrong, a unique
	// value that is taken included.
	OutcomeInvalid
	// OutcomeConflict: [ErrConflict]. The store repeats the transaction unless it
	// has done so too often.
	OutcomeConflict
	// OutcomeCancelled: the context was cancelled, by a client that left. One that
	// expired is OutcomeUnavailable.
	OutcomeCancelled
	// OutcomeRolledBack: the function of a transaction returned an error of the
	// program's own, without a code, and no operation had failed in the backend. The
	// store has done what it was asked for.
	OutcomeRolledBack
	// OutcomeUnavailable: [Unavailable] for any other reason, and a write of unknown
	// outcome: [OutcomeUnknown].
	OutcomeUnavailable
	// OutcomeFailed: [ServerError], and whatever nobody knows.
	OutcomeFailed
)

var outcomeNames = [...]string{
	OutcomeOK: "ok", OutcomeNotFound: "not_found", OutcomeDenied: "denied", OutcomeInvalid: "invalid",
	OutcomeConflict: "conflict", OutcomeCancelled: "cancelled", OutcomeRolledBack: "rolled_back", OutcomeUnavailable: "unavailable", OutcomeFailed: "failed",
}

// Outcomes returns all outcomes, in the order of their values from 0, for labels
// that must exist before their first use.
func Outcomes() []Outcome {
	all := make([]Outcome, len(outcomeNames))
	for i := range all {
		all[i] = Outcome(i)
	}
	return all
}

// String returns the outcome's name in lower case, fit for logs and labels.
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return outcomeNames[OutcomeFailed]
}

// Failure reports whether somebody who runs the store should care: it was
// unavailable or has failed. The other outcomes happen in a sound one.
func (o Outcome) Failure() bool { return o >= OutcomeUnavailable }

// OutcomeOf returns the outcome of an op that ended with err.
func OutcomeOf(err error) Outcome {
	if err == nil {
		return OutcomeOK
	}
	if own, ok := errors.AsType[*functionError](err); ok && own.intended() {
		return OutcomeRolledBack
	}
	switch code := AsError(err).Code; code {
	case NotFound:
		return OutcomeNotFound
	case Unauthorized, Forbidden, ReadOnly:
		return OutcomeDenied
	case OutcomeUnknown:
		return OutcomeUnavailable
	case Unavailable:
		return outcomeOfUnavailable(err)
	default:
		if slices.Contains(invalid, code) {
			return OutcomeInvalid
		}
		return OutcomeFailed
	}
}

// invalid are the codes of [OutcomeInvalid]. A code that is not known is none.
var invalid = []Code{
	UnknownField, FieldReadOnly, FieldUpdateForbidden, SearchForbidden, BadParam, BadFieldValue, BadRequest,
	MethodNotAllowed, AlreadyExists, PreconditionFailed, TooLarge, UnsupportedMediaType,
}

func outcomeOfUnavailable(err error) Outcome {
	switch {
	case errors.Is(err, context.Canceled):
		return OutcomeCancelled
	case errors.Is(err, ErrConflict):
		return OutcomeConflict
	}
	return OutcomeUnavailable
}
