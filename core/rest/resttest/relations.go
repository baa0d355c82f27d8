package resttest

import (
	"slices"
	"testing"
)

func testOneToMany(t *testing.T, newBackend NewBackend) {
	stock := []exchange{
		{"PUT /jar/1", `{}`, 201, ""},
		{"PUT /jar/2", `{}`, 201, ""},
		{"PUT /cookie/1", `{"jar": 1}`, 201, ""},
		{"PUT /cookie/2", `{"jar": 1}`, 201, ""},
		{"PUT /cookie/3", `{"jar": 2}`, 201, ""},
	}
	after := func(x ...exchange) []exchange { return append(slices.Clip(stock), x...) }
	jars := func(want string) exchange { return exchange{"GET /jar", "", 200, want} }
	setup{model: cookies()}.check(t, newBackend, []rule{
		{"both sides agree", after(jars(`[{"id": 1, "cookies": [1, 2]}, {"id": 2, "cookies": [3]}]`))},
		{"setting the to-one side moves the record", after(
			exchange{"PATCH /cookie/1", `{"jar": 2}`, 200, `{"id": 1, "jar": 2, "crumbs": []}`},
			jars(`[{"id": 1, "cookies": [2]}, {"id": 2, "cookies": [1, 3]}]`),
		)},
		{"setting the list moves those that are added and detaches those that are not named", after(
			exchange{"PATCH /jar/1", `{"cookies": [1, 3]}`, 200, `{"id": 1, "cookies": [1, 3]}`},
			jars(`[{"id": 1, "cookies": [1, 3]}, {"id": 2, "cookies": []}]`),
			exchange{"GET /cookie/2", "", 200, `{"id": 2, "crumbs": []}`},
		)},
		{"the former parent keeps its other children", after(
			exchange{"PATCH /jar/2", `{"cookies": [2, 3]}`, 200, `{"id": 2, "cookies": [2, 3]}`},
			jars(`[{"id": 1, "cookies": [1]}, {"id": 2, "cookies": [2, 3]}]`),
		)},
		{"lists are sets in ascending order of id", after(
			exchange{"PATCH /jar/1", `{"cookies": [3, 1, "3", 3.0]}`, 200, `{"id": 1, "cookies": [1, 3]}`},
		)},
		{"null detaches", after(
			exchange{"PATCH /cookie/1", `{"jar": null}`, 200, `{"id": 1, "crumbs": []}`},
			jars(`[{"id": 1, "cookies": [2]}, {"id": 2, "cookies": [3]}]`),
		)},
		{"collections with empty relations list fine", after(
			exchange{"PUT /cookie/4", `{}`, 201, ""},
			exchange{"GET /cookie?depth=2", "", 200, ""},
		)},
		{"ids must exist", after(
			exchange{"PATCH /cookie/1", `{"jar": 9}`, 404, `OBJECT_DOES_NOT_EXIST {"object_name": "jar", "object_id": 9}`},
			exchange{"PATCH /jar/1", `{"cookies": [1, 9]}`, 404, `OBJECT_DOES_NOT_EXIST {"object_name": "cookie", "object_id": 9}`},
			exchange{"POST /cookie", `{"jar": 9}`, 404, `OBJECT_DOES_NOT_EXIST {"object_name": "jar", "object_id": 9}`},
			jars(`[{"id": 1, "cookies": [1, 2]}, {"id": 2, "cookies": [3]}]`),
		)},
		{"values that are no ids are 400", after(
			exchange{"PATCH /cookie/1", `{"jar": "x"}`, 400, `BAD_FIELD_VALUE`},
			exchange{"PATCH /cookie/1", `{"jar": [1]}`, 400, `BAD_FIELD_VALUE`},
			exchange{"PATCH /jar/1", `{"cookies": 1}`, 400, `BAD_FIELD_VALUE`},
			exchange{"PATCH /jar/1", `{"cookies": [true]}`, 400, `BAD_FIELD_VALUE`},
		)},
	})
}

func testOneToOne(t *testing.T, newBackend NewBackend) {
	stock := []exchange{
		{"PUT /female/1", `{}`, 201, ""},
		{"PUT /female/2", `{}`, 201, ""},
		{"PUT /male/1", `{"wife": 1}`, 201, ""},
		{"PUT /male/2", `{"wife": 2}`, 201, ""},
	}
	after := func(x ...exchange) []exchange { return append(slices.Clip(stock), x...) }
	couples := func(males, females string) []exchange {
		return []exchange{{"GET /male", "", 200, males}, {"GET /female", "", 200, females}}
	}
	setup{model: family()}.check(t, newBackend, []rule{
		{"both sides agree", after(couples(
			`[{"id": 1, "wife": 1, "children": []}, {"id": 2, "wife": 2, "children": []}]`,
			`[{"id": 1, "husband": 1, "children": []}, {"id": 2, "husband": 2, "children": []}]`,
		)...)},
		{"setting one side divorces both former partners", after(append([]exchange{
			{"PATCH /male/1", `{"wife": 2}`, 200, `{"id": 1, "wife": 2, "children": []}`},
		}, couples(
			`[{"id": 1, "wife": 2, "children": []}, {"id": 2, "children": []}]`,
			`[{"id": 1, "children": []}, {"id": 2, "husband": 1, "children": []}]`,
		)...)...)},
		{"setting the other side does too", after(append([]exchange{
			{"PATCH /female/1", `{"husband": 2}`, 200, `{"id": 1, "husband": 2, "children": []}`},
		}, couples(
			`[{"id": 1, "children": []}, {"id": 2, "wife": 1, "children": []}]`,
			`[{"id": 1, "husband": 2, "children": []}, {"id": 2, "children": []}]`,
		)...)...)},
		{"null divorces", after(append([]exchange{
			{"PATCH /male/1", `{"wife": null}`, 200, `{"id": 1, "children": []}`},
		}, couples(
			`[{"id": 1, "children": []}, {"id": 2, "wife": 2, "children": []}]`,
			`[{"id": 1, "children": []}, {"id": 2, "husband": 2, "children": []}]`,
		)...)...)},
		{"swaps work", after(append([]exchange{
			{"PATCH /male/1", `{"wife": 2}`, 200, ""},
			{"PATCH /male/2", `{"wife": 1}`, 200, `{"id": 2, "wife": 1, "children": []}`},
		}, couples(
			`[{"id": 1, "wife": 2, "children": []}, {"id": 2, "wife": 1, "children": []}]`,
			`[{"id": 1, "husband": 2, "children": []}, {"id": 2, "husband": 1, "children": []}]`,
		)...)...)},
		{"the nested record's own wish comes first, and the outer relation wins", after(
			exchange{"PATCH /female/1", `{"husband": {"wife": 2}}`, 200, `{"id": 1, "husband": "*", "children": []}`},
			exchange{"GET /female/2", "", 200, `{"id": 2, "children": []}`},
		)},
	})
}

func testOneDirectional(t *testing.T, newBackend NewBackend) {
	const rest = `"default": 7, "readonly": "fixed", "upper": "", "length": 0`
	setup{model: things()}.check(t, newBackend, []rule{
		{"a one-directional list is a set of ids", []exchange{
			{"PUT /thing/1", `{}`, 201, ""},
			{"PUT /thing/2", `{"likes": [1, "1"]}`, 201, `{"id": 2, ` + rest + `, "likes": [1]}`},
			{"PATCH /thing/1", `{"likes": [2, 1]}`, 200, `{"id": 1, ` + rest + `, "likes": [1, 2]}`},
		}},
		{"ids of records that are gone are not shown", []exchange{
			{"PUT /thing/1", `{}`, 201, ""},
			{"PUT /thing/2", `{"likes": [1]}`, 201, ""},
			{"DELETE /thing/1", "", 200, "null"},
			{"GET /thing/2", "", 200, `{"id": 2, ` + rest + `, "likes": []}`},
			{"GET /thing/2?depth=3", "", 200, `{"id": 2, ` + rest + `, "likes": []}`},
		}},
		{"ids must exist", []exchange{
			{"POST /thing", `{"likes": [9]}`, 404, `OBJECT_DOES_NOT_EXIST {"object_name": "thing", "object_id": 9}`},
		}},
	})
}

func testNested(t *testing.T, newBackend NewBackend) {
	setup{model: cookies()}.check(t, newBackend, []rule{
		{"records are created within others, at any depth", []exchange{
			{"POST /jar?depth=3", `{"cookies": [{"type": "a", "crumbs": [{}, {}]}, {"type": "b"}]}`, 201,
				`{"id": "*", "cookies": [
					{"id": "*", "type": "a", "jar": "*", "crumbs": [{"id": "*", "cookie": "*"}, {"id": "*", "cookie": "*"}]},
					{"id": "*", "type": "b", "jar": "*", "crumbs": []}]}`},
			{"GET /crumb", "", 200, `[{"id": "*", "cookie": "*"}, {"id": "*", "cookie": "*"}]`},
			{"POST /cookie?depth=2", `{"jar": {"label": "new"}}`, 201, `{"id": "*", "crumbs": [], "jar": {"id": "*", "label": "new", "cookies": ["*"]}}`},
		}},
		{"ids and new records stand side by side", []exchange{
			{"PUT /cookie/1", `{"type": "old"}`, 201, ""},
			{"POST /jar", `{"cookies": [1, {"type": "new"}]}`, 201, `{"id": "*", "cookies": [1, "*"]}`},
		}},
		{"a nested record cannot choose its id", []exchange{
			{"POST /jar", `{"cookies": [{"id": 5}]}`, 400, `FIELD_IS_READONLY {"object_name": "cookie", "field_name": "id"}`},
			{"GET /jar", "", 200, `[]`},
		}},
		{"a wrong field deep inside is reported for the inner resource", []exchange{
			{"POST /jar", `{"cookies": [{"crumbs": [{"size": 1}]}]}`, 400, `FIELD_DOES_NOT_EXIST {"object_name": "crumb", "field_name": "size"}`},
			{"POST /jar", `{"cookies": [{"price": "x"}]}`, 400, `BAD_FIELD_VALUE {"object_name": "cookie", "field_name": "price", "type": "int", "value": "x"}`},
			{"GET /jar", "", 200, `[]`},
			{"GET /cookie", "", 200, `[]`},
		}},
		{"a nested record that wants another parent gets the outer one", []exchange{
			{"PUT /jar/1", `{}`, 201, ""},
			{"PUT /jar/2", `{}`, 201, ""},
			{"PATCH /jar/1", `{"cookies": [{"jar": 2}]}`, 200, `{"id": 1, "cookies": ["*"]}`},
			{"GET /jar/2", "", 200, `{"id": 2, "cookies": []}`},
		}},
	})
}

func testCascade(t *testing.T, newBackend NewBackend) {
	setup{model: cookies()}.check(t, newBackend, []rule{
		{"a record dies with what it cascades from", []exchange{
			{"PUT /cookie/1", `{}`, 201, ""},
			{"PUT /crumb/1", `{"cookie": 1}`, 201, ""},
			{"PUT /crumb/2", `{}`, 201, ""},
			{"DELETE /cookie/1", "", 200, "null"},
			{"GET /crumb", "", 200, `[{"id": 2}]`},
		}},
	})
}
