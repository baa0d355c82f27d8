package main_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/larder-go/larder/cookbook/internal/recipetest"
)

// person looks at pages with a browser of her own.
type person struct {
	*testing.T
	http.Client

	base string
}

func newPerson(t *testing.T, base, token string) person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	p := person{T: t, Client: http.Client{Jar: jar}, base: base}
	if token != "" {
		p.sends("/$explorer/sign-in", url.Values{"token": {token}, "to": {"/cookie"}}, "200 ", "Sign out")
	}
	return p
}

func (p person) do(method, path, form string, shown []string) {
	p.Helper()
	req, err := http.NewRequestWithContext(p.Context(), method, p.base+path, strings.NewReader(form))
	if err != nil {
		p.Fatal(err)
	}
	req.Header.Set("Accept", "text/html")
	if form != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := p.Do(req)
	if err != nil {
		p.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		p.Fatal(err)
	}
	page := res.Status[:3] + " " + string(body)
	for i, text := range shown {
		text, not := strings.CutPrefix(text, "!")
		if is := strings.Contains(page, text); is == not || i == 0 && !strings.HasPrefix(page, text) {
			p.Errorf("%s %s: shown: %t: %s\n%s", method, path, is, text, page)
		}
	}
}

// sees checks the beginning of a page, and further texts in it. A text that begins with "!" must not appear.
func (p person) sees(path string, shown ...string) {
	p.Helper()
	p.do(http.MethodGet, path, "", shown)
}

// sends checks the page that follows a form.
func (p person) sends(path string, form url.Values, shown ...string) {
	p.Helper()
	p.do(http.MethodPost, path, form.Encode(), shown)
}

func TestPagesShowWhatTheAPIShows(t *testing.T) {
	base := recipetest.Start(t, "-auth", "-read-only", "jar").Base
	alice, bob, nobody := newPerson(t, base, "alice"), newPerson(t, base, "bob"), newPerson(t, base, "")
	nobody.sees("/", "401 ", "Sign in", "!cookie</a>")
	alice.sends("/cookie/$new", url.Values{"type": {"<oat>"}}, "200 ", "&lt;oat&gt;", "/cookie/1/$edit")
	alice.sees("/cookie", "200 ", "&lt;oat&gt;")
	alice.sees("/jar", "200 ", "!/jar/$new")
	alice.sends("/jar/$new", url.Values{"cookies": {"1"}}, "405 ", "Changes of jar are not accepted.")
	bob.sees("/cookie", "200 ", "!&lt;oat&gt;")
	for _, path := range []string{"/cookie/1", "/cookie/1/$edit", "/cookie/1/$delete"} {
		bob.sees(path, "404 ", "There is no cookie with the id 1, or you may not see it.")
	}
	newPerson(t, base, "admin").sees("/cookie", "200 ", "&lt;oat&gt;")
	if got := ask(t, "alice", "GET", base+"/cookie", ""); got != `200 [{"id":1,"type":"<oat>"}]` {
		t.Errorf("the API shows %s", got)
	}
}

func TestPagesExplainThePolicy(t *testing.T) {
	file := filepath.Join(t.TempDir(), "policy.json")
	policy := `{"rules": [{"roles": ["anonymous"], "resource": "cookie", "operations": ["read"], "fields": ["id", "jar"]},
		{"roles": ["user"], "resource": "cookie", "operations": ["read", "insert"]}]}`
	if err := os.WriteFile(file, []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	base := recipetest.Start(t, "-auth", "-policy", file).Base
	newPerson(t, base, "").sees("/cookie", "401 ")
	newPerson(t, base, "alice").sees("/cookie/$explain", "200 ", "read of cookie is allowed: rule 1 is for anonymous; rule 2 applies", "no rule is about delete of cookie")
	base = recipetest.Start(t, "-policy", file).Base
	newPerson(t, base, "").sees("/cookie", "200 ", "!type</", "!/cookie/$new", "!Sign in")
}

func TestDocumentationForPeople(t *testing.T) {
	base := recipetest.Start(t).Base
	p := newPerson(t, base, "")
	p.sees("/", "200 ", `href="/docs/"`)
	p.sees("/docs/", "200 ", `data-document="/$explorer/openapi.json"`, `src="swagger-ui-bundle.js"`)
	p.sees("/docs/swagger-ui-bundle.js", "200 ", "SwaggerUIBundle")
}
