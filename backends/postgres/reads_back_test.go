package postgres_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

func TestTimesReadBackInEveryTimeZone(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "thing", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "at", Type: core.Time}}})
	thing := m.Resource("thing")
	for _, mode := range []string{"cache_statement", "simple_protocol"} {
		for _, zone := range []string{"UTC", "America/New_York", "Europe/Amsterdam", "Pacific/Kiritimati", "Asia/Kathmandu", "Etc/GMT+12"} {
			t.Run(mode+"/"+zone, func(t *testing.T) {
				schema := pgtest.Schema(t)
				must(t, postgres.Migrate(t.Context(), pool(t, pgtest.URL(t)), schema, m))
				server := with(t, with(t, pgtest.URL(t), "timezone", zone), "default_query_exec_mode", mode)
				store, err := core.New(t.Context(), m, postgres.New(pool(t, server), schema, postgres.Options{}))
				must(t, err)
				for _, at := range []string{
					"0001-01-01T00:00:00Z", "0001-12-31T23:59:59.999999Z", "1582-10-10T12:00:00Z", "1883-11-18T12:03:58-04:56", "1899-12-31T23:59:59.000001Z",
					"1937-07-01T00:00:00+00:20", "2026-03-29T01:59:59.999999Z", "9999-12-31T23:59:59.999999Z",
				} {
					want := record(t, thing, map[string]any{"at": at}).Get("at")
					made, err := store.Insert(t.Context(), thing, record(t, thing, map[string]any{"at": at}))
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

// Another program may store more than a client of ours.
func TestValuesOfOtherProgramsAreRead(t *testing.T) {
	m := core.MustModel("m",
		core.ResourceSpec{Name: "tag", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}},
		core.ResourceSpec{Name: "thing", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true}, {Name: "json", Type: core.JSON}, {Name: "list", Type: core.List}, {Name: "tags", ToMany: "tag"},
			{Name: "prices", Type: core.List}, {Name: "pair", Type: core.JSON}, {Name: "seen", Type: core.Int, ReadOnly: true},
		}})
	thing := m.Resource("thing")
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			schema := pgtest.Schema(t)
			for _, sql := range []string{
				`CREATE TABLE $S.tag (id bigserial PRIMARY KEY)`, `CREATE TYPE $S.pair AS (n numeric, s text)`,
				`CREATE TABLE $S.thing (id bigserial PRIMARY KEY, json jsonb, list jsonb, tags bigint[], prices numeric[], pair $S.pair, seen int DEFAULT 1)`,
				`INSERT INTO $S.thing (json) VALUES ('{"a": 1e-400}'), ('1e400'), ('{"b": 1e-16383}'), (repeat('[', 1000)::text || repeat(']', 1000))::jsonb`,
			} {
				execute(t, inSchema(schema, strings.Replace(sql, `(repeat('[', 1000)::text || repeat(']', 1000))::jsonb`, `((repeat('[', 1000) || repeat(']', 1000))::jsonb)`, 1)))
			}
			execute(t, inSchema(schema, `INSERT INTO $S.thing (list, tags, prices, pair) VALUES ('[1e-400, 1e400]', '{3,NULL,1}', '{1e-400,1e400,NaN}', (1e400, 'x'))`))
			store, err := core.New(t.Context(), m, postgres.New(pool(t, way.url(t)), schema, way.opts))
			must(t, err)
			page, err := store.Select(t.Context(), thing, core.Query{})
			must(t, err)
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
			for _, rec := range page.Records { // and can be written
				got, err := store.Update(t.Context(), thing, rec)
				if err != nil || !got[0].Equal(rec) {
					t.Errorf("%.60s was written as %.60s, %v", rec, got, err)
				}
			}
		})
	}
}

// A few bytes name a number with 131,072 digits.
func TestShortInputNamesNoLongValue(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "thing", APIName: "Thing", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "price", Type: core.Text}, {Name: "range", Type: core.Text}, {Name: "ranges", Type: core.Text},
		{Name: "own_range", Type: core.Text}, {Name: "domain", Type: core.Text}, {Name: "prices", Type: core.List}, {Name: "domains", Type: core.List},
		{Name: "pair", Type: core.JSON}, {Name: "pairs", Type: core.List}, {Name: "words", Type: core.List}, {Name: "plain", Type: core.Text},
	}})
	thing := m.Resource("thing")
	store, _ := stored(t, m, `CREATE TYPE $S.span AS RANGE (subtype = numeric)`, `CREATE DOMAIN $S.amount AS numeric`, `CREATE TYPE $S.pair AS (n numeric, s text)`,
		`CREATE TABLE $S.thing (id bigserial PRIMARY KEY, price numeric, "range" numrange, ranges nummultirange, own_range $S.span, domain $S.amount,
			prices numeric[], domains $S.amount[], pair $S.pair, pairs $S.pair[], words text[], plain text)`)
	filled, err := store.Insert(t.Context(), thing, record(t, thing, map[string]any{"price": "1"}))
	must(t, err)
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
			rec := record(t, thing, map[string]any{c.field: value})
			_, alone := store.Insert(t.Context(), thing, rec)
			_, several := store.Insert(t.Context(), thing, record(t, thing, map[string]any{"plain": "x"}), rec)
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
