package core

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
func (f *Field) AlreadyExists() *Error { return f.inTheWay(AlreadyExists, f.resource) }

// AlreadyExistsWith is [Field.AlreadyExists] with the value, which only the program sees.
func (f *Field) AlreadyExistsWith(v Value) *Error {
	e := f.AlreadyExists()
	e.Value = v
	return e
}

// UpdateForbidden returns the error of a change that [Field.Writable] does not let
// happen, where a client wrote to a record of that resource.
func (f *Field) UpdateForbidden(written *Resource) *Error {
	return f.inTheWay(FieldUpdateForbidden, written)
}

// StillReferenced returns the error of a record that is deleted while others
// point at it through this field.
func (f *Field) StillReferenced() *Error { return f.inTheWay(FieldUpdateForbidden, f.target) }

// inTheWay returns the error of what the field does not let happen. It names the
// field; if that is hidden, the other side of its pair; and if there is none that
// clients know of, nothing but the resource of which they wrote a record.
func (f *Field) inTheWay(code Code, written *Resource) *Error {
	switch other := f.inverse; {
	case !f.Hidden():
		return &Error{Code: code, Resource: f.resource.apiName, Field: f.apiName}
	case other != nil && !other.Hidden():
		return &Error{Code: code, Resource: other.resource.apiName, Field: other.apiName}
	}
	return &Error{Code: code, Resource: written.apiName}
}
