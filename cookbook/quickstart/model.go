package main

import (
	"context"
	"fmt"
	"net/url"

	"github.com/larder-go/larder/core"
)

// modelOf returns the model that the flag names.
func modelOf(name string) (*core.Model, error) {
	switch name {
	case "cookies":
		return cookies()
	case "family":
		return family()
	}
	return nil, fmt.Errorf("-model: unknown model %q; use cookies or family", name)
}

// cookies are kept in jars: one relation, stored with the cookie, seen from both
// sides.
func cookies() (*core.Model, error) {
	return core.NewModel("cookies",
		core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "type", Type: core.Text},
			{Name: "jar", ToOne: "jar"},
		}},
		core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "cookies", ToMany: "cookie", Inverse: "jar"},
		}},
	)
}

// family has a one-to-one relation, two one-to-many relations, and a computed
// field.
func family() (*core.Model, error) {
	return core.NewModel("family",
		core.ResourceSpec{Name: "male", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "name", Type: core.Text},
			{Name: "url", Type: core.Text, Computed: ownURL("male")},
			{Name: "wife", ToOne: "female"},
			{Name: "children", ToMany: "child", Inverse: "father"},
		}},
		core.ResourceSpec{Name: "female", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "name", Type: core.Text},
			{Name: "url", Type: core.Text, Computed: ownURL("female")},
			{Name: "husband", ToOne: "male", Inverse: "wife"},
			{Name: "children", ToMany: "child", Inverse: "mother"},
		}},
		core.ResourceSpec{Name: "child", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "name", Type: core.Text},
			{Name: "url", Type: core.Text, Computed: ownURL("child")},
			{Name: "father", ToOne: "male"},
			{Name: "mother", ToOne: "female"},
		}},
	)
}

// ownURL computes the path of a record. It is relative on purpose: what a client
// sends as Host must not come back in data.
func ownURL(resource string) *core.Computed {
	return &core.Computed{Get: func(_ context.Context, rec core.Record) (any, error) {
		return "/" + resource + "/" + url.PathEscape(rec.Key().String()), nil
	}}
}
