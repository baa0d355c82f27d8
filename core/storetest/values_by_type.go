package storetest

import (
	"slices"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

// filterTypeRules has a rule for each type.
func filterTypeRules() []row {
	var rows []row
	for typ := core.Int; typ.Valid(); typ++ {
		rows = append(rows, row{
			"comparisons of " + typ.String() + " are exact",
			"Every comparison of values of type " + typ.String() + " agrees with Filter.Match, at the extremes too.",
			func(t *kit.Fixture) { comparesExactly(t, typ) },
		})
	}
	return rows
}

// orderTypeRules has a rule for each type that has an order.
func orderTypeRules() []row {
	var rows []row
	for typ := core.Int; typ.Ordered(); typ++ {
		rows = append(rows, row{
			"values of " + typ.String() + " sort exactly",
			"Values of type " + typ.String() + " sort as CompareRecords says, at the extremes too.",
			func(t *kit.Fixture) { sortsExactly(t, typ) },
		})
	}
	return rows
}

// fillSamples stores each sample of the type twice, and two nulls.
func fillSamples(t *kit.Fixture, typ core.Type) []core.Record {
	t.Helper()
	values := samples(typ)
	all := []kit.Fields{{"id": 1000}, {"id": -1}}
	for i, v := range values {
		all = append(all, kit.Fields{"id": i, typ.String(): v}, kit.Fields{"id": 999 - i, typ.String(): v})
	}
	return t.Insert("sample", all...)
}

func comparesExactly(t *kit.Fixture, typ core.Type) {
	all := fillSamples(t, typ)
	slices.SortFunc(all, func(a, b core.Record) int { return core.Compare(a.Key(), b.Key()) })
	for _, v := range samples(typ) {
		for _, f := range comparisons(t.Res("sample").Field(typ.String()), v) {
			got := t.Where("sample", f)
			want := slices.DeleteFunc(slices.Clone(all), func(rec core.Record) bool { return !f.Match(rec) })
			if diff := kit.Difference(got, want); diff != "" {
				t.Fatalf("%.200s: %.500s", f, diff)
			}
		}
	}
}

// comparisons returns every comparison with v that the field has.
func comparisons(field *core.Field, v core.Value) []core.Filter {
	filters := []core.Filter{
		field.Compare(core.FilterEq, v), field.Compare(core.FilterNe, v), field.Compare(core.FilterIn, v, core.Null),
	}
	if field.Type().Ordered() {
		for kind := core.FilterLt; kind <= core.FilterGe; kind++ {
			filters = append(filters, field.Compare(kind, v))
		}
	}
	return filters
}

func sortsExactly(t *kit.Fixture, typ core.Type) {
	all := fillSamples(t, typ)
	r := t.Res("sample")
	for _, desc := range []bool{false, true} {
		order := []core.Order{{Field: r.Field(typ.String()), Desc: desc}, {Field: r.Key()}}
		slices.SortFunc(all, func(a, b core.Record) int { return core.CompareRecords(order, a, b) })
		name := map[bool]string{false: "", true: "-"}[desc] + typ.String()
		got := t.Find("sample", core.Query{Order: []string{name}})
		if diff := kit.Difference(got, all); diff != "" {
			t.Fatalf("order by %s: %.500s", name, diff)
		}
	}
}
