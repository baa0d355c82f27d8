package pgsql_test

import (
	"fmt"
	"testing"

	"github.com/larder-go/larder/backends/postgres/internal/pgsql"
	"github.com/larder-go/larder/core"
)

func TestParseCondition(t *testing.T) {
	for text, want := range map[string]string{
		`(deleted_at IS NULL)`:                          `[{deleted_at = []}]`,
		`("Deleted ""at" IS NOT NULL)`:                  `[{Deleted "at <> []}]`,
		`active`:                                        `[{active = [true]}]`,
		`(NOT active)`:                                  `[{active = [false]}]`,
		`(active = true)`:                               `[{active = [true]}]`,
		`(n = '-5'::integer)`:                           `[{n = [-5]}]`,
		`(n = 5)`:                                       `[{n = [5]}]`,
		`(state = 'it''s, (open)'::text)`:               `[{state = [it's, (open)]}]`,
		`((state)::text = 'open'::text)`:                `[{state = [open]}]`,
		`(state = 'open'::"My schema".state)`:           `[{state = [open]}]`,
		`(state = 'open'::public.state)`:                `[{state = [open]}]`,
		`((code)::bpchar = 'x'::character varying(10))`: `[{code = [x]}]`,
		`(state = ANY (ARRAY['a'::text, 'b'::text]))`:   `[{state in [a b]}]`,
		`((state)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))`: `[{state in [a b]}]`,
		`(n = ANY (ARRAY[1, 2]))`:                             `[{n in [1 2]}]`,
		`((a IS NULL) AND (NOT b) AND c AND (d = 'x'::text))`: `[{a = []} {b = [false]} {c = [true]} {d = [x]}]`,
		`(((a IS NULL) AND (b IS NULL)) AND (c IS NOT NULL))`: `[{a = []} {b = []} {c <> []}]`,
		`((a IS NULL) OR (b IS NULL))`:                        `other`,
		`(n > 5)`:                                             `other`,
		`(n <> 5)`:                                            `other`,
		`(lower(a) = 'x'::text)`:                              `other`,
		`(a = b)`:                                             `other`,
		`(n = 1.5)`:                                           `other`,
		`((a + 1) = 2)`:                                       `other`,
		`(a IS TRUE)`:                                         `other`,
		`(a IS NOT TRUE)`:                                     `other`,
		`(NOT (a IS NULL))`:                                   `other`,
		`(state = E'a\\b'::text)`:                             `other`,
		`(state ~~ 'a%'::text)`:                               `other`,
		`(at = CURRENT_DATE)`:                                 `other`,
		`((state = 'a'::text) IS NULL)`:                       `other`,
		`('a'::text = state)`:                                 `other`,
		`(state COLLATE "C" = 'a'::text)`:                     `other`,
		``:                                                    `other`,
		`(`:                                                   `other`,
		`true`:                                                `other`,
		`(a IS NULL`:                                          `other`,
	} {
		got := "other"
		if found, ok := pgsql.ParseCondition(text); ok {
			var all []string
			for _, c := range found {
				all = append(all, fmt.Sprintf("{%s %s %v}", c.Column, map[core.FilterKind]string{core.FilterEq: "=", core.FilterIn: "in", core.FilterNe: "<>"}[c.Kind], c.Values))
			}
			got = fmt.Sprint(all)
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func FuzzParseCondition(f *testing.F) {
	for _, text := range []string{`(a IS NULL)`, `((a = 'x'::text) AND (NOT b))`, `(n = ANY (ARRAY[1, 2]))`, `((a)::text = 'x'::t(1)[])`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		found, ok := pgsql.ParseCondition(text)
		if ok && len(found) == 0 {
			t.Error("no comparisons")
		}
		for _, c := range found {
			for _, typ := range core.Types() {
				c.Filter(typ)
			}
		}
	})
}
