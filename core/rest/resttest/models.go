package resttest

import (
	"context"
	"errors"
	"strings"

	"github.com/larder-go/larder/core"
)

func keyField() core.FieldSpec { return core.FieldSpec{Name: "id", Type: core.Int, Key: true} }

func textField(name string) core.FieldSpec { return core.FieldSpec{Name: name, Type: core.Text} }

// cookies is a model of jars with cookies, and of crumbs that are deleted with their cookie.
func cookies() *core.Model {
	return core.MustModel("cookies",
		core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{
			keyField(), textField("label"),
			{Name: "cookies", ToMany: "cookie", Inverse: "jar"},
		}},
		core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
			keyField(), {Name: "type", Type: core.Text, Searchable: true},
			{Name: "price", Type: core.Int},
			{Name: "jar", ToOne: "jar"},
			{Name: "crumbs", ToMany: "crumb", Inverse: "cookie"},
		}},
		core.ResourceSpec{Name: "crumb", Fields: []core.FieldSpec{
			keyField(),
			{Name: "cookie", ToOne: "cookie", OnDelete: core.Cascade, Orphans: core.DeleteOrphans},
		}},
	)
}

// errSecret is an internal error whose text clients must not see.
var errSecret = errors.New("secret: connection to 10.1.2.3 as root failed at store.go:17")

// things is a model with fields of every type and attribute, and with keys of every type.
func things() *core.Model {
	upper := func(_ context.Context, rec core.Record) (any, error) {
		return strings.ToUpper(rec.Get("text").Text()), nil
	}
	fails := func(_ context.Context, rec core.Record) (any, error) {
		if rec.Get("text").Text() == "fail" {
			return nil, errSecret
		}
		return nil, nil
	}
	return core.MustModel("things",
		core.ResourceSpec{Name: "thing", Fields: []core.FieldSpec{
			keyField(),
			{Name: "int", Type: core.Int},
			{Name: "float", Type: core.Float},
			textField("text"),
			{Name: "bool", Type: core.Bool},
			{Name: "time", Type: core.Time},
			{Name: "uuid", Type: core.UUID},
			{Name: "bytes", Type: core.Bytes},
			{Name: "json", Type: core.JSON},
			{Name: "list", Type: core.List},
			{Name: "date", Type: core.Date},
			{Name: "localtime", Type: core.LocalTime},
			{Name: "decimal", Type: core.Decimal},
			{Name: "inner", APIName: "outer", Type: core.Int},
			{Name: "hidden", Type: core.Text, Hidden: true, Default: "ghost"},
			{Name: "readonly", Type: core.Text, ReadOnly: true, Default: "fixed"},
			{Name: "default", Type: core.Int, Default: 7},
			{Name: "once", Type: core.Text, Writable: core.Never},
			{Name: "code", Type: core.Text, Unique: true},
			{Name: "upper", Type: core.Text, Computed: &core.Computed{
				Get: upper,
				Set: func(_ context.Context, _ core.Record, v any) (map[string]any, error) {
					s, ok := v.(string)
					if !ok {
						return nil, &core.Error{Code: core.BadRequest, Message: "upper is a text"}
					}
					return map[string]any{"text": strings.ToLower(s), "readonly": s}, nil
				},
			}},
			{Name: "length", Computed: &core.Computed{Get: func(_ context.Context, rec core.Record) (any, error) {
				return len(rec.Get("text").Text()), nil
			}}},
			{Name: "fails", Computed: &core.Computed{Get: fails}},
			{Name: "likes", ToMany: "thing"},
		}},
		core.ResourceSpec{Name: "word", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Text, Key: true}, textField("meaning"),
		}},
		core.ResourceSpec{Name: "token", Fields: []core.FieldSpec{
			{Name: "id", Type: core.UUID, Key: true}, textField("scope"),
		}},
		core.ResourceSpec{Name: "seat", Fields: []core.FieldSpec{
			keyField(),
			{Name: "word", APIName: "row", ToOne: "word"},
			{Name: "number", APIName: "no", Type: core.Int},
			textField("label"),
			{Name: "freed", Type: core.Bool},
			{Name: "hidden", Type: core.Text, Hidden: true, Default: "ghost"},
		}, Unique: [][]string{{"word", "number"}}, Indexes: []core.Index{
			{Fields: []string{"label", "hidden"}, Where: core.Eq("freed", nil), Unique: true},
		}},
	)
}

// notes is a model of records with owners.
func notes() *core.Model {
	return core.MustModel("notes",
		core.ResourceSpec{Name: "folder", Fields: []core.FieldSpec{
			keyField(), textField("name"),
			{Name: "owner", Type: core.Int, Hidden: true},
			{Name: "notes", ToMany: "note", Inverse: "folder"},
		}},
		core.ResourceSpec{Name: "note", Fields: []core.FieldSpec{
			keyField(), {Name: "text", Type: core.Text, Searchable: true},
			{Name: "owner", Type: core.Int, Hidden: true},
			{Name: "folder", ToOne: "folder"},
		}},
	)
}
