package enginetest

import (
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// orders has keys of several fields: lines of an order, parcels that share the order with their line, and a join resource.
func orders() *core.Model {
	return core.MustModel("orders",
		core.ResourceSpec{Name: "order", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true}, {Name: "text", Type: core.Text}, {Name: "lines", ToMany: "line", Inverse: "order"},
			{Name: "notes", ToMany: "note", Inverse: "order"},
		}},
		core.ResourceSpec{Name: "line", Fields: []core.FieldSpec{
			{Name: "order", ToOne: "order", Key: true}, {Name: "number", APIName: "nr", Type: core.Int, Key: true}, {Name: "text", Type: core.Text},
			{Name: "parcels", ToMany: "parcel", Inverse: "line"}, {Name: "tags", ToMany: "line_tag", Inverse: "line"},
		}},
		core.ResourceSpec{Name: "parcel", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true}, {Name: "order", ToOne: "order"}, {Name: "line_nr", Type: core.Int},
			{Name: "line", ToOne: "line", Via: []string{"order", "line_nr"}},
		}},
		core.ResourceSpec{Name: "note", KeyName: "key", Fields: []core.FieldSpec{
			{Name: "order", ToOne: "order", Key: true, Orphans: core.DeleteOrphans}, {Name: "id", Type: core.Text, Key: true},
			{Name: "about", ToOne: "line"},
		}},
		core.ResourceSpec{Name: "tag", Fields: []core.FieldSpec{{Name: "name", Type: core.Text, Key: true}, {Name: "lines", ToMany: "line_tag", Inverse: "tag"}}},
		core.ResourceSpec{Name: "line_tag", Fields: []core.FieldSpec{
			{Name: "line", ToOne: "line", Key: true}, {Name: "tag", ToOne: "tag", Key: true}, {Name: "text", Type: core.Text},
		}},
	)
}

// accounts has records that share the key of another record: an account that of its user, with one field, and a detail that of
// its line, with several.
func accounts() *core.Model {
	return core.MustModel("accounts",
		core.ResourceSpec{Name: "user", Fields: []core.FieldSpec{
			{Name: "name", Type: core.Text, Key: true}, {Name: "age", Type: core.Int}, {Name: "account", ToOne: "account", Inverse: "user"},
		}},
		core.ResourceSpec{Name: "account", Fields: []core.FieldSpec{
			{Name: "user_name", Type: core.Text, Key: true}, {Name: "text", Type: core.Text},
			{Name: "user", ToOne: "user", Via: []string{"user_name"}, OnDelete: core.Cascade, Partner: core.RefusePartner},
		}},
		core.ResourceSpec{Name: "line", Fields: []core.FieldSpec{
			{Name: "order", Type: core.Int, Key: true}, {Name: "nr", Type: core.Int, Key: true}, {Name: "detail", ToOne: "detail", Inverse: "line"},
		}},
		core.ResourceSpec{Name: "detail", Fields: []core.FieldSpec{
			{Name: "order", Type: core.Int, Key: true}, {Name: "nr", Type: core.Int, Key: true}, {Name: "text", Type: core.Text},
			{Name: "line", ToOne: "line", Via: []string{"order", "nr"}},
		}},
	)
}

// requiredParts has parcels that always have an order, and a line of it or none.
func requiredParts() *core.Model {
	return core.MustModel("required parts",
		core.ResourceSpec{Name: "line", Fields: []core.FieldSpec{
			{Name: "order", Type: core.Int, Key: true}, {Name: "nr", Type: core.Int, Key: true}, {Name: "parcels", ToMany: "parcel", Inverse: "line"},
		}},
		core.ResourceSpec{Name: "parcel", Fields: []core.FieldSpec{
			key(), {Name: "order_nr", Type: core.Int, Required: true}, {Name: "line_nr", Type: core.Int},
			{Name: "line", ToOne: "line", Via: []string{"order_nr", "line_nr"}},
		}},
		core.ResourceSpec{Name: "pair", Fields: []core.FieldSpec{
			key(), {Name: "from", Type: core.Int, Required: true}, {Name: "to", Type: core.Int, Required: true}, {Name: "nr", Type: core.Int},
			{Name: "first", ToOne: "line", Via: []string{"from", "nr"}}, {Name: "last", ToOne: "line", Via: []string{"to", "nr"}},
		}},
	)
}

// ownedOrders has an owner in every record of orders, and parcels that name their line by two scalars.
func ownedOrders() *core.Model {
	owner := core.FieldSpec{Name: "owner", Type: core.Int, Hidden: true}
	return core.MustModel("owned orders",
		core.ResourceSpec{Name: "order", Fields: []core.FieldSpec{key(), owner}},
		core.ResourceSpec{Name: "line", Fields: []core.FieldSpec{
			{Name: "order", ToOne: "order", Key: true}, {Name: "nr", Type: core.Int, Key: true}, owner,
		}},
		core.ResourceSpec{Name: "parcel", Fields: []core.FieldSpec{
			key(), owner, {Name: "order_nr", Type: core.Int}, {Name: "line_nr", Type: core.Int, Default: 3},
			{Name: "line", ToOne: "line", Via: []string{"order_nr", "line_nr"}},
		}},
		core.ResourceSpec{Name: "seal", Fields: []core.FieldSpec{
			key(), owner, {Name: "order_nr", Type: core.Int}, {Name: "line_nr", Type: core.Int},
			{Name: "line", ToOne: "line", Via: []string{"order_nr", "line_nr"}, Writable: core.Never},
		}},
	)
}

func keyCases() []Case {
	const filled = `
			post order {"lines": [{"nr": 3, "text": "tea"}, {"nr": 10}]}
			post order {"lines": [{"nr": 3}]}
			`
	return []Case{
		script("a key of several fields is set by the body", orders, `
			post order {}
			post line {"order": 1, "nr": 3, "text": "tea"}    => {"id": "1,3", "order": 1, "nr": 3, "text": "tea", "parcels": [], "tags": []}
			post line {"order": {"text": "new"}, "nr": 1}     => {"id": "2,1", "order": 2, "nr": 1, "parcels": [], "tags": []}
			post line [{"order": 1, "nr": 10}, {"order": 1, "nr": -1}]  => [{"id": "1,10", "order": 1, "nr": 10, "parcels": [], "tags": []}, {"id": "1,-1", "order": 1, "nr": -1, "parcels": [], "tags": []}]
			post note {"order": 1, "id": "50%,a"}            => {"key": "1,50%25%2Ca", "order": 1, "id": "50%,a"}
			get note/1,50%25%2Ca                             => {"key": "1,50%25%2Ca", "order": 1, "id": "50%,a"}
			get note/1,50%,a                                 => BAD_FIELD_VALUE
			list line depth=0                                 => ["1,-1", "1,3", "1,10", "2,1"]`),
		script("a body names all parts of a key", orders, `
			post order {}
			post line {"order": 1}                     => BAD_REQUEST {"msg": "keys of line are not generated; set the fields order and nr"}
			post line {"order": 1, "nr": null}         => BAD_REQUEST {"msg": "keys of line are not generated; set the fields order and nr"}
			post line [{"order": 1, "nr": 1}, {"nr": 2}]  => BAD_REQUEST {"msg": "keys of line are not generated; set the fields order and nr"}
			post line {"id": "1,3", "nr": 3}           => FIELD_IS_READONLY {"object_name": "line", "field_name": "id"}
			post line {"order": 9, "nr": 1}            => OBJECT_DOES_NOT_EXIST {"object_name": "order", "object_id": 9}
			post line {"order": 1, "nr": "x"}          => BAD_FIELD_VALUE {"object_name": "line", "field_name": "nr", "type": "int", "value": "x"}
			post line [{"order": 1, "nr": 1}, {"order": 1, "nr": 2}, {"order": 1, "nr": 1}]  => CONFLICT {"object_name": "line", "field_names": ["order", "nr"], "index": 2}
			list line                                  => []`),
		script("parts of a key are fixed", orders, filled+`
			patch line/1,3 {"nr": 3, "order": 1, "id": "1,3", "text": "x"}  => {"id": "1,3", "order": 1, "nr": 3, "text": "x", "parcels": [], "tags": []}
			patch line/1,3 {"nr": 4}             => FIELD_IS_READONLY {"object_name": "line", "field_name": "nr"}
			patch line/1,3 {"order": 2}          => FIELD_IS_READONLY {"object_name": "line", "field_name": "order"}
			patch line/1,3 {"order": null}       => FIELD_IS_READONLY {"object_name": "line", "field_name": "order"}
			patch line/1,3 {"id": "1,4"}         => FIELD_IS_READONLY {"object_name": "line", "field_name": "id"}
			put line/1,3 {"nr": 4}               => FIELD_IS_READONLY {"object_name": "line", "field_name": "nr"}
			put line/1,3 {}                      => replaced {"id": "1,3", "order": 1, "nr": 3, "parcels": [], "tags": []}
			put line/1,4 {"nr": 4, "text": "y"}  => created {"id": "1,4", "order": 1, "nr": 4, "text": "y", "parcels": [], "tags": []}
			put line/1,5 {"nr": 4}               => FIELD_IS_READONLY {"object_name": "line", "field_name": "nr"}
			put line/9,1 {}                      => OBJECT_DOES_NOT_EXIST {"object_name": "order", "object_id": 9}
			patch order/2 {"lines": ["1,3"]}     => FIELD_UPDATE_FORBIDDEN {"object_name": "line", "field_name": "order"}
			patch order/1 {"lines": ["1,3"]}     => FIELD_UPDATE_FORBIDDEN {"object_name": "line", "field_name": "order"}
			patch order/1 {"lines": ["1,4", "1,3", "1,10", {"nr": 11}]}  => {"id": 1, "lines": ["1,3", "1,4", "1,10", "1,11"], "notes": []}
			put order/1 {"text": "z"}            => replaced {"id": 1, "text": "z", "lines": ["1,3", "1,4", "1,10", "1,11"], "notes": []}`),
		script("only the canonical text of a key is an id", orders, filled+`
			get line/1,3                 => {"id": "1,3", "order": 1, "nr": 3, "text": "tea", "parcels": [], "tags": []}
			get line/01,3                => BAD_FIELD_VALUE {"object_name": "line", "field_name": "id", "type": "tuple", "value": "01,3", "accepted_values": "the values of order (int) and nr (int), with commas between them"}
			get line/1                   => BAD_FIELD_VALUE {"object_name": "line", "field_name": "id", "type": "tuple", "value": "1", "accepted_values": "the values of order (int) and nr (int), with commas between them"}
			get line/1,4                 => OBJECT_DOES_NOT_EXIST {"object_name": "line", "object_id": "1,4"}
			post note {"order": 1, "id": "a", "about": "1,3"}    => {"key": "1,a", "order": 1, "id": "a", "about": "1,3"}
			post note {"order": 1, "id": "b", "about": "1,03"}   => BAD_FIELD_VALUE {"object_name": "note", "field_name": "about", "type": "tuple", "value": "1,03", "accepted_values": "the values of order (int) and nr (int), with commas between them"}
			post note {"order": 1, "id": "b", "about": "1,4"}    => OBJECT_DOES_NOT_EXIST {"object_name": "line", "object_id": "1,4"}
			delete line/1,3
			get note/1,a                 => {"key": "1,a", "order": 1, "id": "a"}`),
		script("a relation through shared fields follows them", orders, filled+`
			post parcel {"line": "1,3"}                => {"id": 1, "order": 1, "line_nr": 3, "line": "1,3"}
			post parcel {"order": 1, "line_nr": 10}    => {"id": 2, "order": 1, "line_nr": 10, "line": "1,10"}
			post parcel {"order": 1}                   => {"id": 3, "order": 1}
			post parcel {"order": 1, "line_nr": 4}     => OBJECT_DOES_NOT_EXIST {"object_name": "line", "object_id": "1,4"}
			post parcel {"line": {"order": 2, "nr": 8}}  => {"id": 4, "order": 2, "line_nr": 8, "line": "2,8"}
			post parcel {"order": 2, "line": "1,3"}    => BAD_REQUEST {"msg": "line of parcel contradicts order and line_nr"}
			patch parcel/1 {"line": "1,10"}            => {"id": 1, "order": 1, "line_nr": 10, "line": "1,10"}
			patch parcel/1 {"line": "2,3"}             => BAD_FIELD_VALUE {"object_name": "parcel", "field_name": "line", "type": "tuple", "value": "2,3", "accepted_values": "a key with the order of the record"}
			patch parcel/1 {"line": "2,3", "order": 2}  => {"id": 1, "order": 2, "line_nr": 3, "line": "2,3"}
			patch parcel/1 {"line_nr": 4}              => OBJECT_DOES_NOT_EXIST {"object_name": "line", "object_id": "2,4"}
			patch parcel/1 {"line": "2,3", "line_nr": 8}  => BAD_REQUEST {"msg": "line of parcel contradicts another field of the body; name one of them"}
			patch parcel/1 {"line": null}              => {"id": 1, "order": 2}
			patch parcel/1 {"line_nr": 8}              => {"id": 1, "order": 2, "line_nr": 8, "line": "2,8"}
			put parcel/1 {"order": 2, "line": "2,3"}   => replaced {"id": 1, "order": 2, "line_nr": 3, "line": "2,3"}
			put parcel/1 {"order": 2}                  => replaced {"id": 1, "order": 2}
			put parcel/1 {"line": "2,3", "order": 2, "line_nr": 3, "id": 1}  => replaced {"id": 1, "order": 2, "line_nr": 3, "line": "2,3"}
			patch line/1,3 {"parcels": [3]}            => {"id": "1,3", "order": 1, "nr": 3, "text": "tea", "parcels": [3], "tags": []}
			patch line/1,3 {"parcels": [1]}            => BAD_FIELD_VALUE {"object_name": "parcel", "field_name": "line", "type": "tuple", "value": "1,3", "accepted_values": "a key with the order of the record"}
			patch line/1,3 {"parcels": []}             => {"id": "1,3", "order": 1, "nr": 3, "text": "tea", "parcels": [], "tags": []}
			get parcel/3                               => {"id": 3, "order": 1}`),
		script("deletes follow the rules of relations in keys", orders, filled+`
			post parcel {"line": "1,3"}
			post tag {"name": "a"}
			post line_tag {"line": "1,3", "tag": "a"}  => {"id": "1,3,a", "line": "1,3", "tag": "a"}
			post note {"order": 1, "id": "x"}
			delete order/1                             => STILL_REFERENCED
			patch order/1 {"notes": []}                => {"id": 1, "lines": ["1,3", "1,10"], "notes": []}
			delete line/1,3                            => null
			get parcel/1                               => {"id": 1, "order": 1}
			list line_tag                              => []
			list note                                  => []
			get tag/a                                  => {"name": "a", "lines": []}
			delete line/1,10
			delete order/1                             => null
			get parcel/1                               => {"id": 1}`),
		script("detaching a relation leaves its required parts", requiredParts, `
			post line [{"order": 1, "nr": 3}, {"order": 1, "nr": 4}, {"order": 2, "nr": 3}]
			post parcel {"line": "1,3"}                 => {"id": 1, "order_nr": 1, "line_nr": 3, "line": "1,3"}
			patch parcel/1 {"line": null}               => {"id": 1, "order_nr": 1}
			patch parcel/1 {"line": "2,3"}              => {"id": 1, "order_nr": 2, "line_nr": 3, "line": "2,3"}
			patch parcel/1 {"line": null, "order_nr": 1}  => {"id": 1, "order_nr": 1}
			post parcel {"order_nr": 1, "line": null}   => {"id": 2, "order_nr": 1}
			post parcel {"line": null}                  => VALIDATION_FAILED
			patch parcel/1 {"order_nr": null}           => VALIDATION_FAILED
			patch line/1,4 {"parcels": [1, 2]}          => {"id": "1,4", "order": 1, "nr": 4, "parcels": [1, 2]}
			patch line/1,4 {"parcels": [1]}             => {"id": "1,4", "order": 1, "nr": 4, "parcels": [1]}
			get parcel/2                                => {"id": 2, "order_nr": 1}
			delete line/1,4                             => null
			get parcel/1                                => {"id": 1, "order_nr": 1}
			put parcel/1 {"line": "1,3"}                => replaced {"id": 1, "order_nr": 1, "line_nr": 3, "line": "1,3"}
			put parcel/1 {"order_nr": 1}                => replaced {"id": 1, "order_nr": 1}`),
		script("a null part that relations share makes them null", requiredParts, `
			post line [{"order": 1, "nr": 3}, {"order": 2, "nr": 3}]
			post pair {"from": 1, "to": 2, "nr": 3}     => {"id": 1, "from": 1, "to": 2, "nr": 3, "first": "1,3", "last": "2,3"}
			patch pair/1 {"first": null}                => FIELD_UPDATE_FORBIDDEN {"object_name": "pair", "field_name": "first"}
			patch pair/1 {"first": "2,3"}               => {"id": 1, "from": 2, "to": 2, "nr": 3, "first": "2,3", "last": "2,3"}
			patch pair/1 {"nr": null}                   => {"id": 1, "from": 2, "to": 2}
			patch pair/1 {"from": 7, "to": 7, "nr": null}  => {"id": 1, "from": 7, "to": 7}
			put pair/1 {"from": 8, "to": 7}             => replaced {"id": 1, "from": 8, "to": 7}
			patch pair/1 {"from": 1, "to": 2, "nr": 3}  => {"id": 1, "from": 1, "to": 2, "nr": 3, "first": "1,3", "last": "2,3"}
			delete line/2,3                             => STILL_REFERENCED
			put pair/1 {"from": 8, "to": 7}             => replaced {"id": 1, "from": 8, "to": 7}
			delete line/2,3                             => null`),
		script("a null part of a relation leaves the other parts", ownedOrders, `
			post order {}
			post line {"order": 1, "nr": 3}
			post parcel {"line": "1,3"}                 => {"id": 1, "order_nr": 1, "line_nr": 3, "line": "1,3"}
			patch parcel/1 {"line_nr": null}            => {"id": 1, "order_nr": 1}
			patch parcel/1 {"order_nr": null}           => {"id": 1}
			patch parcel/1 {"line_nr": 4}               => {"id": 1, "line_nr": 4}
			put parcel/1 {"order_nr": 2, "line_nr": null}  => replaced {"id": 1, "order_nr": 2}
			patch parcel/1 {"line": "1,3"}              => {"id": 1, "order_nr": 1, "line_nr": 3, "line": "1,3"}
			patch parcel/1 {"line": null}               => {"id": 1}
			delete line/1,3`),
		script("a key that is a relation is set by either name", accounts, `
			post user {"name": "ada"}                      => {"name": "ada"}
			post account {"user_name": "ada"}              => {"user_name": "ada", "user": "ada"}
			post user {"name": "bob"}
			post account {"user": "bob", "text": "x"}      => {"user_name": "bob", "text": "x", "user": "bob"}
			post account {"user": {"name": "cyd"}}         => {"user_name": "cyd", "user": "cyd"}
			post account {"user": "dan"}                   => OBJECT_DOES_NOT_EXIST {"object_name": "user", "object_id": "dan"}
			post account {"user_name": "dan"}              => OBJECT_DOES_NOT_EXIST {"object_name": "user", "object_id": "dan"}
			post user {"name": "gil"}
			post account {"user_name": "ada", "user": "gil"}  => BAD_REQUEST {"msg": "user of account contradicts user_name"}
			post account {"user": null}                    => BAD_REQUEST {"msg": "keys of account are not generated; set the field user_name"}
			post account {}                                => BAD_REQUEST {"msg": "keys of account are not generated; set the field user_name"}
			put account/dan {}                             => OBJECT_DOES_NOT_EXIST {"object_name": "user", "object_id": "dan"}
			post account {"user": "bob"}                   => CONFLICT
			post user {"name": "eve", "account": {"text": "y"}}  => {"name": "eve", "account": "eve"}
			post user {"name": "fay"}
			put account/fay {"text": "z"}                  => created {"user_name": "fay", "text": "z", "user": "fay"}
			get account/eve depth=2                        => {"user_name": "eve", "text": "y", "user": {"name": "eve", "account": "eve"}}
			list user filter={"account.text": "y"} depth=0   => ["eve"]
			list account filter={"user.name": "bob"} depth=0   => ["bob"]
			list account filter={"user": {"in": ["bob", "ada"]}} depth=0   => ["ada", "bob"]`),
		script("a key that is a relation is fixed", accounts, `
			post user {"name": "ada", "account": {}}
			post user {"name": "bob"}
			patch account/ada {"user": "ada", "text": "x"}  => {"user_name": "ada", "text": "x", "user": "ada"}
			patch account/ada {"user": "bob"}               => BAD_FIELD_VALUE {"object_name": "account", "field_name": "user", "type": "text", "value": "bob", "accepted_values": "a key with the user_name of the record"}
			patch account/ada {"user": null}                => FIELD_UPDATE_FORBIDDEN {"object_name": "account", "field_name": "user"}
			put account/ada {"text": "y"}                   => replaced {"user_name": "ada", "text": "y", "user": "ada"}
			patch user/ada {"account": null}                => FIELD_UPDATE_FORBIDDEN {"object_name": "account", "field_name": "user"}
			patch user/bob {"account": "ada"}               => CONFLICT {"object_name": "account", "field_name": "user"}
			put user/ada {"age": 3}                         => replaced {"name": "ada", "age": 3, "account": "ada"}
			delete user/ada                                 => null
			list account                                    => []`),
		script("a key of several fields that is a relation is set by either name", accounts, `
			post line [{"order": 1, "nr": 1}, {"order": 1, "nr": 2}, {"order": 1, "nr": 5}]
			post detail {"order": 1, "nr": 1}                => {"id": "1,1", "order": 1, "nr": 1, "line": "1,1"}
			post detail {"line": "1,2", "text": "x"}         => {"id": "1,2", "order": 1, "nr": 2, "text": "x", "line": "1,2"}
			post detail {"line": {"order": 1, "nr": 3}}      => {"id": "1,3", "order": 1, "nr": 3, "line": "1,3"}
			post detail {"line": "1,4"}                      => OBJECT_DOES_NOT_EXIST {"object_name": "line", "object_id": "1,4"}
			post detail {"line": "1,5", "nr": 3}             => BAD_REQUEST {"msg": "line of detail contradicts order and nr"}
			post line {"order": 2, "nr": 1, "detail": {"text": "y"}}  => {"id": "2,1", "order": 2, "nr": 1, "detail": "2,1"}
			patch detail/1,1 {"line": "1,2"}                 => BAD_FIELD_VALUE
			delete line/1,1                                  => STILL_REFERENCED
			delete detail/1,1
			delete line/1,1                                  => null`),
		scriptWith("parts of a relation cannot point at hidden records", ownedOrders, engine.Options{}, `
			as 1 post order {}
			as 1 post line {"order": 1, "nr": 3}           => {"id": "1,3", "order": 1, "nr": 3}
			as 2 post line {"order": 1, "nr": 4}           => OBJECT_DOES_NOT_EXIST {"object_name": "order", "object_id": 1}
			as 2 put line/1,4 {}                           => OBJECT_DOES_NOT_EXIST {"object_name": "order", "object_id": 1}
			as 2 put line/1,3 {}                           => OBJECT_DOES_NOT_EXIST {"object_name": "order", "object_id": 1}
			as 2 post parcel {"line": "1,3"}               => OBJECT_DOES_NOT_EXIST {"object_name": "line", "object_id": "1,3"}
			as 2 post parcel {"order_nr": 1, "line_nr": 3}  => OBJECT_DOES_NOT_EXIST {"object_name": "line", "object_id": "1,3"}
			as 2 post parcel {"order_nr": 1}               => OBJECT_DOES_NOT_EXIST {"object_name": "line", "object_id": "1,3"}
			as 2 post parcel {"order_nr": 1, "line_nr": 4}  => OBJECT_DOES_NOT_EXIST {"object_name": "line", "object_id": "1,4"}
			as 2 post parcel {"order_nr": 1, "line_nr": null}  => {"id": 1, "order_nr": 1}
			as 2 patch parcel/1 {"line_nr": 3}             => OBJECT_DOES_NOT_EXIST {"object_name": "line", "object_id": "1,3"}
			as 2 put parcel/1 {"order_nr": 1}              => OBJECT_DOES_NOT_EXIST {"object_name": "line", "object_id": "1,3"}
			as 1 post parcel {"order_nr": 1}               => {"id": 2, "order_nr": 1, "line_nr": 3, "line": "1,3"}`,
			ownerGuard()),
		script("the write rule of a relation holds for its parts", ownedOrders, `
			post order {}
			post line [{"order": 1, "nr": 3}, {"order": 1, "nr": 4}]
			post seal {"order_nr": 1, "line_nr": 3}  => {"id": 1, "order_nr": 1, "line_nr": 3, "line": "1,3"}
			patch seal/1 {"line_nr": 4}              => FIELD_UPDATE_FORBIDDEN {"object_name": "seal", "field_name": "line"}
			patch seal/1 {"line_nr": null}           => FIELD_UPDATE_FORBIDDEN {"object_name": "seal", "field_name": "line"}
			patch seal/1 {"line": "1,4"}             => FIELD_UPDATE_FORBIDDEN {"object_name": "seal", "field_name": "line"}
			put seal/1 {}                            => FIELD_UPDATE_FORBIDDEN {"object_name": "seal", "field_name": "line"}
			delete line/1,3                          => FIELD_UPDATE_FORBIDDEN {"object_name": "seal", "field_name": "line"}
			patch seal/1 {"line_nr": 3, "line": "1,3"}  => {"id": 1, "order_nr": 1, "line_nr": 3, "line": "1,3"}`),
		script("filters and depth know keys of several fields", orders, filled+`
			post parcel {"line": "1,10"}
			list line filter={"id": "1,3"} depth=0            => ["1,3"]
			list line filter={"id": {"in": ["1,3", "2,3", "9,9"]}} depth=0    => ["1,3", "2,3"]
			list line filter={"id": {"gt": "1,3"}} depth=0    => ["1,10", "2,3"]
			list line filter={"order": 1, "nr": {"gt": 3}} depth=0  => ["1,10"]
			list line filter={"id": "1"}                      => BAD_FIELD_VALUE
			list parcel filter={"line": "1,10"}               => [{"id": 1, "order": 1, "line_nr": 10, "line": "1,10"}]
			list line filter={"id": {"lt": null}}             => BAD_FIELD_VALUE
			list parcel filter={"line.nr": 10} depth=0         => [1]
			list parcel filter={"line.order.id": 2} depth=0    => []
			list parcel sort=["-line"] depth=0                 => [1]
			list line filter={"parcels": {"$any": {"id": 1}}} depth=0  => ["1,10"]
			list order filter={"lines": {"$any": {"nr": 10}}} depth=0  => [1]
			list order filter={"lines": {"$none": {"id": "1,10"}}} depth=0  => [2]
			get parcel/1 depth=2                       => {"id": 1, "order": {"id": 1, "lines": ["1,3", "1,10"], "notes": []}, "line_nr": 10, "line": {"id": "1,10", "order": 1, "nr": 10, "parcels": [1], "tags": []}}`),
	}
}
