package enginetest

func writableCases() []Case {
	return []Case{
		script("a never writable field is set at creation only", notes, `
			post note {"origin": "a"}
			patch note/1 {"origin": "b"}     => FIELD_UPDATE_FORBIDDEN {"object_name": "note", "field_name": "origin"}
			patch note/1 {"origin": "b"} depth=0 => FIELD_UPDATE_FORBIDDEN {"object_name": "note", "field_name": "origin"}
			patch note/1 {"origin": null}    => FIELD_UPDATE_FORBIDDEN {"object_name": "note", "field_name": "origin"}
			put note/1 {"origin": "b"}       => FIELD_UPDATE_FORBIDDEN {"object_name": "note", "field_name": "origin"}
			put note/1 {}                    => FIELD_UPDATE_FORBIDDEN {"object_name": "note", "field_name": "origin"}
			put note/2 {"origin": "c"}
			list note depth=0 filter={"origin": {"in": ["a", "c"]}} => [1, 2]`),
		script("the same value again is no change", notes, `
			post note {"origin": "5"}
			patch note/1 {"origin": "5", "title": "t"} depth=0   => 1
			patch note/1 {"origin": 5} depth=0                   => 1
			put note/1 {"origin": "5"} depth=0                   => replaced 1`),
		script("an empty list is not null", notes, `
			post note {"tags": []}
			patch note/1 {"tags": []} depth=0   => 1
			patch note/1 {"tags": null}         => FIELD_UPDATE_FORBIDDEN {"object_name": "note", "field_name": "tags"}`),
		script("a write rule sees the record before the request", notes, `
			post note {"text": "a"}
			patch note/1 {"text": "b", "status": "sent"} depth=0   => 1
			patch note/1 {"text": "c", "status": "new"}            => FIELD_UPDATE_FORBIDDEN {"object_name": "note", "field_name": "text"}
			patch note/1 {"status": "new"} depth=0                 => 1
			patch note/1 {"text": "c"} depth=0                     => 1
			list note depth=0 filter={"text": "c", "status": "new"} => [1]`),
		script("a write rule sees the owner before the request", boxes, `
			post box {"items": [{}]}
			patch box/1 {"items": [], "shut": true}       => {"id": 1, "shut": true, "items": []}
			patch box/1 {"shut": false, "items": [1]}     => FIELD_UPDATE_FORBIDDEN {"object_name": "box", "field_name": "items"}`),
		script("a rejected field leaves the whole record unchanged", notes, `
			post note {"origin": "a", "title": "t"}
			patch note/1 {"title": "u", "origin": "b"}   => FIELD_UPDATE_FORBIDDEN
			list note depth=0 filter={"title": "t"}      => [1]`),
		script("an unwritable to-one relation is fixed on both sides", boxes, `
			post box [{}, {}]
			post item [{"glued": true, "box": 1}, {"box": 1}]
			patch item/1 {"box": 2}           => FIELD_UPDATE_FORBIDDEN {"object_name": "item", "field_name": "box"}
			patch item/1 {"box": null}        => FIELD_UPDATE_FORBIDDEN {"object_name": "item", "field_name": "box"}
			patch box/2 {"items": [1]}        => FIELD_UPDATE_FORBIDDEN {"object_name": "item", "field_name": "box"}
			patch box/1 {"items": [2]}        => FIELD_UPDATE_FORBIDDEN {"object_name": "item", "field_name": "box"}
			put box/1 {}                      => FIELD_UPDATE_FORBIDDEN {"object_name": "item", "field_name": "box"}
			patch box/1 {"items": [1]}        => {"id": 1, "items": [1]}
			patch item/1 {"box": 1}           => {"id": 1, "glued": true, "box": 1}
			list item                         => [{"id": 1, "glued": true, "box": 1}, {"id": 2}]`),
		script("an unwritable list is fixed on both sides", boxes, `
			post box [{"shut": true, "items": [{}]}, {"items": [{}]}]
			patch box/1 {"items": []}         => FIELD_UPDATE_FORBIDDEN {"object_name": "box", "field_name": "items"}
			patch box/1 {"items": [1, 2]}     => FIELD_UPDATE_FORBIDDEN {"object_name": "box", "field_name": "items"}
			patch box/1 {"items": [1, {}]}    => FIELD_UPDATE_FORBIDDEN {"object_name": "box", "field_name": "items"}
			patch item/1 {"box": null}        => FIELD_UPDATE_FORBIDDEN {"object_name": "box", "field_name": "items"}
			patch item/1 {"box": 2}           => FIELD_UPDATE_FORBIDDEN {"object_name": "box", "field_name": "items"}
			patch item/2 {"box": 1}           => FIELD_UPDATE_FORBIDDEN {"object_name": "box", "field_name": "items"}
			post item {"box": 1}              => FIELD_UPDATE_FORBIDDEN {"object_name": "box", "field_name": "items"}
			post item [{}, {"box": 1}]        => FIELD_UPDATE_FORBIDDEN {"object_name": "box", "field_name": "items"}
			patch box/2 {"items": [1, 2]}     => FIELD_UPDATE_FORBIDDEN {"object_name": "box", "field_name": "items"}
			post box {"items": [1]}           => FIELD_UPDATE_FORBIDDEN {"object_name": "box", "field_name": "items"}
			patch box/1 {"items": [1]}        => {"id": 1, "shut": true, "items": [1]}
			patch item/1 {"box": 1}           => {"id": 1, "box": 1}
			patch item/2 {"box": null}        => {"id": 2}`),
		script("an unwritable list fixes a writable to-one side", boxes, `
			post crate [{"shut": true, "pears": [{}]}, {}]
			patch pear/1 {"crate": 2}            => FIELD_UPDATE_FORBIDDEN {"object_name": "crate", "field_name": "pears"}
			patch pear/1 {"crate": null} depth=0 => FIELD_UPDATE_FORBIDDEN {"object_name": "crate", "field_name": "pears"}
			put pear/1 {"crate": null}           => FIELD_UPDATE_FORBIDDEN {"object_name": "crate", "field_name": "pears"}
			delete pear/1                        => FIELD_UPDATE_FORBIDDEN {"object_name": "crate", "field_name": "pears"}
			put pear/1 {}                        => replaced {"id": 1, "crate": 1}
			patch pear/1 {"crate": 1}            => {"id": 1, "crate": 1}
			post pear {}                         => FIELD_UPDATE_FORBIDDEN {"object_name": "crate", "field_name": "pears"}
			post pear {} depth=0                 => FIELD_UPDATE_FORBIDDEN {"object_name": "crate", "field_name": "pears"}
			post pear {"crate": null} depth=0
			patch crate/1 {"shut": false}        => {"id": 1, "shut": false, "pears": [1]}
			patch pear/1 {"crate": 2} depth=2    => {"id": 1, "crate": {"id": 2, "pears": [1]}}`),
		script("write rules ignore records deleted together", boxes, `
			put tree/1 {"leaves": [{}]}
			put leaf/11 {"tree": 1}      => FIELD_UPDATE_FORBIDDEN {"object_name": "tree", "field_name": "leaves"}
			delete leaf/1                => FIELD_UPDATE_FORBIDDEN {"object_name": "tree", "field_name": "leaves"}
			delete tree/1                => null
			list leaf                    => []
			put nest/1 {}
			put egg/1 {"nest": 1}
			put egg/2 {"nest": 1, "twin": 1}
			delete egg/1                 => FIELD_UPDATE_FORBIDDEN {"object_name": "egg", "field_name": "twin"}
			delete nest/1                => null
			list egg                     => []`),
		script("a delete is rejected by the write rule of the other side", boxes, `
			post box [{"shut": true, "items": [{}]}, {"items": [{"glued": true}]}, {"items": [{}, {"glued": true}]}]
			delete item/1                     => FIELD_UPDATE_FORBIDDEN {"object_name": "box", "field_name": "items"}
			delete box/2                      => FIELD_UPDATE_FORBIDDEN {"object_name": "item", "field_name": "box"}
			delete box/3                      => FIELD_UPDATE_FORBIDDEN {"object_name": "item", "field_name": "box"}
			delete box/1                      => null
			delete item/2                     => null
			delete item/1                     => null
			list item                         => [{"id": 3, "box": 3}, {"id": 4, "glued": true, "box": 3}]`),
		script("write rules of all one-to-one partners apply", boxes, `
			post plug [{"socket": {}}, {"socket": {}}, {"stuck": true, "socket": {}}, {"socket": {"used": true}}]
			patch plug/1 {"socket": 3}        => FIELD_UPDATE_FORBIDDEN {"object_name": "plug", "field_name": "socket"}
			patch plug/1 {"socket": 4}        => FIELD_UPDATE_FORBIDDEN {"object_name": "socket", "field_name": "plug"}
			patch plug/3 {"socket": 1}        => FIELD_UPDATE_FORBIDDEN {"object_name": "plug", "field_name": "socket"}
			patch plug/4 {"socket": 1}        => FIELD_UPDATE_FORBIDDEN {"object_name": "socket", "field_name": "plug"}
			patch socket/1 {"plug": 3}        => FIELD_UPDATE_FORBIDDEN {"object_name": "plug", "field_name": "socket"}
			patch socket/1 {"plug": 4}        => FIELD_UPDATE_FORBIDDEN {"object_name": "socket", "field_name": "plug"}
			patch socket/3 {"plug": 1}        => FIELD_UPDATE_FORBIDDEN {"object_name": "plug", "field_name": "socket"}
			patch socket/4 {"plug": 1}        => FIELD_UPDATE_FORBIDDEN {"object_name": "socket", "field_name": "plug"}
			patch socket/4 {"plug": null}     => FIELD_UPDATE_FORBIDDEN {"object_name": "socket", "field_name": "plug"}
			post plug {"socket": 3}           => FIELD_UPDATE_FORBIDDEN {"object_name": "plug", "field_name": "socket"}
			post plug {"socket": 4}           => FIELD_UPDATE_FORBIDDEN {"object_name": "socket", "field_name": "plug"}
			delete socket/3                   => FIELD_UPDATE_FORBIDDEN {"object_name": "plug", "field_name": "socket"}
			delete plug/4                     => FIELD_UPDATE_FORBIDDEN {"object_name": "socket", "field_name": "plug"}
			patch socket/4 {"plug": 4}        => {"id": 4, "used": true, "plug": 4}
			patch socket/1 {"plug": 2}        => {"id": 1, "plug": 2}
			list plug                         => [{"id": 1}, {"id": 2, "socket": 1}, {"id": 3, "stuck": true, "socket": 3}, {"id": 4, "socket": 4}]`),
		script("records without partner are not related", boxes, `
			post plug [{"stuck": true}, {"socket": {}}]
			patch plug/2 {"socket": null}     => {"id": 2}
			post plug {"socket": null}        => {"id": 3}`),
		script("write rules do not apply to new records", boxes, `
			post box {"shut": true, "items": [{"glued": true}, {}]}   => {"id": 1, "shut": true, "items": [1, 2]}
			post item {"glued": true, "box": {"shut": true}}          => {"id": 3, "glued": true, "box": 2}
			post socket {"used": true, "plug": {"stuck": true}}       => {"id": 1, "used": true, "plug": 1}
			post leaf {}
			post tree {"leaves": [1]}                                 => {"id": 1, "leaves": [1]}
			put box/11 {}
			put box/12 {"items": [{"glued": true, "box": 11}]} depth=0
			get box/12 depth=2                                        => {"id": 12, "items": [{"id": 4, "glued": true, "box": 12}]}`),
		script("a rejection by a hidden field names its inverse", boxes, `
			put box/1 {}
			post seal {}
			delete box/1                     => FIELD_UPDATE_FORBIDDEN {"object_name": "box"}
			put drawer/1 {"knives": [{}]}    => created {"id": 1, "knives": [1]}
			patch drawer/1 {"knives": []}    => FIELD_UPDATE_FORBIDDEN {"object_name": "drawer", "field_name": "knives"}`),
	}
}
