package resttest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
)

// Without this test, a comparison that accepts every answer would go unnoticed.
func TestAnswersThatDifferFromTheirDocumentAreFound(t *testing.T) {
	c := setup{model: core.MustModel("m", core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "lid", ToOne: "jar"}, {Name: "kind", Type: core.Text, OneOf: []any{"a", "b"}},
	}})}.start(t, func(testing.TB, *core.Model) core.Backend { return memory.New() })
	tagged := http.Header{"Etag": {`"a"`}}
	for _, row := range []struct {
		request string
		reply   reply
		want    string // part of the difference; empty for none
	}{
		{"GET /jar/1", reply{200, tagged, []byte(`{"id": 1, "lid": 2, "kind": "a"}`)}, ""},
		{"GET /jar/1", reply{200, tagged, []byte(`{"id": "1"}`)}, "[id]"},
		{"GET /jar/1", reply{200, tagged, []byte(`{"lid": 2}`)}, "id"},
		{"GET /jar/1", reply{200, tagged, []byte(`{"id": 1, "lid": {"id": 2}}`)}, "[lid]"},
		{"GET /jar/1", reply{200, tagged, []byte(`{"id": 1, "kind": "c"}`)}, "[kind]"},
		{"GET /jar/1", reply{200, nil, []byte(`{"id": 1}`)}, "header ETag"},
		{"GET /jar/1", reply{200, tagged, []byte(`[]`)}, "object"},
		{"GET /jar/1", reply{202, tagged, []byte(`{}`)}, "status"},
		{"GET /jar/1?depth=2", reply{200, tagged, []byte(`{"id": 1, "lid": {"id": 2, "lid": 3}}`)}, ""},
		{"GET /jar/1?depth=2", reply{200, tagged, []byte(`{"id": 1, "lid": 2}`)}, "[lid]"},
		{"GET /jar?depth=0", reply{200, nil, []byte(`[1]`)}, ""},
		{"GET /jar?depth=0", reply{200, nil, []byte(`[{"id": 1}]`)}, "[0]"},
		{"POST /jar", reply{201, nil, []byte(`{"id": 1}`)}, "header"},
		{"DELETE /jar/1", reply{200, nil, []byte(`1`)}, "null"},
		{"GET /jar/1", reply{404, nil, []byte(`{"error": {"code": "OBJECT_DOES_NOT_EXIST", "message": "", "details": {"object_name": "jar", "object_id": 1}}}`)}, ""},
		{"GET /jar/1", reply{404, nil, []byte(`{"error": {"code": "OBJECT_DOES_NOT_EXIST", "message": "", "details": {"object_name": "jar"}}}`)}, "oneOf"},
		{"GET /jar/1", reply{404, nil, []byte(`{"error": {"code": "BAD_REQUEST", "message": "", "details": {"msg": ""}}}`)}, "oneOf"},
	} {
		method, target, _ := strings.Cut(row.request, " ")
		got := c.described.violation(httptest.NewRequest(method, target, nil), row.reply)
		if (got == "") != (row.want == "") || !strings.Contains(got, row.want) {
			t.Errorf("%s, %s: got %q, want %q", row.request, fmt.Sprintf("%d %s", row.reply.status, row.reply.body), got, row.want)
		}
	}
}
