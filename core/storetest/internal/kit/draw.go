package kit

import (
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/larder-go/larder/core"
)

// drawnValues are the values of fields in random programs. They are few, so that operations meet the same records, and
// easily confused with each other.
var drawnValues = map[string][]any{
	"jar.id":        {1, 2, 3},
	"jar.label":     {nil, "a", "A", "b", ""},
	"jar.size":      {nil, -1, 0, 1},
	"cookie.id":     {-1, 1, 2, 3, 4, 5},
	"cookie.kind":   {nil, "a", "A", "ab", "%"},
	"cookie.weight": {nil, -1, 0, 1, 2},
	"cookie.note":   {nil, "", "a", "a%", "a_", "á", "\U0001F36A"},
	"cookie.jar":    {nil, 1, 2, 3},
	"ticket.id":     {1, 2, 3, 7},
	"ticket.desk":   {nil, 1, 2},
	"ticket.number": {nil, 1, 2},
	"ticket.title":  {nil, "", "a", "a\x01"},
	"ticket.due":    {nil, -1, 2},
	"ticket.closed": {nil, true, false},
	"order.id":      {1, 2, 11},
	"order.group":   {nil, 1},
	"order.value":   {nil, 1},
	"line.key":      {"1,1", "1,11", "11,1", "2,1", "1,-1", "11,11"},
	"line.order":    {1, 2, 11},
	"line.number":   {-1, 1, 11},
	"line.text":     {nil, "a"},

	"parcel.id":          {1, 2, 3},
	"parcel.order":       {nil, 1, 2, 11},
	"parcel.line_number": {nil, 1, 11},
	"parcel.line":        {nil, "1,1", "1,11", "11,1", "11,11"},
	"parcel.spare":       {nil, "1,1", "1,11", "11,1"},
}

// Drawer draws operations, and the parts of operations, at random.
type Drawer struct {
	*rapid.T

	// Values returns the values that are drawn for a field: at least one, with null only if the field may be null. If it
	// is nil, the values of the backend kit's model are drawn.
	Values func(f *core.Field) []core.Value
}

// UpTo draws a number from 0 to n. label names the number in the output of rapid; so it does in the other methods.
func (d Drawer) UpTo(n int, label string) int { return rapid.IntRange(0, n).Draw(d.T, label) }

// Bool draws true or false.
func (d Drawer) Bool(label string) bool { return rapid.Bool().Draw(d.T, label) }

// Resource draws a resource of the backend kit's model, in most cases cookie, jar or ticket.
func (d Drawer) Resource(m *core.Model) *core.Resource {
	names := []string{"cookie", "jar", "cookie", "jar", "cookie", "jar", "ticket", "ticket", "order", "line", "parcel"}
	return m.Resource(rapid.SampledFrom(names).Draw(d.T, "resource"))
}

// Value draws a value of the field. It may be null, unless the field is a key.
func (d Drawer) Value(f *core.Field) core.Value {
	if d.Values != nil {
		return rapid.SampledFrom(d.Values(f)).Draw(d.T, f.Name())
	}
	v, err := f.Convert(rapid.SampledFrom(drawnValues[f.String()]).Draw(d.T, f.Name()))
	if err != nil {
		panic(err) // the kit's table is wrong
	}
	return v
}

// Field draws a stored field.
func (d Drawer) Field(r *core.Resource, label string) *core.Field {
	names := make([]string, len(r.Columns()))
	for i, f := range r.Columns() {
		names[i] = f.Name()
	}
	return r.Field(rapid.SampledFrom(names).Draw(d.T, label))
}

// Columns draws values for some of the columns. The other columns, and the key, are absent. Relations with Via are set by
// their parts.
func (d Drawer) Columns(r *core.Resource) []core.Value {
	values := make([]core.Value, len(r.Columns()))
	for i, f := range r.Columns() {
		if !f.Key() && !f.KeyPart() && f.Parts() == nil && d.Bool("names "+f.Name()) {
			values[i] = d.Value(f)
		}
	}
	return values
}

// Keys draws 1 to n keys, ascending and without duplicates.
func (d Drawer) Keys(r *core.Resource, n int) []core.Value {
	keys := make([]core.Value, 1+d.UpTo(n-1, "more keys"))
	for i := range keys {
		keys[i] = d.Value(r.Key())
	}
	return core.SortKeys(keys)
}

// AllKeys returns the keys of a resource of the backend kit's model that are drawn.
func (d Drawer) AllKeys(r *core.Resource) []core.Value {
	var keys []core.Value
	for _, raw := range drawnValues[r.Key().String()] {
		v, err := r.Key().Convert(raw)
		if err != nil {
			panic(err) // the kit's table is wrong
		}
		keys = append(keys, v)
	}
	return keys
}

// Filter draws a bound filter that is nested at most depth times.
func (d Drawer) Filter(r *core.Resource, depth int) core.Filter {
	switch kind := d.UpTo(7, "condition"); {
	case kind == 0:
		return core.All()
	case depth == 0:
	case kind == 1:
		return core.And(d.Filter(r, depth-1), d.Filter(r, depth-1))
	case kind == 2:
		return core.Or(d.Filter(r, depth-1), d.Filter(r, depth-1))
	case kind == 3:
		return core.Not(d.Filter(r, depth-1))
	case kind <= 5:
		if to := d.relations(r); len(to) > 0 {
			f := to[d.UpTo(len(to)-1, "relation")]
			if d.UpTo(3, "existence") == 0 {
				return Over(f, core.All())
			}
			return Over(f, d.Filter(f.Target(), depth-1))
		}
	}
	return d.comparison(r)
}

// relations returns the relations of the resource to resources that have values to draw.
func (d Drawer) relations(r *core.Resource) []*core.Field {
	return slices.DeleteFunc(slices.Clone(r.Fields()), func(f *core.Field) bool {
		return f.Target() == nil || d.Values == nil && drawnValues[f.Target().Key().String()] == nil
	})
}

// searchFor draws a search of one or two words in the searchable fields of the resource.
func (d Drawer) searchFor(r *core.Resource) core.Filter {
	var words []string
	for range 1 + d.UpTo(1, "more words") {
		field := r.Searchable()[d.UpTo(len(r.Searchable())-1, "searched")]
		words = append(words, strings.ToUpper(d.Value(field).Text()))
	}
	f, err := r.Bind(core.Search(strings.Join(words, " ")))
	if err != nil {
		panic(err) // the values are short
	}
	return f
}

func (d Drawer) comparison(r *core.Resource) core.Filter {
	if len(r.Searchable()) > 0 && d.UpTo(7, "search") == 0 {
		return d.searchFor(r)
	}
	f := d.Field(r, "field")
	kinds := []core.FilterKind{core.FilterEq, core.FilterNe, core.FilterIn}
	v := d.Value(f)
	if v.IsSet() {
		kinds = append(kinds, core.FilterLt, core.FilterLe, core.FilterGt, core.FilterGe)
		if f.Type() == core.Text {
			kinds = append(kinds, core.FilterPrefix, core.FilterContains, core.FilterIContains)
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

// Conditions draws the conditions of a policy. Half of them are empty.
func (d Drawer) Conditions(r *core.Resource) Conditions {
	switch d.UpTo(5, "policy") {
	case 0:
		f := d.Filter(r, 1)
		return Conditions{Using: f, Check: f}
	case 1:
		return Conditions{Using: d.Filter(r, 1)}
	case 2:
		return Conditions{Check: d.Filter(r, 1)}
	}
	return Conditions{}
}

// Guards draws conditions under which records of the backend kit's model exist. Most are empty.
func (d Drawer) Guards(m *core.Model) Guards {
	related := make(Guards)
	for _, name := range []string{"cookie", "jar"} {
		if d.UpTo(3, "hides "+name) == 0 {
			related[m.Resource(name)] = d.Filter(m.Resource(name), 1)
		}
	}
	return related
}

// Query draws a query. It also returns the complete order of the result, which ends with the key.
func (d Drawer) Query(r *core.Resource) (core.Query, []core.Order) {
	q := core.Query{Where: d.Filter(r, 2), Limit: d.UpTo(4, "limit")}
	var order []core.Order
	for range d.UpTo(2, "order") {
		o, name := d.orderBy(r)
		order = append(order, o)
		q.Order = append(q.Order, name)
	}
	if i := slices.IndexFunc(order, func(o core.Order) bool { return o.Field.Key() && o.Path == nil }); i >= 0 {
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

// orderBy draws an entry of an order, which may follow to-one relations. It also returns the name of the entry.
func (d Drawer) orderBy(r *core.Resource) (o core.Order, name string) {
	var path strings.Builder
	for range d.UpTo(2, "path") {
		toOne := slices.DeleteFunc(d.relations(r), (*core.Field).Many)
		if len(toOne) == 0 {
			break
		}
		over := toOne[d.UpTo(len(toOne)-1, "over")]
		to, _ := over.Relation()
		o.Path = append(o.Path, core.Hop{Relation: to})
		path.WriteString(over.Name() + ".")
		r = over.Target()
	}
	o.Field, o.Desc = d.Field(r, "by"), d.Bool("descending")
	return o, map[bool]string{true: "-"}[o.Desc] + path.String() + o.Field.Name()
}

// Aggregation draws an aggregation without averages. It also returns the op of the aggregation, without the condition.
func (d Drawer) Aggregation(r *core.Resource) (core.Aggregation, *core.Op) {
	a, op := core.Aggregation{Where: d.Filter(r, 1)}, &core.Op{Kind: core.Aggregate, Resource: r}
	for range d.UpTo(2, "groups") {
		o, name := d.orderBy(r)
		if o.Field.Type() == core.Tuple {
			continue
		}
		o.Desc, name = false, strings.TrimPrefix(name, "-")
		a.Group, op.Order = append(a.Group, name), append(op.Order, o)
	}
	for range d.UpTo(2, "measures") {
		m := core.Measure{Func: []core.Func{core.FuncSum, core.FuncMin, core.FuncMax, core.FuncValues}[d.UpTo(3, "function")], Field: d.Field(r, "measured")}
		if m.Name = m.Field.Name(); m.Func.Fits(m.Field) {
			a.Measures, op.Measures = append(a.Measures, m), append(op.Measures, m)
		}
	}
	return a, op
}

// Pick draws one of the values.
func (d Drawer) Pick(values []core.Value, label string) core.Value {
	return values[d.UpTo(len(values)-1, label)]
}

// AnyResource draws any resource of the model.
func (d Drawer) AnyResource(m *core.Model) *core.Resource {
	return m.Resources()[d.UpTo(len(m.Resources())-1, "resource")]
}
