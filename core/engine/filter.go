package engine

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/larder-go/larder/core"
)

// condition is one comparison of a client's filter.
type condition struct {
	field  *core.Field
	kind   core.FilterKind
	values []core.Value // each null or of the field's type
}

func badFilter(accepted string) error {
	return &core.Error{Code: core.BadParam, Param: "filter", Accepted: accepted}
}

// conditions converts a filter. The order of the conditions depends only on the content of the filter.
func (info *resourceInfo) conditions(filter map[string]any) ([]condition, error) {
	var all []condition
	for _, name := range slices.Sorted(maps.Keys(filter)) {
		f, err := info.searchField(name)
		if err != nil {
			return nil, err
		}
		found, err := fieldConditions(f, filter[name])
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// searchField returns the field with the API name for a condition.
func (info *resourceInfo) searchField(name string) (*core.Field, error) {
	f := info.resource.FieldByAPIName(name)
	switch {
	case f == nil || f.Hidden():
		return nil, info.unknownField(name)
	case f.Computed() != nil || f.Many():
		return nil, searchForbidden(f)
	}
	return f, nil
}

func searchForbidden(f *core.Field) error {
	return &core.Error{Code: core.SearchForbidden, Resource: f.Resource().APIName(), Field: f.APIName()}
}

// fieldConditions converts the conditions on one field.
func fieldConditions(f *core.Field, raw any) ([]condition, error) {
	object, ok := raw.(map[string]any)
	if !ok {
		c, err := newCondition(f, core.FilterEq, raw)
		return []condition{c}, err
	}
	if len(object) == 0 {
		return nil, badOperator()
	}
	var all []condition
	for _, name := range slices.Sorted(maps.Keys(object)) {
		kind, ok := core.OperatorNamed(name)
		if !ok {
			return nil, badOperator()
		}
		c, err := newCondition(f, kind, object[name])
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

func badOperator() error {
	var names []string
	for _, op := range core.Operators() {
		names = append(names, op.String())
	}
	return badFilter("operators " + strings.Join(names, ", "))
}

// newCondition checks that the field supports the operator, and converts the values.
func newCondition(f *core.Field, kind core.FilterKind, raw any) (condition, error) {
	if !kind.FitsField(f) {
		return condition{}, searchForbidden(f)
	}
	list := []any{raw}
	if kind.TakesList() {
		var ok bool
		if list, ok = listElements(raw); !ok {
			return condition{}, badFilter("a list of values for the operator " + kind.String())
		}
	}
	c := condition{field: f, kind: kind, values: make([]core.Value, len(list))}
	for i, raw := range list {
		if !kind.TakesNull() { // a bound or prefix need not be a valid key
			v, err := f.Type().Convert(raw)
			if err != nil || !v.IsSet() {
				return condition{}, badValue(f, f.Type(), raw)
			}
			c.values[i] = v
			continue
		}
		v, err := f.Convert(raw)
		switch {
		case err != nil:
			return condition{}, err
		case v.IsSet():
			c.values[i] = v
		default:
			c.values[i] = core.Null
		}
	}
	return c, nil
}

// equalities converts [Query] Equal to one condition for each field.
func (info *resourceInfo) equalities(equal map[string][]string) ([]condition, error) {
	var all []condition
	for _, name := range slices.Sorted(maps.Keys(equal)) {
		f, err := info.searchField(name)
		if err != nil {
			return nil, err
		}
		values := make([]any, len(equal[name]))
		for i, text := range equal[name] {
			if values[i], err = parseText(f, text); err != nil {
				return nil, err
			}
		}
		kind, raw := core.FilterIn, any(values)
		if len(values) == 1 {
			kind, raw = core.FilterEq, values[0]
		}
		c, err := newCondition(f, kind, raw)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
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

func badValue(f *core.Field, t core.Type, raw any) error {
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

// String returns a unique text for the condition with its values.
func (c condition) String() string {
	var b strings.Builder
	b.WriteString(c.field.Name() + " " + strconv.Itoa(int(c.kind)) + " ")
	b.WriteString(core.ListOf(c.values...).Text())
	return b.String()
}
