package explorer

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
)

// cookieName is the name of the cookie with the token. Its value is the token in base64, because a token may have characters
// that a cookie cannot hold.
const cookieName = "larder_token"

// maxToken is the greatest length of a token. Browsers accept cookies of 4 KiB.
const maxToken = 3000

// tokenOf returns the token in the cookie of the request; empty if there is none.
func tokenOf(r *http.Request) string {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return ""
	}
	token, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil || !goodToken(string(token)) {
		return ""
	}
	return string(token)
}

// goodToken reports whether a header can hold the token.
func goodToken(token string) bool {
	return token != "" && len(token) <= maxToken && !strings.ContainsFunc(token, func(c rune) bool { return c <= ' ' || c > '~' })
}

// setToken sets the cookie with the token, for as long as the browser runs; an empty token deletes it.
func (v *visit) setToken(token string) {
	cookie := &http.Cookie{
		Name: cookieName, Value: base64.RawURLEncoding.EncodeToString([]byte(token)), Path: v.opts.Prefix + "/",
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: v.opts.SecureCookie || v.r.TLS != nil,
	}
	if token == "" {
		cookie.MaxAge = -1
	}
	http.SetCookie(v.w, cookie)
}

// signInPage is the content of the form for a token.
type signInPage struct {
	Action  string // URL of the form
	To      string // path of the page to go to afterwards
	Message string // why the person sees the form or why the token is not accepted
	Failed  bool   // the message is an error
}

// signIn shows the form for a token, and stores a token that the API accepts.
func (v *visit) signIn() error {
	to := v.r.FormValue("to")
	if !v.isOwnPath(to) {
		to = v.opts.Prefix + "/"
	}
	if v.r.Method != http.MethodPost {
		return v.render(http.StatusOK, "sign-in", "Sign in", signInPage{Action: v.signInURL(), To: to})
	}
	v.token = strings.TrimSpace(v.r.PostFormValue("token"))
	if !goodToken(v.token) {
		return v.render(http.StatusBadRequest, "sign-in", "Sign in", signInPage{v.signInURL(), to, "Enter a token without spaces, of at most 3,000 characters.", true})
	}
	if err := v.admit(); err != nil {
		if p := problemOf(err); p.Status != http.StatusUnauthorized {
			return err
		}
		v.token = ""
		return v.render(http.StatusUnauthorized, "sign-in", "Sign in", signInPage{v.signInURL(), to, "This token is not accepted. It may be misspelt or expired.", true})
	}
	v.setToken(v.token)
	return v.redirect(to)
}

// signOut deletes the cookie.
func (v *visit) signOut() error {
	v.setToken("")
	return v.redirect(v.opts.Prefix + "/")
}

// askToSignIn answers a request that the API does not let in with the form, at the URL of the page. The form is the same for
// all pages, so that it says nothing about the model.
func (v *visit) askToSignIn(p *problem) error {
	if p.challenge != "" {
		v.w.Header().Set("WWW-Authenticate", p.challenge)
	}
	if !v.opts.SignIn {
		return v.render(http.StatusUnauthorized, "error", "Not signed in", errorPage{p.Status, "Not signed in", p.Message})
	}
	shown := signInPage{Action: v.signInURL(), To: v.r.URL.RequestURI(), Message: "These pages need a token."}
	if v.r.Method == http.MethodPost {
		shown.To = v.opts.Prefix + "/"
	}
	if v.token != "" {
		v.token = ""
		v.setToken("")
		shown.Message, shown.Failed = "Your token is not accepted any more. It may have expired. Sign in again.", true
	}
	return v.render(http.StatusUnauthorized, "sign-in", "Sign in", shown)
}

// signInURL returns the URL of the form for a token.
func (v *visit) signInURL() string { return v.opts.Prefix + "/" + ownName + "/sign-in" }

// isOwnPath reports whether a redirect to the URL stays on the pages of the explorer.
func (v *visit) isOwnPath(to string) bool {
	u, err := url.Parse(to)
	return err == nil && u.Scheme == "" && u.Host == "" && u.User == nil && strings.HasPrefix(to, v.opts.Prefix+"/") &&
		!strings.HasPrefix(to, "//") && !strings.Contains(to, `\`)
}
