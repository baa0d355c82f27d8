package reference_test

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"math"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/reference"
)

func TestWrites(t *testing.T) {
	m := cookies()
	r := m.Resource("cookie")
	id, price := r.Key(), r.Field("price")
	rec := func(fields map[string]any) core.Record { return cookie(t, m, fields) }
	cheap := price.Compare(core.FilterLe, core.FloatValue(5))
	records := map[core.Value]core.Record{}
	var keys reference.Sequence
	insert := func(check core.Filter, recs ...core.Record) ([]core.Record, error) {
		return reference.Insert(records, &core.Op{Kind: core.Insert, Resource: r, Records: recs, Check: check}, &keys)
	}
	update := func(using, check core.Filter, rec core.Record) ([]core.Record, error) {
		op := &core.Op{Kind: core.Update, Resource: r, Keys: []core.Value{rec.Key()}, Records: []core.Record{rec}, Using: using, Check: check}
		return reference.Update(records, nil, op)
	}
	remove := func(using core.Filter, key int64) error {
		return reference.Delete(records, nil, &core.Op{Kind: core.Delete, Resource: r, Keys: []core.Value{core.IntValue(key)}, Using: using})
	}
	fails := func(what string, err error, want *core.Error) {
		t.Helper()
		if e, ok := errors.AsType[*core.Error](err); !ok || e.Error() != want.Error() {
			t.Errorf("%s: got %v, want %v", what, err, want)
		}
	}
	out, err := insert(core.All(), rec(map[string]any{"price": 1}), rec(map[string]any{"id": 7, "price": 9}))
	if got := fmt.Sprint(out); err != nil || got != "[cookie{id:1 type:null price:1 jar:null} cookie{id:7 type:null price:9 jar:null}]" {
		t.Errorf("inserted %s, %v", got, err)
	}
	_, err = insert(core.All(), rec(map[string]any{"id": 7}))
	fails("taken key", err, id.AlreadyExistsWith(core.IntValue(7)))
	_, err = insert(cheap, rec(map[string]any{"price": 6}))
	fails("insert beyond its check", err, r.Forbidden())
	out, err = update(cheap, core.All(), rec(map[string]any{"id": 1, "price": 6}))
	if got := fmt.Sprint(out); err != nil || got != "[cookie{id:1 type:null price:6 jar:null}]" {
		t.Errorf("updated %s, %v", got, err)
	}
	_, err = update(cheap, core.All(), rec(map[string]any{"id": 1, "price": 1}))
	fails("update of what is hidden", err, r.NotFound(core.IntValue(1)))
	_, err = update(core.All(), cheap, rec(map[string]any{"id": 1, "price": 7}))
	fails("update beyond its check", err, r.Forbidden())
	_, err = update(core.All(), cheap, rec(map[string]any{"id": 9, "price": 7}))
	fails("update of what is not there", err, r.NotFound(core.IntValue(9)))
	fails("delete of what is hidden", remove(cheap, 7), r.NotFound(core.IntValue(7)))
	if err := remove(core.All(), 7); err != nil || len(records) != 1 {
		t.Errorf("deleted: %v, %v", records, err)
	}
}

func TestSequenceContinuesAfterCommittedKeys(t *testing.T) {
	m := core.MustModel("m",
		core.ResourceSpec{Name: "number", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}},
		core.ResourceSpec{Name: "uuid", Fields: []core.FieldSpec{{Name: "id", Type: core.UUID, Key: true}}},
		core.ResourceSpec{Name: "text", Fields: []core.FieldSpec{{Name: "id", Type: core.Text, Key: true}}},
	)
	var s reference.Sequence
	choose := func(keys ...int64) {
		s.Choose(core.Value{})
		for _, key := range keys {
			s.Choose(core.IntValue(key))
		}
	}
	next := func(n int, want string) {
		t.Helper()
		keys, err := s.Next(m.Resource("number"), n)
		if got := fmt.Sprint(keys); got != want || err != nil {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
	choose(-5)
	next(2, "[1 2]")
	choose(10, 4, 1)
	next(2, "[3 5]")
	s.End(false)
	choose(9)
	next(3, "[6 7 8]")
	s.End(true)
	next(1, "[10]")
	choose(30)
	s.End(false)
	next(1, "[11]")
	choose(math.MaxInt64 - 1)
	s.End(true)
	if _, err := s.Next(m.Resource("number"), 2); err == nil {
		t.Error("it generates more keys than there are integers")
	}
	if ids, err := s.Next(m.Resource("uuid"), 2); err != nil || len(ids) != 2 || ids[0] == ids[1] || ids[0].Type() != core.UUID {
		t.Errorf("got %v, %v", ids, err)
	}
	if _, err := s.Next(m.Resource("text"), 1); !errors.Is(err, core.BadRequest) {
		t.Errorf("got %v", err)
	}
}

func TestCheckCommitKnowsDeletedTargets(t *testing.T) {
	m := cookies()
	jar, err := m.Resource("jar").NewRecord(map[string]any{"id": 1})
	if err != nil {
		t.Fatal(err)
	}
	in := func(jars, cookies map[core.Value]core.Record) func(*core.Resource) iter.Seq[core.Record] {
		return func(r *core.Resource) iter.Seq[core.Record] {
			if r.Name() == "jar" {
				return maps.Values(jars)
			}
			return maps.Values(cookies)
		}
	}
	key := core.IntValue(1)
	some, none := map[core.Value]core.Record{key: jar}, map[core.Value]core.Record{}
	inJar := map[core.Value]core.Record{key: cookie(t, m, map[string]any{"id": 1, "jar": 1})}
	for name, c := range map[string]struct {
		before, after func(*core.Resource) iter.Seq[core.Record]
		want          *core.Error
	}{
		"deleted":     {in(some, inJar), in(none, inJar), m.Resource("cookie").Field("jar").StillReferenced()},
		"never there": {in(none, none), in(none, inJar), m.Resource("jar").NotFound(key)},
		"both gone":   {in(some, inJar), in(none, none), nil},
		"both new":    {in(none, none), in(some, inJar), nil},
	} {
		err := reference.CheckCommit(m, c.before, c.after)
		if got, ok := errors.AsType[*core.Error](err); (err == nil) != (c.want == nil) || err != nil && (!ok || got.Error() != c.want.Error()) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
