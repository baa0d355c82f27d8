package resttest

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/larder-go/larder/core"
)

// issues is a model with issues that are numbered within their organisation.
func issues() *core.Model {
	id := core.FieldSpec{Name: "id", Type: core.Int, Key: true}
	return core.MustModel("issues",
		core.ResourceSpec{Name: "org", Fields: []core.FieldSpec{id, {Name: "name", Type: core.Text}, {Name: "issues", ToMany: "issue", Inverse: "org"}}},
		core.ResourceSpec{Name: "issue", Fields: []core.FieldSpec{
			id, {Name: "org", ToOne: "org"}, {Name: "number", APIName: "no", Type: core.Int, NumberedBy: "org"}, {Name: "title", Type: core.Text},
		}},
	)
}

// testNumbers checks fields that are numbered within a group.
func testNumbers(t *testing.T, newBackend NewBackend) {
	const readOnly = `FIELD_IS_READONLY {"object_name": "issue", "field_name": "no"}`
	setup{model: issues()}.check(t, newBackend, []rule{
		{"records are numbered in their group", []exchange{
			{"POST /org", `[{"name": "a"}, {"name": "b"}]`, 201, ""},
			{"POST /issue", `{"org": 1}`, 201, `{"id": 1, "org": 1, "no": 1}`},
			{"POST /issue", `[{"org": 2}, {"org": 1}]`, 201, `[{"id": 2, "org": 2, "no": 1}, {"id": 3, "org": 1, "no": 2}]`},
			{"POST /issue", `{}`, 201, `{"id": 4, "no": 1}`},
			{"POST /org?depth=2", `{"issues": [{"title": "x"}, {"title": "y"}]}`, 201,
				`{"id": 3, "issues": [{"id": 5, "org": 3, "no": 1, "title": "x"}, {"id": 6, "org": 3, "no": 2, "title": "y"}]}`},
			{`GET /issue?filter={"org": 1}&sort=["-no"]`, "", 200, `[{"id": 3, "org": 1, "no": 2}, {"id": 1, "org": 1, "no": 1}]`},
		}},
		{"clients cannot set a number", []exchange{
			{"POST /issue", `{"no": 7}`, 400, readOnly},
			{"POST /issue", `{}`, 201, `{"id": 1, "no": 1}`},
			{"PATCH /issue/1", `{"no": 7}`, 400, readOnly},
			{"PATCH /issue/1", `{"no": null}`, 400, readOnly},
			{"PUT /issue/1", `{"title": "x", "no": 1}`, 200, `{"id": 1, "no": 1, "title": "x"}`},
			{"PUT /issue/1", `{}`, 200, `{"id": 1, "no": 1}`},
			{"PUT /issue/9", `{}`, 201, `{"id": 9, "no": 2}`},
		}},
		{"a record keeps its number in another group", []exchange{
			{"POST /org", `[{}, {}]`, 201, ""},
			{"POST /issue", `[{"org": 1}, {"org": 1}, {"org": 2}]`, 201, ""},
			{"PATCH /issue/2", `{"org": 2}`, 200, `{"id": 2, "org": 2, "no": 2}`},
			{"POST /issue", `[{"org": 1}, {"org": 2}]`, 201, `[{"id": 4, "org": 1, "no": 3}, {"id": 5, "org": 2, "no": 3}]`},
			{"PATCH /org/1", `{"issues": [2, 5]}`, 200, `{"id": 1, "issues": [2, 5]}`},
			{"POST /issue", `[{"org": 1}, {}]`, 201, `[{"id": 6, "org": 1, "no": 4}, {"id": 7, "no": 4}]`},
		}},
		{"numbers are not used again", []exchange{
			{"POST /org", `{}`, 201, ""},
			{"POST /issue", `[{"org": 1}, {"org": 1}]`, 201, ""},
			{"DELETE /issue/2", "", 200, `null`},
			{"POST /issue", `{"org": 5}`, 404, ""},
			{"POST /issue", `[{"org": 1}, {"org": 5}]`, 404, ""},
			{"POST /issue", `{"org": 1}`, 201, `{"id": "*", "org": 1, "no": 3}`},
		}},
	})
	t.Run("concurrent POSTs leave no gap", func(t *testing.T) {
		Numbering(t, newBackend, 16, 4)
	})
}

// Numbering checks that concurrent clients, which POST issues of one organisation, all succeed and get consecutive
// numbers.
func Numbering(t *testing.T, newBackend NewBackend, writers, rounds int) {
	t.Helper()
	c := setup{model: issues()}.start(t, newBackend)
	c.check(t, exchange{"POST /org", `{}`, 201, ""})
	numbers := make([][]int, writers)
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			for range rounds {
				r := c.send(t, "POST", "/issue", strings.NewReader(`{"org": 1, "title": "x"}`))
				n, err := strconv.Atoi(r.field("no"))
				if r.status != 201 || err != nil {
					t.Errorf("%d %s", r.status, r.body)
					return
				}
				numbers[i] = append(numbers[i], n)
			}
		})
	}
	all.Wait()
	got := slices.Sorted(slices.Values(slices.Concat(numbers...)))
	want := make([]int, writers*rounds)
	for i := range want {
		want[i] = i + 1
	}
	if !slices.Equal(got, want) {
		t.Errorf("got the numbers %v", got)
	}
}
