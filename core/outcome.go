package core

import (
	"context"
	"errors"
	"slices"
)

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
