package explorer

import (
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// page is a kind of page.
type page struct {
	serve  func(*visit) error
	form   bool // the page has a form that is sent to its URL by POST
	open   bool // callers to whom the API denies everything get the page, too
	always bool // requests that do not accept HTML get the page, too
}

// serves reports whether the page answers requests with the method.
func (p *page) serves(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || p.form && method == http.MethodPost
}

// place is the page, and the resource, record or relation, that the path of a request addresses.
type place struct {
	page     *page
	resource *core.Resource // nil for pages about no resource
	id       string         // of a record, unescaped; empty for a collection
	relation *core.Field    // to-many relation of the record; nil for the record
}

// ownName is the first segment of the paths that belong to the explorer itself.
const ownName = "$explorer"

// pathForm is the number of segments of a path, and the operation at its end.
type pathForm struct {
	segments  int
	operation string
}

// pageOf returns the page for a form of paths; nil if there is none.
func pageOf(form pathForm) *page {
	switch form {
	case pathForm{1, ""}, pathForm{3, ""}:
		return &page{serve: (*visit).list}
	case pathForm{2, ""}:
		return &page{serve: (*visit).record}
	case pathForm{1, "$new"}:
		return &page{serve: (*visit).create, form: true}
	case pathForm{2, "$edit"}:
		return &page{serve: (*visit).edit, form: true}
	case pathForm{2, "$delete"}:
		return &page{serve: (*visit).remove, form: true}
	case pathForm{1, "$explain"}:
		return &page{serve: (*visit).explain}
	}
	return nil
}

// find returns the place of an escaped path. It reports false for paths that are left to the API: other names that begin with
// "$", and files such as openapi.json. It splits the path before it unescapes the parts, as the API does.
func (e *Explorer) find(path string) (place, bool) {
	rest, below := strings.CutPrefix(path, e.opts.Prefix+"/")
	parts := strings.Split(rest, "/")
	switch {
	case !below || strings.Contains(parts[0], "."):
		return place{}, false
	case rest == "":
		return place{page: &page{serve: (*visit).index}}, true
	case parts[0] == ownName:
		p := e.ownPage(strings.Join(parts[1:], "/"))
		return place{page: p}, p != nil
	}
	var form pathForm
	if last := parts[len(parts)-1]; strings.HasPrefix(last, "$") {
		form.operation, parts = last, parts[:len(parts)-1]
	}
	form.segments = len(parts)
	at := place{page: pageOf(form)}
	if form.operation != "" && at.page == nil {
		return place{}, false
	}
	missing := place{page: &page{serve: (*visit).missing, form: form.operation != ""}}
	for i, part := range parts {
		var err error
		if parts[i], err = url.PathUnescape(part); err != nil || parts[i] == "" || strings.HasPrefix(part, "$") {
			return missing, true
		}
	}
	if at.resource = e.engine.Model().ResourceByAPIName(parts[0]); at.resource == nil || at.page == nil {
		return missing, true
	}
	if len(parts) > 1 {
		at.id = parts[1]
	}
	if len(parts) > 2 {
		if at.relation = at.resource.FieldByAPIName(parts[2]); at.relation == nil || !engine.ToMany(at.relation) {
			return missing, true
		}
	}
	return at, true
}

// missing is the page of a path that has none. The API answers it, unless the API knows no such URL either.
func (v *visit) missing() error {
	if _, err := v.get(v.r.URL.EscapedPath(), nil); err != nil {
		return err
	}
	v.api.ServeHTTP(v.w, v.r)
	return nil
}

// acceptsHTML reports whether the request names text/html in its header Accept. A client that accepts anything gets JSON.
func acceptsHTML(r *http.Request) bool {
	for part := range strings.SplitSeq(strings.Join(r.Header["Accept"], ","), ",") {
		media, params, err := mime.ParseMediaType(part)
		if err == nil && media == "text/html" && (params["q"] == "" || strings.Trim(params["q"], "0.") != "") {
			return true
		}
	}
	return false
}

// resourcePath returns the escaped path of the resource.
func (e *Explorer) resourcePath(r *core.Resource) string {
	return e.opts.Prefix + "/" + url.PathEscape(r.APIName())
}

// recordPath returns the escaped path of a record. A literal "$" at the beginning of a segment would be an operation.
func (e *Explorer) recordPath(r *core.Resource, id string) string {
	segment := url.PathEscape(id)
	if rest, ok := strings.CutPrefix(segment, "$"); ok {
		segment = "%24" + rest
	}
	return e.resourcePath(r) + "/" + segment
}

// path returns the escaped path of the place, without an operation.
func (v *visit) path() string {
	switch {
	case v.relation != nil:
		return v.recordPath(v.resource, v.id) + "/" + url.PathEscape(v.relation.APIName())
	case v.id != "":
		return v.recordPath(v.resource, v.id)
	}
	return v.resourcePath(v.resource)
}
