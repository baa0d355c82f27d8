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

// attempt is one operation to try, as data.
type attempt struct {
	kind    core.Kind
	res     *core.Resource
	keys    []core.Value
	query   core.Query // of a Select; its Where is that of a Count, its Fields those of a Load
	order   []core.Order
	records []core.Record
	n       int
	names   []*core.Field // that conditions, order and projection name
}

// String tells the operation.
func (a attempt) String() string {
	s := fmt.Sprintf("%v of %v", a.kind, a.res)
	switch a.kind {
	case core.Load, core.Delete:
		s += fmt.Sprintf(" %v", a.keys)
	case core.Insert, core.Update:
		s += fmt.Sprintf(" %v", a.records)
	case core.NextID:
		s += fmt.Sprintf(" %d", a.n)
	}
	if a.query.Where.Kind() != core.FilterAll {
		s += fmt.Sprintf(" where %v", a.query.Where)
	}
	if len(a.query.Order) > 0 {
		s += fmt.Sprintf(" in order %q", a.query.Order)
	}
	if a.query.Limit > 0 {
		s += fmt.Sprintf(" at most %d", a.query.Limit)
	}
	if a.query.After != "" {
		s += fmt.Sprintf(" after %s", a.query.After)
	}
	if a.query.Fields != nil {
		s += fmt.Sprintf(" fields %q", a.query.Fields)
	}
	return s
}

// ordersByIDs reports whether the error refuses an order by a to-one field, which
// a policy may do: it tells how ids of rows compare that may not be seen.
func (a attempt) ordersByIDs(err error) bool {
	return errors.Is(err, core.SearchForbidden) &&
		slices.ContainsFunc(a.order, func(o core.Order) bool { return o.Field.Target() != nil })
}

// outcome is what an attempt returned.
type outcome struct {
	records []core.Record
	count   int
	next    core.Cursor
	ids     []core.Value
	err     error
}

func (a attempt) run(ctx context.Context, s core.Querier) (o outcome) {
	switch a.kind {
	case core.Load:
		o.records, o.err = s.Load(ctx, a.res, slices.Clone(a.keys), a.query.Fields...)
	case core.Select:
		var page core.Page
		page, o.err = s.Select(ctx, a.res, a.query)
		o.records, o.next = page.Records, page.Next
	case core.Count:
		o.count, o.err = s.Count(ctx, a.res, a.query.Where)
	case core.Insert:
		o.records, o.err = s.Insert(ctx, a.res, a.records...)
	case core.Update:
		o.records, o.err = s.Update(ctx, a.res, a.records...)
	case core.Delete:
		o.err = s.Delete(ctx, a.res, a.keys...)
	case core.NextID:
		o.ids, o.err = s.NextIDs(ctx, a.res, a.n)
	}
	return o
}

// due returns what the attempt, a read without a cursor, has to return from these
// rows.
func (a attempt) due(all []core.Record) outcome {
	op := &core.Op{
		Kind: a.kind, Resource: a.res, Keys: core.SortKeys(slices.Clone(a.keys)), Where: a.query.Where, Order: a.order, Limit: a.query.Limit,
	}
	if a.kind == core.Count {
		return outcome{count: reference.Count(slices.Values(all), op)}
	}
	res := reference.Read(slices.Values(all), op)
	o := outcome{records: res.Records}
	if res.More() {
		o.next = "more"
	}
	return o
}

// material is what attempts are made of: the rows that are there, and the values
// that each column of theirs holds, null among them.
type material struct {
	model *core.Model
	rows  rows
}

// values returns the different values that the rows hold in the column.
func (m material) values(f *core.Field) []core.Value {
	values := []core.Value{core.Null}
	for _, row := range m.rows[f.Resource().Index()] {
		if v := row.At(f.Column()); !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	return values
}

// otherKey returns a key that no row of the stage has, another for each n.
func otherKey(r *core.Resource, n int) core.Value {
	switch r.Key().Type() {
	case core.Int:
		return core.IntValue(int64(HiddenKeys - 1 - n))
	case core.UUID:
		v, err := core.UUID.Convert(fmt.Sprintf("99999999-0000-4000-8000-%012d", n))
		if err != nil {
			panic(err)
		}
		return v
	}
	return core.TextValue(fmt.Sprintf("other-%d", n))
}

// reads returns reads of every kind: by each key, by each value of each field, in
// each order, with limits and projections.
func (m material) reads(r *core.Resource) []attempt {
	all := kit.KeysOf(m.rows[r.Index()])
	byKey := []core.Order{{Field: r.Key()}}
	attempts := []attempt{
		{kind: core.Load, res: r, keys: append(slices.Clone(all), otherKey(r, 0))},
		{kind: core.Select, res: r, order: byKey},
		{kind: core.Count, res: r},
	}
	for _, key := range append(all, otherKey(r, 0)) {
		attempts = append(attempts, attempt{kind: core.Load, res: r, keys: []core.Value{key}})
	}
	for n := 1; n <= 3; n++ {
		attempts = append(attempts, attempt{kind: core.Select, res: r, order: byKey, query: core.Query{Limit: n}})
	}
	for _, f := range r.Columns() {
		attempts = append(attempts, m.readsBy(f)...)
	}
	return attempts
}

func (m material) readsBy(f *core.Field) []attempt {
	r, fs := f.Resource(), []*core.Field{f}
	byKey := []core.Order{{Field: r.Key()}}
	only := core.Query{Fields: []string{f.Name()}}
	attempts := []attempt{
		{kind: core.Load, res: r, keys: kit.KeysOf(m.rows[r.Index()]), query: only, names: fs},
		{kind: core.Select, res: r, order: byKey, query: only, names: fs},
	}
	if f.Type().Ordered() {
		for _, sign := range []string{"", "-"} {
			order := []core.Order{{Field: f, Desc: sign != ""}}
			if !f.Key() {
				order = append(order, byKey...)
			}
			for limit := range 3 {
				q := core.Query{Order: []string{sign + f.Name()}, Limit: limit}
				attempts = append(attempts, attempt{kind: core.Select, res: r, order: order, query: q, names: fs})
			}
		}
	}
	if f.Many() {
		return attempts
	}
	for _, v := range m.values(f) {
		if f.Key() && v.IsNull() {
			continue
		}
		eq := f.Compare(core.FilterEq, v)
		for _, where := range []core.Filter{eq, core.Not(eq), core.Or(eq, r.Key().Compare(core.FilterIn, kit.KeysOf(m.rows[r.Index()])...))} {
			q := core.Query{Where: where}
			attempts = append(attempts,
				attempt{kind: core.Count, res: r, query: q, names: fs},
				attempt{kind: core.Select, res: r, order: byKey, query: q, names: fs})
		}
	}
	return attempts
}

// inserts returns inserts of a copy of each row: with a key of its own, with the
// key of the row itself, and without one where it is handed out; and with each
// column left out once. Values that must be unique are left out.
func (m material) inserts(r *core.Resource) []attempt {
	var attempts []attempt
	add := func(recs ...core.Record) {
		attempts = append(attempts, attempt{kind: core.Insert, res: r, records: recs})
	}
	var several []core.Record
	for i, row := range m.rows[r.Index()] {
		for _, f := range r.Uniques() {
			row = row.With(f.Column(), core.Value{})
		}
		add(row)
		fresh := row.With(r.Key().Column(), otherKey(r, i))
		add(fresh)
		several = append(several, fresh)
		if r.Key().Type() != core.Text {
			add(row.With(r.Key().Column(), core.Value{}))
		}
		for c, f := range r.Columns() {
			if !f.Key() {
				add(fresh.With(c, core.Value{}), fresh.With(r.Key().Column(), otherKey(r, i+1000)).With(c, core.Null))
			}
		}
	}
	if several != nil {
		add(several...)
	}
	return attempts
}

// updates returns changes of each row, and of one that is not there, to each value
// of each column, and of all rows at once.
func (m material) updates(r *core.Resource) []attempt {
	var attempts []attempt
	add := func(recs ...core.Record) {
		attempts = append(attempts, attempt{kind: core.Update, res: r, keys: kit.KeysOf(recs), records: recs})
	}
	keys := append(kit.KeysOf(m.rows[r.Index()]), otherKey(r, 0))
	change := func(key core.Value) core.Record {
		return r.RecordOf(make([]core.Value, len(r.Columns()))).With(r.Key().Column(), key)
	}
	for _, key := range keys {
		add(change(key))
	}
	for c, f := range r.Columns() {
		if f.Key() {
			continue
		}
		for _, v := range m.values(f) {
			var together []core.Record
			for _, key := range keys {
				rec := change(key).With(c, v)
				add(rec)
				together = append(together, rec)
			}
			if !f.Unique() {
				add(together[:len(together)-1]...)
			}
		}
	}
	return attempts
}

// deletes returns deletes of each row, of one that is not there, and of all.
func (m material) deletes(r *core.Resource) []attempt {
	keys := kit.KeysOf(m.rows[r.Index()])
	var attempts []attempt
	for _, key := range append(slices.Clone(keys), otherKey(r, 0)) {
		attempts = append(attempts, attempt{kind: core.Delete, res: r, keys: []core.Value{key}})
	}
	if len(keys) > 0 {
		attempts = append(attempts, attempt{kind: core.Delete, res: r, keys: keys})
	}
	return attempts
}

func (m material) nextIDs(r *core.Resource) []attempt {
	if r.Key().Type() == core.Text {
		return nil
	}
	return []attempt{{kind: core.NextID, res: r, n: 1}, {kind: core.NextID, res: r, n: 3}}
}
