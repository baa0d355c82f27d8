package enginetest

import (
	"context"
	"strings"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

func writeBackCases() []Case {
	const stampReadOnly = `FIELD_IS_READONLY {"object_name": "note", "field_name": "stamp"}`
	const ovenReadOnly = `FIELD_IS_READONLY {"object_name": "cook", "field_name": "oven"}`
	return []Case{
		script("a body may repeat its key", Cookies, `
			post jar {}
			patch jar/1 {"id": 1}                    => {"id": 1, "cookies": []}
			patch jar/1 {"id": "1"}                  => {"id": 1, "cookies": []}
			put jar/1 {"id": 1}                      => replaced {"id": 1, "cookies": []}
			put jar/9 {"id": 9}                      => created {"id": 9, "cookies": []}
			patch jar/1 {"id": null}                 => FIELD_IS_READONLY {"object_name": "jar", "field_name": "id"}
			patch jar/1 {"id": "x"}                  => FIELD_IS_READONLY {"object_name": "jar", "field_name": "id"}
			patch jar/7 {"id": 7}                    => OBJECT_DOES_NOT_EXIST {"object_name": "jar", "object_id": 7}
			patch jar/1 {"cookies": [{"id": 1}]}     => FIELD_IS_READONLY {"object_name": "cookie", "field_name": "id"}`),
		script("a representation can be sent back", notes, `
			post note {"title": "Hi", "code": "a", "origin": "o"}
			patch note/1 {"id": 1, "title": "Hi", "origin": "o", "stamp": 7, "shout": "HI", "size": {"secret": 6}, "code": "a", "made": "now"}         => {"id": 1, "title": "Hi", "origin": "o", "stamp": 7, "shout": "HI", "size": {"secret": 6}, "code": "a", "made": "now"}
			put note/1 {"id": 1, "title": "Hi", "origin": "o", "stamp": 7, "shout": "HI", "size": {"secret": 6}, "code": "a", "made": "now"}           => replaced {"id": 1, "title": "Hi", "origin": "o", "stamp": 7, "shout": "HI", "size": {"secret": 6}, "code": "a", "made": "now"}
			patch note/1 {"id": 1, "stamp": 7, "size": {"secret": 6}, "status": "new"}  => {"id": 1, "title": "Hi", "status": "new", "origin": "o", "stamp": 7, "shout": "HI", "size": {"secret": 6}, "code": "a", "made": "now"}`),
		script("a readonly field is accepted with its own value only", notes, `
			post note {}
			patch note/1 {"stamp": 7}                => {"id": 1, "title": "untitled", "stamp": 7, "shout": "UNTITLED", "size": {"secret": 6}, "made": "now"}
			patch note/1 {"stamp": 7.0, "status": "x"}  => {"id": 1, "title": "untitled", "status": "x", "stamp": 7, "shout": "UNTITLED", "size": {"secret": 6}, "made": "now"}
			patch note/1 {"stamp": 8, "status": "y"}    => `+stampReadOnly+`
			patch note/1 {"stamp": null}             => `+stampReadOnly+`
			patch note/1 {"stamp": "x"}              => `+stampReadOnly+`
			put note/1 {"stamp": 8}                  => `+stampReadOnly+`
			put note/9 {"stamp": 7}                  => `+stampReadOnly+`
			post note {"stamp": 7}                   => `+stampReadOnly+`
			patch note/9 {"stamp": 7}                => OBJECT_DOES_NOT_EXIST {"object_name": "note", "object_id": 9}
			patch note/1 {"size": {"secret": 7}}     => FIELD_IS_READONLY {"object_name": "note", "field_name": "size"}
			get note/1                               => {"id": 1, "title": "untitled", "status": "x", "stamp": 7, "shout": "UNTITLED", "size": {"secret": 6}, "made": "now"}`),
		script("a setter runs only if its field changes", notes, `
			post note {"title": "Hi"}
			patch note/1 {"shout": "HI"}             => {"id": 1, "title": "Hi", "stamp": 7, "shout": "HI", "size": {"secret": 6}, "made": "now"}
			patch note/1 {"shout": "HO"}             => {"id": 1, "title": "ho", "status": "Hi", "stamp": 2, "shout": "HO", "size": {"secret": 7}, "made": "now"}
			put note/1 {"shout": "HO"}               => replaced {"id": 1, "title": "ho", "status": "untitled", "stamp": 2, "shout": "HO", "size": {"secret": 8}, "made": "now"}`),
		script("a setter before its columns does not run for the same value", eager, `
			post name {"text": "Ann"}
			put name/1 {"id": 1, "loud": "ANN", "text": "Ann", "runs": 0}  => replaced {"id": 1, "loud": "ANN", "text": "Ann", "runs": 0}
			patch name/1 {"loud": "ANN", "text": "Ann"}                    => {"id": 1, "loud": "ANN", "text": "Ann", "runs": 0}
			patch name/1 {"loud": "BOB"}                                   => {"id": 1, "loud": "BOB", "text": "bob", "runs": 1}`),
		script("readonly relations are accepted as they are shown", kitchen, `
			post cook {"heats": "gas"}
			post oven {} depth=0                     => 2
			post cook {"name": "b"}
			patch cook/1 {"oven": 1, "name": "a"}    => {"id": 1, "name": "a", "oven": 1, "dishes": []}
			put cook/1 {"oven": 1, "dishes": [], "name": "b"}  => replaced {"id": 1, "name": "b", "oven": 1, "dishes": []}
			patch cook/1 {"oven": 2}                 => `+ovenReadOnly+`
			patch cook/1 {"oven": null}              => `+ovenReadOnly+`
			patch cook/1 {"oven": {"kind": "gas"}}   => `+ovenReadOnly+`
			patch cook/2 {"oven": null}              => {"id": 2, "name": "b", "dishes": []}
			patch cook/2 {"oven": 1}                 => `+ovenReadOnly),
		script("readonly list sides are accepted as they are shown", archive, `
			post box {}
			post sheet [{"box": 1}, {"box": 1}, {}] depth=0
			patch box/1 {"sheets": [1, 2]}           => {"id": 1, "sheets": [1, 2], "first": 1}
			patch box/1 {"sheets": [2, 1, 2]}        => {"id": 1, "sheets": [1, 2], "first": 1}
			put box/1 {"id": 1, "sheets": [1, 2], "first": 1}  => replaced {"id": 1, "sheets": [1, 2], "first": 1}
			patch box/1 {"sheets": [1]}              => FIELD_IS_READONLY {"object_name": "box", "field_name": "sheets"}
			patch box/1 {"sheets": [1, 2, 3]}        => FIELD_IS_READONLY {"object_name": "box", "field_name": "sheets"}
			patch box/1 {"sheets": [1, {}]}          => FIELD_IS_READONLY {"object_name": "box", "field_name": "sheets"}
			patch box/1 {"sheets": 1}                => FIELD_IS_READONLY {"object_name": "box", "field_name": "sheets"}
			list sheet filter={"box": 1} depth=0     => [1, 2]`),
		scriptWith("a long list side can be sent back with its NAME@next", Cookies, engine.Options{MaxMembers: 2}, `
			post jar {"cookies": [{}, {}, {}]} depth=0
			patch jar/1 {"id": 1, "cookies": [1, 2], "cookies@next": "x"}  => {"id": 1, "cookies": [1, 2], "cookies@next": "*"}
			put jar/1 {"id": 1, "cookies": [1, 2], "cookies@next": "x"}    => replaced {"id": 1, "cookies": [1, 2], "cookies@next": "*"}
			patch jar/1 {"cookies": [1, 3], "cookies@next": "x"}           => BAD_REQUEST
			list cookie depth=0 filter={"jar": 1}    => [1, 2, 3]`),
		scriptWith("an unreadable field has the same answer for every value", notes, engine.Options{}, `
			as system post note {}
			as 1 get note/1                          => {"id": 1, "title": "untitled", "shout": "UNTITLED", "size": {"secret": 6}, "made": "now"}
			as 1 patch note/1 {"stamp": 7}           => `+stampReadOnly+`
			as 1 patch note/1 {"stamp": 8}           => `+stampReadOnly+`
			as 1 patch note/1 {"stamp": null}        => `+stampReadOnly+`
			as 1 put note/1 {"stamp": 7}             => `+stampReadOnly+`
			as 1 put note/1 {"stamp": 8}             => `+stampReadOnly+`
			as 1 put note/1 {"stamp": null}          => `+stampReadOnly+`
			as system patch note/1 {"stamp": 7}      => {"id": 1, "title": "untitled", "stamp": 7, "shout": "UNTITLED", "size": {"secret": 6}, "made": "now"}`,
			hideField("note", "stamp")),
		scriptWith("a readonly relation to a hidden record is null", archivedByOwner, engine.Options{}, `
			as 2 post box {} depth=0
			as 1 post sheet {} depth=0
			as system patch sheet/1 {"box": 1, "boxes": [1]}
			as 1 get sheet/1                         => {"id": 1, "boxes": []}
			as 1 patch sheet/1 {"kept": null}        => {"id": 1, "boxes": []}
			as 1 patch sheet/1 {"kept": 1}           => FIELD_IS_READONLY {"object_name": "sheet", "field_name": "kept"}
			as 1 patch sheet/1 {"kept": 2}           => FIELD_IS_READONLY {"object_name": "sheet", "field_name": "kept"}`,
			ownerGuard()),
		scriptWith("a replacement keeps ids of hidden records", archivedByOwner, engine.Options{}, `
			as 2 post box [{}, {}] depth=0
			as 1 post box {} depth=0
			as 1 post sheet {} depth=0
			as system patch sheet/1 {"box": 1, "boxes": [1, 2, 3]}
			as 1 put sheet/1 {"id": 1, "boxes": [3]}   => replaced {"id": 1, "boxes": [3]}
			as system get sheet/1                      => {"id": 1, "box": 1, "boxes": [1, 2, 3]}
			as 1 patch sheet/1 {"id": 1, "boxes": [3]} => {"id": 1, "boxes": [3]}
			as system get sheet/1                      => {"id": 1, "box": 1, "boxes": [1, 2, 3]}
			as 1 put sheet/1 {}                        => replaced {"id": 1, "boxes": []}
			as system get sheet/1                      => {"id": 1, "box": 1, "boxes": [1, 2]}
			as 1 patch sheet/1 {"box": null, "boxes": [3]}  => {"id": 1, "boxes": [3]}
			as system get sheet/1                      => {"id": 1, "boxes": [3]}`,
			ownerGuard()),
		scriptWith("a replacement keeps unreadable fields and relations", owned, engine.Options{}, `
			as system post jar {"cookies": [{"type": "a"}]} depth=0
			as 1 get jar/1                           => {"id": 1}
			as 1 put jar/1 {"id": 1}                 => replaced {"id": 1}
			as 1 put cookie/1 {"type": "b"}          => replaced {"id": 1, "type": "b"}
			as 1 put cookie/1 {"jar": null}          => replaced {"id": 1}
			as system get cookie/1                   => {"id": 1}
			as system patch cookie/1 {"jar": 1}
			as 1 put cookie/1 {"id": 1}              => replaced {"id": 1}
			as system get cookie/1                   => {"id": 1, "jar": 1}`,
			hideField("cookie", "jar")),
		{"records of random models are the same after they were sent back", writeBackRandom},
	}
}

// eager has a computed field before the columns that its setter sets.
func eager() *core.Model {
	return core.MustModel("eager", core.ResourceSpec{Name: "name", Fields: []core.FieldSpec{
		key(),
		{Name: "loud", Type: core.Text, Computed: &core.Computed{Get: shoutText, Set: whisperText}},
		{Name: "text", Type: core.Text},
		{Name: "runs", Type: core.Int, ReadOnly: true, Default: 0},
	}})
}

// archive has a readonly list side and a computed field.
func archive() *core.Model {
	first := func(context.Context, core.Record) (any, error) { return 1, nil }
	return core.MustModel("archive",
		core.ResourceSpec{Name: "box", Fields: []core.FieldSpec{
			key(),
			{Name: "sheets", ToMany: "sheet", Inverse: "box", ReadOnly: true},
			{Name: "first", Computed: &core.Computed{Get: first}},
		}},
		core.ResourceSpec{Name: "sheet", Fields: []core.FieldSpec{key(), {Name: "box", ToOne: "box"}}},
	)
}

// archivedByOwner has owners, and a readonly to-one relation, a to-one relation and a list to records of others.
func archivedByOwner() *core.Model {
	owner := core.FieldSpec{Name: "owner", Type: core.Int, Hidden: true}
	return core.MustModel("archive",
		core.ResourceSpec{Name: "box", Fields: []core.FieldSpec{key(), owner}},
		core.ResourceSpec{Name: "sheet", Fields: []core.FieldSpec{
			key(), owner,
			{Name: "box", ToOne: "box"},
			{Name: "kept", ToOne: "box", ReadOnly: true},
			{Name: "boxes", ToMany: "box"},
		}},
	)
}

func shoutText(_ context.Context, rec core.Record) (any, error) {
	if text := rec.Get("text"); text.IsSet() {
		return strings.ToUpper(text.Text()), nil
	}
	return nil, nil
}

// whisperText sets the text, and counts how often it ran.
func whisperText(_ context.Context, rec core.Record, value any) (map[string]any, error) {
	text, _ := value.(string)
	return map[string]any{"text": strings.ToLower(text), "runs": rec.Get("runs").Int() + 1}, nil
}
