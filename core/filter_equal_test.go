package core_test

import (
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

func TestAndOfEqualConditionsIsOne(t *testing.T) {
	r := cookies(t).Resource("cookie")
	id := r.Key()
	one, two := core.IntValue(1), core.IntValue(2)
	for name, c := range map[string]struct {
		a, b core.Filter
		want string
	}{
		"same value":    {id.Equals(one), id.Equals(one), "id = [1]"},
		"other value":   {id.Equals(one), id.Equals(two), "(id = [1] and id = [2])"},
		"other field":   {id.Equals(one), r.Field("jar").Equals(one), "(id = [1] and jar = [1])"},
		"other kind":    {id.Compare(core.FilterLe, one), id.Equals(one), "(id <= [1] and id = [1])"},
		"several":       {id.Compare(core.FilterIn, one, two), id.Compare(core.FilterIn, one, two), "(id in [1,2] and id in [1,2])"},
		"no comparison": {core.Not(id.Equals(one)), core.Not(id.Equals(one)), "((not id = [1]) and (not id = [1]))"},
	} {
		if got := core.And(c.a, c.b).String(); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}
