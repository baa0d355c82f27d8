package postgres_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// foreignKeys are types of keys that are none of the model's, with an expression
// that makes one of a number, two that are there, and texts that none is spelled as.
var foreignKeys = []struct {
	sql, from string
	keys      [2]string
	never     []string
}{
	{"numeric", "i", [2]string{"5", "7000"}, []string{"5.0", "05", "+5", "x", "", "1e1"}},
	{"numeric(9,2)", "i", [2]string{"5.00", "7000.00"}, []string{"5", "5.0", "x"}},
	{"char(6)", "i::text", [2]string{"5", "7000"}, []string{"5 ", "toolong", ""}},
	{"name", "('n' || i)::name", [2]string{"n5", "n7000"}, []string{"n5 ", strings.Repeat("n", 70)}},
	{"date", "'2000-01-01'::date + i", [2]string{"2000-01-06", "2019-03-02"}, []string{"2000-1-6", "2000-02-30", "06.01.2000", "0000-01-01", "x"}},
	{"timestamp", "'2000-01-01'::timestamp + i * interval '1 hour'", [2]string{"2000-01-01 05:00:00", "2000-10-18 16:00:00"}, []string{"2000-01-01T05:00:00", "2000-01-01 05:00", "x"}},
	{"inet", "'10.0.0.0'::inet + i", [2]string{"10.0.0.5", "10.0.27.88"}, []string{"10.0.0.5/32", "x", "fe80::1%eth0"}},
	{"macaddr", "('08002b' || lpad(to_hex(i), 6, '0'))::macaddr", [2]string{"08:00:2b:00:00:05", "08:00:2b:00:1b:58"}, []string{"08-00-2b-00-00-05", "08:00:2B:00:1B:58"}},
	{"varbit", "i::bit(20)::varbit", [2]string{"00000000000000000101", "00000001101101011000"}, []string{"101", "x5", "B101"}},
	{"oid", "i::oid", [2]string{"5", "7000"}, []string{"05", "-1", "x", "4294967296"}},
}

func TestKeysOfOtherTypesAreFoundByTheIndex(t *testing.T) {
	for _, c := range foreignKeys {
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
				execute(t, inSchema(schema, sql))
			}
			p, last := traced(t)
			s, err := core.New(t.Context(), m, postgres.New(p, schema, postgres.Options{CheckSchema: -1}))
			if err != nil {
				t.Fatal(err)
			}
			ctx, thing, part := t.Context(), m.Resource("thing"), m.Resource("part")
			one, two := core.TextValue(c.keys[0]), core.TextValue(c.keys[1])
			change := func(key core.Value) core.Record { return record(t, thing, map[string]any{"id": key, "n": 0}) }
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
				if plan := last.plan(t, p); strings.Contains(plan, "Seq Scan on") || !strings.Contains(plan, "Index") {
					t.Errorf("%s: plan:\n%s\n%s", op.name, plan, last.sql)
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
