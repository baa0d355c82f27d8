package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/larder-go/larder/core"
)

// runSetter has the setter of a computed field turn what a client wrote into
// values of other fields, and applies those. The setter sees the record as it is
// at this point; of one that is being created that is the key and what the model
// and the body say so far, but not what the backend adds.
func (w *writer) runSetter(ctx context.Context, c *change, a assignment) error {
	rec, err := w.currentRecord(ctx, c)
	if err != nil {
		return err
	}
	values, err := a.field.Computed().Set(ctx, rec, a.raw)
	if err != nil {
		return core.AsError(fmt.Errorf("setting %s: %w", a.field, err))
	}
	r := w.engine.bodyReader(false)
	r.internal = true
	d, err := r.read(c.info, values, c.level)
	if errors.Is(err, core.BadFieldValue) {
		return setterValueError(a, err)
	}
	if err != nil {
		return err
	}
	if err := w.requireRelated(ctx, d); err != nil {
		return err
	}
	return w.applyAssignments(ctx, c, d.assignments)
}

// valueOfSetter blames the value that the client wrote, since the fields that a
// setter sets may be hidden.
func setterValueError(a assignment, cause error) error {
	t := a.field.Type()
	if !t.Valid() {
		t = core.JSON
	}
	return &core.Error{
		Code: core.BadFieldValue, Resource: a.field.Resource().APIName(), Field: a.field.APIName(),
		Type: t, Value: a.raw, Cause: cause,
	}
}

// soFar returns the record with what was changed up to now.
func (w *writer) currentRecord(ctx context.Context, c *change) (core.Record, error) {
	r := c.info.resource
	if !c.isNew {
		return w.knownOf(c.info).record(c.key()).Merge(r.RecordOf(c.values)), nil
	}
	if err := w.fillDefaults(ctx, c); err != nil {
		return core.Record{}, err
	}
	values := append([]core.Value(nil), c.values...)
	for i, v := range values {
		if v.IsAbsent() {
			values[i] = core.Null
		}
	}
	return r.RecordOf(values), nil
}

// complete gives a record that is being created its key and the model's
// defaults.
func (w *writer) fillDefaults(ctx context.Context, c *change) error {
	if c.key().IsAbsent() {
		keys, err := w.tx.NextIDs(ctx, c.info.resource, 1)
		if err != nil {
			return err
		}
		c.set(c.info.resource.Key(), keys[0])
	}
	for i, f := range c.info.resource.Columns() {
		if !c.values[i].IsAbsent() {
			continue
		}
		v, err := f.Default()
		if err != nil {
			return err
		}
		c.values[i] = v
	}
	return nil
}

// mergeable reports whether the value is an object for a JSON field, so that a merge
// patch depends on the stored value.
func isMergePatch(f *core.Field, v core.Value) bool {
	return f.Type() == core.JSON && f.Target() == nil && v.IsSet() && v.Text()[0] == '{'
}

// merge sets a JSON field to its stored value with a patch merged into it. A value that
// the principal cannot read is not merged, so the outcome tells nothing about it.
func (w *writer) mergeJSON(c *change, a assignment) error {
	stored := c.values[a.field.Column()] // of a setter of this request
	if stored.IsAbsent() && !c.isNew {
		if stored = c.before.At(a.field.Column()); stored.IsAbsent() {
			return a.field.UpdateForbidden(a.field.Resource())
		}
	}
	v, err := a.field.Convert(mergePatch(stored.Any(), a.value.Any()))
	if err == nil {
		err = w.engine.checkSize(a.field, v, false)
	}
	c.set(a.field, v)
	return err
}

// merged returns a JSON value with a patch merged into it (RFC 7396, section 2).
func mergePatch(target, patch any) any {
	members, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	result, ok := target.(map[string]any)
	if !ok {
		result = make(map[string]any, len(members))
	}
	for name, v := range members {
		if v == nil {
			delete(result, name)
		} else {
			result[name] = mergePatch(result[name], v)
		}
	}
	return result
}
