package explorer_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest/explorer"
	"github.com/larder-go/larder/core/seed"
)

// otherWorld returns records that differ from rows only in what alice may not read: records of bob, the field cost, and
// references to records of bob.
func otherWorld() seed.Data {
	data := rows()
	data["project"][3] = map[string]any{"owner": "bob", "name": "Another secret"}
	data["person"]["mallory"] = map[string]any{"owner": "bob", "name": "Mallory"}
	data["issue"][1]["cost"] = "1"
	delete(data["issue"], 4)
	delete(data["issue"][5], "assignee")
	data["label"][3]["name"] = "another label"
	data["issue_label"][2] = map[string]any{"owner": "bob", "issue": 3, "label": 3}
	data["currency"]["USD"] = map[string]any{"owner": "bob"}
	return data
}

// writes are forms that alice sends. Some of them name records that she cannot read, or that do not exist in one of the worlds.
var writes = []struct {
	page string
	form url.Values
}{
	{"/issue/$new", url.Values{"title": {"New"}, "project": {"3"}}},
	{"/issue/$new", url.Values{"title": {"New"}, "assignee": {"mallory"}}},
	{"/issue/$new", url.Values{"title": {"New"}, "labels": {"1\n3"}}},
	{"/issue/$new", url.Values{"title": {"New"}, "project": {"2"}, "labels": {"1\n2"}}},
	{"/project/$new", url.Values{"name": {"New"}, "issues": {"1\n4"}}},
	{"/project/$new", url.Values{"name": {"Mill"}}},
	{"/issue/4/$edit", url.Values{"title": {"New"}}},
	{"/issue/5/$edit", url.Values{"title": {"Changed"}}},
	{"/issue/5/$edit", url.Values{"assignee": {"eve"}}},
	{"/issue/1/$edit", url.Values{"cost": {"1"}, "title": {"Changed"}}},
	{"/issue/1/$edit", url.Values{"labels": {"3"}}},
	{"/person/eve/$delete", nil},
	{"/label/3/$delete", nil},
	{"/project/3/$delete", nil},
	{"/project/1/$delete", nil},
	{"/issue/2/$delete", nil},
}

// probes are pages that no link leads to.
var probes = []string{
	"/issue/4", "/issue/4/labels", "/person/eve", "/person/mallory", "/project/3/issues", "/issue?cost=1", "/issue?sort=cost",
	"/issue?sort=assignee.name&count=true", "/issue?filter=" + url.QueryEscape(`{"assignee.name": {"prefix": ""}}`),
}

// phases are the parts of a program that alice performs: she visits every page, sends the forms, and visits every page again.
var phases = []func(b *browser, visit func(target string, a answer)){
	(*browser).crawl,
	func(b *browser, visit func(target string, a answer)) {
		for _, w := range writes {
			visit("POST "+w.page, b.post(w.page, b.get(w.page).sent(w.form)))
		}
		for _, target := range probes {
			visit(target, b.get(target))
		}
	},
	(*browser).crawl,
}

// difference returns the first difference of the answers in two worlds, or "". wrap changes the API of both.
func difference(t *testing.T, wrap func(api http.Handler) http.Handler) string {
	t.Helper()
	var browsers []*browser
	for _, data := range []seed.Data{rows(), otherWorld()} {
		s := open(t, data, explorer.Options{SignIn: true}, engine.Options{})
		var err error
		if s.pages, err = explorer.New(wrap(s.api), s.engine, explorer.Options{SignIn: true}); err != nil {
			t.Fatal(err)
		}
		s.browser(t).signIn("bob-token").get("/person")
		browsers = append(browsers, s.browser(t).signIn("alice-token"))
	}
	for _, phase := range phases {
		var seen [2][]string
		for i, b := range browsers {
			phase(b, func(target string, a answer) {
				seen[i] = append(seen[i], fmt.Sprintf("%s: %d %s %s", target, a.StatusCode, a.Header.Get("Location"), a.text))
			})
		}
		for i := range max(len(seen[0]), len(seen[1])) {
			if i >= len(seen[0]) || i >= len(seen[1]) {
				return fmt.Sprintf("%d answers in one world, %d in the other", len(seen[0]), len(seen[1]))
			}
			if seen[0][i] != seen[1][i] {
				return seen[0][i] + "\nin the other world:\n" + seen[1][i]
			}
		}
	}
	return ""
}

func TestHiddenRecordsMakeNoDifferenceToAnyPage(t *testing.T) {
	if found := difference(t, func(api http.Handler) http.Handler { return api }); found != "" {
		t.Error(found)
	}
}

// leaks are mistakes that an explorer could make in its requests to the API.
var leaks = map[string]func(api http.Handler) http.Handler{
	"choices of another caller": func(api http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("limit") == "100" {
				r.Header.Set("Authorization", "Bearer bob-token")
			}
			api.ServeHTTP(w, r)
		})
	},
	"records of all callers": func(api http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/issue/") {
				r.Header.Set("Authorization", "Bearer view-token")
			}
			api.ServeHTTP(w, r)
		})
	},
	"answers shared by callers": func(api http.Handler) http.Handler {
		shared := make(map[string]*httptest.ResponseRecorder)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			key := r.URL.String()
			if shared[key] == nil || r.Method != http.MethodGet || r.Header.Get("If-None-Match") != "" {
				shared[key] = httptest.NewRecorder()
				api.ServeHTTP(shared[key], r)
			}
			maps.Copy(w.Header(), shared[key].Header())
			w.WriteHeader(shared[key].Code)
			w.Write(shared[key].Body.Bytes())
		})
	},
}

func TestWorldsRevealLeaks(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(leaks)) {
		t.Run(name, func(t *testing.T) {
			if difference(t, leaks[name]) == "" {
				t.Error("the worlds do not differ")
			}
		})
	}
}
