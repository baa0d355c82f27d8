package access

import (
	"errors"
	"fmt"

	"github.com/larder-go/larder/core"
)

var errNoRole = errors.New("access: no rule is for a role of the principal")

// refused is the error of what no rule allows. Who is nobody may be allowed to
// do it as somebody.
func refused(p *core.Principal, r *core.Resource, cause error) error {
	e := &core.Error{Code: core.Forbidden, Cause: cause}
	if r != nil {
		e.Resource = r.APIName()
	}
	if p == nil {
		e.Code, e.Resource = core.Unauthorized, ""
	}
	return e
}

// unreadable is the error of a field that the reader may not name: that of a
// field that does not exist.
func unreadable(f *core.Field, cause error) error { return fieldError(core.UnknownField, f, cause) }

// unwritable is the error of a field that the writer may not set, and perhaps not
// know either.
func unwritable(f *core.Field, readers view, cause error) error {
	if readers.readable(f) {
		return fieldError(core.FieldReadOnly, f, cause)
	}
	return unreadable(f, cause)
}

func fieldError(code core.Code, f *core.Field, cause error) error {
	return &core.Error{Code: code, Resource: f.Resource().APIName(), Field: f.APIName(), Cause: cause}
}

// refuse is [refused] with what each rule said as the cause.
func (c *CompiledPolicy) refuse(op *core.Op, what Operation) error {
	return refused(op.Principal, op.Resource, c.cause(op.Principal, what, op.Resource))
}

// cause is what the log is told: what each rule said.
func (c *CompiledPolicy) cause(p *core.Principal, what Operation, r *core.Resource, fields ...*core.Field) error {
	return errors.New("access: " + describe(what, r, c.verdicts(p, what, r, fields)))
}

// unchecked gives the error of a row that would fulfil no check, which the backend
// finds, its cause for the log. Who refused for another reason has said which.
func (c *CompiledPolicy) unchecked(err error, p *core.Principal, what Operation, r *core.Resource, records []core.Record) error {
	e, ok := err.(*core.Error) //nolint:errorlint // one that is wrapped says more
	if !ok || e.Code != core.Forbidden || e.Cause != nil {
		return err
	}
	return refused(p, r, fmt.Errorf("%w; a row as it would be fulfils no check of these, or of another policy", c.cause(p, what, r, what.fieldsOf(records)...)))
}
