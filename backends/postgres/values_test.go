package postgres_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/internal/servertest"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

func TestNewEnumLabelsAreFound(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "thing", Fields: []core.FieldSpec{{Name: "id", Type: core.Text, Key: true}}})
	s, schema := servertest.Store(t, m, `CREATE TYPE $S.mood AS ENUM ('sad')`, `CREATE TABLE $S.thing (id $S.mood PRIMARY KEY)`)
	thing := m.Resource("thing")
	servertest.Execute(t, servertest.InSchema(schema, `ALTER TYPE $S.mood ADD VALUE 'new'`))
	if _, err := s.Insert(t.Context(), thing, servertest.Record(t, thing, map[string]any{"id": "new"}), servertest.Record(t, thing, map[string]any{"id": "sad"})); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"new", "sad"} {
		if _, err := s.Get(t.Context(), thing, core.TextValue(key)); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
	if n, err := s.Count(t.Context(), thing, core.In("id", "new", "sad", "none")); err != nil || n != 2 {
		t.Errorf("%d %v", n, err)
	}
	if err := s.Delete(t.Context(), thing, core.TextValue("new"), core.TextValue("sad")); err != nil {
		t.Error(err)
	}
}

func TestDomainDefaultsAndChecks(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "thing", APIName: "Thing", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "a", APIName: "A", Type: core.Int}, {Name: "b", Type: core.Text},
	}})
	s, _ := servertest.Store(t, m,
		`CREATE DOMAIN $S.rating AS int DEFAULT 3 NOT NULL CONSTRAINT secret_rule CHECK (VALUE < 6)`,
		`CREATE DOMAIN $S.better AS $S.rating CHECK (VALUE > 2)`,
		`CREATE TABLE $S.thing (id bigserial PRIMARY KEY, a $S.better, b numeric)`)
	thing := m.Resource("thing")
	recs, err := s.Insert(t.Context(), thing, servertest.Record(t, thing, map[string]any{"b": "1"}), servertest.Record(t, thing, map[string]any{"a": 5}))
	if err != nil || recs[0].Get("a") != core.IntValue(3) || recs[1].Get("a") != core.IntValue(5) {
		t.Fatalf("%v %v", recs, err)
	}
	if n, err := s.Count(t.Context(), thing, core.Or(core.Eq("a", 3), core.Eq("a", 77))); err != nil || n != 1 {
		t.Errorf("%d %v", n, err)
	}
	for _, bad := range []any{6, 2, nil} {
		_, err := s.Update(t.Context(), thing, servertest.Record(t, thing, map[string]any{"id": 1, "a": bad, "b": "2"}))
		if e := core.AsError(err); err == nil || e.Code != core.BadFieldValue || e.Field != "A" {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

func TestGeneratedKeysOfOtherTypes(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "thing", Fields: []core.FieldSpec{{Name: "id", Type: core.Text, Key: true}, {Name: "n", Type: core.Int}}})
	s, _ := servertest.Store(t, m, `CREATE SEQUENCE $S.s`, `CREATE TABLE $S.thing (id numeric(9,2) DEFAULT nextval('$S.s') PRIMARY KEY, n int)`)
	thing := m.Resource("thing")
	recs, err := s.Insert(t.Context(), thing, servertest.Record(t, thing, map[string]any{"n": 1}), servertest.Record(t, thing, map[string]any{"n": 2}))
	if err != nil || recs[0].Key() != core.TextValue("1.00") || recs[1].Key() != core.TextValue("2.00") {
		t.Fatalf("%v %v", recs, err)
	}
}

func TestIndexOnTextServesOrder(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "thing", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "price", Type: core.Text}}})
	schema := pgtest.Schema(t)
	for _, sql := range []string{
		`CREATE TABLE $S.thing (id bigserial PRIMARY KEY, price numeric)`,
		`CREATE INDEX ON $S.thing (((price::text) COLLATE "C"), id)`,
		`INSERT INTO $S.thing (price) SELECT i FROM generate_series(1, 10000) AS i`,
		`ANALYZE $S.thing`,
	} {
		servertest.Execute(t, servertest.InSchema(schema, sql))
	}
	p, last := servertest.RecordedPool(t)
	s, err := core.New(t.Context(), m, postgres.New(p, schema, postgres.Options{CheckSchema: -1}))
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []core.Query{
		{Order: []string{"price"}, Limit: 10},
		{Order: []string{"-price"}, Limit: 10},
		{Where: core.Prefix("price", "123")},
		{Where: core.And(core.Gt("price", "123"), core.Lt("price", "124"))},
	} {
		if _, err := s.Select(t.Context(), m.Resource("thing"), q); err != nil {
			t.Fatal(err)
		}
		if plan := last.Plan(t, p); !strings.Contains(plan, "Index") || strings.Contains(plan, "Seq Scan") {
			t.Errorf("%v:\n%s", q, plan)
		}
	}
}

func TestOpenSetsDateStyle(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "thing", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "day", Type: core.Text}, {Name: "span", Type: core.Text},
	}})
	schema := pgtest.Schema(t)
	servertest.Execute(t, servertest.InSchema(schema, `CREATE TABLE $S.thing (id bigserial PRIMARY KEY, day date, span interval)`))
	for server, want := range map[string][2]string{
		pgtest.URL(t): {"2026-11-23", "1 year 2 days"},
		servertest.With(t, servertest.With(t, pgtest.URL(t), "datestyle", "German"), "intervalstyle", "iso_8601"): {"23.11.2026", "P1Y2D"},
	} {
		backend, err := postgres.Open(t.Context(), server, schema, postgres.Options{})
		if err != nil {
			t.Fatal(err)
		}
		s, err := core.New(t.Context(), m, backend)
		if err != nil {
			t.Fatal(err)
		}
		thing := m.Resource("thing")
		recs, err := s.Insert(t.Context(), thing, servertest.Record(t, thing, map[string]any{"day": "2026-11-23", "span": "P1Y2D"}))
		if err != nil || recs[0].Get("day") != core.TextValue(want[0]) || recs[0].Get("span") != core.TextValue(want[1]) {
			t.Errorf("%v %v, want %v", recs, err, want)
		}
		page, err := s.Select(t.Context(), thing, core.Query{Where: core.And(core.Eq("id", recs[0].Key()), core.Eq("day", want[0]), core.Eq("span", want[1]))})
		if err != nil || !slices.EqualFunc(page.Records, recs, core.Record.Equal) {
			t.Errorf("%v %v", page, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// otherKeyTypes lists types of keys that the model does not represent: with an expression that makes one from a number,
// two existing keys, and strings that spell no value.
var otherKeyTypes = []struct {
	sql, from string
	keys      [2]string
	never     []string
}{
	{"numeric", "i", [2]string{"5", "7000"}, []string{"5.0", "05", "+5", "x", "1e1"}},
	{"numeric(9,2)", "i", [2]string{"5.00", "7000.00"}, []string{"5", "5.0", "x"}},
	{"char(6)", "i::text", [2]string{"5", "7000"}, []string{"5 ", "toolong"}},
	{"name", "('n' || i)::name", [2]string{"n5", "n7000"}, []string{"n5 ", strings.Repeat("n", 70)}},
	{"date", "'2000-01-01'::date + i", [2]string{"2000-01-06", "2019-03-02"}, []string{"2000-1-6", "2000-02-30", "06.01.2000", "0000-01-01", "x"}},
	{"timestamp", "'2000-01-01'::timestamp + i * interval '1 hour'", [2]string{"2000-01-01 05:00:00", "2000-10-18 16:00:00"}, []string{"2000-01-01T05:00:00", "2000-01-01 05:00", "x"}},
	{"inet", "'10.0.0.0'::inet + i", [2]string{"10.0.0.5", "10.0.27.88"}, []string{"10.0.0.5/32", "x", "fe80::1%eth0"}},
	{"macaddr", "('08002b' || lpad(to_hex(i), 6, '0'))::macaddr", [2]string{"08:00:2b:00:00:05", "08:00:2b:00:1b:58"}, []string{"08-00-2b-00-00-05", "08:00:2B:00:1B:58"}},
	{"varbit", "i::bit(20)::varbit", [2]string{"00000000000000000101", "00000001101101011000"}, []string{"101", "x5", "B101"}},
	{"oid", "i::oid", [2]string{"5", "7000"}, []string{"05", "-1", "x", "4294967296"}},
}

func TestKeysOfOtherTypesUseIndex(t *testing.T) {
	for _, c := range otherKeyTypes {
		t.Run(c.sql, func(t *testing.T) {
			t.Parallel()
			m := core.MustModel("m",
				core.ResourceSpec{Name: "thing", Fields: []core.FieldSpec{{Name: "id", Type: core.Text, Key: true}, {Name: "n", Type: core.Int}}},
				core.ResourceSpec{Name: "part", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "thing", ToOne: "thing"}}},
			)
			schema := pgtest.Schema(t)
			for _, sql := range []string{
				`CREATE TABLE $S.thing (id ` + c.sql + ` PRIMARY KEY, n int)`,
				`CREATE TABLE $S.part (id bigserial PRIMARY KEY, thing ` + c.sql + ` REFERENCES $S.thing)`,
				`CREATE INDEX ON $S.part (thing)`,
				`INSERT INTO $S.thing SELECT ` + c.from + `, i FROM generate_series(1, 10000) AS i`,
				`INSERT INTO $S.part (thing) SELECT id FROM $S.thing`,
				`ANALYZE $S.thing, $S.part`,
			} {
				servertest.Execute(t, servertest.InSchema(schema, sql))
			}
			p, last := servertest.RecordedPool(t)
			s, err := core.New(t.Context(), m, postgres.New(p, schema, postgres.Options{CheckSchema: -1}))
			if err != nil {
				t.Fatal(err)
			}
			ctx, thing, part := t.Context(), m.Resource("thing"), m.Resource("part")
			one, two := core.TextValue(c.keys[0]), core.TextValue(c.keys[1])
			change := func(key core.Value) core.Record {
				return servertest.Record(t, thing, map[string]any{"id": key, "n": 0})
			}
			found := func(n int, err error, want int) error {
				if err == nil && n != want {
					t.Errorf("found %d, want %d", n, want)
				}
				return err
			}
			for _, op := range []struct {
				name string
				run  func() error
			}{
				{"get", func() error { _, err := s.Get(ctx, thing, one); return err }},
				{"load", func() error {
					recs, err := s.Load(ctx, thing, []core.Value{one, two})
					return found(len(recs), err, 2)
				}},
				{"relation", func() error {
					page, err := s.Select(ctx, part, core.Query{Where: core.Eq("thing", one)})
					return found(len(page.Records), err, 1)
				}},
				{"one of", func() error { n, err := s.Count(ctx, part, core.In("thing", one, two)); return found(n, err, 2) }},
				{"update", func() error { _, err := s.Update(ctx, thing, change(one)); return err }},
				{"update several", func() error { _, err := s.Update(ctx, thing, change(one), change(two)); return err }},
				{"delete", func() error { return s.Delete(ctx, part, core.IntValue(5)) }},
				{"delete several", func() error {
					if err := s.Delete(ctx, part, core.IntValue(7000)); err != nil {
						return err
					}
					return s.Delete(ctx, thing, one, two)
				}},
			} {
				if err := op.run(); err != nil {
					t.Fatalf("%s: %v", op.name, err)
				}
				if plan := last.Plan(t, p); strings.Contains(plan, "Seq Scan on") || !strings.Contains(plan, "Index") {
					t.Errorf("%s: plan:\n%s\n%s", op.name, plan, last.SQL)
				}
			}
			for _, never := range c.never {
				key := core.TextValue(never)
				_, err := s.Get(ctx, thing, key)
				_, updated := s.Update(ctx, thing, change(key))
				_, several := s.Update(ctx, thing, change(key), change(core.TextValue("zzz")))
				for _, err := range []error{err, updated, several, s.Delete(ctx, thing, key), s.Delete(ctx, thing, key, core.TextValue("zzz"))} {
					if !errors.Is(err, core.NotFound) {
						t.Errorf("%q: %v", never, err)
					}
				}
				if recs, err := s.Load(ctx, thing, []core.Value{key, core.TextValue("zzz")}); err != nil || len(recs) != 0 {
					t.Errorf("load of %q: %v %v", never, recs, err)
				}
				if n, err := s.Count(ctx, part, core.Or(core.Eq("thing", key), core.In("thing", key, "zzz"))); err != nil || n != 0 {
					t.Errorf("parts of %q: %d %v", never, n, err)
				}
			}
		})
	}
}

func TestTimesInEveryTimeZone(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "thing", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "at", Type: core.Time}}})
	thing := m.Resource("thing")
	for _, mode := range []string{"cache_statement", "simple_protocol"} {
		for _, zone := range []string{"UTC", "America/New_York", "Europe/Amsterdam", "Pacific/Kiritimati", "Asia/Kathmandu", "Etc/GMT+12"} {
			t.Run(mode+"/"+zone, func(t *testing.T) {
				schema := pgtest.Schema(t)
				servertest.Must(t, postgres.Migrate(t.Context(), servertest.Pool(t, pgtest.URL(t)), schema, m))
				server := servertest.With(t, servertest.With(t, pgtest.URL(t), "timezone", zone), "default_query_exec_mode", mode)
				store, err := core.New(t.Context(), m, postgres.New(servertest.Pool(t, server), schema, postgres.Options{}))
				servertest.Must(t, err)
				for _, at := range []string{
					"0001-01-01T00:00:00Z", "0001-12-31T23:59:59.999999Z", "1582-10-10T12:00:00Z", "1883-11-18T12:03:58-04:56", "1899-12-31T23:59:59.000001Z",
					"1937-07-01T00:00:00+00:20", "2026-03-29T01:59:59.999999Z", "9999-12-31T23:59:59.999999Z",
				} {
					want := servertest.Record(t, thing, map[string]any{"at": at}).Get("at")
					made, err := store.Insert(t.Context(), thing, servertest.Record(t, thing, map[string]any{"at": at}))
					if err != nil || made[0].Get("at") != want {
						t.Fatalf("%s came back as %v, %v", at, made, err)
					}
					found, err := store.Select(t.Context(), thing, core.Query{Where: core.Eq("at", want)})
					if err != nil || len(found.Records) != 1 || found.Records[0].Get("at") != want {
						t.Errorf("%s is found as %v, %v", at, found.Records, err)
					}
				}
			})
		}
	}
}

// Other programs may store values that clients of the backend cannot write.
func TestValuesOfOtherPrograms(t *testing.T) {
	m := core.MustModel("m",
		core.ResourceSpec{Name: "tag", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}},
		core.ResourceSpec{Name: "thing", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true}, {Name: "json", Type: core.JSON}, {Name: "list", Type: core.List}, {Name: "tags", ToMany: "tag"},
			{Name: "prices", Type: core.List}, {Name: "pair", Type: core.JSON}, {Name: "seen", Type: core.Int, ReadOnly: true},
		}})
	thing := m.Resource("thing")
	for _, mode := range servertest.Modes {
		t.Run(mode.Name, func(t *testing.T) {
			schema := pgtest.Schema(t)
			for _, sql := range []string{
				`CREATE TABLE $S.tag (id bigserial PRIMARY KEY)`, `CREATE TYPE $S.pair AS (n numeric, s text)`,
				`CREATE TABLE $S.thing (id bigserial PRIMARY KEY, json jsonb, list jsonb, tags bigint[], prices numeric[], pair $S.pair, seen int DEFAULT 1)`,
				`INSERT INTO $S.thing (json) VALUES ('{"a": 1e-400}'), ('1e400'), ('{"b": 1e-16383}'), (repeat('[', 1000)::text || repeat(']', 1000))::jsonb`,
			} {
				servertest.Execute(t, servertest.InSchema(schema, strings.Replace(sql, `(repeat('[', 1000)::text || repeat(']', 1000))::jsonb`, `((repeat('[', 1000) || repeat(']', 1000))::jsonb)`, 1)))
			}
			servertest.Execute(t, servertest.InSchema(schema, `INSERT INTO $S.thing (list, tags, prices, pair) VALUES ('[1e-400, 1e400]', '{3,NULL,1}', '{1e-400,1e400,NaN}', (1e400, 'x'))`))
			store, err := core.New(t.Context(), m, postgres.New(servertest.Pool(t, mode.URL(t)), schema, mode.Options))
			servertest.Must(t, err)
			page, err := store.Select(t.Context(), thing, core.Query{})
			servertest.Must(t, err)
			deep := strings.Repeat("[", 1000) + strings.Repeat("]", 1000)
			for i, want := range []string{`{"a":1e-400}`, `1e+400`, `{"b":1e-16383}`, deep} {
				if got := page.Records[i].Get("json").Text(); got != want {
					t.Errorf("got %.50s, want %.50s", got, want)
				}
			}
			last := page.Records[4]
			for field, want := range map[string]string{"list": `[1e-400,1e+400]`, "tags": `[1,3]`, "prices": `[1e-400,1e+400,"NaN"]`, "pair": `{"n":1e+400,"s":"x"}`} {
				if got := last.Get(field).Text(); got != want {
					t.Errorf("%s: got %s, want %s", field, got, want)
				}
			}
			for _, rec := range page.Records { // the values can be written back
				got, err := store.Update(t.Context(), thing, rec)
				if err != nil || !got[0].Equal(rec) {
					t.Errorf("%.60s was written as %.60s, %v", rec, got, err)
				}
			}
		})
	}
}

// A few bytes denote a number with 131,072 digits.
func TestLongExpansionIsRejected(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "thing", APIName: "Thing", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "price", Type: core.Text}, {Name: "range", Type: core.Text}, {Name: "ranges", Type: core.Text},
		{Name: "own_range", Type: core.Text}, {Name: "domain", Type: core.Text}, {Name: "prices", Type: core.List}, {Name: "domains", Type: core.List},
		{Name: "pair", Type: core.JSON}, {Name: "pairs", Type: core.List}, {Name: "words", Type: core.List}, {Name: "plain", Type: core.Text},
	}})
	thing := m.Resource("thing")
	multirange := "nummultirange"
	if servertest.Version(t) < 14 {
		multirange = "numrange"
	}
	store, _ := servertest.Store(t, m, `CREATE TYPE $S.span AS RANGE (subtype = numeric)`, `CREATE DOMAIN $S.amount AS numeric`, `CREATE TYPE $S.pair AS (n numeric, s text)`,
		`CREATE TABLE $S.thing (id bigserial PRIMARY KEY, price numeric, "range" numrange, ranges `+multirange+`, own_range $S.span, domain $S.amount,
			prices numeric[], domains $S.amount[], pair $S.pair, pairs $S.pair[], words text[], plain text)`)
	filled, err := store.Insert(t.Context(), thing, servertest.Record(t, thing, map[string]any{"price": "1"}))
	servertest.Must(t, err)
	for _, c := range []struct {
		field  string
		values []any
		good   bool
	}{
		{"price", []any{"1e131071", "-1E+5000", "1e-16383", " 1e1001 ", "0.1e5000", "1e10_000"}, false},
		{"price", []any{"1e100", "1e-100", "12.5e3", "0", strings.Repeat("9", 3000), "NaN", "1e999"}, true},
		{"range", []any{"[1,1e131071]", "(1e-16383,)"}, false},
		{"range", []any{"[1,1e30)"}, true},
		{"ranges", []any{"{[1,1e131071]}"}, false},
		{"own_range", []any{"[1,1e131071]"}, false},
		{"domain", []any{"1e131071"}, false},
		{"prices", []any{[]any{"1e131071"}, []any{1, "1e-16383"}, []any{[]any{"1e5000"}}}, false},
		{"prices", []any{[]any{"1e100", 1e300, "NaN", nil}, []any{json.Number("1e-390")}}, true},
		{"domains", []any{[]any{"1e131071"}}, false},
		{"pair", []any{map[string]any{"n": "1e131071"}}, false},
		{"pair", []any{map[string]any{"n": "1e30", "s": "1e131071"}, map[string]any{"s": "7e50001"}}, true},
		{"pairs", []any{[]any{map[string]any{"n": "1e131071"}}}, false},
		{"words", []any{[]any{"1e131071"}, []any{"7e50001"}}, true},
		{"plain", []any{"1e131071"}, true},
	} {
		for _, value := range c.values {
			rec := servertest.Record(t, thing, map[string]any{c.field: value})
			_, alone := store.Insert(t.Context(), thing, rec)
			_, several := store.Insert(t.Context(), thing, servertest.Record(t, thing, map[string]any{"plain": "x"}), rec)
			_, updated := store.Update(t.Context(), thing, rec.With(0, filled[0].Key()))
			for _, err := range []error{alone, several, updated} {
				var told *core.Error
				switch {
				case c.good && err != nil:
					t.Errorf("%s %.40v: %v", c.field, value, err)
				case !c.good && (!errors.As(err, &told) || told.Code != core.BadFieldValue || told.Field != c.field):
					t.Errorf("%s %.40v: got %v", c.field, value, err)
				}
			}
		}
	}
}
