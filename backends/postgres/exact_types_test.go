package postgres_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/internal/servertest"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// exactTypes are types that compare by value and are strings in JSON, each with a function that draws a value as the
// model and the server spell it.
var exactTypes = []struct {
	sql  string
	typ  core.Type
	draw func(r *rand.Rand) string
}{
	{"date", core.Date, func(r *rand.Rand) string { return drawDay(r).Format(time.DateOnly) }},
	{"numeric", core.Decimal, drawDecimal},
	{"numeric(30,9)", core.Decimal, func(r *rand.Rand) string { return fmt.Sprintf("%d.%09d", r.IntN(40)-20, r.IntN(1_000_000_000)) }},
	{"timestamp", core.LocalTime, func(r *rand.Rand) string {
		clock := time.Duration(r.Int64N(24*60*60*1_000_000)) * time.Microsecond
		if r.IntN(2) == 0 {
			clock = clock.Truncate(6 * time.Hour)
		}
		return drawDay(r).Add(clock).Format("2006-01-02T15:04:05.999999")
	}},
}

// drawDecimal draws numbers of all sizes and signs, and a few close ones in several spellings.
func drawDecimal(r *rand.Rand) string {
	digits := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteByte(byte('0' + r.IntN(10)))
		}
		return b.String()
	}
	sign := []string{"", "-"}[r.IntN(2)]
	switch r.IntN(4) {
	case 0:
		return sign + "1" + digits(r.IntN(400)) + "." + digits(1+r.IntN(400))
	case 1:
		return sign + "0." + strings.Repeat("0", r.IntN(300)) + digits(1+r.IntN(8))
	case 2:
		return sign + []string{"0", "1", "1.0", "1.50", "1.5", "9", "10", "10.5", "1e1", "0.0", "100000000", "99999999", "0.0001", "0.00001"}[r.IntN(14)]
	}
	return sign + strconv.Itoa(1+r.IntN(10)) + strings.Repeat("0", r.IntN(30))
}

// drawDay draws days of all years, and of a few weeks.
func drawDay(r *rand.Rand) time.Time {
	if r.IntN(2) == 0 {
		return time.Date(1, 1, 1+r.IntN(3_652_059), 0, 0, 0, 0, time.UTC)
	}
	return time.Date(2000, 1, r.IntN(20), 0, 0, 0, 0, time.UTC)
}

func TestExactTypesAgreeWithSQL(t *testing.T) {
	for _, mode := range servertest.Modes {
		for _, c := range exactTypes {
			t.Run(mode.Name+"/"+c.sql, func(t *testing.T) {
				t.Parallel()
				m := core.MustModel("m", core.ResourceSpec{Name: "thing", Fields: []core.FieldSpec{
					{Name: "id", Type: core.Int, Key: true}, {Name: "a", Type: c.typ},
				}})
				schema := pgtest.Schema(t)
				servertest.Execute(t, servertest.InSchema(schema, `CREATE TABLE $S.thing (id bigserial PRIMARY KEY, a `+c.sql+`)`))
				s, err := core.New(t.Context(), m, postgres.New(servertest.Pool(t, mode.URL(t)), schema, mode.Options))
				servertest.Must(t, err)
				t.Cleanup(func() { _ = s.Close() })
				thing, r := m.Resource("thing"), rand.New(rand.NewPCG(1, 2))
				recs, texts := []core.Record{servertest.Record(t, thing, nil), servertest.Record(t, thing, nil)}, []string{}
				for range 200 {
					text := c.draw(r)
					recs, texts = append(recs, servertest.Record(t, thing, map[string]any{"a": text})), append(texts, text)
				}
				_, err = s.Insert(t.Context(), thing, recs...)
				servertest.Must(t, err)
				if n := servertest.Value[int](t, servertest.Pool(t, pgtest.URL(t)), servertest.InSchema(schema, `SELECT count(*)::int FROM $S.thing JOIN unnest($1::text[]) WITH ORDINALITY AS x (v, n) ON id = n + 2 AND a = v::`+c.sql), texts); n != len(texts) {
					t.Errorf("%d of %d values are stored exactly", n, len(texts))
				}
				check := func(name string, q core.Query, rest string, args ...any) {
					t.Helper()
					var got []int64
					for q.Limit = 17; ; {
						page, err := s.Select(t.Context(), thing, q)
						servertest.Must(t, err)
						for _, rec := range page.Records {
							got = append(got, rec.Key().Int())
						}
						if q.After = page.Next; q.After == "" {
							break
						}
					}
					want := servertest.Value[[]int64](t, servertest.Pool(t, pgtest.URL(t)), servertest.InSchema(schema, `SELECT coalesce(array_agg(id), '{}') FROM (SELECT id FROM $S.thing `+rest+`) AS x`), args...)
					if !slices.Equal(got, want) {
						t.Errorf("%s: got %v, SQL has %v", name, got, want)
					}
				}
				check("ascending", core.Query{Order: []string{"a"}}, `ORDER BY a, id`)
				check("descending", core.Query{Order: []string{"-a"}}, `ORDER BY a DESC, id`)
				for _, text := range texts[:10] {
					check("= "+text, core.Query{Where: core.Eq("a", text)}, `WHERE a = $1::text::`+c.sql+` ORDER BY id`, text)
					check("< "+text, core.Query{Where: core.Lt("a", text), Order: []string{"a"}}, `WHERE a < $1::text::`+c.sql+` ORDER BY a, id`, text)
					check(">= "+text, core.Query{Where: core.Ge("a", text), Order: []string{"-a"}}, `WHERE a >= $1::text::`+c.sql+` ORDER BY a DESC, id`, text)
				}
				check("in", core.Query{Where: core.In("a", texts[0], texts[1], nil)}, `WHERE a IS NULL OR a = ANY ($1::text[]::`+c.sql+`[]) ORDER BY id`, texts[:2])
			})
		}
	}
}
