package enginetest

import (
	"context"
	"fmt"
	"strings"

	"github.com/larder-go/larder/core"
)

func key() core.FieldSpec { return core.FieldSpec{Name: "id", Type: core.Int, Key: true} }

// Cookies returns a model of cookies and jars: each cookie has a jar or none.
func Cookies() *core.Model {
	return core.MustModel("cookies",
		core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
			key(),
			{Name: "type", Type: core.Text},
			{Name: "jar", ToOne: "jar"},
		}},
		core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{
			key(),
			{Name: "cookies", ToMany: "cookie", Inverse: "jar"},
		}},
	)
}

// Family returns a model of women and men in one-to-one relations, and of children with a father and a mother. Every
// record has a computed url.
func Family() *core.Model {
	url := core.FieldSpec{Name: "url", Type: core.Text, Computed: &core.Computed{
		Get: func(_ context.Context, rec core.Record) (any, error) {
			return "/" + rec.Resource().APIName() + "/" + rec.Key().String(), nil
		},
	}}
	name := core.FieldSpec{Name: "name", Type: core.Text}
	return core.MustModel("family",
		core.ResourceSpec{Name: "male", Fields: []core.FieldSpec{
			key(), name,
			{Name: "wife", ToOne: "female"},
			{Name: "children", ToMany: "child", Inverse: "father"},
			url,
		}},
		core.ResourceSpec{Name: "female", Fields: []core.FieldSpec{
			key(), name,
			{Name: "husband", ToOne: "male", Inverse: "wife"},
			{Name: "children", ToMany: "child", Inverse: "mother"},
			url,
		}},
		core.ResourceSpec{Name: "child", Fields: []core.FieldSpec{
			key(), name,
			{Name: "father", ToOne: "male"},
			{Name: "mother", ToOne: "female"},
			url,
		}},
	)
}

// renamed is the cookies model with API names that differ from the program's names.
func renamed() *core.Model {
	return core.MustModel("renamed",
		core.ResourceSpec{Name: "c", APIName: "cookie", Fields: []core.FieldSpec{
			{Name: "k", APIName: "id", Type: core.Int, Key: true},
			{Name: "t", APIName: "type", Type: core.Text},
			{Name: "f", APIName: "fixed", Type: core.Text, ReadOnly: true},
			{Name: "j", APIName: "jar", ToOne: "b"},
			{Name: "id", APIName: "k", Type: core.Text, Writable: core.Never},
			{Name: "s", APIName: "says", Computed: &core.Computed{
				Get: func(context.Context, core.Record) (any, error) { return nil, nil },
				Set: func(_ context.Context, _ core.Record, v any) (map[string]any, error) {
					return map[string]any{"t": v}, nil
				},
			}},
		}},
		core.ResourceSpec{Name: "b", APIName: "jar", Fields: []core.FieldSpec{
			{Name: "k", APIName: "id", Type: core.Int, Key: true},
			{Name: "cs", APIName: "cookies", ToMany: "c", Inverse: "j"},
		}},
	)
}

// notes has a field with each attribute.
func notes() *core.Model {
	return core.MustModel("notes", core.ResourceSpec{Name: "note", Fields: []core.FieldSpec{
		key(),
		{Name: "title", Type: core.Text, Default: "untitled"},
		{Name: "text", Type: core.Text, Writable: func(rec core.Record) bool { return rec.Get("status").Text() != "sent" }},
		{Name: "status", Type: core.Text},
		{Name: "origin", Type: core.Text, Writable: core.Never},
		{Name: "stamp", Type: core.Int, ReadOnly: true, Default: 7},
		{Name: "secret", Type: core.Text, Hidden: true, Default: "s3cret"},
		{Name: "shout", Type: core.Text, Computed: &core.Computed{Get: shout, Set: whisper}},
		{Name: "size", Computed: &core.Computed{Get: func(_ context.Context, rec core.Record) (any, error) {
			return map[string]any{"secret": len(rec.Get("secret").Text())}, nil
		}}},
		{Name: "code", Type: core.Text, Unique: true},
		{Name: "made", Type: core.Text, Default: func() any { return "now" }},
		{Name: "tags", Type: core.List, Writable: core.Never},
	}})
}

func shout(_ context.Context, rec core.Record) (any, error) {
	if title := rec.Get("title"); title.IsSet() {
		return strings.ToUpper(title.Text()), nil
	}
	return nil, nil
}

// whisper sets the title, and fields that clients cannot set.
func whisper(_ context.Context, rec core.Record, value any) (map[string]any, error) {
	said, ok := value.(string)
	if !ok {
		return map[string]any{"title": value}, nil
	}
	return map[string]any{
		"title": strings.ToLower(said), "stamp": len(said),
		"secret": rec.Get("secret").Text() + "!", "status": rec.Get("title").Text(),
	}, nil
}

// kitchen has setters that relate records, create related records, or set forbidden fields.
func kitchen() *core.Model {
	set := func(fields func(rec core.Record, value any) map[string]any) *core.Computed {
		return &core.Computed{
			Get: func(context.Context, core.Record) (any, error) { return nil, nil },
			Set: func(_ context.Context, rec core.Record, value any) (map[string]any, error) {
				return fields(rec, value), nil
			},
		}
	}
	return core.MustModel("kitchen",
		core.ResourceSpec{Name: "cook", Fields: []core.FieldSpec{
			key(),
			{Name: "name", Type: core.Text},
			{Name: "label", Type: core.Text, Hidden: true},
			{Name: "oven", ToOne: "oven", ReadOnly: true},
			{Name: "dishes", ToMany: "dish", Inverse: "cook"},
			{Name: "heats", Computed: set(func(_ core.Record, v any) map[string]any {
				return map[string]any{"oven": map[string]any{"kind": v}}
			})},
			{Name: "serves", Computed: set(func(rec core.Record, v any) map[string]any {
				return map[string]any{"dishes": []any{map[string]any{"name": fmt.Sprint(v, " by ", rec.Key())}}}
			})},
			{Name: "uses", Computed: set(func(_ core.Record, v any) map[string]any { return map[string]any{"oven": v} })},
			{Name: "breaks", Computed: set(func(_ core.Record, v any) map[string]any { return map[string]any{fmt.Sprint(v): 1} })},
			{Name: "hides", Type: core.Int, Computed: set(func(_ core.Record, v any) map[string]any {
				return map[string]any{"label": []any{v}}
			})},
		}},
		core.ResourceSpec{Name: "spy", Fields: []core.FieldSpec{
			key(),
			{Name: "name", Type: core.Text},
			{Name: "rival", ToOne: "spy"},
			{Name: "rivals", ToMany: "spy", Inverse: "rival"},
			{Name: "tells", Computed: set(func(rec core.Record, _ any) map[string]any {
				return map[string]any{"name": rec.Get("rival").String()}
			})},
		}},
		core.ResourceSpec{Name: "oven", Fields: []core.FieldSpec{
			key(),
			{Name: "kind", Type: core.Text, ReadOnly: true},
			{Name: "cooks", ToMany: "cook", Inverse: "oven"},
		}},
		core.ResourceSpec{Name: "dish", Fields: []core.FieldSpec{
			key(),
			{Name: "name", Type: core.Text},
			{Name: "cook", ToOne: "cook"},
		}},
	)
}

// things has a field of every type.
func things() *core.Model {
	return core.MustModel("things",
		core.ResourceSpec{Name: "thing", Fields: []core.FieldSpec{
			key(),
			{Name: "int", Type: core.Int},
			{Name: "float", Type: core.Float},
			{Name: "text", Type: core.Text, Searchable: true},
			{Name: "bool", Type: core.Bool},
			{Name: "time", Type: core.Time},
			{Name: "uuid", Type: core.UUID},
			{Name: "bytes", Type: core.Bytes},
			{Name: "json", Type: core.JSON},
			{Name: "list", Type: core.List},
			{Name: "date", Type: core.Date},
			{Name: "localtime", Type: core.LocalTime},
			{Name: "decimal", Type: core.Decimal},
			{Name: "price", Type: core.Decimal, Scale: new(2)},
			{Name: "mood", Type: core.Text, Unordered: true, Searchable: true},
		}},
		core.ResourceSpec{Name: "tag", Fields: []core.FieldSpec{
			{Name: "name", Type: core.Text, Key: true},
			{Name: "things", ToMany: "thing"},
			{Name: "like", ToOne: "tag"},
			{Name: "liked", ToMany: "tag", Inverse: "like"},
		}},
		core.ResourceSpec{Name: "token", Fields: []core.FieldSpec{
			{Name: "id", Type: core.UUID, Key: true},
			{Name: "next", ToOne: "token"},
		}},
	)
}

// people has every kind of self relation.
func people() *core.Model {
	return core.MustModel("people", core.ResourceSpec{Name: "person", Fields: []core.FieldSpec{
		key(),
		{Name: "name", Type: core.Text},
		{Name: "boss", ToOne: "person"},
		{Name: "team", ToMany: "person", Inverse: "boss"},
		{Name: "partner", ToOne: "person"},
		{Name: "partner_of", ToOne: "person", Inverse: "partner"},
		{Name: "mentor", ToOne: "person"},
		{Name: "pupil", ToOne: "person", Inverse: "mentor"},
		{Name: "friends", ToMany: "person"},
		{Name: "idol", ToOne: "person"},
	}})
}

// chains has cascades: nodes with their parent, tracks and reviews with their album, a circle of three resources,
// a pair that cascades both ways (heart and body), licences with their holder, photos with their licence.
func chains() *core.Model {
	return core.MustModel("chains",
		core.ResourceSpec{Name: "node", Fields: []core.FieldSpec{
			key(),
			{Name: "parent", ToOne: "node", OnDelete: core.Cascade, Orphans: core.DeleteOrphans},
			{Name: "children", ToMany: "node", Inverse: "parent"},
		}},
		core.ResourceSpec{Name: "album", Fields: []core.FieldSpec{
			key(),
			{Name: "tracks", ToMany: "track", Inverse: "album"},
			{Name: "single", ToOne: "track"},
		}},
		core.ResourceSpec{Name: "track", Fields: []core.FieldSpec{
			key(),
			{Name: "album", ToOne: "album", OnDelete: core.Cascade, Orphans: core.DeleteOrphans},
			{Name: "next", ToOne: "track"},
		}},
		core.ResourceSpec{Name: "review", Fields: []core.FieldSpec{
			key(),
			{Name: "album", ToOne: "album", OnDelete: core.Cascade},
			{Name: "best", ToOne: "track"},
		}},
		core.ResourceSpec{Name: "rock", Fields: []core.FieldSpec{key(), {Name: "beats", ToOne: "scissors", OnDelete: core.Cascade}}},
		core.ResourceSpec{Name: "paper", Fields: []core.FieldSpec{key(), {Name: "beats", ToOne: "rock", OnDelete: core.Cascade}}},
		core.ResourceSpec{Name: "scissors", Fields: []core.FieldSpec{key(), {Name: "beats", ToOne: "paper", OnDelete: core.Cascade}}},
		core.ResourceSpec{Name: "heart", Fields: []core.FieldSpec{key(), {Name: "body", ToOne: "body", OnDelete: core.Cascade}}},
		core.ResourceSpec{Name: "body", Fields: []core.FieldSpec{key(), {Name: "heart", ToOne: "heart", OnDelete: core.Cascade}}},
		core.ResourceSpec{Name: "licence", Fields: []core.FieldSpec{
			key(),
			{Name: "holder", ToOne: "holder", OnDelete: core.Cascade, Orphans: core.DeleteOrphans},
			{Name: "renews", ToOne: "licence", OnDelete: core.Cascade},
		}},
		core.ResourceSpec{Name: "photo", Fields: []core.FieldSpec{key(), {Name: "of", ToOne: "licence", OnDelete: core.Cascade}}},
		core.ResourceSpec{Name: "holder", Fields: []core.FieldSpec{
			key(),
			{Name: "licence", ToOne: "licence", Inverse: "holder"},
		}},
	)
}

// boxes has relations with write rules. A shut box keeps its items and a glued item keeps its box; a used socket
// keeps its plug and a stuck plug keeps its socket. Crates and pears have a rule on one side only. Leaves and eggs
// are deleted with their tree and nest despite a rule.
func boxes() *core.Model {
	unless := func(field string) func(core.Record) bool {
		return func(rec core.Record) bool { return !rec.Get(field).Bool() }
	}
	return core.MustModel("boxes",
		core.ResourceSpec{Name: "box", Fields: []core.FieldSpec{
			key(),
			{Name: "shut", Type: core.Bool},
			{Name: "items", ToMany: "item", Inverse: "box", Writable: unless("shut")},
		}},
		core.ResourceSpec{Name: "item", Fields: []core.FieldSpec{
			key(),
			{Name: "glued", Type: core.Bool},
			{Name: "box", ToOne: "box", Writable: unless("glued")},
		}},
		core.ResourceSpec{Name: "plug", Fields: []core.FieldSpec{
			key(),
			{Name: "stuck", Type: core.Bool},
			{Name: "socket", ToOne: "socket", Writable: unless("stuck")},
		}},
		core.ResourceSpec{Name: "socket", Fields: []core.FieldSpec{
			key(),
			{Name: "used", Type: core.Bool},
			{Name: "plug", ToOne: "plug", Inverse: "socket", Writable: unless("used")},
		}},
		core.ResourceSpec{Name: "seal", Fields: []core.FieldSpec{
			key(),
			{Name: "box", ToOne: "box", Hidden: true, Writable: core.Never, Default: 1},
		}},
		core.ResourceSpec{Name: "drawer", Fields: []core.FieldSpec{key(), {Name: "knives", ToMany: "knife", Inverse: "drawer"}}},
		core.ResourceSpec{Name: "knife", Fields: []core.FieldSpec{
			key(),
			{Name: "drawer", ToOne: "drawer", Hidden: true, Writable: core.Never},
		}},
		core.ResourceSpec{Name: "crate", Fields: []core.FieldSpec{
			key(),
			{Name: "shut", Type: core.Bool},
			{Name: "pears", ToMany: "pear", Inverse: "crate", Writable: unless("shut")},
		}},
		core.ResourceSpec{Name: "pear", Fields: []core.FieldSpec{
			key(),
			{Name: "picked_into", ToOne: "crate"},
			{Name: "crate", ToOne: "crate", Default: 1},
			{Name: "sold_in", ToOne: "crate"},
		}},
		core.ResourceSpec{Name: "tree", Fields: []core.FieldSpec{
			key(),
			{Name: "leaves", ToMany: "leaf", Inverse: "tree", Writable: core.Never},
		}},
		core.ResourceSpec{Name: "leaf", Fields: []core.FieldSpec{
			key(),
			{Name: "tree", ToOne: "tree", OnDelete: core.Cascade, Orphans: core.DeleteOrphans},
		}},
		core.ResourceSpec{Name: "nest", Fields: []core.FieldSpec{key()}},
		core.ResourceSpec{Name: "egg", Fields: []core.FieldSpec{
			key(),
			{Name: "nest", ToOne: "nest", OnDelete: core.Cascade},
			{Name: "twin", ToOne: "egg", Writable: core.Never},
		}},
	)
}

// numberedIssues has numbered records, and fields that only a program sets.
func numberedIssues() *core.Model {
	return core.MustModel("issues",
		core.ResourceSpec{Name: "project", Fields: []core.FieldSpec{key(), {Name: "issues", ToMany: "issue", Inverse: "project"}}},
		core.ResourceSpec{Name: "issue", Fields: []core.FieldSpec{
			key(),
			{Name: "project", ToOne: "project"},
			{Name: "number", Type: core.Int, NumberedBy: "project"},
			{Name: "closed", Type: core.Int, ReadOnly: true},
			{Name: "secret", Type: core.Text, Hidden: true, ReadOnly: true},
			{Name: "fixed", Computed: &core.Computed{Get: func(context.Context, core.Record) (any, error) { return nil, nil }}},
		}, Unique: [][]string{{"project", "number"}}},
	)
}
