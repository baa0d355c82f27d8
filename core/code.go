package core

// Code is the kind of an [Error]. The set of codes is closed. A Code is an error itself, so errors.Is(err,
// core.NotFound) tests for it. Its text is the code in REST answers.
type Code string

// The codes. Each comment lists the fields of [Error] that the code uses.
const (
	// NotFound means that no record has the key, or that a policy hides the record; the two have the same error.
	// Fields: Resource, Key.
	NotFound Code = "OBJECT_DOES_NOT_EXIST"
	// UnknownField means that the resource has no such field, or a hidden one. Fields: Resource, Field.
	UnknownField Code = "FIELD_DOES_NOT_EXIST"
	// FieldReadOnly means that clients cannot set the field. Fields: Resource, Field.
	FieldReadOnly Code = "FIELD_IS_READONLY"
	// FieldUpdateForbidden means that the field of this record cannot change: directly, through the other side of its
	// relation, or by a delete that would detach the record. Fields: Resource, Field.
	FieldUpdateForbidden Code = "FIELD_UPDATE_FORBIDDEN"
	// SearchForbidden means that clients cannot filter or sort by the field. Fields: Resource, Field.
	SearchForbidden Code = "SEARCH_FORBIDDEN"
	// BadParam means that a parameter of the request is out of range. Fields: Param, Accepted.
	BadParam Code = "BAD_PARAM_VALUE"
	// BadFieldValue means that the value does not fit the type of the field. Fields: Resource, Field, Type, Value.
	BadFieldValue Code = "BAD_FIELD_VALUE"
	// BadRequest means that the request is malformed or contradicts itself. Fields: Message.
	BadRequest Code = "BAD_REQUEST"
	// Unauthorized means that the operation needs a principal and the caller is anonymous.
	Unauthorized Code = "UNAUTHORIZED"
	// Forbidden means that a policy denies the operation. Fields: Resource, if it is known.
	Forbidden Code = "FORBIDDEN"
	// MethodNotAllowed means that the URL does not support the HTTP method. Fields: Param, the method; Accepted, the
	// supported ones.
	MethodNotAllowed Code = "METHOD_NOT_ALLOWED"
	// ReadOnly means that the store, the resource or the transaction rejects writes. Fields: Resource, if it is
	// known.
	ReadOnly Code = "READ_ONLY"
	// AlreadyExists means that another record has the key or the unique value. Fields: Resource, Field.
	AlreadyExists Code = "CONFLICT"
	// StillReferenced means that the record cannot be deleted, because other records refer to it through this relation:
	// the relation has the rule [Restrict], or a referring record cannot be detached or deleted with it. The text is the
	// same for hidden and for visible referring records. Fields: Resource and Field, the list side of the relation;
	// without a list side the referring field.
	StillReferenced Code = "STILL_REFERENCED"
	// PreconditionFailed means that the record has changed since the client read it (RFC 9110, section 13.1). Fields:
	// Param, the current entity tag, if the record exists.
	PreconditionFailed Code = "PRECONDITION_FAILED"
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
)

// Error returns the code's text.
func (c Code) Error() string { return string(c) }
