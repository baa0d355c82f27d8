package resttest

import (
	"strconv"
	"strings"
	"testing"

	"github.com/larder-go/larder/core/engine"
)

func testKnots(t *testing.T, newBackend NewBackend) {
	const refused = `FIELD_UPDATE_FORBIDDEN {"object_name": "seal", "field_name": "page"}`
	sealed := []exchange{
		{"PUT /page/1", `{}`, 201, ""}, {"PUT /page/2", `{}`, 201, ""}, {"PUT /seal/1", `{"page": 1}`, 201, `{"id": 1, "page": 1}`},
	}
	intact := exchange{"GET /page/1", "", 200, `{"id": 1, "pages": [], "seals": [1], "chapter": false}`}
	setup{model: knots(), engine: engine.Options{MaxNesting: 4}}.check(t, newBackend, []rule{
		{"a relation that is not writable cannot be changed from either side or by a delete", append(sealed,
			exchange{"PATCH /seal/1", `{"page": 2}`, 400, refused},
			exchange{"PATCH /seal/1", `{"page": null}`, 400, refused},
			exchange{"PATCH /page/1", `{"seals": []}`, 400, refused},
			exchange{"PATCH /page/2", `{"seals": [1]}`, 400, refused},
			exchange{"PUT /page/1", `{}`, 400, refused},
			exchange{"DELETE /page/1", "", 400, refused},
			intact,
		)},
		{"what is writable may depend on the record", []exchange{
			{"PUT /seal/1", `{"open": true, "text": "a"}`, 201, ""},
			{"PATCH /seal/1", `{"text": "b"}`, 200, `{"id": 1, "open": true, "text": "b"}`},
			{"PATCH /seal/1", `{"open": false}`, 200, ""},
			{"PATCH /seal/1", `{"text": "c"}`, 400, `FIELD_UPDATE_FORBIDDEN {"object_name": "seal", "field_name": "text"}`},
		}},
		{"a resource can be related to itself", []exchange{
			{"PUT /page/1", `{}`, 201, ""},
			{"PUT /page/2", `{"parent": 1}`, 201, `{"id": 2, "parent": 1, "pages": [], "seals": [], "chapter": true}`},
			{"GET /page/1", "", 200, `{"id": 1, "pages": [2], "seals": [], "chapter": false}`},
			{"PATCH /page/1", `{"parent": 1}`, 200, `{"id": 1, "parent": 1, "pages": [1, 2], "seals": [], "chapter": true}`},
			{"GET /page/1?depth=5", "", 200, ""},
			{"DELETE /page/1", "", 200, `null`},
			{"GET /page/2", "", 200, `{"id": 2, "pages": [], "seals": [], "chapter": false}`},
		}},
		{"a setter may create nested records", []exchange{
			{"PUT /page/7", `{"chapter": true}`, 201, `{"id": 7, "parent": "*", "pages": [], "seals": [], "chapter": true}`},
			{"GET /page?depth=0", "", 200, `["*", "*"]`},
		}},
		{"cascades that lead to each other end", []exchange{
			{"PUT /egg/1", `{}`, 201, ""},
			{"PUT /hen/1", `{"egg": 1}`, 201, ""},
			{"PATCH /egg/1", `{"hen": 1}`, 200, ""},
			{"DELETE /hen/1", "", 200, `null`},
			{"GET /egg", "", 200, `[]`},
			{"GET /hen", "", 200, `[]`},
		}},
		{"long chains of cascades do not overflow anything", chain(300)},
		{"records nested deeper than the limit are 400 and none is created", []exchange{
			{"POST /page", nest(3), 201, ""},
			{"POST /page", nest(10), 400, `BAD_REQUEST {"msg": "*"}`},
			{"GET /page?depth=0", "", 200, `["*", "*", "*"]`},
		}},
	})
}

// chain returns exchanges that make n hens and eggs, each of which dies with the
// one before it, and then end the first.
func chain(n int) []exchange {
	made := []exchange{{"PUT /egg/1", `{}`, 201, ""}, {"PUT /hen/1", `{"egg": 1}`, 201, ""}}
	for i := 2; i <= n; i++ {
		at := strconv.Itoa(i)
		made = append(made,
			exchange{"PUT /egg/" + at, `{"hen": ` + strconv.Itoa(i-1) + `}`, 201, ""},
			exchange{"PUT /hen/" + at, `{"egg": ` + at + `}`, 201, ""})
	}
	return append(made,
		exchange{"DELETE /egg/1", "", 200, `null`},
		exchange{"GET /egg", "", 200, `[]`},
		exchange{"GET /hen", "", 200, `[]`})
}

// nest returns pages within pages, n in all.
func nest(n int) string {
	return strings.Repeat(`{"pages": [`, n-1) + `{}` + strings.Repeat(`]}`, n-1)
}
