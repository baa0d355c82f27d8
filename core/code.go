package core

// Code says what kind of error an [Error] is. The set is closed. A Code is
// itself an error, so that errors.Is(err, core.NotFound) asks for it; its text
// is the code that REST clients see.
type Code string

// The codes, with the details that an [Error] of each one carries.
const (
	// NotFound: no record has this key, or a policy hides the record. Both have the same
	// error. Resource, Key.
	NotFound Code = "OBJECT_DOES_NOT_EXIST"
	// UnknownField: the resource has no such field, or a hidden one. Resource,
	// Field.
	UnknownField Code = "FIELD_DOES_NOT_EXIST"
	// FieldReadOnly: clients cannot set this field. Resource, Field.
	FieldReadOnly Code = "FIELD_IS_READONLY"
	// FieldUpdateForbidden: the record does not let this field change, be it
	// through the other side of a relation or by a delete. Resource, Field.
	FieldUpdateForbidden Code = "FIELD_UPDATE_FORBIDDEN"
	// SearchForbidden: the field cannot be filtered or sorted by. Resource,
	// Field.
	SearchForbidden Code = "SEARCH_FORBIDDEN"
	// BadParam: a parameter of the request has a value out of its range.
	// Param, Accepted.
	BadParam Code = "BAD_PARAM_VALUE"
	// BadFieldValue: the value does not fit the field's type. Resource, Field,
	// Type, Value.
	BadFieldValue Code = "BAD_FIELD_VALUE"
	// BadRequest: the request makes no sense. Message.
	BadRequest Code = "BAD_REQUEST"
	// Unauthorized: the operation needs a principal and there is none.
	Unauthorized Code = "UNAUTHORIZED"
	// Forbidden: the principal may never do this. Resource where it is known.
	Forbidden Code = "FORBIDDEN"
	// MethodNotAllowed: the URL does not know this HTTP method. Param, which is the
	// method, and Accepted.
	MethodNotAllowed Code = "METHOD_NOT_ALLOWED"
	// ReadOnly: the store, the resource or the transaction does not take
	// writes. Resource where it is known.
	ReadOnly Code = "READ_ONLY"
	// AlreadyExists: a key or a unique value is taken. Resource, Field; Value is not public.
	AlreadyExists Code = "CONFLICT"
	// PreconditionFailed: the record changed since the client read it
	// (RFC 9110, section 13.1). Param, which is the current entity tag, where there
	// is a record.
	PreconditionFailed Code = "PRECONDITION_FAILED"
	// TooLarge: the request or its answer exceeds a limit. Message.
	TooLarge Code = "TOO_LARGE"
	// UnsupportedMediaType: the body is not JSON. Param, which is the header, and
	// Accepted.
	UnsupportedMediaType Code = "UNSUPPORTED_MEDIA_TYPE"
	// ServerError: something broke that is not the client's fault. Nothing of
	// the cause is public.
	ServerError Code = "SERVER_ERROR"
	// Unavailable: it may work later: the backend is out of reach, the
	// transaction still conflicts after its retries, the time ran out. Nothing
	// was written, and the request may be repeated.
	Unavailable Code = "UNAVAILABLE"
	// OutcomeUnknown: the write may have happened, see [ErrCommitUnknown]. Repeat
	// it only if writing twice equals writing once.
	OutcomeUnknown Code = "OUTCOME_UNKNOWN"
)

// Error returns the code's text.
func (c Code) Error() string { return string(c) }
