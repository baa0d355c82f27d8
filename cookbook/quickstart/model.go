package main

import (
	"context"
	"fmt"
	"net/url"

	"github.com/larder-go/larder/core"
)

// modelOf returns the model of a name. With owned, each resource gets a hidden field owner.
func modelOf(name string, owned bool) (*core.Model, error) {
	var resources []core.ResourceSpec
	switch name {
	case "cookies":
		resources = cookies()
	case "family":
		resources = family()
	default:
		return nil, fmt.Errorf("-model: unknown model %q; use cookies or family", name)
	}
	for i := range resources {
		if owned {
			owner := core.FieldSpec{Name: "owner", Type: core.Text, Hidden: true, Indexed: true}
			resources[i].Fields = append(resources[i].Fields, owner)
		}
	}
	return core.NewModel(name, resources...)
}

// cookies has one relation: a cookie stores its jar, and a jar shows its cookies.
func cookies() []core.ResourceSpec {
	return []core.ResourceSpec{
		{Name: "cookie", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "type", Type: core.Text},
			{Name: "jar", ToOne: "jar"},
		}},
		{Name: "jar", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "cookies", ToMany: "cookie", Inverse: "jar"},
		}},
	}
}

// family has a one-to-one relation, two one-to-many relations and a computed field.
func family() []core.ResourceSpec {
	return []core.ResourceSpec{
		{Name: "male", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "name", Type: core.Text},
			{Name: "url", Type: core.Text, Computed: ownURL("male")},
			{Name: "wife", ToOne: "female"},
			{Name: "children", ToMany: "child", Inverse: "father"},
		}},
		{Name: "female", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "name", Type: core.Text},
			{Name: "url", Type: core.Text, Computed: ownURL("female")},
			{Name: "husband", ToOne: "male", Inverse: "wife"},
			{Name: "children", ToMany: "child", Inverse: "mother"},
		}},
		{Name: "child", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "name", Type: core.Text},
			{Name: "url", Type: core.Text, Computed: ownURL("child")},
			{Name: "father", ToOne: "male"},
			{Name: "mother", ToOne: "female"},
		}},
	}
}

// ownURL computes the path of a record. A relative path is safe: the header Host of a client does not appear in data.
func ownURL(resource string) *core.Computed {
	return &core.Computed{Get: func(_ context.Context, rec core.Record) (any, error) {
		return "/" + resource + "/" + url.PathEscape(rec.Key().String()), nil
	}}
}
