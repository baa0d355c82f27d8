package rest_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/rest"
)

// fuzzModel is a model with every type, key type and kind of relation.
func fuzzModel() *core.Model {
	fields := []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}
	for _, typ := range core.Types() {
		fields = append(fields, core.FieldSpec{Name: typ.String(), Type: typ})
	}
	fields = append(fields,
		core.FieldSpec{Name: "parent", ToOne: "a"},
		core.FieldSpec{Name: "children", ToMany: "a", Inverse: "parent"},
		core.FieldSpec{Name: "partner", ToOne: "b"},
		core.FieldSpec{Name: "likes", ToMany: "c"},
		core.FieldSpec{Name: "ghost", Type: core.Text, Hidden: true},
		core.FieldSpec{Name: "code", Type: core.Text, Unique: true},
	)
	return core.MustModel("fuzzed",
		core.ResourceSpec{Name: "a", Fields: fields},
		core.ResourceSpec{Name: "b", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Text, Key: true},
			{Name: "partner", ToOne: "a", Inverse: "partner"},
			{Name: "owner", ToOne: "a", OnDelete: core.Cascade},
		}},
		core.ResourceSpec{Name: "c", Fields: []core.FieldSpec{{Name: "id", Type: core.UUID, Key: true}, {Name: "a", ToOne: "a"}}},
	)
}

// fuzzHandler serves a few records of fuzzModel.
func fuzzHandler(tb testing.TB) http.Handler {
	h, err := rest.New(newEngine(tb, fuzzModel()), rest.Options{
		MaxBody: 64 << 10, Logger: slog.New(slog.NewTextHandler(tb.Output(), nil)),
	})
	if err != nil {
		tb.Fatal(err)
	}
	for _, record := range [][2]string{
		{"/a/1", `{"int": 1, "text": "x", "code": "x"}`}, {"/a/2", `{"int": 2, "parent": 1}`}, {"/a/3", `{"float": 1.5, "parent": 1}`},
		{"/b/x", `{"partner": 1}`}, {"/c/f47ac10b-58cc-4372-a567-0e02b2c3d479", `{"a": 1}`},
	} {
		if status, body := request(h, http.MethodPut, record[0], record[1]); status != http.StatusCreated {
			tb.Fatalf("PUT %s: %d %s", record[0], status, body)
		}
	}
	return h
}

func request(h http.Handler, method, target, body string) (status int, answer []byte) {
	w, r := httptest.NewRecorder(), httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	h.ServeHTTP(w, r)
	return w.Code, w.Body.Bytes()
}

// checkAnswer sends a request, and fails for a 5xx and for a body that is not JSON or not an error of ours.
func checkAnswer(t *testing.T, h http.Handler, method, target, body string) {
	t.Helper()
	status, answer := request(h, method, target, body)
	parsed, err := core.ParseJSON(answer, 1000)
	if status >= 500 || err != nil {
		t.Fatalf("%s %s %q: %d %s (%v)", method, target, body, status, answer, err)
	}
	if status < 400 {
		return
	}
	outer, _ := parsed.(map[string]any)
	inner, _ := outer["error"].(map[string]any)
	_, code := inner["code"].(string)
	_, message := inner["message"].(string)
	_, details := inner["details"].(map[string]any)
	if len(outer) != 1 || len(inner) != 3 || !code || !message || !details {
		t.Fatalf("%s %s %q: %d %s", method, target, body, status, answer)
	}
}

func FuzzBody(f *testing.F) {
	for _, body := range []string{
		`{}`, `[{}, {}]`, `null`, `{"int": "1"}`, `{"children": [1, {"children": [{}]}, "3"]}`, `{"partner": {"id": "y"}}`,
		`{"likes": [{"a": 2}]}`, `{"parent": {"parent": {"parent": null}}}`, `{"json": {"a": [1e300]}, "list": [[]]}`, `{"id": 5}`,
		`{"ghost": "x"}`, `{"code": "x"}`, `{"time": "2024-01-01T00:00:00Z", "bytes": "AA==", "uuid": "x"}`, "{\"text\": \"\xff\"}",
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		h := fuzzHandler(t)
		for _, request := range [][2]string{
			{http.MethodPost, "/a?depth=3"}, {http.MethodPatch, "/a/1?depth=2"}, {http.MethodPut, "/a/2"}, {http.MethodPut, "/b/y"},
			{http.MethodPatch, "/b/x"}, {http.MethodPost, "/c"},
		} {
			checkAnswer(t, h, request[0], request[1], body)
		}
		for _, target := range []string{"/a?depth=5", "/b?depth=3", "/c?depth=3"} {
			checkAnswer(t, h, http.MethodGet, target, "")
		}
		checkAnswer(t, h, http.MethodDelete, "/a/1", "")
	})
}

// sharedFuzzHandler serves one store for all inputs of a fuzz target that only reads.
func sharedFuzzHandler(f *testing.F) http.Handler {
	h, err := rest.New(newEngine(f, fuzzModel()), rest.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.Fatal(err)
	}
	for _, record := range [][2]string{
		{"/a/1", `{"int": 1, "text": "x"}`}, {"/a/2", `{"int": 2, "parent": 1}`}, {"/b/x", `{"partner": 1}`},
	} {
		if status, body := request(h, http.MethodPut, record[0], record[1]); status != http.StatusCreated {
			f.Fatalf("PUT %s: %d %s", record[0], status, body)
		}
	}
	return h
}

func FuzzFilter(f *testing.F) {
	for _, filter := range []string{
		`{}`, `{"int": 1}`, `{"int": {"gt": 0, "lt": "3"}}`, `{"text": {"prefix": "x"}}`, `{"parent": null}`, `{"partner": "x"}`,
		`{"id": {"in": [1, "2", null]}}`, `{"children": 1}`, `{"ghost": 1}`, `{"json": {"eq": {"a": 1}}}`, `{"json": {"lt": 1}}`,
		`{"list": [1]}`, `{"bool": {"ne": null}}`, `{"time": {"ge": "2024-01-01T00:00:00Z"}}`, `[]`, `{"int": {"in": {}}}`, `{"a": {}}`,
	} {
		f.Add(filter)
	}
	h := sharedFuzzHandler(f)
	f.Fuzz(func(t *testing.T, filter string) {
		for _, path := range []string{"/a?filter=", "/b?filter=", "/c?limit=1&filter="} {
			checkAnswer(t, h, http.MethodGet, path+url.QueryEscape(filter), "")
		}
	})
}

func FuzzSort(f *testing.F) {
	for _, sort := range []string{
		`[]`, `["id"]`, `["-id", "int"]`, `["parent", "-text"]`, `["children"]`, `["ghost"]`, `["json"]`, `["list"]`, `["partner"]`, `["--id"]`,
		`[""]`, `["-"]`, `[1]`, `{}`, `["id", "id", "id", "id", "id", "id", "id", "id", "id", "id", "id", "id", "id", "id", "id", "id", "id"]`,
	} {
		f.Add(sort)
	}
	h := sharedFuzzHandler(f)
	f.Fuzz(func(t *testing.T, sort string) {
		for _, path := range []string{"/a?sort=", "/b?limit=1&sort="} {
			checkAnswer(t, h, http.MethodGet, path+url.QueryEscape(sort), "")
		}
	})
}

func FuzzCursor(f *testing.F) {
	h := sharedFuzzHandler(f)
	for _, query := range []string{"", "&sort=%5B%22int%22%5D", "&filter=%7B%22parent%22%3Anull%7D"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/a?limit=1"+query, nil))
		_, after, _ := strings.Cut(w.Header().Get("Link"), "after=")
		after, _, _ = strings.Cut(after, "&")
		f.Add(after)
	}
	f.Add("")
	f.Add("AAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, after string) {
		for _, path := range []string{"/a?limit=1&after=", "/a?sort=%5B%22int%22%5D&after=", "/b?after="} {
			checkAnswer(t, h, http.MethodGet, path+url.QueryEscape(after), "")
		}
	})
}

func FuzzID(f *testing.F) {
	for _, id := range []string{
		"1", "01", "-1", "1.0", "x", "a/b", "", "%", "\x00", "\xff", "f47ac10b-58cc-4372-a567-0e02b2c3d479", "9223372036854775808", "..", " ",
	} {
		f.Add(id)
	}
	h := sharedFuzzHandler(f)
	f.Fuzz(func(t *testing.T, id string) {
		for _, resource := range []string{"/a/", "/b/", "/c/", "/"} {
			checkAnswer(t, h, http.MethodGet, resource+url.PathEscape(id), "")
		}
		checkAnswer(t, h, http.MethodPut, "/b/"+url.PathEscape(id), `{}`)
		checkAnswer(t, h, http.MethodPatch, "/b/"+url.PathEscape(id), `{"owner": 1}`)
		checkAnswer(t, h, http.MethodDelete, "/b/"+url.PathEscape(id), "")
	})
}
