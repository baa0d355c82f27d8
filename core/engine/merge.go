package engine

import "github.com/larder-go/larder/core"

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
