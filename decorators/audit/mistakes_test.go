package audit_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/audit"
)

func TestNewNamesMistakes(t *testing.T) {
	id := core.FieldSpec{Name: "id", Type: core.Int, Key: true}
	issue := core.ResourceSpec{Name: "issue", Fields: []core.FieldSpec{id, {Name: "title", Type: core.Text}}}
	without := func(name string) core.ResourceSpec {
		spec := audit.Resource("entry", "issue")
		for i, f := range spec.Fields {
			if f.Name == name {
				spec.Fields = append(spec.Fields[:i], spec.Fields[i+1:]...)
				break
			}
		}
		return spec
	}
	with := func(f core.FieldSpec) core.ResourceSpec {
		spec := without(f.Name)
		spec.Fields = append(spec.Fields, f)
		return spec
	}
	for name, c := range map[string]struct {
		entry   core.ResourceSpec
		options audit.Options
		want    []string
	}{
		"no resource":  {audit.Resource("entry", "issue"), audit.Options{Resource: "log"}, []string{`no resource "log" for entries; add audit.Resource("log", ...)`}},
		"no name":      {audit.Resource("entry", "issue"), audit.Options{Resource: "-"}, []string{`option Resource: is empty; name the resource`}},
		"no field":     {without("kind"), audit.Options{}, []string{`resource "entry" needs a stored field "kind" of the type text`}},
		"a wrong type": {with(core.FieldSpec{Name: "at", Type: core.Text}), audit.Options{}, []string{`field "at" of the type time`}},
		"no relation":  {without("issue"), audit.Options{}, []string{`no relation to a resource to audit`}},
		"an enforced relation": {
			with(core.FieldSpec{Name: "issue", ToOne: "issue"}), audit.Options{}, []string{`entry.issue: an entry must outlive its record; set OnDelete to core.Keep`},
		},
		"two relations": {
			with(core.FieldSpec{Name: "also", ToOne: "issue", OnDelete: core.Keep}), audit.Options{}, []string{`leads to "issue" too; keep one of the relations`},
		},
		"itself":          {with(core.FieldSpec{Name: "parent", ToOne: "entry"}), audit.Options{}, []string{`entry.parent: entries cannot be audited`}},
		"an assigned key": {with(core.FieldSpec{Name: "id", Type: core.Int, Key: true, Assigned: true}), audit.Options{}, []string{`entry.id: entries need a generated key`}},
		"options": {
			audit.Resource("entry", "issue"), audit.Options{Omit: []string{"issue.titel"}, DeletedAt: "gone"},
			[]string{`option Omit: "issue.titel" is no stored field of an audited resource; write resource.field`, `option DeletedAt: no audited resource has a field "gone"`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			switch c.options.Resource {
			case "":
				c.options.Resource = "entry"
			case "-":
				c.options.Resource = ""
			}
			_, err := core.New(t.Context(), core.MustModel("mistaken", issue, c.entry), memory.New(), audit.New(c.options))
			for _, want := range c.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %s", err, want)
				}
			}
		})
	}
}

func TestPlaceInTheStack(t *testing.T) {
	m := core.MustModel("placed", core.ResourceSpec{Name: "issue", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}}, audit.Resource("entry", "issue"))
	trail := audit.New(audit.Options{Resource: "entry"})
	if _, err := core.New(t.Context(), m, memory.New(), trail, rules()); err == nil || !strings.Contains(err.Error(), `put "rules" before "audit"`) {
		t.Errorf("a policy inside: %v", err)
	}
	for _, name := range []string{"softdelete", "stamp"} {
		other := core.Decorator{Name: name, Kind: core.KindEffect, KnowsRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) { return next, nil }}
		if _, err := core.New(t.Context(), m, memory.New(), trail, other); err == nil || !strings.Contains(err.Error(), `put "`+name+`" before "audit"`) {
			t.Errorf("%s inside: %v", name, err)
		}
	}
	store, err := core.New(t.Context(), m, memory.New(), trail)
	if err != nil {
		t.Fatal(err)
	}
	if !store.ReadOnly(m.Resource("entry")) || store.ReadOnly(m.Resource("issue")) {
		t.Error("API descriptions must leave out the writes of entries only")
	}
}

// Without the name of the field, a soft delete would be an update of hidden fields only, which has no entry.
func TestSoftDeleteWithoutItsField(t *testing.T) {
	issue := core.ResourceSpec{Name: "issue", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "gone", Type: core.Time, Hidden: true}}}
	m := core.MustModel("kept", issue, audit.Resource("entry", "issue"))
	keeper := core.Decorator{
		Name: "keeper", Kind: core.KindEffect, KnowsRelated: true, Keeps: func(r *core.Resource) bool { return r.Name() == "issue" },
		Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) { return next, nil },
	}
	for field, want := range map[string]error{"gone": nil, "": core.ServerError} {
		store, err := core.New(t.Context(), m, memory.New(), keeper, audit.New(audit.Options{Resource: "entry", DeletedAt: field}))
		if err != nil {
			t.Fatal(err)
		}
		record, err := m.Resource("issue").NewRecord(nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = store.Insert(t.Context(), m.Resource("issue"), record)
		if !errors.Is(err, want) || want != nil && !strings.Contains(err.Error(), "set Options.DeletedAt") {
			t.Errorf("DeletedAt %q: got %v, want %v", field, err, want)
		}
	}
}
