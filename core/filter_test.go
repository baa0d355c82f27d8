package core_test

import (
	"context"
	"errors"
	"slices"
	"strings"
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

// matches decides a bound filter without conditions on related records.
func matches(tb interface{ Fatal(args ...any) }, f core.Filter, rec core.Record) bool {
	is, err := f.Match(rec, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return is
}

func TestFilterMatch(t *testing.T) {
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
		{core.Eq("jar", core.Value{}), true},
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
		{core.Le("price", 2), false},
		{core.Lt("price", 2.5), false},
		{core.In("id"), false},
		{core.In("id", 2, 1), true},
		{core.In("jar", 1, nil), true},
		{core.Prefix("type", "muf"), true},
		{core.Prefix("type", "m_f"), false},
		{core.Prefix("type", "Muf"), false},
		{core.Prefix("type", ""), true},
		{core.Contains("type", "ffi"), true},
		{core.Contains("type", "n%"), true},
		{core.Contains("type", "m%f"), false},
		{core.Contains("type", "FFI"), false},
		{core.IContains("type", "FfI"), true},
		{core.IContains("type", "m_f"), false},
		{core.Between("price", 2.5, 3), true},
		{core.Between("price", 2, 2.5), true},
		{core.Between("price", 3, 2), false},
		{core.Between("jar", 0, 9), false},
		{core.And(), true},
		{core.Or(), false},
		{core.And(core.Eq("id", 1), core.Eq("id", 2)), false},
		{core.Or(core.Eq("id", 1), core.Eq("id", 2)), true},
		{core.Or(core.Eq("id", 2), core.Eq("id", 3)), false},
		{core.Not(core.And(core.Eq("id", 1), core.Eq("id", 2))), true},
		{core.Not(core.All()), false},
		{core.Not(core.None()), true},
		{core.Not(core.Not(core.Eq("id", 1))), true},
	} {
		bound, err := m.Resource("cookie").Bind(c.filter)
		if err != nil {
			t.Errorf("%v: %v", c.filter, err)
		} else if got, err := bound.Match(muffin, nil); err != nil || got != c.want {
			t.Errorf("%v: got %v, %v", bound, got, err)
		}
	}
}

func TestBindRejectsInvalidFilters(t *testing.T) {
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
		{"cookie", core.Contains("id", "1"), core.SearchForbidden},
		{"cookie", core.IContains("price", "1"), core.SearchForbidden},
		{"cookie", core.Between("price", nil, 1), core.BadFieldValue},
		{"cookie", core.Between("price", 1, nil), core.BadFieldValue},
		{"jar", core.Eq("cookies", 1), core.SearchForbidden},
	} {
		if _, err := m.Resource(c.resource).Bind(c.filter); !errors.Is(err, c.want) {
			t.Errorf("%v: got %v, want %v", c.filter, err, c.want)
		}
	}
}

func TestUnsupportedComparisonsAreRejected(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "page", Fields: []core.FieldSpec{
		id(), {Name: "notes", Type: core.JSON}, {Name: "links", ToMany: "page"}, {Name: "title", Type: core.Text, Computed: &core.Computed{
			Get: func(context.Context, core.Record) (any, error) { return "", nil },
		}},
	}})
	r := m.Resource("page")
	jsonText, err := core.JSON.Convert("x")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[core.FilterKind]func(field string, value any) core.Filter{
		core.FilterEq: core.Eq, core.FilterLt: core.Lt, core.FilterLe: core.Le, core.FilterGt: core.Gt, core.FilterGe: core.Ge,
		core.FilterPrefix: func(field string, _ any) core.Filter { return core.Prefix(field, "x") },
	}
	for kind, named := range kinds {
		for field, value := range map[string]core.Value{"id": core.IntValue(1), "notes": jsonText, "links": core.ListOf(core.IntValue(1)), "title": core.TextValue("x")} {
			want := field == "id" && kind != core.FilterPrefix || field == "notes" && kind == core.FilterEq
			if _, err := r.Bind(named(field, value)); want != (err == nil) || err != nil && !errors.Is(err, core.SearchForbidden) {
				t.Errorf("%s: %v", named(field, value), err)
			}
			if typed := r.Field(field).Compare(kind, value); want != (typed.Kind() == kind) {
				t.Errorf("typed %s became %s", named(field, value), typed)
			}
		}
	}
}

func TestFilterOfOtherResourceIsRejected(t *testing.T) {
	m := cookies(t)
	f, err := m.Resource("cookie").Bind(core.And(core.Eq("type", "x"), core.Eq("id", 1)))
	if err != nil {
		t.Fatal(err)
	}
	one := core.IntValue(1)
	part := core.And(m.Resource("jar").Key().Compare(core.FilterEq, one), m.Resource("cookie").Key().Compare(core.FilterEq, one))
	for _, f := range []core.Filter{f, part} {
		if _, err := m.Resource("jar").Bind(f); !errors.Is(err, core.ServerError) {
			t.Errorf("%s: got %v", f, err)
		}
	}
}

func TestUnboundFilterIsUndecided(t *testing.T) {
	m := cookies(t)
	rec := cookie(t, m, map[string]any{"id": 1})
	for _, f := range []core.Filter{core.Eq("id", 1), core.Not(core.Eq("id", 2)), core.Or(core.Eq("id", 1), core.Ne("id", 1))} {
		if is, err := f.Match(rec, nil); is || !errors.Is(err, core.ErrUndecided) {
			t.Errorf("%v: %v, %v", f, is, err)
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
		{r.Field("type").Compare(core.FilterLt, core.Null), false}, // null is neither less nor greater
		{r.Field("type").Compare(core.FilterLe, core.Null), false},
		{r.Field("type").Compare(core.FilterGe, core.Null), false},
		{r.Field("type").Compare(core.FilterPrefix, core.Null), false},
		{r.Field("type").Compare(core.FilterNe, core.Null), true},
		{r.Field("type").Compare(core.FilterIn, core.Null, core.TextValue("1")), true},
		{m.Resource("jar").Field("cookies").Compare(core.FilterEq, core.Null), false},
		{r.Field("type").Compare(core.FilterEq, core.Value{}), false}, // absent
		{r.Field("type").Compare(core.FilterLt, core.Null), false},    // null is neither less nor greater
		{r.Field("type").Compare(core.FilterPrefix, core.Null), false},
		{r.Field("type").Compare(core.FilterKind(200), core.TextValue("1")), false},
		{r.Field("type").Compare(core.FilterPrefix, core.TextValue("1")), true},
		{r.Key().Compare(core.FilterPrefix, core.IntValue(1)), false}, // only texts have prefixes
	} {
		if matches(t, c.filter, rec) != c.want || c.filter.Kind() > core.FilterIContains {
			t.Errorf("%v: want %v", c.filter, c.want)
		}
	}
}

func TestNotInvertsEveryAnswer(t *testing.T) {
	m := cookies(t)
	r := m.Resource("cookie")
	kinds := []core.FilterKind{core.FilterEq, core.FilterNe, core.FilterLt, core.FilterLe, core.FilterGt, core.FilterGe, core.FilterIn, core.FilterPrefix, core.FilterContains, core.FilterIContains}
	rapid.Check(t, func(rt *rapid.T) {
		rec := r.RecordOf([]core.Value{
			core.IntValue(rapid.Int64Range(0, 3).Draw(rt, "id")), anyValue(core.Text).Draw(rt, "type"),
			anyValue(core.Float).Draw(rt, "price"), anyValue(core.Int).Draw(rt, "jar"),
		})
		f := rapid.SampledFrom([]string{"type", "jar", "price"}).Draw(rt, "field")
		field := r.Field(f)
		kind := rapid.SampledFrom(kinds).Draw(rt, "kind")
		filter := field.Compare(kind, anyValue(field.Type()).Draw(rt, "value"))
		if matches(rt, filter, rec) == matches(rt, core.Not(filter), rec) {
			rt.Fatalf("%v and its negation agree on %v", filter, rec)
		}
		if matches(rt, core.And(filter, core.Not(filter)), rec) || !matches(rt, core.Or(filter, core.Not(filter)), rec) {
			rt.Fatalf("%v is neither true nor false of %v", filter, rec)
		}
	})
}

func TestBindRejectsDeepNesting(t *testing.T) {
	r := cookies(t).Resource("cookie")
	nested := func(leaf core.Filter, levels int) core.Filter {
		for range levels / 2 {
			leaf = core.Not(core.And(leaf, core.Ne("type", "x")))
		}
		return leaf
	}
	for name, leaf := range map[string]core.Filter{"named": core.Eq("id", 1), "typed": r.Key().Compare(core.FilterEq, core.IntValue(1))} {
		if _, err := r.Bind(nested(leaf, 100)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, levels := range []int{100, 1 << 16} {
			if _, err := r.Bind(core.Or(nested(leaf, levels), leaf)); !errors.Is(err, core.BadRequest) {
				t.Errorf("%s, %d levels and one: got %v", name, levels, err)
			}
		}
	}
	typed := r.Key().Compare(core.FilterEq, core.IntValue(1))
	for range 1 << 16 {
		typed = core.Not(core.Or(typed, r.Key().Compare(core.FilterEq, core.IntValue(2))))
	}
	if _, err := r.Bind(typed); !errors.Is(err, core.BadRequest) {
		t.Errorf("bound from the start: %v", err)
	}
}

func TestValuesOfAFilterAscendWithoutDuplicates(t *testing.T) {
	r := cookies(t).Resource("cookie")
	bound, err := r.Bind(core.In("id", 3, nil, 1, "3", 2, nil))
	if err != nil {
		t.Fatal(err)
	}
	given := []core.Value{core.IntValue(3), core.Null, core.IntValue(1), core.IntValue(3), core.IntValue(2)}
	want := []core.Value{core.IntValue(1), core.IntValue(2), core.IntValue(3), core.Null}
	for name, f := range map[string]core.Filter{"named": bound, "typed": r.Key().Compare(core.FilterIn, given...)} {
		if !slices.Equal(f.Values(), want) {
			t.Errorf("%s: got %v", name, f.Values())
		}
	}
	ones := r.Key().Compare(core.FilterIn, core.IntValue(1), core.IntValue(1))
	if got := ones.Values(); len(got) != 1 {
		t.Errorf("in order, but twice: %v", got)
	}
	if given[0] != core.IntValue(3) {
		t.Error("the caller's slice was sorted")
	}
}

func TestLongInMatchesLikeShortIn(t *testing.T) {
	r := cookies(t).Resource("cookie")
	for _, n := range []int{0, 1, 2, 16, 17, 1000} {
		values := []core.Value{core.Null}
		for i := n; i > 0; i-- {
			values = append(values, core.IntValue(int64(2*i)))
		}
		f := r.Field("jar").Compare(core.FilterIn, values...)
		for i := range int64(2*n + 3) {
			if got, want := matches(t, f, cookie(t, r.Model(), map[string]any{"jar": i})), i > 0 && i%2 == 0 && i <= int64(2*n); got != want {
				t.Errorf("%d of %d values: %v", i, n, got)
			}
		}
		if !matches(t, f, cookie(t, r.Model(), map[string]any{"jar": nil})) {
			t.Error("null was not found")
		}
	}
}

func TestBindMixesNamedAndTypedParts(t *testing.T) {
	m := cookies(t)
	r := m.Resource("cookie")
	mixed := core.And(r.Key().Compare(core.FilterEq, core.IntValue(1)), core.Not(core.Eq("type", "x")))
	rec := cookie(t, m, map[string]any{"id": 1, "type": "y"})
	bound, err := r.Bind(mixed)
	if err != nil || mixed.Bound() || !bound.Bound() || !matches(t, bound, rec) {
		t.Errorf("%v, %v: %v", mixed, bound, err)
	}
	if last := core.And(core.Eq("type", "y"), r.Key().Compare(core.FilterEq, core.IntValue(1))); last.Bound() {
		t.Errorf("%v is taken for bound", last)
	}
	if part := mixed.Filters()[1]; part.Bound() {
		t.Errorf("%v was changed by being bound", mixed)
	}
	foreign := core.Or(core.Eq("id", 1), m.Resource("jar").Key().Compare(core.FilterEq, core.IntValue(1)))
	if _, err := r.Bind(foreign); !errors.Is(err, core.ServerError) {
		t.Errorf("a part of another resource: %v", err)
	}
}

func TestFilterString(t *testing.T) {
	r := cookies(t).Resource("cookie")
	f := core.Or(core.And(core.Eq("type", "a\" b"), core.Not(core.In("id", 2, 1))), core.Prefix("type", "x"))
	if got := f.String(); got != `((type = ? and (not id in ?)) or type prefix ?)` {
		t.Errorf("not bound: %s", got)
	}
	bound, err := r.Bind(f)
	if got := bound.String(); err != nil || got != `((type = ["a\" b"] and (not id in [1,2])) or type prefix ["x"])` {
		t.Errorf("bound: %s, %v", got, err)
	}
	if got := core.All().String() + core.None().String(); got != "allnone" {
		t.Errorf("got %s", got)
	}
}

func TestAndOrSimplify(t *testing.T) {
	eq, lt, gt := core.Eq("id", 1), core.Lt("id", 2), core.Gt("id", 0)
	for _, c := range []struct {
		f    core.Filter
		kind core.FilterKind
		kids int
	}{
		{core.And(core.All(), eq), core.FilterEq, 0},
		{core.And(eq, core.None()), core.FilterNone, 0},
		{core.And(core.And(eq, lt), gt), core.FilterAnd, 3},
		{core.Or(core.None(), eq), core.FilterEq, 0},
		{core.Or(eq, core.All()), core.FilterAll, 0},
		{core.Or(eq, core.Or(lt, gt)), core.FilterOr, 3},
		{core.Not(core.Not(eq)), core.FilterEq, 0},
		{core.Not(core.None()), core.FilterAll, 0},
		{core.Not(core.All()), core.FilterNone, 0},
		{core.And(), core.FilterAll, 0},
		{core.Or(), core.FilterNone, 0},
	} {
		says := c.kids > 0 || c.kind == core.FilterEq
		if c.f.Kind() != c.kind || len(c.f.Filters()) != c.kids || c.f.Bound() == says || len(c.f.Values()) > 0 {
			t.Errorf("%v: kind %d, %d parts", c.f, c.f.Kind(), len(c.f.Filters()))
		}
	}
}

func TestInOfOneValueIsEq(t *testing.T) {
	r := cookies(t).Resource("cookie")
	f := r.Field("id")
	bound, err := r.Bind(core.Not(core.In("id", 7, 7)))
	if err != nil || bound.Filters()[0].Kind() != core.FilterEq {
		t.Errorf("bound: %v, %v", bound, err)
	}
	for _, values := range [][]core.Value{{core.IntValue(7)}, {core.IntValue(7), core.IntValue(7)}, {core.Null}} {
		if got := f.Compare(core.FilterIn, values...); got.Kind() != core.FilterEq || got.Values()[0] != values[0] {
			t.Errorf("in %v is %v", values, got)
		}
	}
	if got := f.Compare(core.FilterIn); got.Kind() != core.FilterIn {
		t.Errorf("in none is %v", got)
	}
}

func TestEqualsFailsClosed(t *testing.T) {
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

func TestOperators(t *testing.T) {
	type row struct {
		name       string
		list, null bool
		types      string
	}
	all, ordered := "int float text bool time uuid bytes json list date localtime decimal", "int float text bool time uuid bytes date localtime decimal"
	want := []row{
		{"eq", false, true, all}, {"ne", false, true, all},
		{"lt", false, false, ordered}, {"le", false, false, ordered}, {"gt", false, false, ordered}, {"ge", false, false, ordered},
		{"in", true, true, all}, {"prefix", false, false, "text"}, {"contains", false, false, "text"}, {"icontains", false, false, "text"},
	}
	var got []row
	for _, op := range core.Operators() {
		var types []string
		for _, typ := range slices.Concat(allTypes, []core.Type{0, 255}) {
			if op.Fits(typ) {
				types = append(types, typ.String())
			}
		}
		got = append(got, row{op.String(), op.TakesList(), op.TakesNull(), strings.Join(types, " ")})
		if named, ok := core.OperatorNamed(op.String()); !ok || named != op {
			t.Errorf("%s: found %s, %v", op, named, ok)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
	for _, name := range []string{"", "and", "all", "EQ"} {
		if op, ok := core.OperatorNamed(name); ok {
			t.Errorf("%q is %s", name, op)
		}
	}
	for kind, name := range map[core.FilterKind]string{core.FilterAll: "all", core.FilterNone: "none", core.FilterAnd: "and", core.FilterOr: "or", core.FilterNot: "not", 99: "filter(99)"} {
		if kind.String() != name || kind.Fits(core.Int) || kind.TakesList() || kind.TakesNull() {
			t.Errorf("%s: want %s, no operator", kind, name)
		}
	}
}
