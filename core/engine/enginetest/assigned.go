package enginetest

import (
	"context"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// warehouse has assigned keys: of type int and uuid by declaration, of type text by default.
func warehouse() *core.Model {
	return core.MustModel("warehouse",
		core.ResourceSpec{Name: "shelf", Fields: []core.FieldSpec{
			{Name: "code", Type: core.Text, Key: true}, {Name: "items", ToMany: "item", Inverse: "shelf"},
		}},
		core.ResourceSpec{Name: "item", Fields: []core.FieldSpec{
			{Name: "ean", APIName: "EAN", Type: core.Int, Key: true, Assigned: true}, {Name: "name", Type: core.Text},
			{Name: "shelf", ToOne: "shelf"}, {Name: "part_of", ToOne: "item"},
			{Name: "label", Computed: &core.Computed{Get: label, Set: relabel}},
		}},
		core.ResourceSpec{Name: "device", Fields: []core.FieldSpec{
			{Name: "id", Type: core.UUID, Key: true, Assigned: true}, {Name: "name", Type: core.Text},
		}},
	)
}

func label(_ context.Context, rec core.Record) (any, error) { return rec.Get("name").Any(), nil }

func relabel(_ context.Context, _ core.Record, value any) (map[string]any, error) {
	return map[string]any{"name": value}, nil
}

func assignedCases() []Case {
	return []Case{
		script("an assigned key is set by the body", warehouse, `
			post shelf {"code": "a"}                       => {"code": "a", "items": []}
			post item {"EAN": 9007199254740993, "name": "x"}  => {"EAN": 9007199254740993, "name": "x", "label": "x"}
			post item [{"EAN": 7}, {"EAN": 5, "shelf": "a"}]  => [{"EAN": 7}, {"EAN": 5, "shelf": "a"}]
			post item {"EAN": 8, "part_of": 8}             => {"EAN": 8, "part_of": 8}
			post item {"EAN": 3, "label": "set"}           => {"EAN": 3, "name": "set", "label": "set"}
			post device {"id": "00000000-0000-0000-0000-000000000001"}  => {"id": "00000000-0000-0000-0000-000000000001"}
			list item depth=0                              => [3, 5, 7, 8, 9007199254740993]`),
		script("a body without its assigned key is rejected by name", warehouse, `
			post shelf {}                  => BAD_REQUEST {"msg": "keys of shelf are not generated; set the field code"}
			post item {"name": "x"}        => BAD_REQUEST {"msg": "keys of item are not generated; set the field EAN"}
			post item [{"EAN": 1}, {}]     => BAD_REQUEST {"msg": "keys of item are not generated; set the field EAN", "index": 1}
			post item {"EAN": null}        => BAD_FIELD_VALUE {"object_name": "item", "field_name": "EAN", "type": "int", "value": null}
			post item {"EAN": "x"}         => BAD_FIELD_VALUE {"object_name": "item", "field_name": "EAN", "type": "int", "value": "x"}
			post device {"name": "x"}      => BAD_REQUEST {"msg": "keys of device are not generated; set the field id"}
			list item                      => []`),
		script("two records cannot have the same assigned key", warehouse, `
			post item {"EAN": 1, "name": "x"}
			post item {"EAN": 1, "name": "y"}      => CONFLICT {"object_name": "item", "field_name": "EAN"}
			post item [{"EAN": 2}, {"EAN": 2}]     => CONFLICT {"object_name": "item", "field_name": "EAN", "index": 1}
			post item [{"EAN": 2}, {"EAN": 1}]     => CONFLICT {"object_name": "item", "field_name": "EAN", "index": 1}
			post item [{"EAN": 2}, {"EAN": 3, "label": "set"}, {"EAN": 1}]  => CONFLICT {"object_name": "item", "field_name": "EAN", "index": 2}
			list item                              => [{"EAN": 1, "name": "x", "label": "x"}]`),
		script("an assigned key cannot change", warehouse, `
			post item {"EAN": 1}
			patch item/1 {"EAN": 2}        => FIELD_IS_READONLY {"object_name": "item", "field_name": "EAN"}
			put item/1 {"EAN": 2}          => FIELD_IS_READONLY {"object_name": "item", "field_name": "EAN"}
			put item/9223372036854775807 {"name": "last"}  => created {"EAN": 9223372036854775807, "name": "last", "label": "last"}
			list item depth=0              => [1, 9223372036854775807]`),
		script("nested records set their assigned keys", warehouse, `
			post shelf {"code": "a", "items": [{"EAN": 2}, {"EAN": 1, "part_of": {"EAN": 3}}]}  => {"code": "a", "items": [1, 2]}
			patch shelf/a {"items": [1, {"EAN": 4}]}       => {"code": "a", "items": [1, 4]}
			patch shelf/a {"items": [1, {"name": "x"}]}    => BAD_REQUEST {"msg": "keys of item are not generated; set the field EAN"}
			patch shelf/a {"items": [{"EAN": 3}]}          => CONFLICT
			list item                                      => [{"EAN": 1, "shelf": "a", "part_of": 3}, {"EAN": 2}, {"EAN": 3}, {"EAN": 4, "shelf": "a"}]`),
		scriptWith("GeneratedKeysOnly forbids chosen keys", Cookies, engine.Options{GeneratedKeysOnly: true}, `
			put cookie/7 {"type": "a"}     => OBJECT_DOES_NOT_EXIST {"object_name": "cookie", "object_id": 7}
			post cookie {"type": "a"}      => {"id": 1, "type": "a"}
			put cookie/1 {"type": "b"}     => replaced {"id": 1, "type": "b"}
			list cookie                    => [{"id": 1, "type": "b"}]`),
		scriptWith("GeneratedKeysOnly permits assigned keys", warehouse, engine.Options{GeneratedKeysOnly: true}, `
			put item/7 {"name": "a"}       => created {"EAN": 7, "name": "a", "label": "a"}
			put shelf/a {}                 => created {"code": "a", "items": []}`),
	}
}
