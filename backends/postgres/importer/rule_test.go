package importer_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/postgres/importer"
	"github.com/larder-go/larder/backends/postgres/internal/importertest"
)

func TestRulesOfColumns(t *testing.T) {
	type rule struct{ column, want string }
	var columns []string
	i, wants := 0, make(map[string]rule)
	for _, c := range []rule{
		{"int", ""},
		{"int NOT NULL", "required"},
		{"int GENERATED ALWAYS AS (id * 2) STORED NOT NULL CHECK (x > 0)", ""},
		{"varchar(20)", "length -20"},
		{"varchar", ""},
		{"char(3)", ""},
		{"varchar(3)[]", ""},
		{"stage", "one of [open closed 'x']"},
		{"small", "required min 1901 max 2155"},
		{"code NOT NULL", "required length 2-4"},
		{"int CHECK (x > 0)", "min 1"},
		{"int CHECK (x >= -5 AND x < 10)", "min -5 max 9"},
		{"int CHECK (x BETWEEN 1 AND 5) CHECK (x >= 3)", "min 3 max 5"},
		{"int CHECK (0 < x)", "min 1"},
		{"int CHECK (x IN (3, 1))", "one of [3 1]"},
		{"int CHECK (x = 7)", "one of [7]"},
		{"bigint CHECK (x < 9223372036854775807)", "max 9223372036854775806"},
		{"numeric(8,2) CHECK (x >= 0)", "min 0"},
		{"numeric CHECK (x <= 0.5)", "max 0.5"},
		{"double precision CHECK (x >= 0.25)", "min 0.25"},
		{"date CHECK (x >= '2020-01-01')", "min 2020-01-01"},
		{"timestamp CHECK (x < '2020-01-01' OR x > '2021-01-01')", "noted"},
		{"text CHECK (x IN ('a::b', 'it''s', '(c)'))", "one of [a::b it's (c)]"},
		{"varchar(9) CHECK (x IN ('a', 'b'))", "length -9 one of [a b]"},
		{"text CHECK (x <> '')", "length 1-"},
		{"varchar(9) CHECK (length(x) > 2)", "length 3-9"},
		{"text CHECK (char_length(x) = 5)", "length 5-5"},
		{"text CHECK (length(x) BETWEEN 1 AND 200)", "length 1-200"},
		{"text CHECK (x IS NOT NULL)", "required"},
		{"text CHECK (x IS NOT NULL AND length(x) <= 3)", "required length -3"},
		{"text CHECK (x > 'a')", "noted"},
		{"numeric CHECK (x > 0)", "noted"},
		{"text CHECK (x::int > 5)", "noted"},
		{"text CHECK (length(x) > 5 OR x = 'a')", "noted"},
		{"text CHECK (lower(x) = x)", "noted"},
		{"text CHECK (octet_length(x) < 5)", "noted"},
		{"text CHECK (x ~ '^a')", "noted"},
		{"int CHECK (x <> 5)", "noted"},
		{"int CHECK (x > 1.5)", "noted"},
		{"int CHECK (x > x + 1)", "noted"},
		{"date CHECK (x > CURRENT_DATE)", "noted"},
		{"int CHECK (NOT x > 5)", "noted"},
		{"int CHECK (x IN (1, 2)) CHECK (x IN (2, 3))", "one of [1 2] noted"},
		{"bool CHECK (x)", "noted"},
	} {
		i++
		name := fmt.Sprint("c", i)
		columns = append(columns, ", "+name+" "+regexp.MustCompile(`\bx\b`).ReplaceAllString(c.column, name))
		wants[name] = c
	}
	got := importertest.Import(t, `
		CREATE TYPE stage AS ENUM ('open', 'closed', '''x''');
		CREATE DOMAIN small AS int NOT NULL CHECK (VALUE >= 1901 AND VALUE <= 2155);
		CREATE DOMAIN short AS varchar(4); CREATE DOMAIN code AS short CHECK (length(VALUE) >= 2);
		CREATE TABLE t (id int PRIMARY KEY, y int`+strings.Join(columns, "")+`)`)
	texts := make(map[string]string)
	for _, r := range got.Rules {
		texts[r.Field] = ruleText(r)
	}
	for _, n := range got.Notes {
		if strings.Contains(n.Finding, "CHECK") {
			name, _, _ := strings.Cut(strings.TrimPrefix(n.Object, "t_"), "_")
			texts[name] = strings.TrimSpace(texts[name] + " noted")
		}
	}
	for name, c := range wants {
		if texts[name] != c.want {
			t.Errorf("%s: got %q, want %q", c.column, texts[name], c.want)
		}
	}
}

func ruleText(r importer.Rule) string {
	var parts []string
	if r.Required {
		parts = append(parts, "required")
	}
	if r.MinLength > 0 || r.MaxLength > 0 {
		text := fmt.Sprint("length ", r.MinLength, "-", r.MaxLength)
		text = strings.ReplaceAll(text, " 0-", " -")
		parts = append(parts, strings.TrimSuffix(text, "-0")+map[bool]string{true: "-"}[r.MaxLength == 0])
	}
	if r.Min != nil {
		parts = append(parts, fmt.Sprint("min ", r.Min))
	}
	if r.Max != nil {
		parts = append(parts, fmt.Sprint("max ", r.Max))
	}
	if r.OneOf != nil {
		parts = append(parts, fmt.Sprint("one of ", r.OneOf))
	}
	return strings.Join(parts, " ")
}

func TestUnsuitableChecksAreNoted(t *testing.T) {
	got := importertest.Import(t, `
		CREATE DOMAIN upper AS text CHECK (VALUE = upper(VALUE));
		CREATE TABLE t (id int PRIMARY KEY, a int, b int, c upper, CHECK (a < b), CONSTRAINT odd CHECK (a % 2 = 1), CHECK (a > 5));
		CREATE TABLE p (id int PRIMARY KEY, a int CHECK (a > 0)) PARTITION BY HASH (id);
		CREATE TABLE p0 PARTITION OF p FOR VALUES WITH (MODULUS 1, REMAINDER 0)`)
	var notes []string
	for _, n := range importertest.Notes(got, importer.Server) {
		if strings.Contains(n, "CHECK") {
			notes = append(notes, n)
		}
	}
	importertest.Expect(t, "notes", notes, []string{
		`server: t.c: CHECK (VALUE = upper(VALUE)) of its domain; a model cannot express this`,
		`server: t.odd: CHECK ((a % 2) = 1); a model cannot express this`,
		`server: t.t_check: CHECK (a < b); a model cannot express this`,
	})
	var rules []string
	for _, r := range got.Rules {
		rules = append(rules, r.Resource+"."+r.Field+" "+ruleText(r))
	}
	importertest.Expect(t, "rules", rules, []string{"p.a min 1", "t.a min 6"})
}
