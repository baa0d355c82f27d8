package kit

import (
	"slices"

	"pgregory.net/rapid"

	"github.com/larder-go/larder/core"
)

// domains are the values that random programs give to fields: few, so that they
// meet, and such as get mixed up.
var drawnValues = map[string][]any{
	"jar.id":        {1, 2, 3},
	"jar.label":     {nil, "a", "A", "b", ""},
	"jar.size":      {nil, -1, 0, 1},
	"cookie.id":     {-1, 1, 2, 3, 4, 5},
	"cookie.kind":   {nil, "a", "A", "ab", "%"},
	"cookie.weight": {nil, -1, 0, 1, 2},
	"cookie.note":   {nil, "", "a", "a%", "a_", "á", "\U0001F36A"},
	"cookie.jar":    {nil, 1, 2, 3},
}

// drawer draws the parts of operations.
type Drawer struct {
	*rapid.T

	// of returns the values to draw for a field from, at least one and null only
	// if it may be; nil means those of domains.
	Values func(f *core.Field) []core.Value
}

func (d Drawer) UpTo(n int, what string) int { return rapid.IntRange(0, n).Draw(d.T, what) }

func (d Drawer) Bool(what string) bool { return rapid.Bool().Draw(d.T, what) }

func (d Drawer) Resource(m *core.Model) *core.Resource {
	return m.Resource(rapid.SampledFrom([]string{"cookie", "jar"}).Draw(d.T, "resource"))
}

// value draws a value of the field, null too but for keys.
func (d Drawer) Value(f *core.Field) core.Value {
	if d.Values != nil {
		return rapid.SampledFrom(d.Values(f)).Draw(d.T, f.Name())
	}
	v, err := f.Convert(rapid.SampledFrom(drawnValues[f.String()]).Draw(d.T, f.Name()))
	if err != nil {
		panic(err) // a mistake of the kit's
	}
	return v
}

func (d Drawer) Field(r *core.Resource, what string) *core.Field {
	names := make([]string, len(r.Columns()))
	for i, f := range r.Columns() {
		names[i] = f.Name()
	}
	return r.Field(rapid.SampledFrom(names).Draw(d.T, what))
}

// columns draws values for some of the columns but the key, which is absent like
// the others.
func (d Drawer) Columns(r *core.Resource) []core.Value {
	values := make([]core.Value, len(r.Columns()))
	for i, f := range r.Columns() {
		if !f.Key() && d.Bool("names "+f.Name()) {
			values[i] = d.Value(f)
		}
	}
	return values
}

// keys draws up to n different keys, ascending.
func (d Drawer) Keys(r *core.Resource, n int) []core.Value {
	keys := make([]core.Value, 1+d.UpTo(n-1, "more keys"))
	for i := range keys {
		keys[i] = d.Value(r.Key())
	}
	return core.SortKeys(keys)
}

// filter draws a condition of some depth, bound.
func (d Drawer) Filter(r *core.Resource, depth int) core.Filter {
	switch kind := d.UpTo(5, "condition"); {
	case kind == 0:
		return core.All()
	case kind == 1 && depth > 0:
		return core.And(d.Filter(r, depth-1), d.Filter(r, depth-1))
	case kind == 2 && depth > 0:
		return core.Or(d.Filter(r, depth-1), d.Filter(r, depth-1))
	case kind == 3 && depth > 0:
		return core.Not(d.Filter(r, depth-1))
	}
	return d.comparison(r)
}

func (d Drawer) comparison(r *core.Resource) core.Filter {
	f := d.Field(r, "field")
	kinds := []core.FilterKind{core.FilterEq, core.FilterNe, core.FilterIn}
	v := d.Value(f)
	if v.IsSet() {
		kinds = append(kinds, core.FilterLt, core.FilterLe, core.FilterGt, core.FilterGe)
		if f.Type() == core.Text {
			kinds = append(kinds, core.FilterPrefix)
		}
	}
	kind := rapid.SampledFrom(kinds).Draw(d.T, "comparison")
	if kind != core.FilterIn {
		return f.Compare(kind, v)
	}
	values := make([]core.Value, d.UpTo(3, "values"))
	for i := range values {
		values[i] = d.Value(f)
	}
	return f.Compare(kind, values...)
}

// policy draws the conditions of a policy, of which there often is none.
func (d Drawer) Conditions(r *core.Resource) Conditions {
	switch d.UpTo(5, "policy") {
	case 0:
		f := d.Filter(r, 1)
		return Conditions{f, f}
	case 1:
		return Conditions{Using: d.Filter(r, 1)}
	case 2:
		return Conditions{Check: d.Filter(r, 1)}
	}
	return Conditions{}
}

// query draws a query, and the order that it means.
func (d Drawer) Query(r *core.Resource) (core.Query, []core.Order) {
	q := core.Query{Where: d.Filter(r, 2), Limit: d.UpTo(4, "limit")}
	var order []core.Order
	for range d.UpTo(2, "order") {
		o := core.Order{Field: d.Field(r, "by"), Desc: d.Bool("descending")}
		order = append(order, o)
		q.Order = append(q.Order, map[bool]string{true: "-"}[o.Desc]+o.Field.Name())
	}
	if i := slices.IndexFunc(order, func(o core.Order) bool { return o.Field.Key() }); i >= 0 {
		order = order[:i+1]
	} else {
		order = append(order, core.Order{Field: r.Key()})
	}
	if d.Bool("projection") {
		for range d.UpTo(2, "fields") {
			q.Fields = append(q.Fields, d.Field(r, "asks for").Name())
		}
	}
	return q, order
}

// pick draws one of the values.
func (d Drawer) Pick(values []core.Value, what string) core.Value {
	return values[d.UpTo(len(values)-1, what)]
}

func (d Drawer) AnyResource(m *core.Model) *core.Resource {
	return m.Resources()[d.UpTo(len(m.Resources())-1, "resource")]
}
