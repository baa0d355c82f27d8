package resttest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
)

// testUnreadableArguments checks that unknown, hidden and unreadable fields have the same answer.
func testUnreadableArguments(t *testing.T, newBackend NewBackend) {
	c := setup{model: secrets(), decorators: []core.Decorator{unreadable("clerk", "salary", "jar", "flag")}}.start(t, newBackend)
	c.check(t, exchange{"PUT /clerk/1", `{"name": "a"}`, 201, ""})
	answer := func(name, value string) string {
		r := c.send(t, "GET", "/clerk?"+name+"="+value, nil)
		r.header.Del("Date")
		r.header.Del("Content-Length") // it depends on the name
		return fmt.Sprint(r.status, r.header, strings.ReplaceAll(string(r.body), name, "NAME"))
	}
	for _, value := range []string{"1", "x", "", "null", "true"} {
		want := answer("nosuch", value)
		for _, name := range []string{"hidden", "salary", "jar", "flag"} {
			if got := answer(name, value); got != want {
				t.Errorf("%s=%s\n got %s\nwant %s", name, value, got, want)
			}
		}
	}
}

// secrets is a model with a hidden field, and fields to hide by a policy.
func secrets() *core.Model {
	return core.MustModel("secrets",
		core.ResourceSpec{Name: "clerk", Fields: []core.FieldSpec{
			keyField(), textField("name"),
			{Name: "hidden", Type: core.Int, Hidden: true},
			{Name: "salary", Type: core.Int},
			{Name: "flag", Type: core.Bool},
			{Name: "jar", ToOne: "jar"},
		}},
		core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{keyField()}},
	)
}

// unreadable is a policy that hides fields of a resource: results omit them, and filters cannot name them.
func unreadable(resource string, names ...string) core.Decorator {
	return core.Decorator{Name: "unreadable", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			f := fieldIn(op.Where, names)
			var asked []*core.Field
			if op.Kind == core.Visibility || op.Kind == core.Aggregate {
				asked = slices.Clone(op.Fields)
			}
			for _, o := range op.Order {
				if op.Kind == core.Aggregate && o.Path == nil {
					asked = append(asked, o.Field)
				} else if op.Kind == core.Aggregate {
					asked = append(asked, o.Path[0].Relation.Stored)
				}
			}
			for _, field := range asked {
				if slices.Contains(names, field.Name()) {
					f = field
				}
			}
			if f != nil && f.Resource().Name() == resource {
				return core.Result{}, &core.Error{Code: core.UnknownField, Resource: resource, Field: f.APIName()}
			}
			res, err := next(ctx, op)
			for i, rec := range res.Records {
				for _, name := range names {
					if f := rec.Resource().Field(name); f != nil && rec.Resource().Name() == resource {
						rec = rec.With(f.Column(), core.Value{})
					}
				}
				res.Records[i] = rec
			}
			return res, err
		}, nil
	}}
}

// fieldIn returns the first field of the filter with one of the names; nil if there is none.
func fieldIn(filter core.Filter, names []string) *core.Field {
	if f := filter.Field(); f != nil && slices.Contains(names, f.Name()) {
		return f
	}
	for _, part := range filter.Filters() {
		if f := fieldIn(part, names); f != nil {
			return f
		}
	}
	return nil
}
