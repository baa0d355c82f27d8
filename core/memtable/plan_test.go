package memtable

import (
	"cmp"
	"slices"
	"strconv"
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

// A page of records with one of several values visits the page only, although many more have the values.
func TestPageOfSeveralValuesIsMerged(t *testing.T) {
	plants := make(map[any]map[string]any)
	for id := 1; id <= 100; id++ {
		plants[id] = map[string]any{"height": id % 4, "parent": 1}
	}
	plants[100]["parent"] = nil
	b := with(seed.Data{"plant": plants})
	open(t, b)
	for name, row := range map[string]struct {
		where core.Filter
		order string
		after int64
		want  []int64
	}{
		"oldest first":            {core.In("height", 1, 2), "id", 0, []int64{1, 2, 5}},
		"oldest first, next page": {core.In("height", 1, 2), "id", 5, []int64{6, 9, 10}},
		"newest first":            {core.In("height", 1, 2), "-id", 0, []int64{98, 97, 94}},
		"newest first, next page": {core.In("height", 1, 2), "-id", 94, []int64{93, 90, 89}},
		"a value without records": {core.In("height", 1, 7), "id", 0, []int64{1, 5, 9}},
		"null":                    {core.In("parent", 1, nil), "-id", 0, []int64{100, 99, 98}},
		"last page":               {core.In("height", 1, 2), "id", 97, []int64{98}},
	} {
		op := core.Op{Kind: core.Select, Resource: plant, Where: where(t, plant, row.where), Order: bindOrder(plant, []string{row.order}), Limit: 3}
		if row.after != 0 {
			op.After = []core.Value{core.IntValue(row.after)}
		}
		res, err := b.Snapshot().Read(t.Context(), &op)
		var got []int64
		for _, rec := range res.Records {
			got = append(got, rec.Key().Int())
		}
		if visits := countVisits(t, b, &op); err != nil || !slices.Equal(got, row.want) || visits > 5 {
			t.Errorf("%s: %v, %v, want %v; visits %d records", name, got, err, row.want, visits)
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

// countVisits returns the number of records that a Select visits, related ones included.
func countVisits(t *testing.T, b *backend, op *core.Op) int {
	t.Helper()
	tables := b.Snapshot().tables
	related := relatedFor(t.Context(), tables, op)
	m, err := newMatcher(t.Context(), op, related)
	if err == nil {
		_, err = m.read(tables[op.Resource.Index()])
	}
	if err != nil {
		t.Fatal(err)
	}
	if related == nil {
		return m.n
	}
	return m.n + related.n
}

var sensors = []string{"00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"}

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
	plants[1]["tag"] = 1
	b := with(seed.Data{
		"plant": plants, "bed": {"mine": {"rank": 1}, "yours": {"rank": 2}},
		"sensor": {sensors[0]: {"bed": "mine"}, sensors[1]: {"bed": "yours"}},
	})
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
		"related":   core.Related("bed", core.Eq("rank", 1)),
		"nested":    core.Related("bed", core.Related("sensor", core.Eq("id", sensors[0]))),
		"referring": core.And(core.Related("bed", core.Related("plants", core.Eq("tag", 1))), core.Gt("height", -1)),
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
			"a related value":       core.Related("bed", core.Eq("rank", 2)),
			"another related value": core.Related("parent", core.Eq("name", "oat")),
		} {
			for _, order := range []string{"id", "-id", "height", "-height", "note"} {
				op := core.Op{Kind: core.Select, Resource: plant, Where: where(t, plant, filter), Using: where(t, plant, using)}
				op.Order = bindOrder(plant, []string{order})
				if a, b := countVisits(t, without, &op), countVisits(t, with, &op); a != b || a > 13 {
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
		if got := countVisits(t, b, &op); got != n {
			t.Errorf("visits %d records, want %d", got, n)
		}
	}
}

// beds returns 1000 plants in 100 beds of ten ranks. Sensor 1 is in bed 3 and watches three plants.
func beds(t *testing.T) *backend {
	t.Helper()
	plants, beds := make(map[any]map[string]any), make(map[any]map[string]any)
	for i := range 100 {
		beds[strconv.Itoa(i)] = map[string]any{"rank": i / 10, "label": []byte{byte(i)}}
	}
	for id := 1; id <= 1000; id++ {
		plants[id] = map[string]any{"height": id, "tag": id, "bed": strconv.Itoa(id % 100), "parent": 1}
	}
	b := with(seed.Data{
		"plant": plants, "bed": beds,
		"sensor": {sensors[0]: {"bed": "3", "watches": []any{1, 2, 3}}, sensors[1]: {"bed": "4"}},
	})
	open(t, b)
	return b
}

func TestRelatedConditionVisitsFewRecords(t *testing.T) {
	b := beds(t)
	watched := core.Relation{Stored: sensor.Field("watches"), Reverse: true}
	for name, row := range map[string]struct {
		resource     *core.Resource
		where, using core.Filter
		order        string
		limit        int
		want         int
	}{
		"to-one by an index of the target":     {using: core.Related("bed", core.Eq("label", []byte{7})), want: 1 + 10},
		"several targets":                      {using: core.Related("bed", core.Eq("rank", 7)), want: 10 + 100},
		"no target":                            {using: core.Related("bed", core.Eq("rank", 70)), want: 0},
		"two relations":                        {using: core.Related("bed", core.Related("sensor", core.Eq("id", sensors[0]))), want: 1 + 1 + 10},
		"there and back":                       {using: core.Related("bed", core.Related("plants", core.Eq("tag", 5))), want: 1 + 1 + 10},
		"referring record":                     {resource: bed, using: core.Related("plants", core.Eq("tag", 5)), want: 1 + 1},
		"list of keys":                         {using: watched.Match(where(t, sensor, core.Eq("id", sensors[0]))), want: 1 + 3},
		"condition of the client":              {where: core.Related("bed", core.Eq("label", []byte{7})), want: 1 + 10},
		"page over several targets":            {using: core.Related("bed", core.Eq("rank", 7)), limit: 3, want: 10 + 4},
		"newest over several targets":          {using: core.Related("bed", core.Eq("rank", 7)), order: "-id", limit: 3, want: 10 + 4},
		"page over all targets":                {using: core.Related("bed", core.Ge("rank", 0)), limit: 3, want: 100 + 4},
		"choice looks at each target once":     {using: core.Or(core.Eq("tag", 1), core.Related("bed", core.Eq("rank", 7))), want: 1000 + 100},
		"negation looks at each target once":   {using: core.Not(core.Related("bed", core.Eq("rank", 7))), want: 1000 + 100},
		"key before a related condition":       {where: core.Eq("id", 7), using: core.Related("bed", core.Eq("rank", 0)), want: 1 + 1},
		"value of the policy before a related": {where: core.Related("parent", core.Eq("tag", 1)), using: core.Eq("bed", "7"), want: 10 + 1},
		"referring record under a policy":      {resource: bed, where: core.Related("plants", core.Eq("tag", 5)), using: core.Eq("rank", 0), want: 1 + 1},
		"many referring records":               {where: core.Eq("id", 1), using: core.Related("bed", core.Related("plants", core.Eq("note", "x"))), want: 1 + 1 + 10},
	} {
		op := core.Op{Kind: core.Select, Resource: cmp.Or(row.resource, plant), Limit: row.limit}
		op.Where, op.Using = where(t, op.Resource, row.where), where(t, op.Resource, row.using)
		op.Order = bindOrder(op.Resource, []string{cmp.Or(row.order, "id")})
		if got := countVisits(t, b, &op); got != row.want {
			t.Errorf("%s: visits %d records, want %d", name, got, row.want)
		}
	}
}

// A record with many referring records is decided by the index of the condition on them.
func TestManyReferringRecordsAreNotVisited(t *testing.T) {
	plants := make(map[any]map[string]any)
	for id := 1; id <= 2000; id++ {
		plants[id] = map[string]any{"tag": id, "bed": "b", "name": []string{"even", "odd"}[id%2]}
	}
	b := with(seed.Data{"plant": plants, "bed": {"b": {}}})
	open(t, b)
	for name, row := range map[string]struct {
		where core.Filter
		want  bool
		most  int
	}{
		"few match, by an index":        {core.Eq("tag", 1500), true, fewVisits + 5},
		"none matches, by an index":     {core.Eq("tag", 5000), false, fewVisits + 5},
		"many match":                    {core.Eq("name", "odd"), true, 5},
		"no index, none matches":        {core.Eq("note", "x"), false, 2000 + fewVisits + 5},
		"too many match another clause": {core.And(core.Eq("name", "odd"), core.Eq("note", "x")), false, 2000 + maxCollected + fewVisits + 5},
	} {
		op := core.Op{Kind: core.Load, Resource: bed, Keys: []core.Value{core.TextValue("b")}, Using: where(t, bed, core.Related("plants", row.where))}
		tables := b.Snapshot().tables
		related := relatedFor(t.Context(), tables, &op)
		res, err := load(tables, &op, related)
		if err != nil || len(res.Records) == 1 != row.want || related.n > row.most {
			t.Errorf("%s: %v, %v; visits %d records, want at most %d", name, res.Records, err, related.n, row.most)
		}
	}
}

// TestHotListVisitsOnePage reads the 50 newest records of one tenant with 1,000 of 10,000 records.
func TestHotListVisitsOnePage(t *testing.T) {
	fields := []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "org", Type: core.Int, Indexed: true},
		{Name: "number", Type: core.Int},
		{Name: "updated", Type: core.Int},
		{Name: "deleted", Type: core.Time},
	}
	m := core.MustModel("tracker",
		core.ResourceSpec{Name: "plain", Fields: fields},
		core.ResourceSpec{Name: "issue", Fields: fields, Unique: [][]string{{"org", "number"}}, Indexes: []core.Index{
			{Fields: []string{"org", "-updated"}, Where: core.Eq("deleted", nil)},
		}},
	)
	issues := make(map[any]map[string]any)
	for id := range 10_000 {
		issues[id] = map[string]any{"org": id % 10, "number": id / 10, "updated": id * 7 % 1000}
		if id%100 < 10 {
			issues[id]["deleted"] = "2026-11-30T00:00:00Z"
		}
	}
	records, err := seed.Records(m, seed.Data{"plain": issues, "issue": issues})
	if err != nil {
		t.Fatal(err)
	}
	snapshot := New(m, Content{Records: records}, nil).Snapshot()
	visits := func(resource string, using, condition core.Filter, order ...string) (visited int, keys []core.Value) {
		r := m.Resource(resource)
		op := core.Op{Kind: core.Select, Resource: r, Using: where(t, r, using), Where: where(t, r, condition), Order: bindOrder(r, order), Limit: 50}
		var last core.Record
		for range 2 { // the first page and the next
			p, found := plan(&op), 0
			snapshot.tables[r.Index()].scan(p, func(rec core.Record) bool {
				visited++
				if is, err := p.matches(rec, nil); err == nil && is && (op.After == nil || core.After(op.Order, op.After, rec)) {
					found, last, keys = found+1, rec, append(keys, rec.Key())
				}
				return !p.ordered || found <= op.Limit
			})
			op.After = nil
			for _, o := range op.Order {
				op.After = append(op.After, last.At(o.Field.Column()))
			}
		}
		return visited, keys
	}
	mine, live := core.Eq("org", 3), core.Eq("deleted", nil)
	for name, c := range map[string]struct {
		using, where core.Filter
		order        []string
		most         int
	}{
		"newest of a tenant":              {core.All(), core.And(mine, live), []string{"-updated", "id"}, 104},
		"newest under a policy":           {mine, live, []string{"-updated", "id"}, 104},
		"newest under both":               {mine, core.And(live, mine), []string{"org", "-updated", "id"}, 104},
		"oldest":                          {mine, live, []string{"updated", "-id"}, 104},
		"oldest, oldest first":            {mine, live, []string{"updated", "id"}, 104},
		"newest before a time":            {mine, core.And(live, core.Lt("updated", 500)), []string{"-updated", "id"}, 104},
		"a number":                        {core.All(), core.And(mine, core.Eq("number", 7)), []string{"id"}, 2},
		"a number under a policy":         {core.In("org", 3, 4), core.And(mine, core.Eq("number", 7)), []string{"id"}, 2},
		"a number under another policy":   {core.Eq("updated", 5), core.And(mine, core.Eq("number", 7)), []string{"id"}, 2},
		"a range of numbers":              {mine, core.And(core.Ge("number", 7), core.Lt("number", 9)), []string{"number"}, 4},
		"another tenant under a policy":   {mine, core.And(core.Eq("org", 4), live), []string{"-updated", "id"}, 0},
		"all tenants, deleted or not":     {core.All(), core.All(), []string{"-updated", "id"}, 20_000},
		"deleted records have no index":   {mine, core.Ne("deleted", nil), []string{"-updated", "id"}, 2000},
		"a tenant in the order of keys":   {mine, live, []string{"id"}, 130},
		"in the order of another field":   {mine, live, []string{"number", "id"}, 130},
		"several tenants, newest first":   {core.In("org", 3, 4), live, []string{"-updated", "id"}, 4000},
		"policy values of another tenant": {core.In("org", 4, 5), core.And(mine, live), []string{"-updated", "id"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			visited, _ := visits("issue", c.using, c.where, c.order...)
			if visited > c.most {
				t.Errorf("visits %d records for two pages, want at most %d", visited, c.most)
			}
		})
	}
	without, want := visits("plain", mine, live, "-updated", "id")
	with, got := visits("issue", mine, live, "-updated", "id")
	t.Logf("two pages of 50: %d records without the index, %d with it", without, with)
	if without < 2000 || len(got) != 102 || len(want) < len(got) {
		t.Errorf("without the index %d visits, found %d; with it %d", without, len(want), len(got))
	}
}
