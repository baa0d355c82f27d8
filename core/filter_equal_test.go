package core_test

import (
	"sync"
	"testing"

	"github.com/larder-go/larder/core"
)

func TestEqualsIsTheComparisonWithOneValueAndFailsClosed(t *testing.T) {
	r := cookies(t).Resource("cookie")
	for _, c := range []struct {
		field string
		value core.Value
		want  string
	}{
		{"id", core.IntValue(1), "id = [1]"},
		{"type", core.TextValue("a"), `type = ["a"]`},
		{"jar", core.IntValue(1), "jar = [1]"},
		{"id", core.TextValue("1"), "none"},
		{"id", core.BoolValue(true), "none"},
		{"type", core.IntValue(1), "none"},
		{"type", core.Null, "none"},
		{"type", core.Value{}, "none"},
	} {
		got := r.Field(c.field).Equals(c.value)
		if got.String() != c.want || !got.Bound() {
			t.Errorf("%s = %s: got %s, want %s", c.field, c.value, got, c.want)
		}
	}
	many := cookies(t).Resource("jar").Field("cookies")
	if got := many.Equals(core.ListOf()); got.Kind() != core.FilterNone {
		t.Errorf("of a field that is not stored: %s", got)
	}
}

func TestConditionsOfEqualsStayAsTheyAreHoweverManyThereAre(t *testing.T) {
	r := cookies(t).Resource("cookie")
	f := r.Key()
	if was, other := r.Field("jar").Equals(core.IntValue(1)), f.Equals(core.IntValue(1)); was.Field() == other.Field() {
		t.Errorf("conditions on two fields are both on %s", was.Field())
	}
	kept := make([][]core.Filter, 4)
	var all sync.WaitGroup
	for i := range kept {
		all.Go(func() {
			for n := range 1000 {
				kept[i] = append(kept[i], f.Equals(core.IntValue(int64(n*len(kept)+i))))
			}
		})
	}
	all.Wait()
	for i := range kept {
		for n, filter := range kept[i] {
			if got := filter.Values()[0].Int(); got != int64(n*len(kept)+i) {
				t.Fatalf("condition %d of goroutine %d is about %d", n, i, got)
			}
		}
	}
}

func TestAPolicysConditionNeedsNoMemoryOfItsOwn(t *testing.T) {
	f := cookies(t).Resource("cookie").Key()
	op := new(core.Op)
	if n := testing.AllocsPerRun(1000, func() {
		op.Using, op.Check = core.Filter{}, core.Filter{}
		op.Guard(f.Equals(core.IntValue(1)))
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
