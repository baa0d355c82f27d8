package rest

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/larder-go/larder/core"
)

// documentName is the path of the OpenAPI document below the prefix.
const documentName = "openapi.json"

// resource is a resource as URLs name it.
type resource struct {
	name string // API name
	path string // escaped, with the prefix
}

// one returns the path of the record with that key.
func (r *resource) recordPath(key core.Value) string {
	return r.path + "/" + url.PathEscape(key.String())
}

// place is what the path of a request points at.
type target struct {
	endpoint *endpoint
	resource *resource // nil for the document
	id       string    // of a record
}

// endpoint is a kind of place, with what its methods do.
type endpoint struct {
	allow       string
	acceptPatch string
	methods     map[string]func(*exchange) error
}

var (
	collectionEndpoint = endpoint{"GET, HEAD, POST, OPTIONS", "", map[string]func(*exchange) error{
		http.MethodGet:     (*exchange).list,
		http.MethodHead:    (*exchange).list,
		http.MethodPost:    (*exchange).post,
		http.MethodOptions: (*exchange).allowedMethods,
	}}
	recordEndpoint = endpoint{"GET, HEAD, PUT, PATCH, DELETE, OPTIONS", acceptPatch, map[string]func(*exchange) error{
		http.MethodGet:     (*exchange).get,
		http.MethodHead:    (*exchange).get,
		http.MethodPut:     (*exchange).put,
		http.MethodPatch:   (*exchange).patch,
		http.MethodDelete:  (*exchange).delete,
		http.MethodOptions: (*exchange).allowedMethods,
	}}
	documentEndpoint = endpoint{allowToRead, "", map[string]func(*exchange) error{
		http.MethodGet:     (*exchange).getDocument,
		http.MethodHead:    (*exchange).getDocument,
		http.MethodOptions: (*exchange).allowedMethods,
	}}
)

// find returns the place that an escaped path points at. It splits before it
// unescapes, so that an id may hold a slash.
func (h *Handler) route(path string) (target, error) {
	rest, ok := strings.CutPrefix(path, h.opts.Prefix)
	rest, rooted := strings.CutPrefix(rest, "/")
	name, id, hasID := strings.Cut(rest, "/")
	if !ok || !rooted || hasID && (id == "" || strings.Contains(id, "/")) {
		return target{}, unknownPath(rest)
	}
	name, err := url.PathUnescape(name)
	switch {
	case err != nil:
		return target{}, unknownPath(rest)
	case !hasID && name == documentName:
		return target{endpoint: &documentEndpoint}, nil
	}
	r := h.resources[name]
	if r == nil {
		return target{}, unknownPath(name)
	}
	if !hasID {
		return target{endpoint: &collectionEndpoint, resource: r}, nil
	}
	if id, err = url.PathUnescape(id); err != nil {
		return target{}, unknownPath(rest)
	}
	return target{endpoint: &recordEndpoint, resource: r, id: id}, nil
}

// maxName is how many bytes of an unknown path its error repeats.
const maxUnknownPath = 256

// noPlace is the error of a name that no resource has.
func unknownPath(name string) error {
	name = strings.ToValidUTF8(name[:min(len(name), maxUnknownPath)], "\uFFFD")
	return &core.Error{
		Code: core.NotFound, Resource: "resource", Key: core.TextValue(strings.ReplaceAll(name, "\x00", "\uFFFD")),
	}
}

// allowToRead are the methods of a place that takes no writes.
const allowToRead = "GET, HEAD, OPTIONS"

// writable reports whether the place has methods that write, and its resource takes
// writes at the time.
func (x *exchange) writable() bool {
	return x.resource != nil && !x.h.api.ReadOnly(x.resource.name)
}

// allow returns the methods of the place.
func (x *exchange) allow() string {
	if x.writable() {
		return x.endpoint.allow
	}
	return allowToRead
}

// options answers which methods the place has.
func (x *exchange) allowedMethods() error {
	h := x.w.Header()
	h.Set("Allow", x.allow())
	if x.endpoint.acceptPatch != "" && x.writable() {
		h.Set("Accept-Patch", x.endpoint.acceptPatch)
	}
	x.finish(http.StatusNoContent, nil)
	return nil
}
