package storetest

import (
	"fmt"
	"slices"

	"github.com/larder-go/larder/core"
)

// step is one operation of a random program, under the conditions of a policy.
// Its methods draw the rest, run it on both sides, and return the errors of
// which it owed one, and the one that came.
type step struct {
	*program
	conditions

	d   drawer
	c   *client
	res *core.Resource
}

func (s step) insert() (owed, error) {
	recs := make([]core.Record, 1+s.d.upTo(2, "more records"))
	for i := range recs {
		values := s.d.columns(s.res)
		if s.d.upTo(2, "has a key") > 0 {
			values[s.res.Key().Column()] = s.d.value(s.res.Key())
		}
		recs[i] = s.res.RecordOf(values)
	}
	s.d.Logf("insert %v under %v", recs, s.check)
	got, err := s.c.querier.Insert(s.c.ctx, s.res, recs...)
	want, known := s.stored(recs, got)
	if err == nil || known {
		wrong := s.oracle.insert(s.res, want, s.check)
		return wrong, s.compare(got, want, wrong, err)
	}
	wrong := s.oracle.insert(s.res, want, core.All())
	if s.check.Kind() != core.FilterAll {
		wrong.maybe(s.res.Forbidden()) // for a key that nobody has seen
	}
	return wrong, s.compare(got, want, wrong, err)
}

// stored returns the records as they should be stored, with the keys that were
// handed out, and whether those are known.
func (s step) stored(recs, got []core.Record) (want []core.Record, known bool) {
	known = true
	want = slices.Clone(recs)
	for i, rec := range recs {
		if rec.Key().IsAbsent() {
			key := core.IntValue(int64(1_000_000 + i))
			if len(got) == len(recs) {
				key = got[i].Key()
				s.isNew(key)
			} else {
				known = false
			}
			rec = rec.With(s.res.Key().Column(), key)
		}
		want[i] = s.c.full(s.res.Name(), rec.Map())
	}
	return want, known
}

// isNew makes sure that a key comes for the first time.
func (s step) isNew(key core.Value) {
	if !s.oracle.handOut(s.res, key) {
		s.d.Fatalf("key %v of %v was handed out, and was used before", key, s.res)
	}
}

func (s step) update() (owed, error) {
	keys := s.d.keys(s.res, 3)
	changes := make([]core.Record, len(keys))
	for i, key := range keys {
		values := s.d.columns(s.res)
		values[s.res.Key().Column()] = key
		changes[i] = s.res.RecordOf(values)
	}
	s.d.Logf("update %v under %v and %v", changes, s.using, s.check)
	got, err := s.c.querier.Update(s.c.ctx, s.res, changes...)
	want, wrong := s.oracle.update(s.res, changes, s.using, s.check)
	return wrong, s.compare(got, want, wrong, err)
}

func (s step) delete() (owed, error) {
	keys := s.d.keys(s.res, 2)
	s.d.Logf("delete %v of %v under %v", keys, s.res, s.using)
	err := s.c.querier.Delete(s.c.ctx, s.res, keys...)
	return s.oracle.delete(s.res, keys, s.using), err
}

func (s step) load() (owed, error) {
	keys := s.d.keys(s.res, 4)
	s.d.Logf("load %v of %v under %v", keys, s.res, s.using)
	got, err := s.c.querier.Load(s.c.ctx, s.res, keys)
	want := s.oracle.read(&core.Op{Kind: core.Load, Resource: s.res, Keys: keys, Using: s.using})
	return nil, s.compare(got, want.Records, nil, err)
}

func (s step) count() (owed, error) {
	where := s.d.filter(s.res, 2)
	s.d.Logf("count %v where %v under %v", s.res, where, s.using)
	got, err := s.c.querier.Count(s.c.ctx, s.res, where)
	want := s.oracle.count(&core.Op{Kind: core.Count, Resource: s.res, Where: where, Using: s.using})
	if err == nil && got != want {
		s.d.Fatalf("counted %d, want %d", got, want)
	}
	return nil, err
}

func (s step) nextIDs() (owed, error) {
	n := 1 + s.d.upTo(2, "more ids")
	s.d.Logf("next %d ids of %v", n, s.res)
	keys, err := s.c.querier.NextIDs(s.c.ctx, s.res, n)
	if err == nil && len(keys) != n {
		s.d.Fatalf("got %d ids, want %d", len(keys), n)
	}
	for _, key := range keys {
		s.isNew(key)
	}
	return nil, err
}

func (s step) find() (owed, error) {
	q, order := s.d.query(s.res)
	return nil, s.page(&continuation{resource: s.res, query: q, order: order})
}

// goOn asks for the next page of the last query that had one.
func (s step) goOn() (owed, error) {
	if s.next == nil {
		return s.find()
	}
	return nil, s.page(s.next)
}

func (s step) page(q *continuation) error {
	var using core.Filter
	if q.resource == s.res { // else the policy is for another one
		using = s.using
	}
	s.d.Logf("select %v where %v in order %q after %v, at most %d, fields %q, under %v",
		q.resource, q.query.Where, q.query.Order, q.position, q.query.Limit, q.query.Fields, using)
	got, err := s.c.under(using, core.All()).querier.Select(s.c.under(using, core.All()).ctx, q.resource, q.query)
	if err != nil {
		return err
	}
	want := s.oracle.read(&core.Op{
		Kind: core.Select, Resource: q.resource, Where: q.query.Where, Using: using,
		Order: q.order, Limit: q.query.Limit, After: q.position,
	})
	if (got.Next != "") != want.More() {
		s.d.Fatalf("the page says that there is more: %v, want %v", got.Next != "", want.More())
	}
	s.next = nil
	if want.More() {
		s.next = q.after(want.Records[len(want.Records)-1], got.Next)
	}
	return s.compareFields(got.Records, want.Records, q)
}

// compare compares returned records, unless the operation owes an error.
func (s step) compare(got, want []core.Record, wrong owed, err error) error {
	if err != nil || wrong.must() {
		return err
	}
	if diff := difference(got, want); diff != "" {
		s.d.Fatalf("%s", diff)
	}
	return nil
}

// compareFields compares records of which only some fields need be there.
func (s step) compareFields(got, want []core.Record, q *continuation) error {
	if q.query.Fields == nil {
		return s.compare(got, want, nil, nil)
	}
	if a, b := fmt.Sprint(keysOf(got)), fmt.Sprint(keysOf(want)); a != b {
		s.d.Fatalf("got keys %s, want %s", a, b)
	}
	for i, rec := range got {
		if missing := q.lacks(rec, want[i]); missing != "" {
			s.d.Fatalf("%s", missing)
		}
	}
	return nil
}
