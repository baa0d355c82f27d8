package explorer_test

import (
	"html"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest/explorer"
)

// browser sends requests as a browser does, with the cookies that it got.
type browser struct {
	testing.TB

	pages   http.Handler
	cookies map[string]*http.Cookie
}

func (s site) browser(tb testing.TB) *browser {
	tb.Helper()
	return &browser{tb, s.pages, make(map[string]*http.Cookie)}
}

// answer is a page with its text.
type answer struct {
	*http.Response

	text string
}

func (b *browser) send(method, target string, form url.Values, headers ...string) answer {
	b.Helper()
	r := httptest.NewRequestWithContext(b.Context(), method, "http://workshop.example"+target, strings.NewReader(form.Encode()))
	r.Header.Set("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	for _, cookie := range b.cookies {
		r.AddCookie(cookie)
	}
	w := httptest.NewRecorder()
	b.pages.ServeHTTP(w, r)
	res := w.Result()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.Fatal(err)
	}
	for _, cookie := range res.Cookies() {
		if b.cookies[cookie.Name] = cookie; cookie.MaxAge < 0 {
			delete(b.cookies, cookie.Name)
		}
	}
	return answer{res, string(text)}
}

func (b *browser) get(target string, headers ...string) answer {
	b.Helper()
	return b.send(http.MethodGet, target, nil, headers...)
}

func (b *browser) post(target string, form url.Values, headers ...string) answer {
	b.Helper()
	return b.send(http.MethodPost, target, form, headers...)
}

// signIn signs in with the token.
func (b *browser) signIn(token string) *browser {
	b.Helper()
	if a := b.post("/$explorer/sign-in", url.Values{"token": {token}}); a.StatusCode != http.StatusSeeOther {
		b.Fatalf("sign-in: %d\n%s", a.StatusCode, a.text)
	}
	return b
}

// expect checks the status of the page, and that it shows the texts. A text that begins with "!" must not appear.
func (b *browser) expect(a answer, status int, texts ...string) answer {
	b.Helper()
	if a.StatusCode != status {
		b.Errorf("status %d, want %d", a.StatusCode, status)
	}
	for _, text := range texts {
		text, not := strings.CutPrefix(text, "!")
		if strings.Contains(a.text, text) == not {
			b.Errorf("shown: %t, want %t: %s\n%s", !not, not, text, a.text)
		}
	}
	return a
}

var (
	hrefs  = regexp.MustCompile(`href="([^"#]+)"`)
	fields = regexp.MustCompile(`<(?:input|textarea|select)[^>]* name="([^"]+)"`)
	values = regexp.MustCompile(`<input[^>]* name="([^"]+)" value="([^"]*)"`)
)

// links returns the URLs of the links of the page.
func (a answer) links() (found []string) {
	for _, m := range hrefs.FindAllStringSubmatch(a.text, -1) {
		found = append(found, html.UnescapeString(m[1]))
	}
	return found
}

// inputs returns the names of the inputs of the page.
func (a answer) inputs() (names []string) {
	for _, m := range fields.FindAllStringSubmatch(a.text, -1) {
		names = append(names, m[1])
	}
	return names
}

// lineEnds makes every line end the one that browsers send.
var lineEnds = strings.NewReplacer("\r\n", "\r\n", "\r", "\r\n", "\n", "\r\n")

// sent returns the form of a record as the browser would send it if it consisted of one-line inputs, with other values.
func (a answer) sent(changes url.Values) url.Values {
	form := url.Values{}
	for _, m := range values.FindAllStringSubmatch(a.text, -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	for _, m := range regexp.MustCompile(`(?s)<textarea[^>]* name="([^"]+)"[^>]*>\n(.*?)</textarea>`).FindAllStringSubmatch(a.text, -1) {
		form.Set(m[1], lineEnds.Replace(html.UnescapeString(m[2])))
	}
	for _, m := range regexp.MustCompile(`(?s)<select[^>]* name="([^"]+)".*?</select>`).FindAllStringSubmatch(a.text, -1) {
		form.Set(m[1], "")
		if chosen := regexp.MustCompile(`<option value="([^"]*)" selected`).FindStringSubmatch(m[0]); chosen != nil {
			form.Set(m[1], html.UnescapeString(chosen[1]))
		}
	}
	maps.Copy(form, changes)
	return form
}

// crawl gets every page that a link leads to, in the order of the links, but for other orders of lists, and calls visit for each.
func (b *browser) crawl(visit func(target string, a answer)) {
	b.Helper()
	seen, left := map[string]bool{"/": true}, []string{"/"}
	for len(left) > 0 && len(seen) < 1000 {
		target := left[0]
		left = left[1:]
		a := b.get(target)
		visit(target, a)
		for _, to := range a.links() {
			if !strings.HasPrefix(to, "/") {
				b.Errorf("%s links %s", target, to)
			}
			if !seen[to] && !strings.Contains(to, "sort=") {
				seen[to], left = true, append(left, to)
			}
		}
	}
	if len(seen) < 20 {
		b.Errorf("only %d pages", len(seen))
	}
}

func TestPagesAreForBrowsersOnly(t *testing.T) {
	b := open(t, rows(), explorer.Options{}, engine.Options{}).browser(t)
	for accept, page := range map[string]bool{
		"text/html": true, "application/json, TEXT/HTML;q=0.1": true, "": false, "*/*": false, "application/json": false,
		"text/html;q=0": false, "text/html;q=0.000, */*": false, "text/plain": false,
	} {
		a := b.get("/project", "Accept", accept)
		media := map[bool]string{true: "text/html; charset=utf-8", false: "application/json"}[page]
		if a.Header.Get("Content-Type") != media || !slices.Contains(strings.Split(strings.Join(a.Header.Values("Vary"), ", "), ", "), "Accept") {
			t.Errorf("Accept %q: %v", accept, a.Header)
		}
	}
	for target, status := range map[string]int{"/openapi.json": 200, "/issue/$aggregate": 404, "/$batch": 405} {
		if a := b.get(target); a.StatusCode != status || a.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %v", target, a.StatusCode, a.Header)
		}
	}
	for _, accept := range []string{"text/css,*/*;q=0.1", "*/*"} {
		b.expect(b.get("/$explorer/style.css", "Accept", accept), 200, ":root")
	}
	if a := b.get("/$explorer/openapi.json", "Accept", "application/json"); a.text != b.get("/openapi.json").text || a.Header.Get("Content-Type") != "application/json" {
		t.Errorf("the document: %d %v", a.StatusCode, a.Header)
	}
	if a := b.send(http.MethodPost, "/project", nil); a.StatusCode == http.StatusOK || a.Header.Get("Content-Type") != "application/json" {
		t.Errorf("POST of a list: %d %s", a.StatusCode, a.text)
	}
}

func TestEveryPageForbidsScriptsAndCaches(t *testing.T) {
	b := open(t, rows(), explorer.Options{}, engine.Options{}).browser(t)
	unquoted := regexp.MustCompile(`(?i)<script|<style|\sstyle=|\son[a-z]+=|javascript:`)
	b.crawl(func(target string, a answer) {
		if a.Header.Get("Content-Type") != "text/html; charset=utf-8" {
			return
		}
		h := a.Header
		if h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: %v", target, h)
		}
		csp := h.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: %s", target, csp)
		}
		if found := unquoted.FindString(a.text); found != "" {
			t.Errorf("%s shows %q\n%s", target, found, a.text)
		}
		if a.StatusCode != http.StatusOK {
			t.Errorf("%s: %d\n%s", target, a.StatusCode, a.text)
		}
	})
	if a := b.post("/project/$new", url.Values{"name": {"New"}}); a.StatusCode != http.StatusSeeOther || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v", a.StatusCode, a.Header)
	}
}

func TestPagesOfErrors(t *testing.T) {
	b := open(t, rows(), explorer.Options{}, engine.Options{}).browser(t)
	b.expect(b.get("/nothing"), 404, "<h1>Not found</h1>")
	b.expect(b.get("/project/99"), 404, "There is no project with the id 99, or you may not see it.")
	b.expect(b.get("/project/1/name"), 404, "<h1>Not found</h1>")
	b.expect(b.get("/project/x"), 400, "<h1>The request was not accepted</h1>")
	b.expect(b.get("/currency/$new"), 405, "Changes of currency are not accepted.")
	b.expect(b.get("/currency"), 200, "Euro", "!New</a>")
	b.expect(b.get("/currency/EUR"), 200, "!Edit", "!Delete")
	b.expect(b.get("/project?sort=nothing"), 400, "The list cannot be shown", "There is no field &#34;nothing&#34;")
	b.expect(b.get("/project?filter={"), 400, `The parameter &#34;filter&#34; is not valid`, "Filter in JSON")
}

func TestNewRejectsInvalidOptions(t *testing.T) {
	s := open(t, nil, explorer.Options{}, engine.Options{})
	for _, prefix := range []string{"api", "/api/", "/"} {
		if _, err := explorer.New(s.api, s.engine, explorer.Options{Prefix: prefix}); err == nil {
			t.Errorf("no error for the prefix %q", prefix)
		}
	}
	if _, err := explorer.New(nil, s.engine, explorer.Options{}); err == nil {
		t.Error("no error without an API")
	}
}

func TestPagesBelowAPrefix(t *testing.T) {
	b := open(t, rows(), explorer.Options{Prefix: "/api", SignIn: true}, engine.Options{}).browser(t)
	a := b.post("/api/$explorer/sign-in", url.Values{"token": {"alice-token"}, "to": {"/api/issue"}})
	if a.Header.Get("Location") != "/api/issue" || b.cookies["larder_token"].Path != "/api/" {
		t.Fatalf("%v", a.Header)
	}
	for _, to := range b.expect(b.get("/api/issue/1"), 200).links() {
		if !strings.HasPrefix(to, "/api/") {
			t.Errorf("the page links %s", to)
		}
	}
	if a := b.post("/api/project/$new", url.Values{"name": {"Prefixed"}}); a.Header.Get("Location") != "/api/project/4" {
		t.Errorf("%d %v %s", a.StatusCode, a.Header, a.text)
	}
	if a := b.get("/issue"); a.Header.Get("Content-Type") != "application/json" {
		t.Errorf("beside the prefix: %d %s", a.StatusCode, a.text)
	}
}
