package core

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Observer is notified at the beginning and at the end of every operation, for logs, metrics and traces. It gets neither a
// handler nor the [Op], so it cannot change, answer or drop an operation. It does not see ops of kind [Visibility], which read
// and write nothing. Its methods may run in several goroutines
// at once.
type Observer interface {
	// Begin is called when an operation arrives, with its kind and its resource, which is nil for a Tx. An outer
	// decorator may have set an invalid kind or resource; the store rejects such an op. Begin must not panic.
	Begin(kind Kind, r *Resource)
	// End is called once for each Begin, also after a panic, with the context of the operation.
	End(ctx context.Context, event *Event)
}

// Event describes an operation that has ended: the request as it arrived at the observer, and its result. The
// observer may keep the event, and must not write to its slices.
type Event struct {
	Kind      Kind       // kind of the operation
	Resource  *Resource  // nil for a Tx
	Keys      []Value    // of a Load, Update or Delete
	Records   []Record   // of an Insert or Update, as in [Op.Records]
	Principal *Principal // nil for an anonymous caller
	Tx        *TxInfo    // nil outside a transaction; an inner decorator may have made it read-only
	Attempt   int        // from 1, see [Op.Attempt]

	// Result of an operation that succeeded. After an error its content is undefined.
	Result Result
	// Err is nil for an operation that succeeded. After a panic it is an error without a code, with [OutcomeFailed].
	Err error
	// Took is the duration of the operation, inner decorators included.
	Took time.Duration
}

// observe returns a handler that notifies the observer of each operation and passes it to next.
func observe(o Observer, next Handler) Handler {
	return func(ctx context.Context, op *Op) (res Result, err error) {
		if op.Kind == Visibility {
			return next(ctx, op)
		}
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

// Outcome summarises how an op ended, in one word of a closed set. Logs and metrics that use it agree.
type Outcome uint8

// The outcomes.
const (
	// OutcomeOK means no error. A Load that finds no records is OK.
	OutcomeOK Outcome = iota
	// OutcomeNotFound stands for [NotFound].
	OutcomeNotFound
	// OutcomeDenied means that a policy or a read-only transaction has denied the op: [Unauthorized], [Forbidden],
	// [ReadOnly].
	OutcomeDenied
	// OutcomeInvalid stands for the other codes that are the client's mistake, such as a duplicate unique value.
	OutcomeInvalid
	// OutcomeConflict stands for [ErrConflict]. The store repeats the transaction, unless this was the last attempt.
	OutcomeConflict
	// OutcomeCancelled means that the context was cancelled, for example by a client that disconnected. An expired
	// context is OutcomeUnavailable.
	OutcomeCancelled
	// OutcomeRolledBack means that the function of a transaction has returned an error of its own, without a code,
	// and no operation had failed in the backend: a deliberate rollback.
	OutcomeRolledBack
	// OutcomeUnavailable stands for [Unavailable] for any other reason, for [OutcomeUnknown] and for [QueryTooExpensive].
	OutcomeUnavailable
	// OutcomeFailed stands for [ServerError] and unknown codes.
	OutcomeFailed
)

var outcomeNames = [...]string{
	OutcomeOK: "ok", OutcomeNotFound: "not_found", OutcomeDenied: "denied", OutcomeInvalid: "invalid",
	OutcomeConflict: "conflict", OutcomeCancelled: "cancelled", OutcomeRolledBack: "rolled_back", OutcomeUnavailable: "unavailable", OutcomeFailed: "failed",
}

// Outcomes returns all outcomes in the order of their values, for labels that must exist before their first use.
func Outcomes() []Outcome {
	all := make([]Outcome, len(outcomeNames))
	for i := range all {
		all[i] = Outcome(i)
	}
	return all
}

// String returns the name of the outcome in lower case, for logs and labels.
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return outcomeNames[OutcomeFailed]
}

// Failure reports whether the service or its backend has failed: OutcomeUnavailable and OutcomeFailed. The other outcomes
// occur in a healthy store.
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
	case OutcomeUnknown, QueryTooExpensive:
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

// invalid holds the codes of [OutcomeInvalid]. Unknown codes are not among them.
var invalid = []Code{
	UnknownField, FieldReadOnly, FieldUpdateForbidden, SearchForbidden, BadParam, BadFieldValue, BadRequest,
	MethodNotAllowed, AlreadyExists, StillReferenced, PreconditionFailed, TooLarge, UnsupportedMediaType,
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
