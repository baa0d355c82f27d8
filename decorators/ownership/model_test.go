package ownership_test

import (
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/ownership"
)

func TestUnsuitableModelsAndOptionsAreRejected(t *testing.T) {
	field := func(f core.FieldSpec) *core.Model {
		f.Name = "owner"
		return core.MustModel("m",
			core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, f}},
			core.ResourceSpec{Name: "lid", Fields: []core.FieldSpec{
				{Name: "id", Type: core.Int, Key: true}, {Name: "owner", Type: core.Int, Hidden: true}, {Name: "jar", ToOne: "jar"},
			}},
		)
	}
	scalar := core.FieldSpec{Type: core.Int, Hidden: true}
	for name, c := range map[string]struct {
		model   *core.Model
		options ownership.Options
		field   string
		want    []string
	}{
		"no field": {field(scalar), ownership.Options{}, "user_id", []string{
			`resource "jar": has no field "user_id"; add a hidden field of that name, name another one in Fields, name a relation to its owner in Through, or list the resource in Shared`,
			`resource "lid": has no field "user_id"`,
		}},
		"no name":        {field(scalar), ownership.Options{Fields: map[string]string{"jar": "owner"}}, "", []string{`resource "lid": has no field ""`}},
		"visible":        {field(core.FieldSpec{Type: core.Int}), ownership.Options{}, "owner", []string{`resource "jar": field "owner" is visible to clients; set Hidden in the model`}},
		"read-only":      {field(core.FieldSpec{Type: core.Int, ReadOnly: true}), ownership.Options{}, "owner", []string{`field "owner" is visible to clients`}},
		"float":          {field(core.FieldSpec{Type: core.Float, Hidden: true}), ownership.Options{}, "owner", []string{`field "owner" is of type float; use int, text or uuid`}},
		"list":           {field(core.FieldSpec{ToMany: "lid", Hidden: true}), ownership.Options{}, "owner", []string{`field "owner" cannot hold an owner`}},
		"other side":     {field(core.FieldSpec{ToOne: "lid", Inverse: "jar", Hidden: true}), ownership.Options{}, "owner", []string{`field "owner" cannot hold an owner; use a stored scalar or to-one relation`}},
		"default":        {field(core.FieldSpec{Type: core.Int, Hidden: true, Default: 0}), ownership.Options{}, "owner", []string{`field "owner" has a default, but the owner is the principal that inserts the record`}},
		"default func":   {field(core.FieldSpec{Type: core.Int, Hidden: true, Default: func() any { return 1 }}), ownership.Options{}, "owner", []string{`has a default`}},
		"default misfit": {field(core.FieldSpec{Type: core.Int, Hidden: true, Default: func() any { return "x" }}), ownership.Options{}, "owner", []string{`has a default`}},
		"derived":        {field(core.FieldSpec{ToOne: "lid", Via: []string{"id"}, Hidden: true}), ownership.Options{}, "owner", []string{`field "owner" is derived from other fields; use one of these`}},
		"key":            {field(scalar), ownership.Options{}, "id", []string{`field "id" is the key, which clients see and choose`}},
		"unknown resources": {field(scalar), ownership.Options{Shared: []string{"Jar"}, Fields: map[string]string{"pot": "x"}}, "owner", []string{
			`option Fields: there is no resource "pot"; the model "m" has jar, lid`, `option Shared: there is no resource "Jar"; the model "m" has jar, lid`,
		}},
		"shared with a field": {field(scalar), ownership.Options{Shared: []string{"jar"}, Fields: map[string]string{"jar": "owner"}}, "owner", []string{
			`options Fields and Shared: both name resource "jar"; remove it from one of them`,
		}},
		"role without name": {field(scalar), ownership.Options{Bypass: []string{"admin", ""}}, "owner", []string{`option Bypass: contains an empty role; name it or remove it`}},
	} {
		t.Run(name, func(t *testing.T) {
			store, err := core.New(t.Context(), c.model, memory.New(), ownership.New(c.field, c.options))
			if err == nil {
				_ = store.Close()
				t.Fatal("no error")
			}
			for _, want := range c.want {
				if !strings.HasPrefix(err.Error(), `decorator "ownership": `) || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %s", err, want)
				}
			}
		})
	}
}

func TestDescriptionHasTheSettings(t *testing.T) {
	m := typed(core.Int)
	c := open(t, m, ownership.New("owner", ownership.Options{}),
		ownership.New("", ownership.Options{Claim: "org", Fields: map[string]string{"note": "owner"}, Bypass: []string{"admin", "auditor"}}),
		ownership.New("user_id", ownership.Options{Shared: []string{"note"}}))
	want := []string{"owner is the principal's id", "note.owner is claim org; bypass: admin, auditor", "user_id is the principal's id; shared: note"}
	for i, l := range c.store.Describe().Decorators {
		if l.Name != "ownership" || l.Note != want[i] {
			t.Errorf("%s: %s, want %s", l.Name, l.Note, want[i])
		}
	}
}

func TestOptionsAreCopied(t *testing.T) {
	o := ownership.Options{Shared: []string{"note"}, Fields: map[string]string{}, Bypass: []string{"admin"}}
	d := ownership.New("owner", o)
	o.Shared[0], o.Bypass[0], o.Fields["note"] = "", "user", "id"
	open(t, typed(core.Int), d)
}
