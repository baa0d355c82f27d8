package explorer

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"io/fs"
	"net/http"
	"strings"
)

//go:embed templates static
var files embed.FS

// templates are the pages by name, each with the layout around it.
var templates = parseTemplates("index", "list", "record", "form", "delete", "explain", "sign-in", "error")

func parseTemplates(names ...string) map[string]*template.Template {
	parsed := make(map[string]*template.Template)
	for _, name := range names {
		parsed[name] = template.Must(template.ParseFS(files, "templates/layout.html", "templates/"+name+".html"))
	}
	return parsed
}

// version changes with the content of the static files, so that browsers may keep them.
var version = versionOf(files)

func versionOf(files fs.FS) string {
	hash := sha256.New()
	for _, name := range []string{"static/style.css", "static/icon.svg"} {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			panic(err) // the file is embedded
		}
		hash.Write(text)
	}
	return hex.EncodeToString(hash.Sum(nil)[:6])
}

// ownPage returns the page of the explorer itself with the name; nil if there is none.
func (e *Explorer) ownPage(name string) *page {
	static := func(file, media string) *page {
		return &page{open: true, always: true, serve: func(v *visit) error { return v.static(file, media) }}
	}
	switch {
	case name == "style.css":
		return static(name, "text/css; charset=utf-8")
	case name == "icon.svg":
		return static(name, "image/svg+xml")
	case name == "openapi.json":
		return &page{always: true, serve: (*visit).document}
	case name == "sign-in" && e.opts.SignIn:
		return &page{open: true, form: true, serve: (*visit).signIn}
	case name == "sign-out" && e.opts.SignIn:
		return &page{open: true, form: true, serve: (*visit).signOut}
	}
	return nil
}

// static answers with an embedded file.
func (v *visit) static(file, media string) error {
	text, err := files.ReadFile("static/" + file)
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", media)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	v.w.Write(text)
	return nil
}

// document answers with the OpenAPI document of the API, which a script of a page could not request with the token.
func (v *visit) document() error {
	answer, err := v.get(v.opts.Prefix+"/openapi.json", nil)
	if err != nil {
		return err
	}
	setHeaders(v.w.Header())
	v.w.Header().Set("Content-Type", answer.header.Get("Content-Type"))
	v.w.Write(answer.body.Bytes())
	return nil
}

// link is a link in a page.
type link struct {
	Text, URL string
	Current   bool // the link leads to the page itself, or to a part of the site that has the page
}

// layout is the content of every page.
type layout struct {
	Site, Title string
	Home        string // URL of the list of resources
	Own         string // beginning of the URLs of the explorer itself
	Version     string
	Nav, Crumbs []link
	Docs        string // URL of the documentation of the API; empty for callers to whom the API denies everything
	SignIn      bool   // the page offers a form to sign in or out
	SignedIn    bool
	Page        any
}

// policy permits style sheets, images and forms of the same server, and nothing else.
const policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// setHeaders sets the headers that every page and redirect has.
func setHeaders(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", policy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Add("Vary", "Accept") // as the answers of the API; Add: middleware may have set other names
	h.Set("X-Content-Type-Options", "nosniff")
}

// render answers with a page.
func (v *visit) render(status int, name, title string, content any) error {
	l := layout{
		Site: v.opts.Title, Title: title, Home: v.opts.Prefix + "/", Own: v.opts.Prefix + "/" + ownName + "/", Version: version,
		SignIn: v.opts.SignIn, SignedIn: v.token != "", Page: content,
	}
	if v.admitted {
		l.Docs, l.Crumbs = cmp.Or(v.opts.Docs, l.Own+"openapi.json"), v.crumbs(title)
		for _, r := range v.engine.Model().Resources() {
			l.Nav = append(l.Nav, link{r.APIName(), v.resourcePath(r), r == v.resource})
		}
	}
	var b bytes.Buffer
	if err := templates[name].Execute(&b, l); err != nil {
		return err
	}
	setHeaders(v.w.Header())
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.WriteHeader(status)
	v.w.Write(b.Bytes())
	return nil
}

// crumbs returns the way to the page: the resource, the record, and the page itself.
func (v *visit) crumbs(title string) []link {
	way := []link{{Text: "Resources", URL: v.opts.Prefix + "/"}}
	if v.resource != nil {
		way = append(way, link{Text: v.resource.APIName(), URL: v.resourcePath(v.resource)})
	}
	if v.id != "" {
		way = append(way, link{Text: brief(v.id, maxLabel), URL: v.recordPath(v.resource, v.id)})
	}
	last := &way[len(way)-1]
	if v.r.URL.EscapedPath() == last.URL {
		last.Current = true
		return way
	}
	return append(way, link{Text: title, Current: true})
}

// redirect leads the browser to another page, by GET.
func (v *visit) redirect(to string) error {
	setHeaders(v.w.Header())
	v.w.Header().Set("Location", to)
	v.w.WriteHeader(http.StatusSeeOther)
	return nil
}

// fail answers with a page about the error: the form to sign in for 401.
func (v *visit) fail(err error) {
	p := problemOf(err)
	switch {
	case p.Status == http.StatusUnauthorized:
		err = v.askToSignIn(p)
	case p.Status == 0: // a failure of the explorer itself, whose reason is not for people
		v.opts.Logger.ErrorContext(v.r.Context(), "explorer: a page failed", "path", v.r.URL.Path, "error", err)
		p = &problem{Status: http.StatusInternalServerError, Message: "The page could not be made."}
		fallthrough
	default:
		title := titleOf(p.Status)
		err = v.render(p.Status, "error", title, errorPage{p.Status, title, p.Message})
	}
	if err == nil {
		return
	}
	v.opts.Logger.ErrorContext(v.r.Context(), "explorer: the page about an error failed", "path", v.r.URL.Path, "error", err)
	http.Error(v.w, "the page could not be made", http.StatusInternalServerError)
}

// errorPage is the content of the page about an error.
type errorPage struct {
	Status           int
	Heading, Message string
}

// titleOf returns the title of the page about an error.
func titleOf(status int) string {
	switch status {
	case http.StatusNotFound:
		return "Not found"
	case http.StatusForbidden:
		return "Not permitted"
	}
	if status >= http.StatusInternalServerError {
		return "The server could not do this"
	}
	return "The request was not accepted"
}

// indexPage is the content of the list of resources.
type indexPage struct{ Resources []resourceLink }

type resourceLink struct {
	Name, URL, Description string
	Relations              []string
	ReadOnly               bool
}

// index shows the resources.
func (v *visit) index() error {
	var shown indexPage
	for _, r := range v.engine.Model().Resources() {
		to := resourceLink{Name: r.APIName(), URL: v.resourcePath(r), Description: r.Description(), ReadOnly: v.engine.ReadOnly(r.APIName())}
		for _, f := range r.Fields() {
			if f.Target() != nil && !f.Hidden() {
				to.Relations = append(to.Relations, f.APIName())
			}
		}
		shown.Resources = append(shown.Resources, to)
	}
	return v.render(http.StatusOK, "index", "Resources", shown)
}

// maxLabel is the greatest number of characters of a label.
const maxLabel = 60

// brief returns the text in one line, of at most the given number of characters.
func brief(text string, most int) string {
	text = strings.Join(strings.Fields(text), " ")
	n := 0
	for i := range text {
		if n == most {
			return text[:i] + "…"
		}
		n++
	}
	return text
}
