package access_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
	"github.com/larder-go/larder/decorators/access"
)

// parcels has keys of several fields, and relations that share a field with other relations.
func parcels() *core.Model {
	return core.MustModel("parcels",
		core.ResourceSpec{Name: "line", Fields: []core.FieldSpec{
			{Name: "order", Type: core.Int, Key: true}, {Name: "nr", Type: core.Int, Key: true}, {Name: "text", Type: core.Text},
		}},
		core.ResourceSpec{Name: "parcel", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true}, {Name: "order", Type: core.Int}, {Name: "nr", Type: core.Int}, {Name: "text", Type: core.Text},
			{Name: "line", ToOne: "line", Via: []string{"order", "nr"}},
		}},
	)
}

func TestRulesListKeysAndRelationsOfSeveralFields(t *testing.T) {
	everything := access.Read | access.Insert | access.Update
	insert := func(resource string, fields map[string]any) func(*testing.T, *core.Store) (core.Record, error) {
		return func(t *testing.T, s *core.Store) (core.Record, error) {
			t.Helper()
			rec, err := s.Model().Resource(resource).NewRecord(fields)
			if err != nil {
				t.Fatal(err)
			}
			recs, err := s.Insert(t.Context(), rec.Resource(), rec)
			return append(recs, core.Record{})[0], err
		}
	}
	update := func(fields map[string]any) func(*testing.T, *core.Store) (core.Record, error) {
		return func(t *testing.T, s *core.Store) (core.Record, error) {
			t.Helper()
			rec, err := s.Model().Resource("parcel").NewRecord(fields)
			if err != nil {
				t.Fatal(err)
			}
			recs, err := s.Update(t.Context(), rec.Resource(), rec)
			return append(recs, core.Record{})[0], err
		}
	}
	for name, tt := range map[string]struct {
		fields []string
		do     func(*testing.T, *core.Store) (core.Record, error)
		want   string // a record, or a code
	}{
		"the key stands for its parts":         {[]string{"id"}, insert("line", map[string]any{"order": 1, "nr": 4}), "line{id:1,4 order:1 nr:4}"},
		"the parts without the key":            {[]string{"order", "nr"}, insert("line", map[string]any{"id": "1,4"}), "line{id:1,4 order:1 nr:4}"},
		"a part that no rule lists":            {[]string{"order"}, insert("line", map[string]any{"id": "1,4"}), string(core.UnknownField)},
		"another field":                        {[]string{"id"}, insert("line", map[string]any{"id": "1,4", "text": "x"}), string(core.UnknownField)},
		"the relation stands for its fields":   {[]string{"line"}, insert("parcel", map[string]any{"line": "1,3"}), "parcel{id:2 order:1 nr:3 line:1,3}"},
		"the fields without the relation":      {[]string{"order", "nr"}, insert("parcel", map[string]any{"line": "1,3"}), "parcel{id:2 order:1 nr:3}"},
		"a field of the relation is missing":   {[]string{"nr"}, insert("parcel", map[string]any{"line": "1,3"}), string(core.UnknownField)},
		"an update of the relation":            {[]string{"line"}, update(map[string]any{"id": 1, "line": "1,3"}), "parcel{id:1 order:1 nr:3 line:1,3}"},
		"an update of a field of the relation": {[]string{"nr"}, update(map[string]any{"id": 1, "nr": 3}), "parcel{id:1 nr:3}"},
		"an update by a relation in part":      {[]string{"nr"}, update(map[string]any{"id": 1, "line": "1,3"}), string(core.UnknownField)},
	} {
		t.Run(name, func(t *testing.T) {
			policy := access.Policy{
				{Roles: []string{access.Anonymous}, Resource: "line", Operations: everything, Fields: only(tt.fields, "id", "order", "nr", "text")},
				{Roles: []string{access.Anonymous}, Resource: "parcel", Operations: everything, Fields: only(tt.fields, "order", "nr", "line")},
			}
			s, err := core.New(t.Context(), parcels(), memory.NewWith(seed.Data{
				"line": {"1,3": {}}, "parcel": {1: {"order": 1}},
			}), access.New(policy, access.Options{}))
			if err != nil {
				t.Fatal(err)
			}
			rec, err := tt.do(t, s)
			got := rec.String()
			if e, ok := errors.AsType[*core.Error](err); ok {
				got = string(e.Code)
			}
			if got != tt.want {
				t.Errorf("got %s, %v, want %s", got, err, tt.want)
			}
		})
	}
}

// only returns the names that are in allowed.
func only(names []string, allowed ...string) []string {
	kept := []string{}
	for _, name := range names {
		if strings.Contains(fmt.Sprint(allowed), name) {
			kept = append(kept, name)
		}
	}
	return kept
}

func TestConditionsOnKeysOfSeveralFields(t *testing.T) {
	rule := func(c access.Condition) access.Policy {
		return access.Policy{{Roles: []string{access.Anonymous}, Resource: "line", Operations: access.Read, Using: c}}
	}
	s, err := core.New(t.Context(), parcels(), memory.NewWith(seed.Data{"line": {"1,3": {}, "1,10": {}, "2,1": {}}}),
		access.New(rule(access.Or(access.Eq("id", "1,10"), access.Eq("order", 2))), access.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	page, err := s.Select(t.Context(), s.Model().Resource("line"), core.Query{Fields: []string{}})
	if got := fmt.Sprint(page.Records); err != nil || got != "[line{id:1,10} line{id:2,1}]" {
		t.Errorf("got %s, %v", got, err)
	}
	for want, c := range map[string]access.Condition{
		"does not fit line.id": access.Eq("id", "1"), "cannot be compared with a value of the principal": access.Eq("id", access.PrincipalID()),
	} {
		if _, err := rule(c).Compile(parcels()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
