package explorer

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// Options configure an [Explorer]. The zero value is for an API at "/" without authentication.
type Options struct {
	// Prefix is the path under which the API is mounted: the Prefix of its rest.Options. The pages have the same prefix.
	Prefix string
	// Title is the name of the API in pages; default the name of the model.
	Title string
	// SignIn offers a form for a bearer token where the API answers 401, and in the head of every page. Set it if the API
	// authenticates by the header Authorization with the scheme Bearer. Without it, browsers authenticate in their own
	// way, such as client certificates, Basic authentication, or a proxy that adds headers.
	SignIn bool
	// SecureCookie sets the attribute Secure of the cookie with the token also for requests without TLS. Set it behind a
	// proxy that terminates TLS.
	SecureCookie bool
	// Docs is the URL of a page about the API, such as one of package core/rest/swaggerui. The pages link it; default none.
	Docs string
	// Explain returns the decision of the program's policy about operations of the given kind on the resource:
	// [core.Select], [core.Insert], [core.Update] or [core.Delete]. fields are the stored fields that a Select filters by, or
	// that a write sets; none for the operation as such. r has the headers that the API receives from this browser, for the
	// Authenticate function of the program. nil, the default, shows no decisions.
	//
	// The decision is about the caller and must not depend on records. Its reason is shown to the caller: permit it only
	// where the rules of the policy are no secret.
	Explain func(r *http.Request, kind core.Kind, resource *core.Resource, fields ...string) (Decision, error)
	// Logger receives the failures of pages that are no answers of the API, such as errors of Explain; default [slog.Default]
	// at the time of [New].
	Logger *slog.Logger
}

// Decision is the answer of [Options.Explain].
type Decision struct {
	Allowed bool   // Allowed reports whether the caller may do this with some records.
	Reason  string // Reason is a sentence for people, such as the rules that apply.
}

// Explorer is a handler that shows pages to browsers and passes all other requests to the API. Create one with [New]. It is
// safe for concurrent use.
type Explorer struct {
	api    http.Handler
	engine *engine.Engine
	opts   Options
	guard  *http.CrossOriginProtection
}

var _ http.Handler = (*Explorer)(nil)

// New returns an explorer of the API, a rest.Handler, which may have middleware around it. The API must serve its document,
// openapi.json, to the callers that may see pages. e is the engine of the API: its model describes the resources, and pages read
// and write records through the API only.
//
// New returns an error if the API or the engine is nil, or if Prefix is no absolute path without a slash at its end.
func New(api http.Handler, e *engine.Engine, opts Options) (*Explorer, error) {
	switch {
	case api == nil || e == nil:
		return nil, errors.New("explorer: the API or the engine is nil; pass the results of rest.New and engine.New")
	case opts.Prefix != "" && (!strings.HasPrefix(opts.Prefix, "/") || strings.HasSuffix(opts.Prefix, "/")):
		return nil, fmt.Errorf("explorer: option Prefix: %q must begin with a slash and not end with one; use the Prefix of the API", opts.Prefix)
	}
	opts.Title, opts.Logger = cmp.Or(opts.Title, e.Model().Name()), cmp.Or(opts.Logger, slog.Default())
	return &Explorer{api: api, engine: e, opts: opts, guard: http.NewCrossOriginProtection()}, nil
}

// ServeHTTP answers requests for pages, and passes all others to the API.
func (e *Explorer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at, found := e.find(r.URL.EscapedPath())
	if !found || !at.page.serves(r.Method) || !at.page.always && !acceptsHTML(r) {
		e.api.ServeHTTP(w, r)
		return
	}
	v := &visit{Explorer: e, place: at, w: w, r: r, token: tokenOf(r)}
	if err := v.serve(); err != nil {
		v.fail(err)
	}
}

// maxForm is the greatest number of bytes of a form.
const maxForm = 2 << 20

// serve answers the request for a page. Every page but those of the explorer itself asks the API first whether the caller
// may use it at all, so that pages without any other request reveal no more of the model than the API does.
func (v *visit) serve() error {
	if err := v.guard.Check(v.r); err != nil {
		return &problem{Status: http.StatusForbidden, Message: "This request comes from another site. Open the page here and send its form."}
	}
	if !v.page.open {
		if err := v.admit(); err != nil {
			return err
		}
	}
	if v.r.Method == http.MethodPost {
		v.r.Body = http.MaxBytesReader(v.w, v.r.Body, maxForm)
		if err := v.r.ParseForm(); err != nil {
			return &problem{Status: http.StatusBadRequest, Message: "The form cannot be read, or it is larger than 2 MiB."}
		}
	}
	return v.page.serve(v)
}

// admit asks the API whether the caller may use it at all, by a request for its document that is answered without a body.
//
// Errors: those of [visit.send].
func (v *visit) admit() error {
	_, err := v.send(http.MethodGet, v.opts.Prefix+"/openapi.json", nil, nil, "If-None-Match", "*")
	v.admitted = err == nil
	return err
}
