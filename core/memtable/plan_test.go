package memtable

import (
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
)

// TestPlanVisitsFewRecords counts the visits among 100 plants.
func TestPlanVisitsFewRecords(t *testing.T) {
	plants := make(map[any]map[string]any)
	for id := 1; id <= 100; id++ {
		plants[id] = map[string]any{"name": []string{"even", "odd"}[id%2], "height": id, "tag": id}
	}
	b := with(seed.Data{"plant": plants})
	open(t, b)
	for name, row := range map[string]struct {
		where, using core.Filter
		order        string
		after        []any
		want         int
	}{
		"a key":                                {where: core.Eq("id", 5), want: 1},
		"keys":                                 {where: core.In("id", 1, 2, 200), want: 2},
		"a range of keys":                      {where: core.And(core.Gt("id", 90), core.Le("id", 92)), want: 2},
		"no value":                             {where: core.In("height"), want: 0},
		"nothing":                              {where: core.None(), want: 0},
		"a value":                              {where: core.Eq("name", "odd"), want: 50},
		"values":                               {where: core.In("height", 1, 2), want: 2},
		"null":                                 {where: core.Eq("height", nil), want: 0},
		"a range":                              {where: core.And(core.Ge("height", 10), core.Lt("height", 12)), want: 2},
		"a prefix":                             {where: core.Prefix("name", "od"), want: 50},
		"a unique value before another":        {where: core.And(core.Eq("name", "odd"), core.Eq("tag", 7)), want: 1},
		"a key before a unique value":          {where: core.And(core.In("tag", 7, 8), core.Eq("id", 7)), want: 1},
		"a value before several":               {where: core.And(core.In("height", 1, 2), core.Eq("name", "none")), want: 0},
		"values before a range":                {where: core.And(core.Gt("height", 99), core.In("height", 1, 2)), want: 0},
		"values within a range":                {where: core.And(core.Gt("height", 1), core.In("height", 1, 2, 300)), want: 1},
		"values shared with the policy":        {where: core.In("height", 1, 2, 3), using: core.In("height", 2, 3, 4), want: 2},
		"policy values before a value":         {where: core.Eq("name", "odd"), using: core.In("height", 1, 2, 3), want: 3},
		"unique value before the policy":       {where: core.Eq("tag", 7), using: core.Eq("name", "odd"), want: 1},
		"value before a range of the policy":   {where: core.In("height", 1, 2, 3), using: core.Gt("tag", 0), want: 3},
		"a range of keys before one of others": {where: core.And(core.Gt("height", 1), core.Gt("id", 99)), want: 1},
		"policy alone":                         {using: core.Eq("tag", 7), want: 1},
		"no index":                             {where: core.Eq("note", "x"), want: 100},
		"no condition":                         {order: "height", want: 100},
		"page after a key":                     {order: "id", after: []any{98}, want: 2},
		"descending page after a key":          {order: "-id", after: []any{3}, want: 2},
		"page after a value":                   {order: "height", after: []any{98, 98}, want: 3},
		"descending page after a value":        {order: "-height", after: []any{3, 3}, want: 3},
		"page of one value after a key":        {where: core.Eq("name", "odd"), order: "id", after: []any{95}, want: 3},
	} {
		op := core.Op{Kind: core.Select, Resource: plant, Where: where(t, plant, row.where), Using: where(t, plant, row.using)}
		if op.Order = bindOrder(plant, []string{"id"}); row.order != "" {
			op.Order = bindOrder(plant, []string{row.order})
		}
		for i, raw := range row.after {
			v, err := op.Order[i].Field.Convert(raw)
			if err != nil {
				t.Fatal(err)
			}
			op.After = append(op.After, v)
		}
		visited := 0
		b.Snapshot().tables[plant.Index()].scan(plan(&op), func(core.Record) bool { visited++; return true })
		if visited != row.want {
			t.Errorf("%s: visits %d records, want %d", name, visited, row.want)
		}
	}
}

// TestPageOfIndexValueStopsAtLimit counts the visits for a page of three odd ones of 100 plants.
func TestPageOfIndexValueStopsAtLimit(t *testing.T) {
	plants := make(map[any]map[string]any)
	for id := 1; id <= 100; id++ {
		plants[id] = map[string]any{"name": []string{"even", "odd"}[id%2], "height": id / 10, "tag": id}
	}
	b := with(seed.Data{"plant": plants})
	open(t, b)
	for name, row := range map[string]struct {
		order []string
		after []any
		first int64
	}{
		"oldest first":                      {[]string{"id"}, nil, 1},
		"oldest first, next page":           {[]string{"id"}, []any{51}, 53},
		"newest first":                      {[]string{"-id"}, nil, 99},
		"newest first, next page":           {[]string{"-id"}, []any{51}, 49},
		"by the value, then newest":         {[]string{"name", "-id"}, nil, 99},
		"by the value, then newest, next":   {[]string{"name", "-id"}, []any{"odd", 51}, 49},
		"value descends, newest":            {[]string{"-name", "-id"}, nil, 99},
		"value descends, newest, next":      {[]string{"-name", "-id"}, []any{"odd", 51}, 49},
		"value descends, then oldest":       {[]string{"-name", "id"}, nil, 1},
		"value descends, then oldest, next": {[]string{"-name", "id"}, []any{"odd", 51}, 53},
	} {
		for _, using := range []core.Filter{core.All(), core.Eq("name", "odd")} {
			op := core.Op{Kind: core.Select, Resource: plant, Where: where(t, plant, core.Eq("name", "odd")), Using: where(t, plant, using), Limit: 3}
			op.Order = bindOrder(plant, row.order)
			for i, raw := range row.after {
				v, err := op.Order[i].Field.Convert(raw)
				if err != nil {
					t.Fatal(err)
				}
				op.After = append(op.After, v)
			}
			p := plan(&op)
			visited, found := 0, []core.Record(nil)
			b.Snapshot().tables[plant.Index()].scan(p, func(rec core.Record) bool {
				visited++
				is, err := p.matches(rec, nil)
				if err != nil {
					t.Fatal(err)
				}
				if is && (op.After == nil || core.After(op.Order, op.After, rec)) {
					found = append(found, rec)
				}
				return !p.ordered || len(found) <= op.Limit
			})
			if visited > 5 || found[0].Key().Int() != row.first {
				t.Errorf("%s: visits %d records, the first one %s", name, visited, found[0])
			}
		}
	}
}

// A sort by an indexed field and the key stops at its limit in every direction.
func TestPageOfWholeIndexIsOrdered(t *testing.T) {
	plants := make(map[any]map[string]any)
	for id := 1; id <= 100; id++ {
		plants[id] = map[string]any{"height": id / 10}
	}
	b := with(seed.Data{"plant": plants})
	open(t, b)
	for _, order := range [][]string{{"height", "id"}, {"height", "-id"}, {"-height", "id"}, {"-height", "-id"}} {
		op := core.Op{Kind: core.Select, Resource: plant, Where: core.All(), Using: core.All(), Limit: 3, Order: bindOrder(plant, order)}
		if p := plan(&op); !p.ordered {
			t.Errorf("sorted by %s: all records are visited", order)
		}
	}
}

// countVisits returns the number of records that the plan of an operation visits.
func countVisits(b *backend, op *core.Op) (n int) {
	b.Snapshot().tables[op.Resource.Index()].scan(plan(op), func(core.Record) bool { n++; return true })
	return n
}

// besideHidden returns ten plants in the bed mine, and hidden plants with the same values in the bed yours.
func besideHidden(t *testing.T, hidden int) *backend {
	t.Helper()
	plants := make(map[any]map[string]any)
	add := func(id, i int, bed string) {
		plants[id] = map[string]any{"name": "oat", "height": i, "edible": true, "bed": bed, "note": "x"}
	}
	for i := range 10 {
		add(1+100*i, i, "mine")
	}
	for i := range hidden {
		add(2+2*i, i%10, "yours")
	}
	b := with(seed.Data{"plant": plants, "bed": {"mine": {}, "yours": {}}})
	open(t, b)
	return b
}

// A policy that names values of an indexed field determines the visited records: their number does not depend on hidden
// records.
func TestHiddenRecordsAreNotVisited(t *testing.T) {
	without, with := besideHidden(t, 0), besideHidden(t, 400)
	for guard, using := range map[string]core.Filter{
		"one value": core.Eq("bed", "mine"),
		"values":    core.In("bed", "mine", "other"),
		"with more": core.And(core.Eq("note", "x"), core.Eq("bed", "mine"), core.Gt("height", -1)),
	} {
		for condition, filter := range map[string]core.Filter{
			"nothing":               core.All(),
			"a value":               core.Eq("name", "oat"),
			"another value":         core.Eq("name", "rye"),
			"values":                core.In("name", "oat", "rye"),
			"field of the policy":   core.Eq("bed", "yours"),
			"null":                  core.Eq("parent", nil),
			"a range":               core.And(core.Gt("height", 2), core.Lt("height", 5)),
			"a prefix":              core.Prefix("name", "o"),
			"a range of keys":       core.Gt("id", 100),
			"a field with no index": core.Eq("note", "y"),
			"a choice":              core.Or(core.Eq("name", "oat"), core.Eq("height", 3)),
			"several":               core.And(core.Eq("name", "oat"), core.Eq("edible", true)),
		} {
			for _, order := range []string{"id", "-id", "height", "-height", "note"} {
				op := core.Op{Kind: core.Select, Resource: plant, Where: where(t, plant, filter), Using: where(t, plant, using)}
				op.Order = bindOrder(plant, []string{order})
				if a, b := countVisits(without, &op), countVisits(with, &op); a != b || a > 10 {
					t.Errorf("%s under a policy of %s, sorted by %s: visits %d records without hidden ones and %d with them", condition, guard, order, a, b)
				}
			}
		}
	}
}

// A condition that names keys or unique values visits at most as many records as it names, under any policy.
func TestNamedRecordsAreVisitedUnderAnyPolicy(t *testing.T) {
	b := besideHidden(t, 400)
	for _, n := range []int{1, 3} {
		keys := make([]any, n)
		for i := range keys {
			keys[i] = 1 + 100*i
		}
		op := core.Op{Kind: core.Select, Resource: plant, Where: where(t, plant, core.In("id", keys...)), Using: where(t, plant, core.Eq("bed", "mine"))}
		op.Order = bindOrder(plant, []string{"id"})
		if got := countVisits(b, &op); got != n {
			t.Errorf("visits %d records, want %d", got, n)
		}
	}
}
