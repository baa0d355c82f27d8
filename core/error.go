package core

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/larder-go/larder/core/internal/strictjson"
)

// Causes that an [Error] can wrap. Each is found with [errors.Is].
var (
	// ErrConflict says that a serializable transaction lost against another
	// one and would succeed if it were repeated, which [Store.Tx] does.
	// Backends return it, wrapped or plain. Code: [Unavailable].
	ErrConflict = errors.New("transaction conflicts with a concurrent one")
	// ErrCommitUnknown says that a commit was sent and its outcome was not
	// learned: the transaction may have happened. It is never retried. Code:
	// [OutcomeUnknown]; [ServerError] if it happened and its result cannot be read.
	ErrCommitUnknown = errors.New("outcome of the commit is unknown")
	// ErrOuterStore says that a store was used with the context of one of its
	// own transactions, which would bypass or block that transaction: use the
	// [Tx]. Code: [ServerError].
	ErrOuterStore = errors.New("store used inside its own transaction; use the transaction instead")
	// ErrTxDone says that a transaction was used after it ended. Code:
	// [ServerError].
	ErrTxDone = errors.New("transaction has already ended")
	// ErrTxFailed says that an operation of the transaction failed before, so
	// that it can only be rolled back. Code: that of the first failure.
	ErrTxFailed = errors.New("transaction has already failed")
	// ErrClosed says that the store or its backend was closed. Code:
	// [Unavailable].
	ErrClosed = errors.New("store is closed")
)

// Error is what every method of a [Store] returns when it fails. Code and the
// fields that its doc comment names are public; Cause is for the log alone.
// An Error must not be changed once returned.
type Error struct {
	Code     Code
	Resource string // API name of the resource
	Field    string // API name of the field
	Key      Value  // key of the record that is not there
	Type     Type   // type that was wanted
	Value    any    // value that did not fit, as it was given; of a conflict the [Value] that is taken, nil if it is not known
	Param    string // parameter that was out of range; of some codes the method or the tag
	Accepted string // what the parameter accepts, or the field if it is less than its type
	Element  int    // which element of a list of the request is wrong, from 1; 0 for none
	Message  string // what is wrong with the request
	Cause    error  // never shown to a client
}

// Error returns the public text followed by the cause, for logs.
func (e *Error) Error() string {
	if e.Cause == nil {
		return e.Public()
	}
	return e.Public() + ": " + e.Cause.Error()
}

// Is reports whether target is the error's [Code].
func (e *Error) Is(target error) bool {
	code, ok := target.(Code)
	return ok && code == e.Code
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Public returns the error in words that a client may read.
func (e *Error) Public() string {
	var b strings.Builder
	b.WriteString(string(e.Code))
	for _, d := range e.Details() {
		text, err := strictjson.AppendCanonical(nil, d.Value)
		if err == nil {
			b.WriteString(" " + d.Name + "=" + string(text))
		}
	}
	return b.String()
}

// Detail is one named fact about an error that a client may know. The value is
// a string, or for a key or a value that did not fit what encoding/json would
// decode it to.
type Detail struct {
	Name  string
	Value any
}

// Details returns the facts that belong to the error's code, in a fixed order;
// nil for a code without any. It never holds the cause. Element, which any code may
// have, comes last, counted from 0.
func (e *Error) Details() []Detail {
	details := e.details()
	if e.Element > 0 {
		details = append(details, Detail{"index", e.Element - 1})
	}
	return details
}

func (e *Error) details() []Detail {
	switch e.Code {
	case NotFound:
		return []Detail{{"object_name", e.Resource}, {"object_id", e.Key.Any()}}
	case UnknownField, FieldReadOnly, SearchForbidden:
		return []Detail{{"object_name", e.Resource}, {"field_name", excerpt(e.Field)}}
	case BadFieldValue:
		return append([]Detail{
			{"object_name", e.Resource}, {"field_name", e.Field},
			{"type", e.Type.String()}, {"value", excerpt(e.Value)},
		}, nonEmpty(Detail{"accepted_values", e.Accepted})...)
	case MethodNotAllowed:
		return nonEmpty(Detail{"method", truncate(e.Param)}, Detail{"allowed_methods", e.Accepted})
	case PreconditionFailed:
		return nonEmpty(Detail{"etag", e.Param})
	case UnsupportedMediaType:
		return nonEmpty(Detail{"param_name", e.Param}, Detail{"accepted_values", e.Accepted})
	case BadParam:
		return []Detail{{"param_name", e.Param}, {"accepted_values", e.Accepted}}
	case BadRequest, TooLarge:
		return []Detail{{"msg", e.Message}}
	case AlreadyExists, FieldUpdateForbidden: // of a hidden field only the resource
		return nonEmpty(Detail{"object_name", e.Resource}, Detail{"field_name", e.Field})
	case Forbidden, ReadOnly:
		return nonEmpty(Detail{"object_name", e.Resource})
	}
	return nil
}

func nonEmpty(all ...Detail) []Detail {
	var out []Detail
	for _, d := range all {
		if d.Value != "" {
			out = append(out, d)
		}
	}
	return out
}

// maxEcho is how many bytes of a client's own value an error repeats.
const maxEcho = 256

// shorten returns the value as JSON can show it, cut if it is long.
func excerpt(v any) any {
	switch x := v.(type) {
	case string:
		return truncate(x)
	case Value:
		return excerpt(x.Any())
	}
	text, err := strictjson.AppendCanonical(nil, v)
	if err != nil { // a number out of range, for example
		text, _ = json.Marshal(v)
	}
	if err != nil || len(text) > maxEcho {
		return truncate(string(text))
	}
	return v
}

func truncate(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= maxEcho {
		return strings.ReplaceAll(s, "\x00", "\uFFFD")
	}
	end := maxEcho
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return strings.ReplaceAll(s[:end], "\x00", "\uFFFD") + "..."
}

// AsError returns err as an [*Error]: itself if it is one; if it wraps one, a copy
// of that whose cause is all of err, so that nothing of it is lost; otherwise a
// new one that wraps it, [Unavailable] for conflicts, closed stores and ended
// contexts, and [ServerError] for everything else. [ErrCommitUnknown] without a code,
// or with [Unavailable], becomes [OutcomeUnknown], so that an error which calls the
// write repeatable is never one of unknown outcome. It returns nil for nil.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := err.(*Error); ok && !unknownOutcomeAsUnavailable(e, err) { //nolint:errorlint // one that is wrapped comes next
		return e
	}
	if code, ok := err.(Code); ok { //nolint:errorlint // a code alone, which has no cause
		return &Error{Code: code}
	}
	if e, ok := errors.AsType[*Error](err); ok {
		public := *e
		public.Cause = err
		if unknownOutcomeAsUnavailable(e, err) {
			public.Code = OutcomeUnknown
		}
		return &public
	}
	return &Error{Code: codeOf(err), Cause: err}
}

// misnamed reports whether e, which err is or wraps, calls a write repeatable whose
// outcome is unknown.
func unknownOutcomeAsUnavailable(e *Error, err error) bool {
	return e.Code == Unavailable && errors.Is(err, ErrCommitUnknown)
}

// codeOf classifies a cause that carries no code of its own.
func codeOf(err error) Code {
	if errors.Is(err, ErrCommitUnknown) {
		return OutcomeUnknown
	}
	for _, transient := range []error{ErrConflict, ErrClosed, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, transient) {
			return Unavailable
		}
	}
	if code, ok := errors.AsType[Code](err); ok {
		return code
	}
	return ServerError
}

// wrap makes sure that what leaves a store is an [*Error].
func wrap(err error) error {
	if err == nil {
		return nil
	}
	return AsError(err)
}

// NotFound returns the error of a record that does not exist, and of one that a policy
// hides, which is the same.
func (r *Resource) NotFound(key Value) *Error {
	return &Error{Code: NotFound, Resource: r.apiName, Key: key}
}

// Forbidden returns the error of a principal that may not do this to the
// resource, or of a row that would break a policy.
func (r *Resource) Forbidden() *Error {
	return &Error{Code: Forbidden, Resource: r.apiName}
}

// AlreadyExists returns the error of a key or unique value that another record holds.
func (f *Field) AlreadyExists() *Error { return f.conflictError(AlreadyExists, f.resource) }

// AlreadyExistsWith is [Field.AlreadyExists] with the value, which only the program sees.
func (f *Field) AlreadyExistsWith(v Value) *Error {
	e := f.AlreadyExists()
	e.Value = v
	return e
}

// UpdateForbidden returns the error of a change that [Field.Writable] does not let
// happen, where a client wrote to a record of that resource.
func (f *Field) UpdateForbidden(written *Resource) *Error {
	return f.conflictError(FieldUpdateForbidden, written)
}

// StillReferenced returns the error of a record that is deleted while others
// point at it through this field.
func (f *Field) StillReferenced() *Error { return f.conflictError(FieldUpdateForbidden, f.target) }

// inTheWay returns the error of what the field does not let happen. It names the
// field; if that is hidden, the other side of its pair; and if there is none that
// clients know of, nothing but the resource of which they wrote a record.
func (f *Field) conflictError(code Code, written *Resource) *Error {
	switch other := f.inverse; {
	case !f.Hidden():
		return &Error{Code: code, Resource: f.resource.apiName, Field: f.apiName}
	case other != nil && !other.Hidden():
		return &Error{Code: code, Resource: other.resource.apiName, Field: other.apiName}
	}
	return &Error{Code: code, Resource: written.apiName}
}
