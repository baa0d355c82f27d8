package rest

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/larder-go/larder/core"
)

// documentName is the path of the OpenAPI document below the prefix.
const documentName = "openapi.json"

// resource holds the names of a resource that URLs use.
type resource struct {
	name string // API name
	path string // escaped, with the prefix
}

// recordPath returns the escaped path of the record with the key.
func (r *resource) recordPath(key core.Value) string {
	return r.path + "/" + url.PathEscape(key.String())
}

// target is the endpoint, and the resource or record, that the path of a request addresses.
type target struct {
	endpoint *endpoint
	resource *resource // nil for the document
	id       string    // of a record, unescaped; empty for a collection
}

// endpoint is a kind of URL with a function for each of its methods.
type endpoint struct {
	allow       string // the methods, as in the header Allow
	acceptPatch string // the media types that PATCH accepts; empty without PATCH
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

// route returns the target of an escaped path. It splits the path before it unescapes the parts, so an id may contain an
// escaped slash.
//
// Errors: [core.NotFound] for a path that leads nowhere.
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

// maxUnknownPath is the number of bytes of an unknown path that its error repeats.
const maxUnknownPath = 256

// unknownPath returns the error for a name or path without a resource.
func unknownPath(name string) error {
	name = strings.ToValidUTF8(name[:min(len(name), maxUnknownPath)], "\uFFFD")
	return &core.Error{
		Code: core.NotFound, Resource: "resource", Key: core.TextValue(strings.ReplaceAll(name, "\x00", "\uFFFD")),
	}
}

// allowToRead lists the methods of a URL that accepts no writes.
const allowToRead = "GET, HEAD, OPTIONS"

// writable reports whether the target has methods that write and its resource accepts writes now.
func (x *exchange) writable() bool {
	return x.resource != nil && !x.h.api.ReadOnly(x.resource.name)
}

// allow returns the methods that the target supports now (RFC 9110, section 10.2.1).
func (x *exchange) allow() string {
	if x.writable() {
		return x.endpoint.allow
	}
	return allowToRead
}

// allowedMethods answers OPTIONS.
func (x *exchange) allowedMethods() error {
	h := x.w.Header()
	h.Set("Allow", x.allow())
	if x.endpoint.acceptPatch != "" && x.writable() {
		h.Set("Accept-Patch", x.endpoint.acceptPatch)
	}
	x.finish(http.StatusNoContent, nil)
	return nil
}
