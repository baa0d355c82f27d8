package enginetest

import (
	"errors"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

func computedCases() []Case {
	return []Case{
		script("a computed field is shown unless it is null", notes, `
			post note {"title": "hi"}     => {"id": 1, "title": "hi", "stamp": 7, "shout": "HI", "size": {"secret": 6}, "made": "now"}
			patch note/1 {"title": null}  => {"id": 1, "stamp": 7, "size": {"secret": 6}, "made": "now"}`),
		script("without a setter a computed field is readonly", Family, `
			post male {"url": "x"}    => FIELD_IS_READONLY {"object_name": "male", "field_name": "url"}
			put male/1 {}
			patch male/1 {"url": "/male/2"}  => FIELD_IS_READONLY {"object_name": "male", "field_name": "url"}`),
		script("a setter sets other fields, also readonly and hidden ones", notes, `
			post note {"shout": "HELLO"}   => {"id": 1, "title": "hello", "status": "untitled", "stamp": 5, "shout": "HELLO", "size": {"secret": 7}, "made": "now"}
			patch note/1 {"shout": "YES"}  => {"id": 1, "title": "yes", "status": "hello", "stamp": 3, "shout": "YES", "size": {"secret": 8}, "made": "now"}`),
		script("fields apply in order of declaration", notes, `
			post note {"shout": "LOUD", "title": "quiet", "status": "new"}   => {"id": 1, "title": "loud", "status": "quiet", "stamp": 4, "shout": "LOUD", "size": {"secret": 7}, "made": "now"}
			patch note/1 {"shout": "A", "made": "then", "title": "b"}        => {"id": 1, "title": "a", "status": "b", "stamp": 1, "shout": "A", "size": {"secret": 8}, "made": "then"}`),
		script("a value that a setter rejects is a bad field value", notes, `
			put note/1 {}
			patch note/1 {"shout": []}    => BAD_FIELD_VALUE {"object_name": "note", "field_name": "shout", "type": "text", "value": []}
			patch note/1 {"shout": true}  => BAD_FIELD_VALUE {"object_name": "note", "field_name": "shout", "type": "text", "value": true}`),
		script("a setter's bad value is reported for the computed field", kitchen, `
			put cook/1 {}
			patch cook/1 {"hides": "x"}   => BAD_FIELD_VALUE {"object_name": "cook", "field_name": "hides", "type": "int", "value": "x"}`),
		script("a setter creates related records", kitchen, `
			post cook {"heats": "gas"} depth=2           => {"id": 1, "oven": {"id": 1, "kind": "gas", "cooks": [1]}, "dishes": []}
			patch cook/1 {"heats": "coal"}               => {"id": 1, "oven": 2, "dishes": []}
			patch cook/1 {"serves": "soup"} depth=2      => {"id": 1, "oven": {"id": 2, "kind": "coal", "cooks": [1]}, "dishes": [{"id": 1, "name": "soup by 1", "cook": 1}]}
			post cook {"serves": "pie", "uses": 1} depth=2   => {"id": 2, "oven": {"id": 1, "kind": "gas", "cooks": [2]}, "dishes": [{"id": 2, "name": "pie by 2", "cook": 2}]}
			put cook/1 {"serves": "tea", "name": "n"} depth=2 => replaced {"id": 1, "name": "n", "oven": {"id": 2, "kind": "coal", "cooks": [1]}, "dishes": [{"id": 3, "name": "tea by 1", "cook": 1}]}
			list dish                                    => [{"id": 1, "name": "soup by 1"}, {"id": 2, "name": "pie by 2", "cook": 2}, {"id": 3, "name": "tea by 1", "cook": 1}]`),
		script("a setter sees changes made by nested records", kitchen, `
			post spy {}
			patch spy/1 {"rivals": [{"rivals": [1]}], "tells": true}   => {"id": 1, "name": "2", "rival": 2, "rivals": [2]}`),
		script("a setter reads null for unset fields of a new record", kitchen, `
			post spy {"tells": true}   => {"id": 1, "name": "null", "rivals": []}`),
		script("a setter's missing related id is not found", kitchen, `
			post cook {"uses": 9}    => OBJECT_DOES_NOT_EXIST {"object_name": "oven", "object_id": 9}
			post cook {"uses": "x"}  => BAD_FIELD_VALUE {"object_name": "cook", "field_name": "uses", "type": "json", "value": "x"}`),
		code("a setter of a forbidden field is logged, not shown", kitchen, badSetters),
	}
}

func badSetters(t *testing.T, api *engine.Engine) {
	for _, name := range []string{"nope", "id", "serves"} {
		_, err := api.Create(t.Context(), "cook", engine.Write{}, map[string]any{"breaks": name})
		if !errors.Is(err, core.ServerError) || !strings.Contains(err.Error(), "cook."+name) {
			t.Errorf("setter of %q: %v, want %s naming it", name, err, core.ServerError)
		}
		if public := core.AsError(err).Public(); strings.Contains(public, name) {
			t.Errorf("setter of %q: clients see %q", name, public)
		}
	}
}
