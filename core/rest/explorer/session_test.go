package explorer_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest/explorer"
)

func TestTokenLivesInAStrictCookie(t *testing.T) {
	b := open(t, rows(), explorer.Options{SignIn: true}, engine.Options{}).browser(t)
	b.expect(b.get("/issue"), 401, `<input type="hidden" name="to" value="/issue">`, "!Gears")
	a := b.expect(b.post("/$explorer/sign-in", url.Values{"token": {" alice-token "}, "to": {"/issue?sort=-id"}}), 303)
	cookie := b.cookies["larder_token"]
	if a.Header.Get("Location") != "/issue?sort=-id" || !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Path != "/" || cookie.Secure ||
		!cookie.Expires.IsZero() || cookie.MaxAge != 0 || strings.Contains(cookie.Value, "alice") {
		t.Errorf("%v", a.Header)
	}
	for _, target := range []string{"/issue", "/issue/1", "/issue/1/$edit", "/"} {
		b.expect(b.get(target), 200, "Sign out", "!alice-token", "!"+cookie.Value)
	}
	b.expect(b.get("/issue", "Accept", "application/json"), 401, "!Gears") // the API ignores the cookie
	b.expect(b.post("/$explorer/sign-out", nil), 303)
	if len(b.cookies) != 0 {
		t.Errorf("cookies after signing out: %v", b.cookies)
	}
	b.expect(b.get("/issue"), 401, "!Gears")
}

func TestCookieIsSecureOverTLS(t *testing.T) {
	for name, c := range map[string]struct {
		tls    *tls.ConnectionState
		option bool
		want   bool
	}{"plain": {}, "TLS": {tls: new(tls.ConnectionState), want: true}, "behind a proxy": {option: true, want: true}} {
		t.Run(name, func(t *testing.T) {
			s := open(t, rows(), explorer.Options{SignIn: true, SecureCookie: c.option}, engine.Options{})
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/$explorer/sign-in", strings.NewReader("token=alice-token"))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Accept", "text/html")
			r.TLS = c.tls
			w := httptest.NewRecorder()
			s.pages.ServeHTTP(w, r)
			if got := w.Result().Cookies(); len(got) != 1 || got[0].Secure != c.want {
				t.Errorf("%v", got)
			}
		})
	}
}

func TestTokensThatAreNotAccepted(t *testing.T) {
	b := open(t, rows(), explorer.Options{SignIn: true}, engine.Options{}).browser(t)
	for token, status := range map[string]int{"": 400, "wrong": 401, "two words": 400, strings.Repeat("x", 3001): 400, "ümlaut": 400} {
		b.expect(b.post("/$explorer/sign-in", url.Values{"token": {token}}), status, `role="alert"`)
		if len(b.cookies) != 0 {
			t.Errorf("a cookie for %q", token)
		}
	}
}

func TestExpiredTokenLeadsToTheSignInPage(t *testing.T) {
	s := open(t, rows(), explorer.Options{SignIn: true}, engine.Options{})
	b := s.browser(t).signIn("bob-token")
	tokens["spare"] = tokens["bob-token"]
	delete(tokens, "bob-token")
	t.Cleanup(func() { tokens["bob-token"] = tokens["spare"]; delete(tokens, "spare") })
	b.expect(b.post("/issue/$new", url.Values{"title": {"t"}}), 401, "It may have expired", `name="to" value="/"`)
	if len(b.cookies) != 0 {
		t.Error("the cookie is still there")
	}
	b.expect(b.get("/issue?sort=-id"), 401, "These pages need a token.", `value="/issue?sort=-id"`)
}

func TestRedirectsStayOnTheSite(t *testing.T) {
	b := open(t, rows(), explorer.Options{SignIn: true}, engine.Options{}).browser(t)
	for _, to := range []string{"https://evil.example/", "//evil.example", `/\evil.example`, "evil", "", "javascript:alert(1)", "/\t/evil.example", `\\evil.example`} {
		a := b.post("/$explorer/sign-in", url.Values{"token": {"alice-token"}, "to": {to}})
		if got := a.Header.Get("Location"); got != "/" {
			t.Errorf("%q leads to %q", to, got)
		}
	}
}

func TestWritesFromOtherSitesAreRejected(t *testing.T) {
	s := open(t, rows(), explorer.Options{SignIn: true}, engine.Options{})
	b := s.browser(t).signIn("alice-token")
	project := s.store.Model().Resource("project")
	for _, headers := range [][]string{
		{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Sec-Fetch-Site", "", "Origin", "https://evil.example"},
	} {
		for target, form := range map[string]url.Values{
			"/project/$new": {"name": {"Forged"}}, "/project/1/$edit": b.get("/project/1/$edit").sent(url.Values{"name": {"Forged"}}),
			"/project/1/$delete": b.get("/project/1/$delete").sent(nil), "/$explorer/sign-out": {}, "/$explorer/sign-in": {"token": {"bob-token"}},
		} {
			a := b.expect(b.post(target, form, headers...), 403, "This request comes from another site")
			if len(a.Cookies()) != 0 {
				t.Errorf("%s sets %v", target, a.Cookies())
			}
		}
	}
	if n, err := s.store.Count(core.System(t.Context()), project, core.Eq("name", "Forged")); n != 0 || err != nil {
		t.Errorf("%d forged projects %v", n, err)
	}
}

// The pages of a caller to whom the API denies everything are the same, whether or not their resources and records exist.
func TestPagesRevealNothingToAnonymousCallers(t *testing.T) {
	b := open(t, rows(), explorer.Options{SignIn: true}, engine.Options{}).browser(t)
	var first string
	for _, target := range []string{
		"/", "/issue", "/nothing", "/issue/1", "/issue/99", "/issue/x", "/issue/$new", "/currency/$new", "/issue/1/$edit", "/issue/99/$edit", "/issue/1/$delete",
		"/issue/1/labels", "/issue/1/nothing", "/issue/$explain", "/issue?filter={", "/issue?$field=x&$op=eq&$value=y",
	} {
		a := b.expect(b.get(target), 401)
		page := strings.ReplaceAll(a.text, `value="`+strings.ReplaceAll(target, "&", "&amp;")+`"`, "")
		if first == "" {
			first = page
		}
		if page != first {
			t.Errorf("%s differs:\n%s\n%s", target, page, first)
		}
	}
	for _, target := range []string{"/issue/$new", "/nothing/$new", "/issue/99/$edit", "/issue/1/$delete"} {
		a := b.post(target, url.Values{"title": {"t"}})
		if page := strings.ReplaceAll(a.text, `value="/"`, ""); a.StatusCode != http.StatusUnauthorized || page != strings.ReplaceAll(first, `value="/"`, "") {
			t.Errorf("POST %s differs: %d\n%s", target, a.StatusCode, a.text)
		}
	}
}

func TestFieldsThatTheCallerCannotReadDoNotAppear(t *testing.T) {
	b := open(t, rows(), explorer.Options{SignIn: true}, engine.Options{}).browser(t).signIn("view-token")
	for _, target := range []string{"/issue", "/issue/1", "/issue/$new", "/issue/1/$edit", "/issue/1/$delete", "/person", "/person/ada"} {
		b.expect(b.get(target), 200, "!cost", "!99", "!teeth of", "!email", "!ada@example")
	}
	b.expect(b.get("/issue"), 200, "Gears", ">Mill</a>", ">Ada Lovelace</a>")
	b.expect(b.get("/issue/1"), 200, "Mill (1)", "Ada Lovelace (ada)")
	form := b.get("/issue/1/$edit").sent(url.Values{"title": {"Mine"}})
	b.expect(b.post("/issue/1/$edit", form), 403, "You may not do this", `value="Mine"`)
	b.expect(b.post("/issue/$new", url.Values{"title": {"t"}, "text": {"u"}}), 403, "Nothing was saved")
}

func TestBrowserHeadersReachAuthenticate(t *testing.T) {
	s := open(t, rows(), explorer.Options{SignIn: true}, engine.Options{})
	var seen []http.Header
	s.pages, _ = explorer.New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Clone())
		s.api.ServeHTTP(w, r)
	}), s.engine, explorer.Options{SignIn: true})
	b := s.browser(t).signIn("alice-token")
	seen = nil
	b.get("/issue", "X-User", "carol", "Accept-Encoding", "gzip", "If-None-Match", "*", "Range", "bytes=0-1")
	for _, h := range seen {
		if h.Get("X-User") != "carol" || h.Get("Authorization") != "Bearer alice-token" || h.Get("Accept-Encoding")+h.Get("Range")+h.Get("Cookie") != "" {
			t.Errorf("%v", h)
		}
	}
	if len(seen) != 3 { // is the caller admitted, the list with a field that she cannot read, and the list without it
		t.Errorf("%d requests", len(seen))
	}
}
