package rest_test

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/rest"
)

// hoard is a model of records that can hold and relate to anything.
func hoard() *core.Model {
	return core.MustModel("hoard", core.ResourceSpec{Name: "chest", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "json", Type: core.JSON}, {Name: "list", Type: core.List}, {Name: "text", Type: core.Text},
		{Name: "parent", ToOne: "chest"}, {Name: "chests", ToMany: "chest", Inverse: "parent"}, {Name: "likes", ToMany: "chest"},
	}})
}

// filled repeats an item between two texts as often as size bytes allow.
func filled(before, item, after string, size int) string {
	return before + strings.Repeat(item+",", (size-len(before)-len(after)-len(item))/(len(item)+1)) + item + after
}

// cost returns the answer to a request and how many bytes answering it allocates.
func cost(h http.Handler, method, target, body string) (answer string, allocated uint64) {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	h.ServeHTTP(w, r)
	runtime.ReadMemStats(&after)
	return w.Body.String(), after.TotalAlloc - before.TotalAlloc
}

func TestAHostileBodyCostsAtMostItsFactor(t *testing.T) {
	const (
		maxBody = 1 << 20
		reading = 2
		parsing = 8
		writing = 8 // of a body that was parsed: canonical texts, and values to store
	)
	h, err := rest.New(open(t, hoard()), rest.Options{MaxBody: maxBody})
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range []string{`{}`, `[]`, `0`, `12`, `null`, `""`, `"a"`, `"\n"`, `{"":0}`, `{"a":{"b":[]}}`, `[[[[[[]]]]]]`, `1e20`, `1e-400`, `{"json":0}`} {
		for name, around := range map[string][2]string{
			"a list": {`[`, `]`}, "a JSON field": {`{"json":[`, `]}`}, "a list field": {`{"list":[`, `]}`}, "a to-many": {`{"chests":[`, `]}`},
			"a one-directional list": {`{"likes":[`, `]}`}, "a field that does not exist": {`{"x":[`, `]}`}, "an open list": {`[`, ``},
		} {
			for _, size := range []int{maxBody, maxBody / 2, maxBody / 4, maxBody / 8} {
				body := filled(around[0], item, around[1], size)
				answer, allocated := cost(h, http.MethodPost, "/chest", body)
				factor := reading + parsing
				if !strings.Contains(answer, `"error"`) || strings.Contains(answer, `"the value of `) {
					factor += writing
				}
				if allocated > uint64(factor*maxBody) {
					t.Errorf("%s of %s, %d bytes: %.80s after %.1f times MaxBody", name, item, size, answer, float64(allocated)/maxBody)
				}
			}
		}
	}
}

func TestABodyOfTooManyValuesIs413(t *testing.T) {
	h, err := rest.New(open(t, hoard()), rest.Options{MaxBody: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/chest", strings.NewReader(filled(`{"json":[`, `{}`, `]}`, 1<<20)))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	const want = `{"error":{"code":"TOO_LARGE","details":{"msg":"the body has too many values: they would take more than 8388608 bytes of memory; send it in parts"}}}`
	if got := w.Body.String(); w.Code != http.StatusRequestEntityTooLarge || got != want {
		t.Errorf("%d %s", w.Code, got)
	}
}
