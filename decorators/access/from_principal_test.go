package access_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/access"
)

func TestClaimMustHaveTheTypeOfTheField(t *testing.T) {
	uuid, err := core.UUID.Convert("00000000-0000-4000-8000-000000000001")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		field string
		claim any
		fits  bool
	}{
		{"price", float64(5), true},
		{"price", json.Number("5"), true},
		{"price", json.Number("5.0"), true},
		{"price", 5, true},
		{"price", int64(5), true},
		{"price", core.IntValue(5), true},
		{"price", float64(1<<53 - 1), true},
		{"price", json.Number("9007199254740993"), true},
		{"price", float64(1 << 53), false},
		{"price", float64(-1<<53 + 1), true},
		{"price", float64(-1 << 53), false},
		{"price", 5.5, false},
		{"price", "5", false},
		{"price", true, false},
		{"price", nil, false},
		{"price", []any{float64(5)}, false},
		{"price", []any{}, false},
		{"price", map[string]any{}, false},
		{"price", core.TextValue("5"), false},
		{"price", core.Null, false},
		{"price", core.Value{}, false},
		{"name", "rye", true},
		{"name", []any{"rye"}, false},
		{"name", []string{"rye"}, false},
		{"name", float64(5), false},
		{"name", json.Number("5"), false},
		{"name", true, false},
		{"name", "a\x00b", false},
		{"name", "\xff", false},
		{"name", core.TextValue("a\x00b"), false},
		{"name", uuid, false},
		{"on_sale", true, true},
		{"on_sale", "true", false},
		{"on_sale", float64(1), false},
	} {
		p := &core.Principal{ID: core.IntValue(1), Roles: []string{"r"}, Claims: map[string]any{"c": c.claim}}
		for name, condition := range map[string]access.Condition{
			"eq":     access.Eq(c.field, access.PrincipalClaim("c")),
			"ne":     access.Ne(c.field, access.PrincipalClaim("c")),
			"not":    access.Not(access.Eq(c.field, access.PrincipalClaim("c"))),
			"or":     access.Or(access.Eq("id", 1), access.Eq(c.field, access.PrincipalClaim("c"))),
			"not in": access.Not(access.In(c.field, "1", access.PrincipalClaim("c"))),
		} {
			if name == "not in" && (c.field == "on_sale" || isList(c.claim)) {
				continue
			}
			compiled, err := access.Policy{{Roles: []string{"r"}, Resource: "bread", Operations: access.Read, Using: condition}}.Compile(bakery())
			if err != nil {
				t.Fatal(err)
			}
			if e := compiled.Explain(p, access.Read, "bread"); e.Allowed() != c.fits {
				t.Errorf("%s %s %T(%v): %v", c.field, name, c.claim, c.claim, e)
			}
		}
	}
}

func TestStringAndNumberClaimsFitSeveralTypes(t *testing.T) {
	m := core.MustModel("types", core.ResourceSpec{Name: "row", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "uuid", Type: core.UUID}, {Name: "time", Type: core.Time},
		{Name: "bytes", Type: core.Bytes}, {Name: "float", Type: core.Float}, {Name: "date", Type: core.Date}, {Name: "localtime", Type: core.LocalTime}, {Name: "decimal", Type: core.Decimal},
	}})
	claims := map[string]any{
		"uuid": "00000000-0000-4000-8000-000000000001", "time": "2024-02-29T12:00:00Z", "bytes": "aGk=", "date": "2024-02-29", "localtime": "2024-02-29T12:00:00", "decimal": "10.50",
		"float": 1.5, "number": json.Number("1.5"), "whole": 2, "bool": true,
	}
	fit := map[string][]string{"uuid": {"uuid"}, "time": {"time"}, "date": {"date"}, "localtime": {"localtime"}, "decimal": {"decimal", "number", "whole"}, "bytes": {"bytes"}, "float": {"float", "number", "whole"}}
	for field, claimed := range fit {
		for claim, value := range claims {
			if field == "bytes" && claim == "uuid" {
				continue // may be base64
			}
			compiled, err := access.Policy{{
				Roles: []string{"r"}, Resource: "row", Operations: access.Read, Using: access.Eq(field, access.PrincipalClaim(claim)),
			}}.Compile(m)
			if err != nil {
				t.Fatal(err)
			}
			p := &core.Principal{Roles: []string{"r"}, Claims: claims}
			if got := compiled.Explain(p, access.Read, "row").Allowed(); got != slices.Contains(claimed, claim) {
				t.Errorf("%s = %v: %v", field, value, got)
			}
		}
	}
}

func TestAnonymousHasNoValues(t *testing.T) {
	for _, using := range []access.Condition{
		access.Eq("baker", access.PrincipalID()), access.Not(access.In("baker", access.PrincipalID())), access.Ne("name", access.PrincipalClaim("c")), access.In("name", access.PrincipalClaim("c")),
	} {
		s := newFixture(t, access.Policy{{Roles: []string{access.Anonymous}, Resource: "bread", Operations: access.Read, Using: using}})
		s.is("list", s.list(nil, core.Query{}), "UNAUTHORIZED")
	}
}

func TestIDIsNotAClaim(t *testing.T) {
	if got := access.PrincipalID().String() + access.PrincipalClaim("").String(); got != `idclaim ""` {
		t.Errorf("got %s", got)
	}
	s := newFixture(t, access.Policy{{
		Roles: []string{"baker"}, Resource: "bread", Operations: access.Read, Fields: []string{}, Using: access.In("baker", access.PrincipalID()),
	}})
	p := &core.Principal{ID: core.IntValue(9), Roles: []string{"baker"}, Claims: map[string]any{"": []any{1}}}
	s.is("list", s.list(p, core.Query{}), "")
}

func isList(claim any) bool {
	switch claim.(type) {
	case []any, []string:
		return true
	}
	return false
}

func TestListClaimNeedsIn(t *testing.T) {
	s := newFixture(t, access.Policy{{
		Roles: []string{"guest"}, Resource: "bread", Operations: access.Read, Fields: []string{},
		Using: access.In("name", access.PrincipalClaim("likes")),
	}})
	forbidden := `FORBIDDEN object_name="Bread"`
	for _, c := range []struct {
		claim any
		want  string
	}{
		{[]any{"rye", "loaf", "none"}, "bread{id:1}\nbread{id:4}\n"},
		{[]string{"rye"}, "bread{id:1}\n"},
		{"rye", "bread{id:1}\n"},
		{[]any{}, ""},
		{[]any{"rye", 1.0}, forbidden},
		{[]any{nil}, forbidden},
		{nil, forbidden},
	} {
		p := &core.Principal{Roles: []string{"guest"}, Claims: map[string]any{"likes": c.claim}}
		s.is(fmt.Sprint(c.claim), s.list(p, core.Query{}), c.want)
	}
	s.is("missing", s.list(user(1, "guest"), core.Query{}), forbidden)
}

func TestEmptyIDOwnsNothing(t *testing.T) {
	for name, using := range map[string]access.Condition{
		"eq":     access.Eq("name", access.PrincipalID()),
		"in":     access.In("name", access.PrincipalID()),
		"ne":     access.Ne("name", access.PrincipalID()),
		"prefix": access.Prefix("name", access.PrincipalID()),
	} {
		s := newFixture(t, access.Policy{{Roles: []string{"guest"}, Resource: "bread", Operations: access.Read, Using: using}})
		s.add(s.bread, map[string]any{"name": ""})
		s.is(name, s.list(&core.Principal{ID: core.TextValue(""), Roles: []string{"guest"}}, core.Query{}), `FORBIDDEN object_name="Bread"`)
	}
}

func TestIDOfAnotherTypeOwnsNothing(t *testing.T) {
	s := newFixture(t, bakers)
	for _, id := range []core.Value{{}, core.Null, core.TextValue("1"), core.BoolValue(true), core.FloatValue(1), core.ListOf(core.IntValue(1))} {
		s.is(id.String(), s.list(&core.Principal{ID: id, Roles: []string{"baker"}}, core.Query{}), `FORBIDDEN object_name="Bread"`)
	}
}
