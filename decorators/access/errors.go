package access

import (
	"errors"
	"fmt"

	"github.com/larder-go/larder/core"
)

var errNoRole = errors.New("access: no rule is for any role of the principal")

// denied is [core.Unauthorized] for the anonymous principal and [core.Forbidden] otherwise.
func denied(p *core.Principal, r *core.Resource, cause error) error {
	if p == nil {
		return &core.Error{Code: core.Unauthorized, Cause: cause}
	}
	e := &core.Error{Code: core.Forbidden, Cause: cause}
	if r != nil {
		e.Resource = r.APIName()
	}
	return e
}

// denied is the error of an operation to which no rule applies, with the verdict of each rule as its cause.
func (c *CompiledPolicy) denied(op *core.Op, o Operation) error {
	return denied(op.Principal, op.Resource, c.cause(op.Principal, o, op.Resource))
}

// unknownField is the error of a field that the principal may not read. It equals the error of a field that does not
// exist.
func unknownField(f *core.Field, cause error) error { return fieldError(core.UnknownField, f, cause) }

// fieldNotWritable is the error of a field that the principal may not set: [core.FieldReadOnly] if the principal may read
// it, [core.UnknownField] otherwise.
func fieldNotWritable(f *core.Field, readable grants, cause error) error {
	if readable.show(f) {
		return fieldError(core.FieldReadOnly, f, cause)
	}
	return unknownField(f, cause)
}

func fieldError(code core.Code, f *core.Field, cause error) error {
	return &core.Error{Code: code, Resource: f.Resource().APIName(), Field: f.APIName(), Cause: cause}
}

// cause is an error for the log: the verdict of each rule about an operation that names the fields.
func (c *CompiledPolicy) cause(p *core.Principal, o Operation, r *core.Resource, fields ...*core.Field) error {
	return errors.New("access: " + describe(o, r, c.verdicts(p, o, r, fields)))
}

// withVerdicts adds the verdicts of the rules to the error of a write that failed a Check in the backend, or that missed a row
// which the principal can read. Errors of other kinds, or with a cause already, are returned unchanged.
func (c *CompiledPolicy) withVerdicts(err error, p *core.Principal, o Operation, r *core.Resource, records []core.Record) error {
	e, ok := err.(*core.Error) //nolint:errorlint // a wrapped error has a cause
	if !ok || e.Code != core.Forbidden && e.Code != core.Unauthorized || e.Cause != nil {
		return err
	}
	const failed = "the row matches no using before the write or no check after it of the rules that apply, or another policy denies it"
	return denied(p, r, fmt.Errorf("%w; %s", c.cause(p, o, r, o.fieldsOf(records)...), failed))
}
