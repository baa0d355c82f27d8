package enginetest

import (
	"fmt"

	"github.com/larder-go/larder/core"
)

func replacingCases() []Case {
	return []Case{
		script("PUT creates or replaces the record with its id", Cookies, `
			put cookie/7 {"type": "a"}    => created {"id": 7, "type": "a"}
			put cookie/7 {"type": "b"}    => replaced {"id": 7, "type": "b"}
			put cookie/7 {}               => replaced {"id": 7}
			put cookie/-3 {} depth=0      => created -3
			list cookie                   => [{"id": -3}, {"id": 7}]`),
		script("PUT resets unnamed fields to default or null", notes, `
			put note/1 {"title": "t", "text": "x", "code": "c", "made": null}  => created {"id": 1, "title": "t", "text": "x", "stamp": 7, "shout": "T", "size": {"secret": 6}, "code": "c"}
			put note/1 {"text": "y"}    => replaced {"id": 1, "title": "untitled", "text": "y", "stamp": 7, "shout": "UNTITLED", "size": {"secret": 6}}`),
		script("PUT keeps values of function defaults", clocked, `
			put note/1 {"text": "a"}                => created {"id": 1, "text": "a", "made": 1, "first": "tick 1"}
			put note/1 {"text": "a"}                => replaced {"id": 1, "text": "a", "made": 1, "first": "tick 1"}
			put note/1 {"text": "b", "made": 7}     => replaced {"id": 1, "text": "b", "made": 7, "first": "tick 1"}
			put note/1 {}                           => replaced {"id": 1, "made": 7, "first": "tick 1"}
			put note/1 {"made": null}               => replaced {"id": 1, "first": "tick 1"}
			put note/1 {}                           => replaced {"id": 1, "first": "tick 1"}
			put note/1 {"first": "x"}               => FIELD_UPDATE_FORBIDDEN {"object_name": "note", "field_name": "first"}
			post note {}                            => {"id": 2, "made": 2, "first": "tick 2"}`),
		script("PUT keeps readonly and hidden fields", notes, `
			put note/1 {"shout": "HI"}  => created {"id": 1, "title": "hi", "status": "untitled", "stamp": 2, "shout": "HI", "size": {"secret": 7}, "made": "now"}
			put note/1 {"title": "t"}   => replaced {"id": 1, "title": "t", "stamp": 2, "shout": "T", "size": {"secret": 7}, "made": "now"}`),
		script("PUT keeps values that its setters set", notes, `
			put note/1 {}
			put note/1 {"shout": "AB"}  => replaced {"id": 1, "title": "ab", "status": "untitled", "stamp": 2, "shout": "AB", "size": {"secret": 7}, "made": "now"}`),
		script("PUT empties unnamed relations of its record only", Family, `
			post male {"name": "m", "wife": {"name": "f"}, "children": [{"name": "c", "mother": 1}]}  => OBJECT_DOES_NOT_EXIST {"object_name": "female", "object_id": 1}
			put female/1 {"name": "f"}
			put male/1 {"name": "m", "wife": 1}
			put child/1 {"name": "c", "father": 1, "mother": 1}
			put male/1 {"name": "n"}    => replaced {"id": 1, "name": "n", "children": [], "url": "/male/1"}
			list female                 => [{"id": 1, "name": "f", "children": [1], "url": "/female/1"}]
			list child                  => [{"id": 1, "name": "c", "mother": 1, "url": "/child/1"}]
			put male/1 {"name": "n", "wife": 1, "children": [1]}
			put female/1 {"name": "f"}  => replaced {"id": 1, "name": "f", "children": [], "url": "/female/1"}
			list male                   => [{"id": 1, "name": "n", "children": [1], "url": "/male/1"}]
			list child                  => [{"id": 1, "name": "c", "father": 1, "url": "/child/1"}]`),
		script("PUT keeps named relations", Cookies, `
			put jar/1 {"cookies": [{}, {}]}   => created {"id": 1, "cookies": [1, 2]}
			put jar/1 {"cookies": [2, 1]}     => replaced {"id": 1, "cookies": [1, 2]}
			put jar/1 {"cookies": [2]}        => replaced {"id": 1, "cookies": [2]}
			list cookie                       => [{"id": 1}, {"id": 2, "jar": 1}]`),
		script("the same PUT twice equals once", Family, `
			put female/1 {}
			put male/1 {"name": "m", "wife": 1}    => created {"id": 1, "name": "m", "wife": 1, "children": [], "url": "/male/1"}
			put male/1 {"name": "m", "wife": 1}    => replaced {"id": 1, "name": "m", "wife": 1, "children": [], "url": "/male/1"}
			list female                            => [{"id": 1, "husband": 1, "children": [], "url": "/female/1"}]`),
		script("PUT deletes a removed cascade child", chains, `
			put album/1 {"tracks": [{}, {}]}
			put album/1 {"tracks": [2]}   => replaced {"id": 1, "tracks": [2]}
			list track                    => [{"id": 2, "album": 1}]
			put album/1 {}                => replaced {"id": 1, "tracks": []}
			list track                    => []`),
		script("PUT empties an unnamed one-directional list", people, `
			put person/1 {"friends": [1]}   => created {"id": 1, "team": [], "friends": [1]}
			put person/1 {}                 => replaced {"id": 1, "team": [], "friends": []}`),
		script("PUT relates a new record to itself", people, `
			put person/7 {"boss": 7, "partner": 7, "friends": [7], "idol": 7}  => created {"id": 7, "boss": 7, "team": [7], "partner": 7, "partner_of": 7, "friends": [7], "idol": 7}
			put person/8 {"team": [8], "partner_of": 8}                        => created {"id": 8, "boss": 8, "team": [8], "partner": 8, "partner_of": 8, "friends": []}`),
		script("the same PUT of a self relation twice equals once", people, `
			put person/7 {}
			put person/7 {"boss": 7, "partner": 7, "idol": 7}  => replaced {"id": 7, "boss": 7, "team": [7], "partner": 7, "partner_of": 7, "friends": [], "idol": 7}
			put person/7 {"boss": 7, "partner": 7, "idol": 7}  => replaced {"id": 7, "boss": 7, "team": [7], "partner": 7, "partner_of": 7, "friends": [], "idol": 7}
			put person/7 {"team": [7], "partner_of": 7}        => replaced {"id": 7, "boss": 7, "team": [7], "partner": 7, "partner_of": 7, "friends": []}
			put person/7 {"team": [7], "partner_of": 7}        => replaced {"id": 7, "boss": 7, "team": [7], "partner": 7, "partner_of": 7, "friends": []}
			put person/7 {}                                    => replaced {"id": 7, "team": [], "friends": []}`),
		script("PUT empties relations that nested records fill", Family, `
			put female/1 {"name": "f"}
			put female/1 {"name": "f", "husband": {"children": [{"mother": 1}]}}  => replaced {"id": 1, "name": "f", "husband": 1, "children": [], "url": "/female/1"}
			list child    => [{"id": 1, "father": 1, "url": "/child/1"}]
			put child/1 {"father": {"wife": {"children": [1]}}}                   => replaced {"id": 1, "father": 2, "url": "/child/1"}`),
		script("chosen integer keys leave room for generated keys", Cookies, `
			put cookie/4503599627370496 {}    => created {"id": 4503599627370496}
			put cookie/4503599627370497 {}    => BAD_FIELD_VALUE {"object_name": "cookie", "field_name": "id", "type": "int", "value": 4503599627370497, "accepted_values": "-4503599627370496 to 4503599627370496 for a new record"}
			put cookie/9007199254740991 {}    => BAD_FIELD_VALUE {"object_name": "cookie", "field_name": "id", "type": "int", "value": 9007199254740991, "accepted_values": "-4503599627370496 to 4503599627370496 for a new record"}
			put cookie/-4503599627370496 {}   => created {"id": -4503599627370496}
			put cookie/-4503599627370497 {}   => BAD_FIELD_VALUE {"object_name": "cookie", "field_name": "id", "type": "int", "value": -4503599627370497, "accepted_values": "-4503599627370496 to 4503599627370496 for a new record"}
			post cookie [{}, {}]              => [{"id": 4503599627370497}, {"id": 4503599627370498}]
			put cookie/4503599627370498 {"type": "a"}   => replaced {"id": 4503599627370498, "type": "a"}`),
		script("PUT with a bad function default changes nothing", fickle, `
			put note/1 {"text": "a"}   => created {"id": 1, "text": "a", "made": "once"}
			put note/2 {}              => SERVER_ERROR {}
			put note/1 {}              => replaced {"id": 1, "made": "once"}
			list note                  => [{"id": 1, "made": "once"}]`),
		script("a failed PUT changes nothing", Cookies, `
			put jar/1 {"cookies": [{}]}
			put jar/1 {"cookies": [9]}              => OBJECT_DOES_NOT_EXIST {"object_name": "cookie", "object_id": 9}
			put jar/2 {"cookies": [1, {"jar": 9}]}  => OBJECT_DOES_NOT_EXIST {"object_name": "jar", "object_id": 9}
			list jar                                => [{"id": 1, "cookies": [1]}]`),
	}
}

// clocked has function defaults with a different value for each record.
func clocked() *core.Model {
	made, first := 0, 0
	return core.MustModel("clocked", core.ResourceSpec{Name: "note", Fields: []core.FieldSpec{
		key(),
		{Name: "text", Type: core.Text},
		{Name: "made", Type: core.Int, Default: func() any { made++; return made }},
		{Name: "first", Type: core.Text, Writable: core.Never, Default: func() any { first++; return fmt.Sprint("tick ", first) }},
	}})
}

// fickle has a function default that returns a valid value once.
func fickle() *core.Model {
	made := any("once")
	return core.MustModel("fickle", core.ResourceSpec{Name: "note", Fields: []core.FieldSpec{
		key(),
		{Name: "text", Type: core.Text},
		{Name: "made", Type: core.Text, Default: func() any { was := made; made = []any{}; return was }},
	}})
}
