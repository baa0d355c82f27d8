package core

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/larder-go/larder/core/internal/strictjson"
)

// Causes of an [Error]. errors.Is finds them.
var (
	// ErrConflict means that a serializable transaction lost against a concurrent one and would succeed if repeated.
	// Backends return it, and the store repeats the operation or the transaction. A caller gets it from the last
	// attempt. Code: [Unavailable].
	ErrConflict = errors.New("transaction conflicts with a concurrent one")
	// ErrCommitUnknown means that the backend sent a commit and did not learn its outcome: the transaction may have
	// happened. The store never repeats it. Code: [OutcomeUnknown]; [ServerError] if the transaction has happened and
	// its result cannot be read.
	ErrCommitUnknown = errors.New("outcome of the commit is unknown")
	// ErrOuterStore means that a store was used with the context of one of its own transactions, which would bypass
	// or block the transaction. Use the [Transaction]. Code: [ServerError].
	ErrOuterStore = errors.New("store used inside its own transaction; use the transaction instead")
	// ErrTxDone means that a transaction was used after its end. Code: [ServerError].
	ErrTxDone = errors.New("transaction has already ended")
	// ErrTxFailed means that an operation of the transaction failed before, so that it can only be rolled back. Code:
	// that of the first failure.
	ErrTxFailed = errors.New("transaction has already failed")
	// ErrTxAborted is in the error of an operation after which the backend's transaction can read no more. A backend may
	// add it, so that the store does not try to. Code: that of the operation's error.
	ErrTxAborted = errors.New("transaction can read no more")
	// ErrClosed means that the store or its backend is closed. Code: [Unavailable].
	ErrClosed = errors.New("store is closed")
)

// Error is the error that a [Store] returns. Clients may see Code and the fields that the comment of the code lists.
// Cause is for the log only. An Error must not be changed after it was returned.
type Error struct {
	Code     Code
	Resource string   // API name of the resource
	Field    string   // API name of the field
	Fields   []string // API names of the fields, of an AlreadyExists for values of several fields
	Key      Value    // key without a record
	Type     Type     // type of the field
	Value    any      // rejected value as it was given; of an AlreadyExists the duplicate [Value], a [List] for an index of several fields, nil if it is unknown
	Param    string   // rejected parameter; for some codes the HTTP method, header or entity tag
	Accepted string   // accepted values of the parameter, or of the field if its type alone does not say them
	Element  int      // position of the rejected element in a list of the request, from 1; 0 for none
	Message  string   // problem of the request, in words for a client; shown with the codes that list it below
	Cause    error    // for logs, never shown to a client

	Violations []Violation // of a ValidationFailed
	Quota      *Quota      // of a TooManyRequests
}

// Quota is the limit that the error of a [TooManyRequests] has exceeded. Clients may see all of it.
type Quota struct {
	// Name of the limit: printable ASCII.
	Name string
	// Limit is the number of requests that a caller has in each Window, or at once if Window is 0.
	Limit int
	// Window is a whole number of seconds.
	Window time.Duration
	// RetryAfter is the time after which a request may succeed.
	RetryAfter time.Duration
}

// Seconds returns RetryAfter in seconds, rounded up and at least 1.
func (q *Quota) Seconds() int {
	return max(1, int((q.RetryAfter+time.Second-1)/time.Second))
}

// Error returns the public text, followed by the cause. It is for logs.
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

// Public returns the code and the details as text that a client may read.
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

// Detail is a named detail of an error that a client may see. Value is a string or a decoded JSON value.
type Detail struct {
	Name  string
	Value any
}

// Details returns the details of the error's code in a fixed order; nil for a code without details. They never
// contain the cause. Element comes last, as "index" counted from 0.
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
	case NoSuchURL:
		return []Detail{{"path", truncate(e.Param)}}
	case BadFieldValue:
		return append([]Detail{
			{"object_name", e.Resource}, {"field_name", e.Field},
			{"type", e.Type.String()}, {"value", excerpt(e.Value)},
		}, nonEmpty(Detail{"accepted_values", e.Accepted})...)
	case MethodNotAllowed:
		return nonEmpty(Detail{"method", truncate(e.Param)}, Detail{"allowed_methods", e.Accepted})
	case PreconditionFailed:
		return nonEmpty(Detail{"etag", e.Param})
	case PreconditionRequired, KeyReused:
		return []Detail{{"header", e.Param}}
	case UnsupportedMediaType:
		return nonEmpty(Detail{"param_name", e.Param}, Detail{"accepted_values", e.Accepted})
	case BadParam:
		return []Detail{{"param_name", e.Param}, {"accepted_values", e.Accepted}}
	case BadRequest, TooLarge:
		return []Detail{{"msg", e.Message}}
	case AlreadyExists, FieldUpdateForbidden, StillReferenced: // a hidden field has only the resource
		details := nonEmpty(Detail{"object_name", e.Resource}, Detail{"field_name", e.Field})
		if len(e.Fields) > 0 {
			details = append(details, Detail{"field_names", toAny(e.Fields)})
		}
		return details
	case Forbidden:
		return nonEmpty(Detail{"object_name", e.Resource}, Detail{"msg", e.Message})
	case ReadOnly:
		return nonEmpty(Detail{"object_name", e.Resource})
	case ValidationFailed:
		return []Detail{{"violations", violationDetails(e.Violations)}}
	case TooManyRequests:
		if e.Quota != nil {
			return []Detail{{"limit", e.Quota.Name}, {"retry_after", e.Quota.Seconds()}}
		}
	}
	return nil
}

// toAny returns the names as a JSON array.
func toAny(names []string) []any {
	out := make([]any, len(names))
	for i, name := range names {
		out[i] = name
	}
	return out
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

// maxEcho bounds how many bytes of a client's own value an error repeats.
const maxEcho = 256

// excerpt returns the value in a form that has JSON, truncated if it is long.
func excerpt(v any) any {
	switch x := v.(type) {
	case string:
		return truncate(x)
	case Value:
		return excerpt(x.Any())
	}
	text, err := strictjson.AppendCanonical(nil, v)
	if err != nil { // such as a number out of range
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

// AsError returns err as an [*Error]; nil for nil. If err wraps an Error, the result is a copy of the wrapped Error
// with err as its cause. A [Code] becomes an Error with this code. For other errors the result is a new Error with
// err as its cause: [Unavailable] for conflicts, closed stores and ended contexts, otherwise the Code that err wraps,
// or [ServerError].
//
// An [ErrCommitUnknown] without a code, or with [Unavailable], becomes [OutcomeUnknown], so that no write of unknown
// outcome looks repeatable.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := err.(*Error); ok && !unknownOutcomeAsUnavailable(e, err) { //nolint:errorlint // wrapped errors follow
		return e
	}
	if code, ok := err.(Code); ok { //nolint:errorlint // a bare code has no cause
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

// unknownOutcomeAsUnavailable reports whether e calls a write repeatable although its outcome is unknown. err is e or
// wraps it.
func unknownOutcomeAsUnavailable(e *Error, err error) bool {
	return e.Code == Unavailable && errors.Is(err, ErrCommitUnknown)
}

// codeOf returns the code for a cause that has no [*Error].
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

// wrap returns err as an [*Error], and nil for nil.
func wrap(err error) error {
	if err == nil {
		return nil
	}
	return AsError(err)
}

// NotFound returns the error for a record that does not exist or is hidden.
func (r *Resource) NotFound(key Value) *Error {
	return &Error{Code: NotFound, Resource: r.apiName, Key: key}
}

// Forbidden returns the error for an operation on the resource that a policy denies, and for an after image that
// breaks a policy.
func (r *Resource) Forbidden() *Error {
	return &Error{Code: Forbidden, Resource: r.apiName}
}

// AlreadyExists returns the error for a key or unique value that another record has. For a key of several fields it names
// these.
func (f *Field) AlreadyExists() *Error {
	if !f.Key() || f.parts == nil {
		return f.conflictError(AlreadyExists, f.resource)
	}
	return f.resource.duplicate(f.parts)
}

// duplicate returns the error for values of the fields that another record has. It names the fields that are not hidden.
func (r *Resource) duplicate(fields []*Field) *Error {
	var names []string
	for _, f := range fields {
		if !f.Hidden() {
			names = append(names, f.apiName)
		}
	}
	if len(names) == 1 {
		return &Error{Code: AlreadyExists, Resource: r.apiName, Field: names[0]}
	}
	return &Error{Code: AlreadyExists, Resource: r.apiName, Fields: names}
}

// AlreadyExistsWith is [Field.AlreadyExists] with the value, which clients do not see.
func (f *Field) AlreadyExistsWith(v Value) *Error {
	e := f.AlreadyExists()
	e.Value = v
	return e
}

// UpdateForbidden returns the error for a change that [Field.Writable] rejects. written is the resource of the record
// that the client wrote.
func (f *Field) UpdateForbidden(written *Resource) *Error {
	return f.conflictError(FieldUpdateForbidden, written)
}

// StillReferenced returns the error for a deleted record that other records reference through this field. It names the
// list side of the relation; if the relation has none, or a hidden one, the field; if the field is hidden too, only the
// resource of the deleted record.
func (f *Field) StillReferenced() *Error {
	switch other := f.inverse; {
	case other != nil && !other.Hidden():
		return &Error{Code: StillReferenced, Resource: other.resource.apiName, Field: other.apiName}
	case !f.Hidden():
		return &Error{Code: StillReferenced, Resource: f.resource.apiName, Field: f.apiName}
	}
	return &Error{Code: StillReferenced, Resource: f.target.apiName}
}

// conflictError returns an error that names the field; if the field is hidden, the inverse field; if both are hidden,
// only the resource that the client wrote.
func (f *Field) conflictError(code Code, written *Resource) *Error {
	switch other := f.inverse; {
	case !f.Hidden():
		return &Error{Code: code, Resource: f.resource.apiName, Field: f.apiName}
	case other != nil && !other.Hidden():
		return &Error{Code: code, Resource: other.resource.apiName, Field: other.apiName}
	}
	return &Error{Code: code, Resource: written.apiName}
}

// Code is the kind of an [Error]. The set of codes is closed. A Code is an error itself, so errors.Is(err,
// core.NotFound) tests for it. Its text is the code in REST answers.
type Code string

// The codes. Each comment lists the fields of [Error] that the code uses.
const (
	// NotFound means that no record has the key, or that a policy hides the record; the two have the same error.
	// Fields: Resource, Key.
	NotFound Code = "OBJECT_DOES_NOT_EXIST"
	// NoSuchURL means that the path of a request leads to nothing that the server has. Fields: Param, the path.
	NoSuchURL Code = "NO_SUCH_URL"
	// UnknownField means that the resource has no such field, or a hidden one. Fields: Resource, Field.
	UnknownField Code = "FIELD_DOES_NOT_EXIST"
	// FieldReadOnly means that clients cannot set the field. Fields: Resource, Field.
	FieldReadOnly Code = "FIELD_IS_READONLY"
	// FieldUpdateForbidden means that the field of this record cannot change: directly, through the other side of its
	// relation, or by a delete that would detach the record. Fields: Resource, Field.
	FieldUpdateForbidden Code = "FIELD_UPDATE_FORBIDDEN"
	// SearchForbidden means that clients cannot filter, sort, group or calculate by the field, or cannot compare it by the
	// operator, such as a number by prefix. Fields: Resource, Field.
	SearchForbidden Code = "SEARCH_FORBIDDEN"
	// BadParam means that a parameter of the request is out of range. Fields: Param, Accepted.
	BadParam Code = "BAD_PARAM_VALUE"
	// BadFieldValue means that the value does not fit the type of the field. Fields: Resource, Field, Type, Value.
	BadFieldValue Code = "BAD_FIELD_VALUE"
	// ValidationFailed means that records break rules of the model, see [FieldSpec] and [ResourceSpec]; nothing was written.
	// Fields: Violations.
	ValidationFailed Code = "VALIDATION_FAILED"
	// BadRequest means that the request is malformed or contradicts itself. Fields: Message.
	BadRequest Code = "BAD_REQUEST"
	// Unauthorized means that the operation needs a principal and the caller is anonymous. Fields: Message, why the
	// credentials are rejected; package rest shows it in a header.
	Unauthorized Code = "UNAUTHORIZED"
	// Forbidden means that a policy denies the operation. Fields: Resource, if it is known; Message, if the operation follows
	// from the one of the client.
	Forbidden Code = "FORBIDDEN"
	// MethodNotAllowed means that the URL does not support the HTTP method. Fields: Param, the method; Accepted, the
	// supported ones.
	MethodNotAllowed Code = "METHOD_NOT_ALLOWED"
	// ReadOnly means that the store, the resource or the transaction rejects writes. Fields: Resource, if it is
	// known.
	ReadOnly Code = "READ_ONLY"
	// AlreadyExists means that another record has the key, the unique value or the values of a unique index. Fields:
	// Resource, Field; Fields for a key or an index of several fields.
	AlreadyExists Code = "CONFLICT"
	// StillReferenced means that the record cannot be deleted, because other records refer to it through this relation:
	// the relation has the rule [Restrict], or a referring record cannot be detached or deleted with it. The text is the
	// same for hidden and for visible referring records. Fields: Resource and Field, the list side of the relation;
	// without a list side the referring field.
	StillReferenced Code = "STILL_REFERENCED"
	// PreconditionFailed means that the record has changed since the client read it (RFC 9110, section 13.1). Fields:
	// Param, the current entity tag, if the record exists.
	PreconditionFailed Code = "PRECONDITION_FAILED"
	// PreconditionRequired means that a write must name the state of the record that it changes (RFC 6585, section 3).
	// Fields: Param, the missing header.
	PreconditionRequired Code = "PRECONDITION_REQUIRED"
	// KeyReused means that the principal has used the idempotency key for another request. Fields: Param, the header with
	// the key.
	KeyReused Code = "IDEMPOTENCY_KEY_REUSED"
	// TooManyRequests means that the caller exceeds a limit of the rate or of concurrent requests, and that nothing was
	// written. Fields: Quota.
	TooManyRequests Code = "TOO_MANY_REQUESTS"
	// TooLarge means that the request or its answer exceeds a limit. Fields: Message.
	TooLarge Code = "TOO_LARGE"
	// UnsupportedMediaType means that the request body is not JSON. Fields: Param, the header; Accepted.
	UnsupportedMediaType Code = "UNSUPPORTED_MEDIA_TYPE"
	// ServerError is an internal failure. Clients see nothing of its cause.
	ServerError Code = "SERVER_ERROR"
	// Unavailable means that nothing was written and that the same request may succeed later: the backend cannot be
	// reached, the transaction conflicts after all its attempts, or the context has ended.
	Unavailable Code = "UNAVAILABLE"
	// OutcomeUnknown means that the write may have happened, see [ErrCommitUnknown]. Clients should repeat it only if
	// writing twice equals writing once.
	OutcomeUnknown Code = "OUTCOME_UNKNOWN"
	// QueryTooExpensive means that the operation has exceeded the time that the backend grants to one, and that nothing was
	// written. The same request would probably exceed it again.
	QueryTooExpensive Code = "QUERY_TOO_EXPENSIVE"
)

// Error returns the code's text.
func (c Code) Error() string { return string(c) }
