package storetest

import (
	"fmt"
	"slices"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

// step is one operation of a random program under the conditions of a policy. Its methods draw the arguments, run the
// operation on both sides, compare the results, and return the expected errors and the error.
type step struct {
	*program
	kit.Conditions

	d   kit.Drawer
	c   *kit.Client
	res *core.Resource
}

func (s step) insert() (expectedErrors, error) {
	recs := make([]core.Record, 1+s.d.UpTo(2, "more records"))
	for i := range recs {
		values := s.d.Columns(s.res)
		if s.res.Key().Parts() != nil || s.d.UpTo(2, "has a key") > 0 {
			values[s.res.Key().Column()] = s.d.Value(s.res.Key())
		}
		recs[i] = s.res.RecordOf(values)
	}
	s.d.Logf("insert %v under %v", recs, s.Check)
	got, err := s.c.Querier.Insert(s.c.Ctx, s.res, recs...)
	want, known := s.stored(recs, got)
	if err == nil || known {
		expected := s.oracle.insert(s.res, want, s.Check)
		return expected, s.compare(got, want, expected, err)
	}
	expected := s.oracle.insert(s.res, want, core.All())
	if s.Check.Kind() != core.FilterAll {
		expected.permit(s.res.Forbidden()) // the generated key is unknown after an error, and Check may depend on it
	}
	return expected, s.compare(got, want, expected, err)
}

// stored returns the records as they must be stored, with generated keys, and whether all keys are known.
func (s step) stored(recs, got []core.Record) (want []core.Record, known bool) {
	known = true
	want = slices.Clone(recs)
	for i, rec := range recs {
		if rec.Key().IsAbsent() {
			key := core.IntValue(int64(1_000_000 + i))
			if len(got) == len(recs) {
				key = got[i].Key()
				s.checkNewKey(key)
			} else {
				known = false
			}
			rec = rec.With(s.res.Key().Column(), key)
		}
		want[i] = s.c.Full(s.res.Name(), rec.Map())
	}
	return want, known
}

// checkNewKey ends the program if the key was used before.
func (s step) checkNewKey(key core.Value) {
	if !s.oracle.generated(s.res, key) {
		s.d.Fatalf("the key %v of %v was generated, but it was used before", key, s.res)
	}
}

func (s step) update() (expectedErrors, error) {
	keys := s.d.Keys(s.res, 3)
	changes := make([]core.Record, len(keys))
	for i, key := range keys {
		values := s.d.Columns(s.res)
		values[s.res.Key().Column()] = key
		changes[i] = s.res.RecordOf(values)
	}
	s.d.Logf("update %v under %v and %v", changes, s.Using, s.Check)
	got, err := s.c.Querier.Update(s.c.Ctx, s.res, changes...)
	want, expected := s.oracle.update(s.res, changes, s.Using, s.Check)
	return expected, s.compare(got, want, expected, err)
}

func (s step) delete() (expectedErrors, error) {
	keys := s.d.Keys(s.res, 2)
	s.d.Logf("delete %v of %v under %v", keys, s.res, s.Using)
	err := s.c.Querier.Delete(s.c.Ctx, s.res, keys...)
	return s.oracle.delete(s.res, keys, s.Using), err
}

func (s step) load() (expectedErrors, error) {
	keys := s.d.Keys(s.res, 4)
	s.d.Logf("load %v of %v under %v", keys, s.res, s.Using)
	got, err := s.c.Querier.Load(s.c.Ctx, s.res, keys)
	want := s.oracle.read(&core.Op{Kind: core.Load, Resource: s.res, Keys: keys, Using: s.Using})
	return nil, s.compare(got, want.Records, nil, err)
}

func (s step) count() (expectedErrors, error) {
	where := s.d.Filter(s.res, 2)
	s.d.Logf("count %v where %v under %v, related %v", s.res, where, s.Using, s.Related)
	got, err := s.c.Querier.Count(s.c.Ctx, s.res, where)
	want := s.oracle.count(&core.Op{Kind: core.Count, Resource: s.res, Where: s.Related.In(where), Using: s.Using})
	if err == nil && got != want {
		s.d.Fatalf("counted %d, want %d", got, want)
	}
	return nil, err
}

func (s step) aggregate() (expectedErrors, error) {
	a, op := s.d.Aggregation(s.res)
	s.d.Logf("aggregate %v by %q of %v where %v under %v, related %v", s.res, a.Group, a.Measures, a.Where, s.Using, s.Related)
	got, err := s.c.Querier.Aggregate(s.c.Ctx, s.res, a)
	op.Where, op.Using, op.Order = s.Related.In(a.Where), s.Using, s.Related.Path(op.Order)
	want := s.oracle.aggregate(op).Groups
	if err == nil && fmt.Sprint(got) != fmt.Sprint(want) {
		s.d.Fatalf("got the groups %v, want %v", got, want)
	}
	return nil, err
}

func (s step) nextIDs() (expectedErrors, error) {
	if core.DefaultKeySource(s.res).Assigned {
		return s.load()
	}
	n := 1 + s.d.UpTo(2, "more ids")
	s.d.Logf("next %d ids of %v", n, s.res)
	keys, err := s.c.Querier.NextIDs(s.c.Ctx, s.res, n)
	if err == nil && len(keys) != n {
		s.d.Fatalf("got %d ids, want %d", len(keys), n)
	}
	for _, key := range keys {
		s.checkNewKey(key)
	}
	return nil, err
}

func (s step) selectPage() (expectedErrors, error) {
	q, order := s.d.Query(s.res)
	return nil, s.runPage(&pageQuery{resource: s.res, query: q, order: order})
}

// nextPage selects the page after the last one that had a cursor.
func (s step) nextPage() (expectedErrors, error) {
	if s.next == nil {
		return s.selectPage()
	}
	return nil, s.runPage(s.next)
}

func (s step) runPage(q *pageQuery) error {
	var using core.Filter
	if q.resource == s.res { // otherwise the policy is for another resource
		using = s.Using
	}
	s.d.Logf("select %v where %v in order %q after %v, at most %d, fields %q, under %v, related %v",
		q.resource, q.query.Where, q.query.Order, q.position, q.query.Limit, q.query.Fields, using, s.Related)
	c := s.c.GuardedBy(using, core.All())
	got, err := c.Querier.Select(c.Ctx, q.resource, q.query)
	if err != nil {
		return err
	}
	want := s.oracle.read(&core.Op{
		Kind: core.Select, Resource: q.resource, Where: s.Related.In(q.query.Where), Using: using,
		Order: s.Related.Path(q.order), Limit: q.query.Limit, After: q.position,
	})
	if (got.Next != "") != want.More {
		s.d.Fatalf("the page has a cursor: %v, want %v", got.Next != "", want.More)
	}
	s.next = nil
	if want.More {
		s.next = q.next(want, got.Next)
	}
	return s.compareFields(got.Records, want.Records, q)
}

// compare compares the records, unless the operation failed or must fail.
func (s step) compare(got, want []core.Record, expected expectedErrors, err error) error {
	if err != nil || expected.required() {
		return err
	}
	if diff := kit.Difference(got, want); diff != "" {
		s.d.Fatalf("%s", diff)
	}
	return nil
}

// compareFields compares records after a projection.
func (s step) compareFields(got, want []core.Record, q *pageQuery) error {
	if q.query.Fields == nil {
		return s.compare(got, want, nil, nil)
	}
	if a, b := fmt.Sprint(kit.KeyTexts(got)), fmt.Sprint(kit.KeyTexts(want)); a != b {
		s.d.Fatalf("got keys %s, want %s", a, b)
	}
	for i, rec := range got {
		if missing := q.missing(rec, want[i]); missing != "" {
			s.d.Fatalf("%s", missing)
		}
	}
	return nil
}

// pageQuery is a query for one page.
type pageQuery struct {
	resource *core.Resource
	query    core.Query
	order    []core.Order
	position []core.Value // nil for the first page
}

// next returns the query for the page after this one.
func (q pageQuery) next(page core.Result, next core.Cursor) *pageQuery {
	q.query.After = next
	last := len(page.Records) - 1
	if page.Positions != nil {
		q.position = page.Positions[last]
		return &q
	}
	q.position = make([]core.Value, len(q.order))
	for i, o := range q.order {
		q.position[i] = page.Records[last].At(o.Field.Column())
	}
	return &q
}

// missing describes a field that a projected record lacks. It must have the requested fields, the key and the fields of
// the order, and may have others.
func (q pageQuery) missing(got, want core.Record) string {
	asked := map[string]bool{q.resource.Key().Name(): true}
	for _, name := range q.query.Fields {
		asked[name] = true
	}
	for _, o := range q.order {
		if o.Path == nil {
			asked[o.Field.Name()] = true
		}
	}
	for i, f := range q.resource.Columns() {
		if v := got.At(i); v != want.At(i) && (asked[f.Name()] || !v.IsAbsent()) {
			return fmt.Sprintf("got %v, want %v as %s of %v", v, want.At(i), f.Name(), want)
		}
	}
	return ""
}
