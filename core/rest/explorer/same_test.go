package explorer_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest/explorer"
)

// ask sends a request of the token to the API.
func (s site) ask(t *testing.T, token, method, path, body string) (status int, answer string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	s.api.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// sendForm opens a form of a record and sends it with changes. It returns the status of the API, which is 200 for a success,
// and whether the form has opened.
func (b *browser) sendForm(path string, changes url.Values) (status int, opened bool) {
	b.Helper()
	page := b.get(path)
	if page.StatusCode != http.StatusOK {
		return page.StatusCode, false
	}
	page = b.post(path, page.sent(changes))
	if page.StatusCode == http.StatusSeeOther {
		return http.StatusOK, true
	}
	return page.StatusCode, true
}

// stored returns all records of the store.
func (s site) stored(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, r := range s.store.Model().Stored() {
		page, err := s.store.Select(core.System(t.Context()), r, core.Query{})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&all, r, page.Records)
	}
	return all.String()
}

// recordPaths returns the paths of all records, and of one that does not exist for each resource, in a fixed order.
func recordPaths(r *core.Resource) (paths []string) {
	for id := range rows()[r.Name()] {
		paths = append(paths, "/"+r.APIName()+"/"+strings.ReplaceAll(url.PathEscape(fmt.Sprint(id)), "$", "%24"))
	}
	slices.Sort(paths)
	return append(paths, "/"+r.APIName()+"/999")
}

// Each caller sees the same records on the pages as at the API, and the forms succeed and fail like requests to the API.
func TestPagesShowAndPermitWhatTheAPIDoes(t *testing.T) {
	for _, token := range []string{"alice-token", "bob-token", "view-token", ""} {
		t.Run("token "+token, func(t *testing.T) {
			direct := open(t, rows(), explorer.Options{SignIn: true}, engine.Options{})
			pages := open(t, rows(), explorer.Options{SignIn: true}, engine.Options{})
			b := pages.browser(t)
			if token != "" {
				b.signIn(token)
			}
			expect := func(what string, got, want int) {
				t.Helper()
				if got != want {
					t.Errorf("%s: the page answers %d, the API %d", what, got, want)
				}
			}
			for _, r := range workshop().Resources() {
				status, answer := direct.ask(t, token, http.MethodGet, "/"+r.APIName(), "")
				page := b.get("/" + r.APIName())
				expect("list of "+r.Name(), page.StatusCode, status)
				var records []map[string]any
				if status == http.StatusOK && json.Unmarshal([]byte(answer), &records) != nil {
					t.Fatal(answer)
				}
				for _, path := range recordPaths(r) {
					shown := slices.ContainsFunc(records, func(record map[string]any) bool {
						return strings.HasSuffix(path, "/"+strings.ReplaceAll(url.PathEscape(fmt.Sprint(record[r.Key().APIName()])), "$", "%24"))
					})
					if slices.Contains(page.links(), path) != shown {
						t.Errorf("%s is in the list of the API: %t; the page:\n%s", path, shown, page.text)
					}
					status, _ := direct.ask(t, token, http.MethodGet, path, "")
					expect(path, b.get(path).StatusCode, status)
				}
			}
			write := func(method, path, body, form string, changes url.Values) {
				t.Helper()
				status, _ := direct.ask(t, token, method, path, body)
				got, opened := b.sendForm(path+form, changes)
				if !opened && status >= 400 { // the API also rejects a write of a record that the caller cannot read
					return
				}
				expect(method+" "+path, got, status)
			}
			for _, r := range workshop().Resources() {
				field := "name"
				if labelled := map[string]string{"issue": "title", "issue_label": "label"}[r.Name()]; labelled != "" {
					field = labelled
				}
				for i, path := range recordPaths(r) {
					value := map[bool]string{true: "3", false: fmt.Sprint("changed ", i)}[field == "label"]
					write(http.MethodPatch, path, fmt.Sprintf(`{%q: %q}`, field, value), "/$edit", url.Values{field: {value}})
				}
			}
			for _, r := range slices.Backward(workshop().Resources()) {
				for _, path := range recordPaths(r) {
					write(http.MethodDelete, path, "", "/$delete", nil)
				}
			}
			if got, want := pages.stored(t), direct.stored(t); got != want {
				t.Errorf("the pages have stored\n%s\nthe API\n%s", got, want)
			}
		})
	}
}
