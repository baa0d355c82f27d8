package rest

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
)

// Examples are requests that succeed. Where the model has a rule that an example cannot be made for, such as a pattern or a
// function, there is none.

// createExample returns a body of POST; nil if there is none.
func (n schemaNames) createExample(r *core.Resource) any {
	body, ok := n.newRecord(r, nil)
	if !ok {
		return nil
	}
	for _, f := range visible(r) {
		if !f.Many() || f.Inverse() == nil || !settable(f) {
			continue
		}
		if related, ok := n.newRecord(f.Target(), f.Inverse()); ok {
			body[f.APIName()] = []any{related}
			break
		}
	}
	return body
}

// replaceExample returns a body of PUT; nil if there is none.
func (n schemaNames) replaceExample(r *core.Resource) any {
	body, ok := n.newRecord(r, nil)
	if !ok {
		return nil
	}
	maps.DeleteFunc(body, func(name string, _ any) bool { return !settable(r.FieldByAPIName(name)) })
	return body
}

// patchExample returns a body of PATCH; nil if there is none.
func (n schemaNames) patchExample(r *core.Resource) any {
	if r.Validated() {
		return nil
	}
	for _, f := range visible(r) {
		if !settable(f) || f.Target() != nil || f.HasWriteRule() || f.Unique() || f.Spec().Transitions != nil {
			continue
		}
		if v, ok := exampleValue(f); ok {
			return object{f.APIName(): v}
		}
	}
	return nil
}

// newRecord returns the body of a new record, and whether it can be created. owner is a relation that needs no value, because
// the body is nested in the record that it points at.
func (n schemaNames) newRecord(r *core.Resource, owner *core.Field) (object, bool) {
	return n.nestedRecord(r, owner, 2)
}

// nestedRecord is newRecord with at most the number of records in required relations.
func (n schemaNames) nestedRecord(r *core.Resource, owner *core.Field, depth int) (object, bool) {
	if r.ReadOnly() || r.Validated() || depth < 0 {
		return nil, false
	}
	body := object{}
	for _, f := range visible(r) {
		names := n.keyInBody(r) && slices.Contains(keyMembers(r), f)
		needed := names && !f.HasDefaultFunc() && !f.ConstantDefault().IsSet() || settable(f) && n.api.MustName(f)
		if f == owner || !names && !settable(f) {
			continue
		}
		v, ok := exampleValue(f)
		if needed && f.Target() != nil {
			v, ok = n.nestedRecord(f.Target(), f.Inverse(), depth-1)
		}
		switch {
		case ok:
			body[f.APIName()] = v
		case needed:
			return nil, false
		}
	}
	return body, true
}

// exampleValue returns a value that a new record can have in the field, and whether there is one.
func exampleValue(f *core.Field) (any, bool) {
	s := f.Spec()
	if f.Target() != nil || f.Computed() != nil || s.Pattern != "" || s.Schema != nil {
		return nil, false
	}
	if values := f.OneOf(); values != nil {
		return json.RawMessage(f.AppendJSON(nil, values[0])), s.Transitions == nil
	}
	if s.Transitions != nil {
		states := s.Transitions[""]
		if len(states) == 0 {
			states = slices.Sorted(maps.Keys(s.Transitions))
		}
		return states[0], true
	}
	if least, greatest := f.Bounds(); least.IsSet() {
		return json.RawMessage(f.AppendJSON(nil, least)), true
	} else if greatest.IsSet() {
		return json.RawMessage(f.AppendJSON(nil, greatest)), true
	}
	switch f.Type() {
	case core.Int:
		return 1, true
	case core.Float:
		return 1.5, true
	case core.Text:
		text := "some " + f.APIName()
		for len(text) < s.MinLength {
			text += " " + text
		}
		if s.MaxLength > 0 && len(text) > s.MaxLength {
			text = strings.Repeat("a", max(s.MinLength, 1))
		}
		return text, true
	case core.Bool:
		return true, true
	case core.Time:
		return "2026-01-31T12:00:00Z", true
	case core.Date:
		return "2026-01-31", true
	case core.LocalTime:
		return "2026-01-31T12:00:00", true
	case core.Decimal:
		return "1", true
	case core.UUID:
		return "5a3c0c1e-8d5b-4a0b-9f0e-2f1b7c6d4e90", true
	case core.Bytes:
		return "TGFyZGVy", true
	case core.JSON:
		return object{"any": []any{"JSON"}}, true
	case core.List:
		return []any{"any", "JSON"}, true
	}
	return nil, false
}

// filterExample returns conditions on the first field that has an example, or nothing: for a list those of records that have a
// value, because pages such as Swagger UI send the example; for a change of many records those of the example.
func filterExample(r *core.Resource, changes bool) string {
	for _, f := range visible(r) {
		if !f.Stored() || f.Key() || f.Target() != nil || f.Type() == core.JSON || f.Type() == core.List {
			continue
		}
		if v, ok := exampleValue(f); ok {
			condition := object{"ne": nil}
			if changes {
				condition = object{"in": []any{v}}
			}
			text, err := json.Marshal(object{f.APIName(): condition})
			if err == nil {
				return string(text)
			}
		}
	}
	return ""
}
