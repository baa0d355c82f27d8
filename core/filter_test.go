package core_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/larder-go/larder/core"
)

func cookie(tb testing.TB, m *core.Model, fields map[string]any) core.Record {
	tb.Helper()
	rec, err := m.Resource("cookie").NewRecord(fields)
	if err != nil {
		tb.Fatal(err)
	}
	return rec
}

func TestFiltersMatchByTheReferenceRules(t *testing.T) {
	m := cookies(t)
	muffin := cookie(t, m, map[string]any{"id": 1, "type": "muffin%", "price": 2.5, "jar": nil})
	for _, c := range []struct {
		filter core.Filter
		want   bool
	}{
		{core.All(), true},
		{core.None(), false},
		{core.Eq("type", "muffin%"), true},
		{core.Eq("id", "1"), true},
		{core.Eq("jar", nil), true},
		{core.Eq("type", nil), false},
		{core.Ne("jar", nil), false},
		{core.Ne("jar", 1), true}, // null differs from every value
		{core.Lt("jar", 1), false},
		{core.Ge("jar", 1), false},
		{core.Not(core.Lt("jar", 1)), true}, // never unknown
		{core.Gt("price", 2), true},
		{core.Gt("price", 2.5), false},
		{core.Ge("price", 2.5), true},
		{core.Le("price", 2.5), true},
		{core.Lt("price", 2.5), false},
		{core.In("id"), false},
		{core.In("id", 2, 1), true},
		{core.In("jar", 1, nil), true},
		{core.Prefix("type", "muf"), true},
		{core.Prefix("type", "m_f"), false},
		{core.Prefix("type", "Muf"), false},
		{core.Prefix("type", ""), true},
		{core.And(), true},
		{core.Or(), false},
		{core.And(core.Eq("id", 1), core.Eq("id", 2)), false},
		{core.Or(core.Eq("id", 1), core.Eq("id", 2)), true},
		{core.Not(core.And(core.Eq("id", 1), core.Eq("id", 2))), true},
		{core.Not(core.All()), false},
		{core.Not(core.None()), true},
		{core.Not(core.Not(core.Eq("id", 1))), true},
	} {
		bound, err := m.Resource("cookie").Bind(c.filter)
		if err != nil {
			t.Errorf("%v: %v", c.filter, err)
		} else if got := bound.Match(muffin); got != c.want {
			t.Errorf("%v: got %v", bound, got)
		}
	}
}

func TestFiltersThatMakeNoSenseAreRefusedWhenBound(t *testing.T) {
	m := cookies(t)
	for _, c := range []struct {
		resource string
		filter   core.Filter
		want     core.Code
	}{
		{"cookie", core.Eq("nothing", 1), core.UnknownField},
		{"cookie", core.Eq("cost", 1), core.UnknownField}, // programs use internal names
		{"cookie", core.And(core.Eq("id", 1), core.Not(core.Eq("id", "x"))), core.BadFieldValue},
		{"cookie", core.Lt("type", nil), core.BadFieldValue},
		{"cookie", core.Prefix("id", "1"), core.SearchForbidden},
		{"jar", core.Eq("cookies", 1), core.SearchForbidden},
	} {
		if _, err := m.Resource(c.resource).Bind(c.filter); !errors.Is(err, c.want) {
			t.Errorf("%v: got %v, want %v", c.filter, err, c.want)
		}
	}
}

func TestFilterBoundToAnotherResourceIsRefused(t *testing.T) {
	m := cookies(t)
	f, err := m.Resource("cookie").Bind(core.And(core.Eq("type", "x"), core.Eq("id", 1)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Resource("jar").Bind(f); err == nil {
		t.Error("accepted")
	}
}

func TestFilterThatIsNotBoundMatchesNothing(t *testing.T) {
	m := cookies(t)
	rec := cookie(t, m, map[string]any{"id": 1})
	for _, f := range []core.Filter{core.Eq("id", 1), core.Not(core.Eq("id", 2)), core.Or(core.Eq("id", 1), core.Ne("id", 1))} {
		if f.Match(rec) {
			t.Errorf("%v matched", f)
		}
	}
}

func TestComparisonsOfTypedFieldsFailClosed(t *testing.T) {
	m := cookies(t)
	r := m.Resource("cookie")
	rec := cookie(t, m, map[string]any{"id": 1, "type": "1"})
	for _, c := range []struct {
		filter core.Filter
		want   bool
	}{
		{r.Key().Compare(core.FilterEq, core.IntValue(1)), true},
		{r.Key().Compare(core.FilterEq, core.TextValue("1")), false}, // another type never matches
		{r.Field("type").Compare(core.FilterNe, core.IntValue(1)), false},
		{r.Field("type").Compare(core.FilterEq), false},
		{r.Field("type").Compare(core.FilterAnd, core.TextValue("1")), false},
		{r.Field("type").Compare(core.FilterIn), false},
		{r.Field("type").Compare(core.FilterIn, core.Null, core.TextValue("1")), true},
		{m.Resource("jar").Field("cookies").Compare(core.FilterEq, core.Null), false},
	} {
		if c.filter.Match(rec) != c.want {
			t.Errorf("%v: want %v", c.filter, c.want)
		}
	}
}

func TestNotTurnsEveryAnswerRound(t *testing.T) {
	m := cookies(t)
	r := m.Resource("cookie")
	kinds := []core.FilterKind{core.FilterEq, core.FilterNe, core.FilterLt, core.FilterLe, core.FilterGt, core.FilterGe, core.FilterIn, core.FilterPrefix}
	rapid.Check(t, func(rt *rapid.T) {
		rec := r.RecordOf([]core.Value{
			core.IntValue(rapid.Int64Range(0, 3).Draw(rt, "id")), anyValue(core.Text).Draw(rt, "type"),
			anyValue(core.Float).Draw(rt, "price"), anyValue(core.Int).Draw(rt, "jar"),
		})
		f := rapid.SampledFrom([]string{"type", "jar", "price"}).Draw(rt, "field")
		field := r.Field(f)
		kind := rapid.SampledFrom(kinds).Draw(rt, "kind")
		filter := field.Compare(kind, anyValue(field.Type()).Draw(rt, "value"))
		if filter.Match(rec) == core.Not(filter).Match(rec) {
			rt.Fatalf("%v and its negation agree on %v", filter, rec)
		}
		if core.And(filter, core.Not(filter)).Match(rec) || !core.Or(filter, core.Not(filter)).Match(rec) {
			rt.Fatalf("%v is neither true nor false of %v", filter, rec)
		}
	})
}
