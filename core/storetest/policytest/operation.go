package policytest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/reference"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

// operation is one operation of a client, as data.
type operation struct {
	kind    core.Kind
	res     *core.Resource
	keys    []core.Value
	query   core.Query // of a Select; a Count uses its Where, a Load its Fields
	order   []core.Order
	records []core.Record
	n       int
	of      core.Aggregation // of an Aggregate, without averages
	deleted bool             // reads deleted rows
	named   []*core.Field    // fields in filter, order, projection, groups and measures
	over    []core.Relation  // relations that filter and order follow
}

// String returns the operation as text for messages.
func (a operation) String() string {
	s := fmt.Sprintf("%v of %v", a.kind, a.res)
	if a.deleted {
		s = fmt.Sprintf("%v of deleted %v", a.kind, a.res)
	}
	switch a.kind {
	case core.Load, core.Delete, core.Restore:
		s += fmt.Sprintf(" %v", a.keys)
	case core.Insert, core.Update:
		s += fmt.Sprintf(" %v", a.records)
	case core.NextID:
		s += fmt.Sprintf(" %d", a.n)
	}
	if a.kind == core.Aggregate {
		s += fmt.Sprintf(" by %q of %v where %v", a.of.Group, a.of.Measures, a.of.Where)
	}
	if a.query.Where.Kind() != core.FilterAll {
		s += fmt.Sprintf(" where %v", a.query.Where)
	}
	if len(a.query.Order) > 0 {
		s += fmt.Sprintf(" order by %q", a.query.Order)
	}
	if a.query.Limit > 0 {
		s += fmt.Sprintf(" limit %d", a.query.Limit)
	}
	if a.query.After != "" {
		s += fmt.Sprintf(" after %s", a.query.After)
	}
	if a.query.Fields != nil {
		s += fmt.Sprintf(" fields %q", a.query.Fields)
	}
	return s
}

// deniesOrderByReference reports whether the error rejects sorting by a to-one field. A policy may reject it, because
// the order reveals how ids of hidden rows compare.
func (a operation) deniesOrderByReference(err error) bool {
	return errors.Is(err, core.SearchForbidden) &&
		slices.ContainsFunc(a.order, func(o core.Order) bool { return o.Field.Target() != nil })
}

// result is the result of an operation.
type result struct {
	records []core.Record
	count   int
	groups  string
	next    core.Cursor
	ids     []core.Value
	err     error
}

// run runs the operation.
func (a operation) run(ctx context.Context, s core.Querier) (o result) {
	if a.deleted {
		s = s.Deleted()
	}
	switch a.kind {
	case core.Load:
		o.records, o.err = s.Load(ctx, a.res, slices.Clone(a.keys), a.query.Fields...)
	case core.Select:
		var page core.Page
		page, o.err = s.Select(ctx, a.res, a.query)
		o.records, o.next = page.Records, page.Next
	case core.Count:
		o.count, o.err = s.Count(ctx, a.res, a.query.Where)
	case core.Aggregate:
		var groups []core.Group
		groups, o.err = s.Aggregate(ctx, a.res, a.of)
		o.groups = fmt.Sprint(groups)
	case core.Insert:
		o.records, o.err = s.Insert(ctx, a.res, a.records...)
	case core.Update:
		o.records, o.err = s.Update(ctx, a.res, a.records...)
	case core.Delete:
		o.err = s.Delete(ctx, a.res, a.keys...)
	case core.Restore:
		o.records, o.err = s.Restore(ctx, a.res, a.keys...)
	case core.NextID:
		o.ids, o.err = s.NextIDs(ctx, a.res, a.n)
	}
	return o
}

// expected returns the result that a read without a cursor must have on these rows.
func (a operation) expected(all rows) result {
	op := &core.Op{
		Kind: a.kind, Resource: a.res, Keys: core.SortKeys(slices.Clone(a.keys)), Where: a.query.Where, Order: a.order, Limit: a.query.Limit,
	}
	if a.kind == core.Aggregate {
		op.Where, op.Measures = a.of.Where, a.of.Measures
		return result{groups: fmt.Sprint(kit.Certain(reference.Aggregate(all.of, op)).Groups)}
	}
	if a.kind == core.Count {
		return result{count: kit.Certain(reference.Count(all.of, op))}
	}
	res := kit.Certain(reference.Read(all.of, op))
	o := result{records: res.Records}
	if res.More {
		o.next = "more"
	}
	return o
}

// generator makes operations from the initial rows and their values.
type generator struct {
	model     *core.Model
	rows      rows
	deletedAt string // name of the field that is set in deleted rows
}

// values returns the different values of the column, and null.
func (m generator) values(f *core.Field) []core.Value {
	values := []core.Value{core.Null}
	for _, row := range m.rows[f.Resource().Index()] {
		if v := row.At(f.Column()); !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	return values
}

// absentKey returns the n-th key of a sequence of keys that no initial row has.
func (m generator) absentKey(r *core.Resource, n int) core.Value {
	return m.otherKey(r, n, func(t core.Type) core.Value {
		switch t {
		case core.Int:
			return core.IntValue(int64(HiddenKeys - 1 - n))
		case core.UUID:
			return uuidOf("99999999-0000-4000-8000-%012d", n)
		}
		return core.TextValue(fmt.Sprintf("other-%d", n))
	})
}

// hiddenKey returns the n-th key of hidden rows that the kit adds.
func (m generator) hiddenKey(r *core.Resource, n int) core.Value {
	return m.otherKey(r, n, func(t core.Type) core.Value {
		switch t {
		case core.Int:
			return core.IntValue(int64(HiddenKeys + n))
		case core.UUID:
			return uuidOf("88888888-0000-4000-8000-%012d", n)
		}
		return core.TextValue(fmt.Sprintf("hidden-%d", n))
	})
}

func uuidOf(format string, n int) core.Value {
	v, err := core.UUID.Convert(fmt.Sprintf(format, n))
	if err != nil {
		panic(err) // the format is wrong
	}
	return v
}

// otherKey returns the value for the type of the key. A key of several fields has it in the last part that can hold such
// values, and the other parts of the n-th row, so that the keys differ in one part only.
func (m generator) otherKey(r *core.Resource, n int, value func(t core.Type) core.Value) core.Value {
	parts := r.Key().Parts()
	if parts == nil {
		return value(r.Key().Type())
	}
	some := m.rows[r.Index()]
	values, at := r.Key().Split(some[n%len(some)].Key()), variedPart(parts)
	values[at] = value(parts[at].Type())
	return core.TupleOf(values...)
}

// variedPart returns the position of the last key field that can have values of the kit; -1 if there is none.
func variedPart(parts []*core.Field) int {
	for i, part := range slices.Backward(parts) {
		if t := part.Type(); part.Target() == nil && (t == core.Int || t == core.UUID || t == core.Text) {
			return i
		}
	}
	return -1
}

// keyed returns the row with another key and its parts. They are absent if the key is.
func keyed(row core.Record, key core.Value) core.Record {
	field := row.Resource().Key()
	row = row.Set(field, key)
	values := field.Split(key)
	for i, part := range field.Parts() {
		v := core.Value{}
		if values != nil {
			v = values[i]
		}
		row = row.Set(part, v)
	}
	return row
}

// inKey reports whether the field is the key or a part of it.
func inKey(f *core.Field) bool { return f.Key() || f.KeyPart() }

// generatesKeys reports whether backends generate keys of the resource.
func generatesKeys(r *core.Resource) bool { return !core.DefaultKeySource(r).Assigned }

// reads returns reads of every kind: by each key, by each value of each field, in each order, with limits and
// projections. The first three are a Load, a Select and a Count of everything.
func (m generator) reads(r *core.Resource) []operation {
	all := kit.KeysOf(m.rows[r.Index()])
	byKey := []core.Order{{Field: r.Key()}}
	attempts := []operation{
		{kind: core.Load, res: r, keys: append(slices.Clone(all), m.absentKey(r, 0))},
		{kind: core.Select, res: r, order: byKey},
		{kind: core.Count, res: r},
	}
	for _, key := range append(all, m.absentKey(r, 0)) {
		attempts = append(attempts, operation{kind: core.Load, res: r, keys: []core.Value{key}})
	}
	for n := 1; n <= 3; n++ {
		attempts = append(attempts, operation{kind: core.Select, res: r, order: byKey, query: core.Query{Limit: n}})
	}
	for _, f := range r.Columns() {
		attempts = append(attempts, m.readsBy(f)...)
		attempts = append(attempts, aggregations(f)...)
	}
	for _, f := range r.Fields() {
		if to, ok := f.Relation(); ok {
			attempts = append(attempts, m.readsOver(f, to)...)
		} else if steps := f.Relations(); steps != nil {
			attempts = append(attempts, m.readsThrough(f, steps)...)
		}
	}
	return slices.Concat(attempts, m.searches(r), m.readsDeleted(r))
}

// readsDeleted returns reads of deleted rows: by each key, by each value of each field, in each order, and searches.
func (m generator) readsDeleted(r *core.Resource) (attempts []operation) {
	if r.Field(m.deletedAt) == nil {
		return nil
	}
	for _, key := range append(kit.KeysOf(m.rows[r.Index()]), m.absentKey(r, 0)) {
		attempts = append(attempts, operation{kind: core.Load, res: r, keys: []core.Value{key}})
	}
	for _, f := range r.Columns() {
		attempts = slices.Concat(attempts, m.readsBy(f), aggregations(f))
	}
	attempts = append(attempts, m.searches(r)...)
	for i := range attempts {
		attempts[i].deleted = true
	}
	return attempts
}

// restores returns restores of each row, of an absent one, and of all deleted rows.
func (m generator) restores(r *core.Resource) (attempts []operation) {
	if r.Field(m.deletedAt) == nil {
		return nil
	}
	var deleted []core.Value
	for _, row := range m.rows[r.Index()] {
		attempts = append(attempts, operation{kind: core.Restore, res: r, keys: []core.Value{row.Key()}})
		if row.Get(m.deletedAt).IsSet() {
			deleted = append(deleted, row.Key())
		}
	}
	return append(attempts, operation{kind: core.Restore, res: r, keys: deleted}, operation{kind: core.Restore, res: r, keys: []core.Value{m.absentKey(r, 0)}})
}

// readsThrough returns reads with conditions on the members of a list through a join resource: on their existence, and on a
// value of each of their fields.
func (m generator) readsThrough(f *core.Field, steps []core.Relation) (attempts []operation) {
	r := f.Resource()
	add := func(named *core.Field, where core.Filter) {
		fields := []*core.Field{named, steps[0].Stored, steps[1].Stored}
		for _, where := range []core.Filter{kit.Over(f, where), core.Not(kit.Over(f, where)), core.Not(kit.Over(f, core.Not(where)))} {
			attempts = append(attempts,
				operation{kind: core.Count, res: r, query: core.Query{Where: where}, named: fields, over: steps},
				operation{kind: core.Select, res: r, order: []core.Order{{Field: r.Key()}}, query: core.Query{Where: where}, named: fields, over: steps})
		}
	}
	add(f.Target().Key(), core.All())
	for _, g := range f.Target().Columns() {
		if values := m.values(g); !g.Many() {
			add(g, g.Compare(core.FilterEq, values[len(values)-1]))
		}
	}
	return attempts
}

// aggregations returns aggregations that group by the field, or compute a measure of it.
func aggregations(f *core.Field) (attempts []operation) {
	r, fs := f.Resource(), []*core.Field{f}
	if f.Key() {
		attempts = append(attempts, operation{kind: core.Aggregate, res: r})
	}
	if f.Groups() {
		of := core.Aggregation{Group: []string{f.Name()}}
		attempts = append(attempts, operation{kind: core.Aggregate, res: r, order: []core.Order{{Field: f}}, of: of, named: fs})
	}
	for _, fn := range []core.Func{core.FuncSum, core.FuncMin, core.FuncMax, core.FuncValues} {
		if fn.Fits(f) {
			of := core.Aggregation{Measures: []core.Measure{{Func: fn, Name: f.Name(), Field: f}}}
			attempts = append(attempts, operation{kind: core.Aggregate, res: r, of: of, named: fs})
		}
	}
	return attempts
}

// searches returns searches for each value of each searchable field.
func (m generator) searches(r *core.Resource) (attempts []operation) {
	for _, f := range r.Searchable() {
		for _, v := range m.values(f) {
			where, err := r.Bind(core.Search(v.Text()))
			if v.Text() == "" || err != nil {
				continue
			}
			q := core.Query{Where: where}
			attempts = append(attempts,
				operation{kind: core.Count, res: r, query: q, named: r.Searchable()},
				operation{kind: core.Select, res: r, order: []core.Order{{Field: r.Key()}}, query: q, named: r.Searchable()})
		}
	}
	return attempts
}

// readsOver returns reads with conditions and orders on related records: on their existence, on a value of each of their
// fields, and on their own related records.
func (m generator) readsOver(f *core.Field, to core.Relation) (attempts []operation) {
	target := to.Target()
	byKey := []core.Order{{Field: to.Source().Key()}}
	add := func(named *core.Field, over []core.Relation, conditions ...core.Filter) {
		for i, where := range conditions {
			a := operation{kind: core.Count, res: to.Source(), query: core.Query{Where: where}, named: []*core.Field{named, to.Stored}, over: over}
			if i%2 == 0 {
				a.kind, a.order = core.Select, byKey
			}
			attempts = append(attempts, a)
		}
	}
	one := []core.Relation{to}
	exists := to.Match(core.All())
	add(to.Stored, one, exists, exists, core.Not(exists))
	for _, g := range target.Fields() {
		if next, ok := g.Relation(); ok {
			add(next.Stored, []core.Relation{to, next}, to.Match(next.Match(core.All())), to.Match(core.Not(next.Match(core.All()))))
		}
	}
	for _, g := range target.Columns() {
		if g.Many() {
			continue
		}
		values := m.values(g)
		equal := g.Compare(core.FilterEq, values[len(values)-1])
		add(g, one, to.Match(equal), core.Not(to.Match(core.Not(equal))))
		if g.Ordered() && !to.Many() {
			path := []core.Order{{Path: []core.Hop{{Relation: to}}, Field: g, Desc: true}, byKey[0]}
			attempts = append(attempts, operation{
				kind: core.Select, res: to.Source(), order: path, query: core.Query{Order: []string{"-" + f.Name() + "." + g.Name()}, Limit: 2},
				named: []*core.Field{g, to.Stored}, over: one,
			})
		}
	}
	return attempts
}

// readsBy returns reads with the field in projection, order or filter.
func (m generator) readsBy(f *core.Field) []operation {
	r, fs := f.Resource(), []*core.Field{f}
	byKey := []core.Order{{Field: r.Key()}}
	only := core.Query{Fields: []string{f.Name()}}
	attempts := []operation{
		{kind: core.Load, res: r, keys: kit.KeysOf(m.rows[r.Index()]), query: only, named: fs},
		{kind: core.Select, res: r, order: byKey, query: only, named: fs},
	}
	if f.Ordered() {
		for _, sign := range []string{"", "-"} {
			order := []core.Order{{Field: f, Desc: sign != ""}}
			if !f.Key() {
				order = append(order, byKey...)
			}
			for limit := range 3 {
				q := core.Query{Order: []string{sign + f.Name()}, Limit: limit}
				attempts = append(attempts, operation{kind: core.Select, res: r, order: order, query: q, named: fs})
			}
		}
	}
	if f.Many() {
		return attempts
	}
	for _, v := range m.values(f) {
		if inKey(f) && v.IsNull() {
			continue
		}
		eq := f.Compare(core.FilterEq, v)
		for _, where := range []core.Filter{eq, core.Not(eq), core.Or(eq, r.Key().Compare(core.FilterIn, kit.KeysOf(m.rows[r.Index()])...))} {
			q := core.Query{Where: where}
			attempts = append(attempts,
				operation{kind: core.Count, res: r, query: q, named: fs},
				operation{kind: core.Select, res: r, order: byKey, query: q, named: fs})
		}
	}
	return attempts
}

// inserts returns inserts of a copy of each row: with a new key, with the key of the row, and without key where keys are
// generated. Each column is also left out once. Unique values are always left out.
func (m generator) inserts(r *core.Resource) []operation {
	var attempts []operation
	add := func(recs ...core.Record) {
		attempts = append(attempts, operation{kind: core.Insert, res: r, records: recs})
	}
	var several []core.Record
	for i, row := range m.rows[r.Index()] {
		for _, f := range uniques(r) {
			row = row.With(f.Column(), core.Value{})
		}
		add(row)
		fresh := keyed(row, m.absentKey(r, i))
		add(fresh)
		several = append(several, fresh)
		if generatesKeys(r) {
			add(keyed(row, core.Value{}))
		}
		for c, f := range r.Columns() {
			if !inKey(f) {
				add(fresh.With(c, core.Value{}), keyed(fresh, m.absentKey(r, i+1000)).With(c, core.Null))
			}
		}
	}
	if several != nil {
		add(several...)
	}
	return attempts
}

// updates returns updates of each row, and of an absent one, to each value of each column, and updates of all rows at
// once.
func (m generator) updates(r *core.Resource) []operation {
	var attempts []operation
	add := func(recs ...core.Record) {
		attempts = append(attempts, operation{kind: core.Update, res: r, keys: kit.KeysOf(recs), records: recs})
	}
	keys := append(kit.KeysOf(m.rows[r.Index()]), m.absentKey(r, 0))
	change := func(key core.Value) core.Record {
		return r.RecordOf(make([]core.Value, len(r.Columns()))).With(r.Key().Column(), key)
	}
	for _, key := range keys {
		add(change(key))
	}
	for c, f := range r.Columns() {
		if inKey(f) {
			continue
		}
		for _, v := range m.values(f) {
			var together []core.Record
			for _, key := range keys {
				rec := change(key).With(c, v)
				add(rec)
				together = append(together, rec)
			}
			if !isUnique(f) {
				add(together[:len(together)-1]...)
			}
		}
	}
	return attempts
}

// deletes returns deletes of each row, of an absent one, and of all rows.
func (m generator) deletes(r *core.Resource) []operation {
	keys := kit.KeysOf(m.rows[r.Index()])
	var attempts []operation
	for _, key := range append(slices.Clone(keys), m.absentKey(r, 0)) {
		attempts = append(attempts, operation{kind: core.Delete, res: r, keys: []core.Value{key}})
	}
	if len(keys) > 0 {
		attempts = append(attempts, operation{kind: core.Delete, res: r, keys: keys})
	}
	return attempts
}

// nextIDs returns key allocations, where the resource generates keys.
func (m generator) nextIDs(r *core.Resource) []operation {
	if !generatesKeys(r) {
		return nil
	}
	return []operation{{kind: core.NextID, res: r, n: 1}, {kind: core.NextID, res: r, n: 3}}
}
