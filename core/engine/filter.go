package engine

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/condition"
)

func badFilter(accepted string) error {
	return &core.Error{Code: core.BadParam, Param: "filter", Accepted: accepted}
}

// mistake is an error of a condition, with a condition on the same field that is valid. If the principal may not read the
// field, the error must be that of a field that does not exist, whatever the value in the condition.
type mistake struct {
	err   error
	probe core.Filter
}

func (m *mistake) Error() string { return m.err.Error() }
func (m *mistake) Unwrap() error { return m.err }

// filter converts the filter of a client. The result depends only on the content of the filter.
func (e *Engine) filter(info *resourceInfo, filter map[string]any) (core.Filter, error) {
	if len(filter) == 0 {
		return core.All(), nil
	}
	parsed, err := condition.Parse(filter, nil)
	if err != nil {
		return core.Filter{}, badFilter("JSON object of conditions; in this one, " + err.Error())
	}
	return e.condition(info, parsed)
}

func (e *Engine) condition(info *resourceInfo, c condition.Condition) (core.Filter, error) {
	switch c.Kind {
	case core.FilterAnd, core.FilterOr, core.FilterNot:
		parts := make([]core.Filter, len(c.Parts))
		for i, part := range c.Parts {
			var err error
			if parts[i], err = e.condition(info, part); err != nil {
				return core.Filter{}, err
			}
		}
		switch c.Kind {
		case core.FilterAnd:
			return core.And(parts...), nil
		case core.FilterOr:
			return core.Or(parts...), nil
		}
		return core.Not(parts[0]), nil
	}
	return e.onPath(info, c.Name, func(info *resourceInfo, f *core.Field) (core.Filter, error) {
		if c.Kind != core.FilterRelated {
			return e.comparison(f, c.Kind, c.Values)
		}
		if f.Target() == nil {
			return core.Filter{}, &mistake{searchForbidden(f), probeOf(f)}
		}
		return e.related(f, func(target *resourceInfo) (core.Filter, error) { return e.condition(target, c.Parts[0]) })
	})
}

// related returns the condition that a record to which f leads matches the result of the function.
func (e *Engine) related(f *core.Field, where func(target *resourceInfo) (core.Filter, error)) (core.Filter, error) {
	inner, err := where(e.info(f.Target()))
	if m, ok := errors.AsType[*mistake](err); ok {
		m.probe = core.Related(f.Name(), m.probe)
	}
	return core.Related(f.Name(), inner), err
}

// onPath calls the function with the field at the end of a path of to-one relations, and returns its condition on the
// record at the end of the path as a condition on the record at its beginning.
func (e *Engine) onPath(info *resourceInfo, path string, fn func(*resourceInfo, *core.Field) (core.Filter, error)) (core.Filter, error) {
	name, rest, more := strings.Cut(path, ".")
	if !more {
		f, err := info.searchField(name)
		if err != nil {
			return core.Filter{}, err
		}
		return fn(info, f)
	}
	f, err := info.pathField(name, rest)
	if err != nil {
		return core.Filter{}, err
	}
	return e.related(f, func(target *resourceInfo) (core.Filter, error) { return e.onPath(target, rest, fn) })
}

// searchField returns the field with the API name for a condition.
func (info *resourceInfo) searchField(name string) (*core.Field, error) {
	f := info.resource.FieldByAPIName(name)
	switch {
	case f == nil || f.Hidden():
		return nil, info.unknownField(name)
	case f.Computed() != nil:
		return nil, searchForbidden(f)
	}
	return f, nil
}

// pathField returns the to-one relation with the API name, from which a path leads on to the rest.
func (info *resourceInfo) pathField(name, rest string) (*core.Field, error) {
	f := info.resource.FieldByAPIName(name)
	switch {
	case f == nil || f.Hidden() || f.Target() == nil:
		return nil, info.unknownField(name + "." + rest)
	case f.Many():
		return nil, badFilter(fmt.Sprintf(`for the to-many %s: {%q: {"$any": {%q: ...}}}`, name, name, rest))
	}
	return f, nil
}

func searchForbidden(f *core.Field) error {
	return &core.Error{Code: core.SearchForbidden, Resource: f.Resource().APIName(), Field: f.APIName()}
}

// probeOf returns a valid condition that names the field.
func probeOf(f *core.Field) core.Filter {
	switch {
	case f.Stored() && !f.Many():
		return f.Compare(core.FilterEq, core.Null)
	case f.Target() != nil:
		return core.Related(f.Name(), core.All())
	}
	return core.All()
}

// comparison converts a comparison with a field.
func (e *Engine) comparison(f *core.Field, kind core.FilterKind, raw []any) (core.Filter, error) {
	values, err := comparands(f, kind, raw)
	if err != nil {
		return core.Filter{}, &mistake{err, probeOf(f)}
	}
	if f.Target() == nil || f.Stored() && !e.mayHide {
		return f.Compare(kind, values...), nil
	}
	return relatedKey(f, kind, values), nil
}

// comparands checks that the field supports the operator, and converts the values.
func comparands(f *core.Field, kind core.FilterKind, raw []any) ([]core.Value, error) {
	if f.Many() || !kind.FitsField(f) {
		return nil, searchForbidden(f)
	}
	values := make([]core.Value, len(raw))
	for i, raw := range raw {
		if !kind.TakesNull() && f.Type() != core.Tuple { // a bound or prefix need not be a valid key
			v, err := f.Type().Convert(raw)
			if err != nil || !v.IsSet() {
				return nil, badValue(f, f.Type(), raw)
			}
			values[i] = v
			continue
		}
		v, err := f.Convert(raw)
		switch {
		case err != nil:
			return nil, err
		case !v.IsSet() && !kind.TakesNull():
			return nil, badValue(f, f.Type(), raw)
		case v.IsSet():
			values[i] = v
		default:
			values[i] = core.Null
		}
	}
	return values, nil
}

// relatedKey returns a comparison with the id of the record that a to-one relation leads to. The relation is null if
// there is no such record, or if it is hidden from the principal.
func relatedKey(f *core.Field, kind core.FilterKind, values []core.Value) core.Filter {
	if kind == core.FilterNe { // null matches too
		return core.Not(relatedKey(f, core.FilterEq, values))
	}
	set := slices.DeleteFunc(slices.Clone(values), core.Value.IsNull)
	matching := core.None()
	if len(set) > 0 {
		matching = core.Related(f.Name(), f.Target().Key().Compare(kind, set...))
	}
	if len(set) == len(values) {
		return matching
	}
	return core.Or(matching, core.Not(core.Related(f.Name(), core.All())))
}

// equalities converts [Query] Equal.
func (e *Engine) equalities(info *resourceInfo, equal map[string][]string) (core.Filter, error) {
	var all []core.Filter
	for _, name := range slices.Sorted(maps.Keys(equal)) {
		c, err := e.onPath(info, name, func(_ *resourceInfo, f *core.Field) (core.Filter, error) {
			values := make([]any, len(equal[name]))
			for i, text := range equal[name] {
				var err error
				if values[i], err = parseText(f, text); err != nil {
					return core.Filter{}, &mistake{err, probeOf(f)}
				}
			}
			kind := core.FilterIn
			if len(values) == 1 {
				kind = core.FilterEq
			}
			return e.comparison(f, kind, values)
		})
		if err != nil {
			return core.Filter{}, err
		}
		all = append(all, c)
	}
	return core.And(all...), nil
}

// parseText returns the value that a string of [Query] Equal stands for, to convert it to the type of the field.
func parseText(f *core.Field, text string) (any, error) {
	switch f.Type() {
	case core.Bool, core.JSON, core.List:
		v, err := core.ParseJSON([]byte(text), maxTextNesting)
		if err != nil || v == nil {
			return nil, badValue(f, f.Type(), text)
		}
		return v, nil
	}
	return text, nil
}

// maxTextNesting bounds the nesting of JSON in strings of [Query] Equal.
const maxTextNesting = 100

func badValue(f *core.Field, t core.Type, raw any) *core.Error {
	return &core.Error{
		Code: core.BadFieldValue, Resource: f.Resource().APIName(), Field: f.APIName(), Type: t, Value: raw,
	}
}

// listElements returns the elements of a list, from JSON or from a Go slice.
func listElements(raw any) ([]any, bool) {
	if list, ok := raw.([]any); ok {
		return list, true
	}
	v, _ := core.List.Convert(raw)
	list, ok := v.Any().([]any)
	return list, ok
}
