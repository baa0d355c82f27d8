package postgres_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/importer"
	"github.com/larder-go/larder/backends/postgres/internal/importertest"
	"github.com/larder-go/larder/backends/postgres/internal/servertest"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/reference"
	"github.com/larder-go/larder/core/rest"
)

type otherType struct {
	sql    string
	typ    core.Type
	values []any
	other  [2]any // given and stored
	bad    []any
}

// otherTypes lists types that the model does not represent or that hold fewer values: values that the server spells as
// given, values that it spells differently, and values that it rejects.
var otherTypes = []otherType{
	{"numeric", core.Text, []any{"0", "-1.50", "10", "9", "1.5", "12345678901234567890.123456789", "NaN"}, [2]any{"1e2", "100"}, []any{"abc", "", "1,5", "larder: missing 1;"}},
	{"numeric(4,2)", core.Text, []any{"0.10", "10.00", "9.99"}, [2]any{"1.5", "1.50"}, []any{"100", "abc"}},
	{"money", core.Text, []any{"$1.00", "$10.00", "-$9.00"}, [2]any{"3", "$3.00"}, []any{"abc"}},
	{"char(3)", core.Text, []any{"abc", "a", "", "ü"}, [2]any{"x    ", "x"}, []any{"abcd"}},
	{"bpchar", core.Text, []any{"abc", "a long one"}, [2]any{"x ", "x"}, nil},
	{"name", core.Text, []any{"b", "B", "a"}, [2]any{5, "5"}, []any{strings.Repeat("x", 64)}},
	{`"char"`, core.Text, []any{"b", "a"}, [2]any{5, "5"}, []any{"ab"}},
	{"date", core.Text, []any{"2026-11-23", "0044-03-15 BC", "0001-01-01", "12026-01-01", "infinity"}, [2]any{"Nov 24 2026", "2026-11-24"}, []any{"2026-02-30", "soon"}},
	{"time", core.Text, []any{"10:00:00", "09:00:00.5", "24:00:00"}, [2]any{"03:00 pm", "15:00:00"}, []any{"25:00", "x"}},
	{"timetz", core.Text, []any{"10:00:00+02", "09:00:00-03:30"}, [2]any{"10:00 utc", "10:00:00+00"}, []any{"x"}},
	{"timestamp", core.Text, []any{"2026-11-23 10:00:00", "2026-11-23 10:00:00.25", "-infinity"}, [2]any{"2026-11-23T11:00", "2026-11-23 11:00:00"}, []any{"2026-13-01 00:00:00", "x"}},
	{"interval", core.Text, []any{"1 day", "24:00:00", "1 mon 2 days"}, [2]any{"P1Y", "1 year"}, []any{"x"}},
	{"mood", core.Text, []any{"sad", "ok", "it's \"so\""}, [2]any{"new", "new"}, []any{"no such", ""}},
	{"point", core.Text, []any{"(1,2)", "(0.1,-3)"}, [2]any{"1, 1", "(1,1)"}, []any{"x"}},
	{"polygon", core.Text, []any{"((0,0),(1,1),(1,0))"}, [2]any{"(0,0),(2,2)", "((0,0),(2,2))"}, []any{"x"}},
	{"inet", core.Text, []any{"10.0.0.1", "10.0.0.0/8", "::1"}, [2]any{"10.0.0.2/32", "10.0.0.2"}, []any{"10.0.0.256", "x"}},
	{"cidr", core.Text, []any{"10.0.0.0/8", "10.0.0.1/32"}, [2]any{"10.1", "10.1.0.0/16"}, []any{"10.0.0.1/8"}},
	{"macaddr", core.Text, []any{"08:00:2b:01:02:03"}, [2]any{"08-00-2B-01-02-04", "08:00:2b:01:02:04"}, []any{"x"}},
	{"macaddr8", core.Text, []any{"08:00:2b:01:02:03:04:05"}, [2]any{"08-00-2B-01-02-03-04-06", "08:00:2b:01:02:03:04:06"}, []any{"x"}},
	{"bit(3)", core.Text, []any{"101", "000"}, [2]any{"011", "011"}, []any{"1010", "1", "abc"}},
	{"bit varying(4)", core.Text, []any{"101", "", "1"}, [2]any{110, "110"}, []any{"10101", "2"}},
	{"tsvector", core.Text, []any{"'a':1 'cat':2"}, [2]any{"b a b", "'a' 'b'"}, []any{"'"}},
	{"tsquery", core.Text, []any{"'a' & 'b'"}, [2]any{"a|b", "'a' | 'b'"}, []any{"a &"}},
	{"xml", core.Text, []any{"<a/>", "<b>x</b>"}, [2]any{"x", "x"}, []any{"<a>"}},
	{"int4range", core.Text, []any{"[1,5)", "empty", "(,)"}, [2]any{"[1,2]", "[1,3)"}, []any{"[5,1]", "x"}},
	{"nummultirange", core.Text, []any{"{[1,2)}", "{}"}, [2]any{"{[1,2),[2,3)}", "{[1,3)}"}, []any{"x"}},
	{"span", core.Text, []any{"[0.5,1.5]"}, [2]any{"(,)", "(,)"}, []any{"x"}},
	{"price", core.Text, []any{"1.50", "0.00"}, [2]any{"2", "2.00"}, []any{"-1", "1000000000", "x"}},
	{"short", core.Text, []any{"abc", ""}, [2]any{5, "5"}, []any{"abcd"}},
	{"smallint", core.Int, []any{-1, 0, 32767}, [2]any{"5", 5}, []any{1 << 15}},
	{"integer", core.Int, []any{-1, 0, 1<<31 - 1}, [2]any{"5", 5}, []any{1 << 31}},
	{"real", core.Float, []any{0.1, 34.8, 1.5, -3, 0, 3.4028235e38, 1e-45, 16777216}, [2]any{float64(float32(0.3)), 0.3}, []any{1e300, 1e-300, -1e-46}},
	{"varchar(3)", core.Text, []any{"abc", "ü", ""}, [2]any{5, "5"}, []any{"abcd", "a   "}},
	{"positive", core.Int, []any{1, 2, 10}, [2]any{"5", 5}, []any{0, -1, 1 << 40}},
	{"oid", core.Text, []any{"0", "10", "9", "4294967295"}, [2]any{"007", "7"}, []any{"x", "4294967296"}},
	{"regclass", core.Text, []any{"pg_class"}, [2]any{"pg_catalog.pg_type", "pg_type"}, []any{"no such"}},
	{"pg_lsn", core.Text, []any{"16/B374D848"}, [2]any{"0/0a", "0/A"}, []any{"x"}},
	{"json", core.JSON, []any{map[string]any{"b": 1, "a": []any{1.5, nil}}, "text", 1, true, []any{}}, [2]any{[]any{1.0}, []any{1}}, nil},
	{"json", core.List, []any{[]any{}, []any{1, "a"}}, [2]any{[]any{1.0}, []any{1}}, nil},
	{"pair", core.JSON, []any{map[string]any{"a": 1, "b": "x"}, map[string]any{"a": nil, "b": nil}}, [2]any{map[string]any{"b": 5}, map[string]any{"a": nil, "b": "5"}}, []any{5, map[string]any{"a": "x"}}},
	{"integer[]", core.List, []any{[]any{}, []any{1, 2}, []any{2, 1}, []any{1, nil}, []any{[]any{1, 2}, []any{3, 4}}}, [2]any{[]any{"7"}, []any{7}}, []any{[]any{"x"}, []any{1.5}, []any{[]any{1}, []any{}}, []any{1 << 40}}},
	{"text[3][3]", core.List, []any{[]any{}, []any{"a", `b"\,{}`, nil, "NULL", ""}, []any{[]any{"a"}}}, [2]any{[]any{1}, []any{"1"}}, []any{[]any{[]any{"a"}, "b"}}},
	{"varchar(2)[]", core.List, []any{[]any{"ab"}}, [2]any{[]any{1}, []any{"1"}}, []any{[]any{"abc"}}},
	{"boolean[]", core.List, []any{[]any{true, false}}, [2]any{[]any{"yes"}, []any{true}}, []any{[]any{"x"}}},
	{"uuid[]", core.List, []any{[]any{"0b6f2f2e-6d1c-4b5e-9a59-0c6c5a1b7d11"}}, [2]any{[]any{"0B6F2F2E-6d1c-4b5e-9a59-0c6c5a1b7d12"}, []any{"0b6f2f2e-6d1c-4b5e-9a59-0c6c5a1b7d12"}}, []any{[]any{"x"}}},
	{"numeric(4,1)[]", core.List, []any{[]any{1.5, 2}}, [2]any{[]any{"3"}, []any{3}}, []any{[]any{"x"}, []any{10000}}},
	{"jsonb[]", core.List, []any{[]any{map[string]any{"a": 1}, nil, 5}}, [2]any{[]any{1.0}, []any{1}}, nil},
	{"mood[]", core.List, []any{[]any{"ok", "sad"}}, [2]any{[]any{"new"}, []any{"new"}}, []any{[]any{"no such"}}},
	{"pair[]", core.List, []any{[]any{map[string]any{"a": 1, "b": "x"}}}, [2]any{[]any{map[string]any{}}, []any{map[string]any{"a": nil, "b": nil}}}, []any{[]any{5}}},
	{"words", core.List, []any{[]any{"a", "b"}}, [2]any{[]any{1}, []any{"1"}}, []any{[]any{"too", "many", "words"}}},
	{`"SCHEMA".int4`, core.Text, []any{"four"}, [2]any{"five", "five"}, []any{"4"}},
}

// presentTypes returns the otherTypes that the server has.
func presentTypes(t *testing.T) []otherType {
	t.Helper()
	lacksMultiranges := servertest.Version(t) < 14
	return slices.DeleteFunc(slices.Clone(otherTypes), func(c otherType) bool { return c.sql == "nummultirange" && lacksMultiranges })
}

// otherTypesSQL makes types in the schema.
var otherTypesSQL = []string{
	`CREATE TYPE $S.mood AS ENUM ('ok', 'sad', 'it''s "so"', 'new')`,
	`CREATE TYPE $S.int4 AS ENUM ('four', 'five')`,
	`CREATE TYPE $S.pair AS (a int, b text)`,
	`CREATE TYPE $S.span AS RANGE (subtype = float8)`,
	`CREATE DOMAIN $S.price AS numeric(8,2) CHECK (VALUE >= 0)`,
	`CREATE DOMAIN $S.short AS varchar(3)`,
	`CREATE DOMAIN $S.positive AS integer CHECK (VALUE > 0)`,
	`CREATE DOMAIN $S.words AS text[] CHECK (cardinality(VALUE) < 3)`,
}

// inTestSchema qualifies a type of the schema.
func inTestSchema(sql string) string {
	for _, own := range []string{"mood", "pair", "span", "price", "short", "positive", "words"} {
		if strings.TrimSuffix(sql, "[]") == own {
			return "$S." + sql
		}
	}
	return strings.ReplaceAll(sql, `"SCHEMA"`, "$S")
}

// typedStore returns a store with one resource whose fields a and b have the type.
func typedStore(t *testing.T, mode servertest.Mode, sql string, typ core.Type) *core.Store {
	t.Helper()
	m := core.MustModel("m", core.ResourceSpec{Name: "thing", APIName: "Thing", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "a", APIName: "A", Type: typ}, {Name: "b", Type: typ}, {Name: "n", Type: core.Int},
	}})
	schema := pgtest.Schema(t)
	for _, s := range append(slices.Clone(otherTypesSQL), `CREATE TABLE $S.thing (id bigserial PRIMARY KEY, a `+inTestSchema(sql)+`, b `+inTestSchema(sql)+`, n int)`) {
		servertest.Execute(t, servertest.InSchema(schema, s))
	}
	store, err := core.New(t.Context(), m, postgres.New(servertest.Pool(t, mode.URL(t)), schema, mode.Options))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

func TestEveryTypeHoldsAndFindsValues(t *testing.T) {
	for _, mode := range servertest.Modes {
		for _, c := range presentTypes(t) {
			t.Run(mode.Name+"/"+c.sql+" as "+c.typ.String(), func(t *testing.T) {
				t.Parallel()
				s := typedStore(t, mode, c.sql, c.typ)
				thing := s.Model().Resource("thing")
				value := func(raw any) core.Value {
					v, err := c.typ.Convert(raw)
					if err != nil {
						t.Fatal(err)
					}
					return v
				}
				ids := func(f core.Filter) []int64 {
					t.Helper()
					page, err := s.Select(t.Context(), thing, core.Query{Where: f})
					if err != nil {
						t.Fatalf("%v: %v", f, err)
					}
					var out []int64
					for _, rec := range page.Records {
						out = append(out, rec.Key().Int())
					}
					return out
				}

				var recs []core.Record
				var stored []core.Value
				for _, raw := range c.values {
					recs = append(recs, servertest.Record(t, thing, map[string]any{"a": raw, "b": raw}))
					stored = append(stored, value(raw))
				}
				recs = append(recs, servertest.Record(t, thing, map[string]any{"a": nil}))
				inserted, err := s.Insert(t.Context(), thing, recs...)
				if err != nil {
					t.Fatal(err)
				}
				one, err := s.Insert(t.Context(), thing, servertest.Record(t, thing, map[string]any{"a": c.other[0]}))
				if err != nil {
					t.Fatal(err)
				}
				if got := one[0].Get("a"); got != value(c.other[1]) {
					t.Errorf("%v is stored as %v, want %v", c.other[0], got, c.other[1])
				}
				null, last := int64(len(stored)+1), int64(len(stored)+2)
				for i, want := range stored {
					if got := inserted[i].Get("a"); got != want {
						t.Errorf("%v came back as %v", want, got)
					}
					got, err := s.Get(t.Context(), thing, core.IntValue(int64(i+1)))
					if err != nil || got.Get("a") != want || got.Get("b") != want {
						t.Errorf("%v is read as %v %v", want, got, err)
					}
					if got := ids(core.Eq("a", want)); !slices.Equal(got, []int64{int64(i + 1)}) {
						t.Errorf("eq %v: %v", want, got)
					}
					if got := ids(core.In("a", want, nil)); !slices.Equal(got, []int64{int64(i + 1), null}) {
						t.Errorf("in %v: %v", want, got)
					}
					if got := len(ids(core.Ne("a", want))); got != len(stored)+1 {
						t.Errorf("ne %v: %d", want, got)
					}
				}
				if got := ids(core.Eq("a", nil)); !slices.Equal(got, []int64{null}) {
					t.Errorf("null: %v", got)
				}
				if given, kept := value(c.other[0]), value(c.other[1]); given != kept {
					if got := ids(core.Eq("a", given)); got != nil {
						t.Errorf("eq %v finds %v, which is spelled otherwise", given, got)
					}
				}

				// one, and several with different columns
				if _, err := s.Update(t.Context(), thing, servertest.Record(t, thing, map[string]any{"id": last, "b": c.values[0]})); err != nil {
					t.Fatal(err)
				}
				updated, err := s.Update(t.Context(), thing,
					servertest.Record(t, thing, map[string]any{"id": null, "n": 1}), servertest.Record(t, thing, map[string]any{"id": last, "a": c.values[0]}))
				if err != nil {
					t.Fatal(err)
				}
				if updated[0].Get("a").IsSet() || updated[1].Get("a") != stored[0] || updated[1].Get("b") != stored[0] {
					t.Errorf("updated to %v", updated)
				}
			})
		}
	}
}

func TestEveryTypeSortsLikeModel(t *testing.T) {
	for _, mode := range servertest.Modes {
		for _, c := range presentTypes(t) {
			if c.typ == core.JSON || c.typ == core.List {
				continue
			}
			t.Run(mode.Name+"/"+c.sql, func(t *testing.T) {
				t.Parallel()
				s := typedStore(t, mode, c.sql, c.typ)
				thing := s.Model().Resource("thing")
				var recs []core.Record
				for _, raw := range c.values {
					recs = append(recs, servertest.Record(t, thing, map[string]any{"a": raw}))
				}
				recs = append(recs, servertest.Record(t, thing, nil))
				all, err := s.Insert(t.Context(), thing, recs...)
				if err != nil {
					t.Fatal(err)
				}
				check := func(q core.Query, op *core.Op) {
					t.Helper()
					op.Kind, op.Resource = core.Select, thing
					want, err := reference.Read(func(*core.Resource) iter.Seq[core.Record] { return slices.Values(all) }, op)
					servertest.Must(t, err)
					var got []core.Record
					for q.Limit = 2; ; { // pages continue where they ended
						page, err := s.Select(t.Context(), thing, q)
						if err != nil {
							t.Fatal(err)
						}
						got = append(got, page.Records...)
						if page.Next == "" {
							break
						}
						q.After = page.Next
					}
					if !slices.EqualFunc(got, want.Records, func(a, b core.Record) bool { return a.Key() == b.Key() }) {
						t.Errorf("%v: got %v, want %v", q, got, want.Records)
					}
				}
				key := core.Order{Field: thing.Key()}
				for _, desc := range []bool{false, true} {
					name := map[bool]string{false: "a", true: "-a"}[desc]
					check(core.Query{Order: []string{name}}, &core.Op{Order: []core.Order{{Field: thing.Field("a"), Desc: desc}, key}})
				}
				for _, raw := range append(slices.Clone(c.values), c.bad...) {
					filters := []core.Filter{
						core.Lt("a", raw), core.Le("a", raw), core.Gt("a", raw), core.Ge("a", raw), core.Not(core.Lt("a", raw)),
						core.Eq("a", raw), core.Ne("a", raw), core.In("a", raw, c.other[0]), core.Not(core.In("a", raw, nil)),
					}
					if c.typ == core.Text {
						text := fmt.Sprint(raw)
						part := text[len(text)/3:] // of ASCII
						filters = append(filters, core.Prefix("a", text), core.Contains("a", part), core.IContains("a", strings.ToUpper(part)), core.Not(core.IContains("a", part)))
					}
					for _, f := range filters {
						bound, err := thing.Bind(f)
						if err != nil {
							t.Fatal(err)
						}
						check(core.Query{Where: f}, &core.Op{Where: bound, Order: []core.Order{key}})
					}
				}
			})
		}
	}
}

func TestRejectedValuesNameField(t *testing.T) {
	for _, c := range presentTypes(t) {
		if c.bad == nil {
			continue
		}
		t.Run(c.sql, func(t *testing.T) {
			t.Parallel()
			s := typedStore(t, servertest.Modes[0], c.sql, c.typ)
			thing := s.Model().Resource("thing")
			if _, err := s.Insert(t.Context(), thing, servertest.Record(t, thing, map[string]any{"b": c.values[0]})); err != nil {
				t.Fatal(err)
			}
			for _, bad := range c.bad {
				expect := func(how string, err error) {
					t.Helper()
					e := core.AsError(err)
					if err == nil || e.Code != core.BadFieldValue || e.Resource != "Thing" || e.Field != "A" || e.Type != c.typ {
						t.Errorf("%s %v: %v", how, bad, err)
					}
				}
				good := servertest.Record(t, thing, map[string]any{"b": c.values[0], "a": c.values[0]})
				wrong := map[string]any{"a": bad, "b": c.values[0]}
				_, err := s.Insert(t.Context(), thing, servertest.Record(t, thing, wrong))
				expect("insert", err)
				if e := core.AsError(err); e != nil && e.Value == nil {
					t.Errorf("insert of %v does not tell the value", bad)
				}
				_, err = s.Insert(t.Context(), thing, good, servertest.Record(t, thing, wrong))
				expect("insert several", err)
				wrong["id"] = 1
				_, err = s.Update(t.Context(), thing, servertest.Record(t, thing, wrong))
				expect("update", err)
				err = s.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
					if _, err := tx.Insert(ctx, thing, good); err != nil {
						return err
					}
					_, err := tx.Insert(ctx, thing, servertest.Record(t, thing, map[string]any{"a": bad}))
					return err
				})
				expect("insert in a transaction", err)
			}
			if n, err := s.Count(t.Context(), thing, core.All()); err != nil || n != 1 {
				t.Errorf("%d records %v", n, err)
			}
		})
	}
}

func TestOtherValueErrorsNameNoField(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "thing", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "price", Type: core.Text}, {Name: "twice", Type: core.Text, ReadOnly: true},
	}})
	s, _ := servertest.Store(t, m, `CREATE TABLE $S.thing (id bigserial PRIMARY KEY, price numeric, twice numeric(3,0) GENERATED ALWAYS AS (price * 2) STORED)`)
	thing := m.Resource("thing")
	_, err := s.Insert(t.Context(), thing, servertest.Record(t, thing, map[string]any{"price": "900"}))
	if e := core.AsError(err); err == nil || e.Code != core.BadRequest || strings.Contains(e.Public(), "numeric") {
		t.Errorf("got %v", err)
	}
}

func TestEveryImportedTypeIsServed(t *testing.T) {
	schema := pgtest.Schema(t)
	for _, sql := range otherTypesSQL {
		servertest.Execute(t, servertest.InSchema(schema, sql))
	}
	columns := []string{"id bigserial PRIMARY KEY"}
	for i, c := range presentTypes(t) {
		columns = append(columns, fmt.Sprintf("c%d %s", i, inTestSchema(c.sql)))
	}
	servertest.Execute(t, servertest.InSchema(schema, "CREATE TABLE $S.thing ("+strings.Join(columns, ", ")+")"))
	in, err := importer.Read(t.Context(), servertest.Pool(t, pgtest.URL(t)), schema)
	if err != nil {
		t.Fatal(err)
	}
	store, err := importertest.Store(t, in)
	if err != nil {
		t.Fatal(err)
	}
	handler, err := rest.New(engine.New(store, engine.Options{}), rest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	do := func(method, path, body string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(bytes.TrimSpace(text))
	}
	thing := store.Model().Resource("thing")
	fields := map[string]any{}
	for i, c := range presentTypes(t) {
		name, v := fmt.Sprintf("c%d", i), c.values[0]
		switch typ := thing.Field(name).Type(); {
		case typ == core.LocalTime: // PostgreSQL's text of it has a space
			fields[name] = strings.Replace(fmt.Sprint(v), " ", "T", 1)
		case c.typ != core.List || typ == core.List:
			fields[name] = v
		}
	}
	body, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	status, made := do("POST", "/thing", string(body))
	if status != http.StatusCreated {
		t.Fatalf("%d %s", status, made)
	}
	if _, got := do("GET", "/thing/1", ""); got != made {
		t.Errorf("got %s, made %s", got, made)
	}
	for i, c := range presentTypes(t) {
		if c.bad == nil || thing.Field(fmt.Sprintf("c%d", i)).Type() != c.typ {
			continue
		}
		v, err := c.typ.Convert(c.bad[0])
		if err != nil {
			t.Fatal(err)
		}
		status, got := do("PATCH", "/thing/1", fmt.Sprintf(`{"c%d": %s}`, i, v.AppendJSON(nil)))
		byType := strings.Contains(got, `"BAD_FIELD_VALUE"`) && strings.Contains(got, fmt.Sprintf(`"field_name":"c%d"`, i))
		byRule := strings.Contains(got, `"VALIDATION_FAILED"`) && strings.Contains(got, fmt.Sprintf(`"path":["c%d"]`, i))
		if status != http.StatusBadRequest || !byType && !byRule {
			t.Errorf("%s: %d %s", c.sql, status, got)
		}
	}
}

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

// Parts of a key may be columns of types that the model represents as text.
func TestKeysWithPartsOfOtherTypes(t *testing.T) {
	text := func(name string, key bool) core.FieldSpec {
		return core.FieldSpec{Name: name, Type: core.Text, Key: key}
	}
	m := core.MustModel("m",
		core.ResourceSpec{Name: "rate", KeyName: "key", Fields: []core.FieldSpec{text("day", true), text("currency", true), text("kind", true), text("note", false)}},
		core.ResourceSpec{Name: "deal", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true}, text("day", false), text("currency", false), text("kind", false),
			{Name: "rate", ToOne: "rate", Via: []string{"day", "currency", "kind"}},
		}},
	)
	columns := `day date, currency char(5), kind $S.kind`
	store, _ := servertest.Store(t, m, `CREATE TYPE $S.kind AS ENUM ('spot', 'fixed')`,
		`CREATE TABLE $S.rate (`+columns+`, note varchar, PRIMARY KEY (kind, currency, day))`,
		`CREATE TABLE $S.deal (id serial PRIMARY KEY, `+columns+`, FOREIGN KEY (kind, currency, day) REFERENCES $S.rate (kind, currency, day))`)
	ctx, rate, deal := t.Context(), m.Resource("rate"), m.Resource("deal")
	texts := []string{"2026-01-02,CHF,fixed", "2026-01-02,EUR,fixed", "2026-01-02,EUR,spot", "2026-11-30,CHF,spot"}
	var recs []core.Record
	for _, text := range texts {
		recs = append(recs, servertest.Record(t, rate, map[string]any{"key": text, "note": text}))
	}
	_, err := store.Insert(ctx, rate, recs...)
	servertest.Must(t, err)
	_, err = store.Insert(ctx, deal, servertest.Record(t, deal, map[string]any{"id": 1, "rate": texts[2]}), servertest.Record(t, deal, map[string]any{"id": 2, "day": "2026-01-02"}))
	servertest.Must(t, err)
	keys := func(r *core.Resource, q core.Query) (found []string) {
		t.Helper()
		for {
			page, err := store.Select(ctx, r, q)
			servertest.Must(t, err)
			for _, rec := range page.Records {
				found = append(found, rec.Key().String())
			}
			if q.After = page.Next; q.After == "" {
				return found
			}
		}
	}
	for _, c := range []struct {
		name string
		r    *core.Resource
		q    core.Query
		want []string
	}{
		{"pages", rate, core.Query{Limit: 1}, texts},
		{"equal", rate, core.Query{Where: core.Eq("key", texts[1])}, texts[1:2]},
		{"in", rate, core.Query{Where: core.In("key", texts[0], texts[3], "2026-01-02,CHF,spot")}, []string{texts[0], texts[3]}},
		{"in with values that no column has", rate, core.Query{Where: core.In("key", texts[0], "someday,CHF,spot", "2026-11-30,CHF,none", "2026-11-30,CHF ,spot")}, texts[:1]},
		{"equal to a value that no column has", rate, core.Query{Where: core.Eq("key", "someday,CHF,spot")}, nil},
		{"not in", rate, core.Query{Where: core.Not(core.In("key", texts[0], "someday,CHF,spot"))}, texts[1:]},
		{"greater", rate, core.Query{Where: core.Gt("key", texts[1])}, texts[2:]},
		{"related", deal, core.Query{Where: core.Related("rate", core.Eq("note", texts[2]))}, []string{"1"}},
		{"by the relation", deal, core.Query{Where: core.Eq("rate", texts[2])}, []string{"1"}},
		{"without the relation", deal, core.Query{Where: core.Eq("rate", nil)}, []string{"2"}},
		{"by its note", deal, core.Query{Order: []string{"rate.note"}, Limit: 1}, []string{"1", "2"}},
	} {
		if got := keys(c.r, c.q); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
	key := func(text string) core.Value {
		v, err := rate.Key().Convert(text)
		servertest.Must(t, err)
		return v
	}
	if _, err := store.Get(ctx, rate, key("someday,CHF,spot")); !errors.Is(err, core.NotFound) {
		t.Errorf("get of an impossible key: %v", err)
	}
	changed, err := store.Update(ctx, rate, rate.Patch(key(texts[0])).Set(rate.Field("note"), core.TextValue("x")), rate.Patch(key(texts[3])).Set(rate.Field("note"), core.TextValue("y")))
	if err != nil || changed[1].Get("note").Text() != "y" {
		t.Errorf("%v %v", changed, err)
	}
	if err := store.Delete(ctx, rate, key(texts[2])); !errors.Is(err, core.StillReferenced) {
		t.Errorf("delete of a referenced record: %v", err)
	}
	_, err = store.Insert(ctx, rate, servertest.Record(t, rate, map[string]any{"key": "someday,CHF,spot"}))
	if e := core.AsError(err); e.Code != core.BadFieldValue || e.Field != "day" {
		t.Errorf("insert of an impossible key: %v", err)
	}
	servertest.Must(t, store.Delete(ctx, rate, key(texts[0]), key(texts[1])))
	if got := keys(rate, core.Query{}); !slices.Equal(got, texts[2:]) {
		t.Errorf("after the delete: %v", got)
	}
}
