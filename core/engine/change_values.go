package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/larder-go/larder/core"
)

// runSetter calls the setter of a computed field with the client's value, and returns the fields that it sets as a
// draft. The setter sees the record with all changes so far. A new record has its key and the values of the model and the
// body at this point, but no defaults of the backend.
func (w *writer) runSetter(ctx context.Context, c *change, a assignment) (*draft, error) {
	rec, err := w.currentRecord(ctx, c)
	if err != nil {
		return nil, err
	}
	values, err := a.field.Computed().Set(ctx, rec, a.raw)
	if err != nil {
		return nil, functionError(fmt.Errorf("setting %s: %w", a.field, err))
	}
	r := w.engine.bodyReader(ctx, false, w.budget.left)
	r.internal = true
	d, err := r.read(c.info, values, c.level)
	if errors.Is(err, core.BadFieldValue) {
		return nil, setterValueError(a, err)
	}
	return d, err
}

// setterValueError reports a bad value of a setter as the client's value for the computed field, since the fields
// that a setter sets may be hidden.
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

// currentRecord returns the record with the changes so far.
func (w *writer) currentRecord(ctx context.Context, c *change) (core.Record, error) {
	r := c.info.resource
	if !c.isNew {
		return w.knownOf(c.info).record(c.key()).Merge(r.RecordOf(c.values)), nil
	}
	if err := w.fillDefaults(ctx, c); err != nil {
		return core.Record{}, err
	}
	values := append([]core.Value(nil), c.values...)
	for i, f := range r.Columns() {
		if values[i].IsAbsent() && f.Parts() == nil {
			values[i] = core.Null
		}
	}
	return r.RecordOf(values), nil
}

// fillDefaults gives a new record its key and the defaults of the model.
func (w *writer) fillDefaults(ctx context.Context, c *change) error {
	if c.key().IsAbsent() && c.info.resource.Key().Parts() == nil {
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
		v, err := f.Default(ctx)
		if err != nil {
			return err
		}
		c.values[i] = v
	}
	return nil
}

// isMergePatch reports whether the value is an object for a JSON field, so that its merge depends on the stored
// value.
func isMergePatch(f *core.Field, v core.Value) bool {
	return f.Type() == core.JSON && f.Target() == nil && v.IsSet() && v.Text()[0] == '{'
}

// mergeJSON merges a patch into the stored value of a JSON field. It rejects the patch if the principal cannot
// read the value, because the result would reveal it.
func (w *writer) mergeJSON(c *change, a assignment) error {
	stored := c.values[a.field.Column()] // set by a setter of this request
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

// mergePatch returns a JSON value with a patch merged into it (RFC 7396, section 2).
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
