package core

// NotFound returns the error of a record that is not there, or that a policy
// hides: the two are told apart by nothing.
func (r *Resource) NotFound(key Value) *Error {
	return &Error{Code: NotFound, Resource: r.external, Key: key}
}

// Forbidden returns the error of a principal that may not do this to the
// resource, or of a row that would break a policy.
func (r *Resource) Forbidden() *Error {
	return &Error{Code: Forbidden, Resource: r.external}
}

// Taken returns the error of a key or unique value that another record holds.
func (f *Field) Taken() *Error {
	return &Error{Code: AlreadyExists, Resource: f.resource.external, Field: f.external}
}

// StillReferenced returns the error of a record that is deleted while others
// point at it through this field.
func (f *Field) StillReferenced() *Error {
	return &Error{Code: FieldUpdateForbidden, Resource: f.resource.external, Field: f.external}
}
