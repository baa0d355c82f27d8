package resttest

import (
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/rest"
)

// ruledPosts has rules on records that belong to a principal.
func ruledPosts() *core.Model {
	return core.MustModel("posts",
		core.ResourceSpec{Name: "post", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "title", APIName: "headline", Type: core.Text, Required: true, MaxLength: 3},
			{Name: "stars", Type: core.Int, Max: 5},
			{Name: "replies", ToMany: "reply", Inverse: "post"},
			{Name: "owner", Type: core.Int, Hidden: true},
		}},
		core.ResourceSpec{Name: "reply", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "text", Type: core.Text, MaxLength: 3},
			{Name: "post", ToOne: "post"},
			{Name: "owner", Type: core.Int, Hidden: true},
		}},
	)
}

func testValidation(t *testing.T, newBackend NewBackend) {
	s := setup{model: ruledPosts(), decorators: []core.Decorator{owning()}, rest: rest.Options{Authenticate: byNumber, Challenge: "Test"}}
	const long, missing, many = `{"object_name": "post", "path": ["headline"], "rule": "max_length", "accepted": "at most 3 characters"}`,
		`{"object_name": "post", "path": ["headline"], "rule": "required", "accepted": "a value other than null"}`,
		`{"object_name": "post", "path": ["stars"], "rule": "max", "accepted": "at most 5"}`
	for _, rule := range []rule{
		{"all violations of a body", []exchange{
			{"POST /post", `{"headline": "long", "stars": 6}`, 400, `VALIDATION_FAILED {"violations": [` + long + `, ` + many + `]}`},
			{"POST /post", `{"stars": 6}`, 400, `VALIDATION_FAILED {"violations": [` + missing + `, ` + many + `]}`},
			{"GET /post", "", 200, `[]`},
		}},
		{"violations of nested bodies have paths", []exchange{
			{"POST /post", `{"headline": "a", "replies": [{}, {"text": "long"}]}`, 400, `VALIDATION_FAILED {"violations": [{"object_name": "reply", "path": ["replies", 1, "text"], "rule": "max_length", "accepted": "at most 3 characters"}]}`},
			{"GET /reply", "", 200, `[]`},
		}},
		{"violations in a list have the position", []exchange{
			{"POST /post", `[{"headline": "a"}, {"headline": "b", "stars": 9}]`, 400, `VALIDATION_FAILED {"violations": [{"object_name": "post", "path": [1, "stars"], "rule": "max", "accepted": "at most 5"}]}`},
			{"POST /post", `[{"headline": "b", "stars": 9}]`, 400, `VALIDATION_FAILED {"violations": [{"object_name": "post", "path": [0, "stars"], "rule": "max", "accepted": "at most 5"}]}`},
			{"GET /post", "", 200, `[]`},
		}},
		{"a type is checked before rules, first and alone", []exchange{
			{"POST /post", `{"headline": "long", "stars": "many"}`, 400, `BAD_FIELD_VALUE {"object_name": "post", "field_name": "stars", "type": "int", "value": "many"}`},
		}},
		{"PATCH and PUT obey rules", []exchange{
			{"PUT /post/1", `{"headline": "a"}`, 201, ""},
			{"PATCH /post/1", `{"headline": null}`, 400, `VALIDATION_FAILED {"violations": [` + missing + `]}`},
			{"PUT /post/1", `{"stars": 6}`, 400, `VALIDATION_FAILED {"violations": [` + missing + `, ` + many + `]}`},
			{"PATCH /post/1?depth=0", `{"stars": 5}`, 200, `1`},
			{"GET /post/1", "", 200, `{"id": 1, "headline": "a", "stars": 5, "replies": []}`},
		}},
		{"violations of a change of many records name the records", []exchange{
			{"POST /post?depth=0", `[{"headline": "a"}, {"headline": "b"}]`, 201, ""},
			{"PATCH /post?filter={}&max=9", `{"headline": null, "stars": 6}`, 400, `VALIDATION_FAILED {"violations": [` +
				strings.TrimSuffix(missing, "}") + `, "record_ids": [1, 2]}, ` + strings.TrimSuffix(many, "}") + `, "record_ids": [1, 2]}]}`},
		}},
	} {
		t.Run(rule.name, func(t *testing.T) {
			c := s.start(t, newBackend).as(user(1))
			for _, x := range rule.exchanges {
				c.check(t, x)
			}
		})
	}
	t.Run("a foreign record has no violations", func(t *testing.T) {
		c := s.start(t, newBackend)
		c.as(user(1)).check(t, exchange{"PUT /post/1", `{"headline": "a"}`, 201, ""})
		for _, x := range []exchange{{"PATCH /post/1", `{"stars": 6}`, 404, ""}, {"PATCH /post/1", `{"headline": null}`, 404, ""}} {
			foreign := c.as(user(2)).check(t, x)
			x.request = "PATCH /post/2"
			absent := c.as(user(2)).check(t, x)
			if strings.ReplaceAll(string(foreign.body), "1", "2") != string(absent.body) {
				t.Errorf("%s: foreign %s, absent %s", x.body, foreign.body, absent.body)
			}
		}
	})
}
