package rest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// The paths of the OpenAPI documents below the prefix. They are no valid API names of resources.
const (
	documentName   = "openapi.json"     // version 3.1
	documentName30 = "openapi-3.0.json" // version 3.0.3
)

// batchName is the path of batches below the prefix. A segment that begins with "$" is the name of an operation; a key that
// begins so is escaped.
const batchName = "$batch"

// resource holds the names of a resource that URLs use.
type resource struct {
	name      string             // API name
	path      string             // escaped, with the prefix
	relations map[string]bool    // API names of the to-many relations with a list of their own
	actions   map[string]*action // by the last segment of their URLs: NAME, and $NAME for the whole resource
	keeps     bool               // the store keeps deleted records
}

func newResource(api *engine.Engine, r *core.Resource, prefix string) *resource {
	name := r.APIName()
	names := &resource{name, prefix + "/" + url.PathEscape(name), make(map[string]bool), make(map[string]*action), api.Keeps(name) && !r.ReadOnly()}
	for _, f := range r.Fields() {
		if engine.ToMany(f) {
			names.relations[f.APIName()] = true
		}
	}
	return names
}

// recordPath returns the escaped path of the record with the id.
func (r *resource) recordPath(id string) string { return r.path + "/" + escapeSegment(id) }

// escapeSegment escapes a segment of a path. A literal "$" at its beginning would be an operation.
func escapeSegment(text string) string {
	if rest, ok := strings.CutPrefix(text, "$"); ok {
		return "%24" + url.PathEscape(rest)
	}
	return url.PathEscape(text)
}

// relatedPath returns the escaped path of the list of related records.
func (r *resource) relatedPath(id, relation string) string {
	return r.recordPath(id) + "/" + url.PathEscape(relation)
}

// target is the endpoint, and the resource, record or relation, that the path of a request addresses.
type target struct {
	endpoint *endpoint
	resource *resource // nil for the document and for batches
	id       string    // of a record, unescaped; empty for a collection
	relation string    // API name of a to-many relation of the record; empty for the record
	action   *action   // nil for other endpoints
}

// endpoint is a kind of URL with a function for each of its methods.
type endpoint struct {
	allow       string // the methods, as in the header Allow
	acceptPatch string // the media types that PATCH accepts; empty without PATCH
	methods     map[string]func(*exchange) error
}

var (
	collectionEndpoint = endpoint{"GET, HEAD, POST, PATCH, DELETE, OPTIONS", acceptPatch, map[string]func(*exchange) error{
		http.MethodGet:     (*exchange).list,
		http.MethodHead:    (*exchange).list,
		http.MethodPost:    (*exchange).post,
		http.MethodPatch:   (*exchange).patchAll,
		http.MethodDelete:  (*exchange).deleteAll,
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
	relatedEndpoint = endpoint{allowToRead, "", map[string]func(*exchange) error{
		http.MethodGet:     (*exchange).related,
		http.MethodHead:    (*exchange).related,
		http.MethodOptions: (*exchange).allowedMethods,
	}}
	batchEndpoint = endpoint{"POST, OPTIONS", "", map[string]func(*exchange) error{
		http.MethodPost:    (*exchange).batch,
		http.MethodOptions: (*exchange).allowedMethods,
	}}
	documentEndpoint = endpoint{allowToRead, "", map[string]func(*exchange) error{
		http.MethodGet:     (*exchange).getDocument,
		http.MethodHead:    (*exchange).getDocument,
		http.MethodOptions: (*exchange).allowedMethods,
	}}
	documentEndpoint30 = endpoint{allowToRead, "", map[string]func(*exchange) error{
		http.MethodGet:     (*exchange).getDocument30,
		http.MethodHead:    (*exchange).getDocument30,
		http.MethodOptions: (*exchange).allowedMethods,
	}}
)

// route returns the target of an escaped path.
//
// Errors: [core.NoSuchURL] for a path that leads nowhere.
func (h *Handler) route(path string) (target, error) {
	switch name, _ := strings.CutPrefix(path, h.opts.Prefix+"/"); name {
	case batchName:
		return target{endpoint: &batchEndpoint}, nil
	case documentName:
		return target{endpoint: &documentEndpoint}, nil
	case documentName30:
		return target{endpoint: &documentEndpoint30}, nil
	}
	return h.routeResource(path)
}

// routeResource is route for the paths of resources. It splits the path before it unescapes the parts, so an id may contain
// an escaped slash.
func (h *Handler) routeResource(path string) (target, error) {
	rest, ok := strings.CutPrefix(path, h.opts.Prefix+"/")
	parts := strings.Split(rest, "/")
	if !ok || len(parts) > 3 || slices.Contains(parts[1:], "") {
		return target{}, noSuchURL(path)
	}
	operation := len(parts) == 2 && strings.HasPrefix(parts[1], "$")
	restores := len(parts) == 3 && parts[2] == restoreName
	for i := range parts {
		if strings.HasPrefix(parts[i], "$") && !(operation && i == 1 || restores && i == 2) { // an operation that does not exist
			return target{}, noSuchURL(path)
		}
		var err error
		if parts[i], err = url.PathUnescape(parts[i]); err != nil {
			return target{}, noSuchURL(path)
		}
	}
	r := h.resources[parts[0]]
	switch {
	case r == nil:
		return target{}, noSuchURL(path)
	case len(parts) == 1:
		return target{endpoint: &collectionEndpoint, resource: r}, nil
	case operation && parts[1] == aggregateName && h.opts.Aggregates:
		return target{endpoint: &aggregateEndpoint, resource: r}, nil
	case operation && r.actions[parts[1]] != nil:
		return target{endpoint: &actionEndpoint, resource: r, action: r.actions[parts[1]]}, nil
	case operation:
		return target{}, noSuchURL(path)
	case restores && r.keeps:
		return target{endpoint: &restoreEndpoint, resource: r, id: parts[1]}, nil
	case restores:
		return target{}, noSuchURL(path)
	case len(parts) == 2:
		return target{endpoint: &recordEndpoint, resource: r, id: parts[1]}, nil
	case r.actions[parts[2]] != nil && !r.actions[parts[2]].Whole:
		return target{endpoint: &actionEndpoint, resource: r, id: parts[1], action: r.actions[parts[2]]}, nil
	case !r.relations[parts[2]]:
		return target{}, noSuchURL(path)
	}
	return target{endpoint: &relatedEndpoint, resource: r, id: parts[1], relation: parts[2]}, nil
}

// noSuchURL returns the error for a path that leads nowhere.
func noSuchURL(path string) error { return &core.Error{Code: core.NoSuchURL, Param: path} }

// allowToRead lists the methods of a URL that accepts no writes.
const allowToRead = "GET, HEAD, OPTIONS"

// writable reports whether the target has methods that write and its resource accepts writes now. An action may write to
// other resources.
func (x *exchange) writable() bool {
	return x.endpoint.allow != allowToRead && (x.resource == nil || x.action != nil || !x.api.ReadOnly(x.resource.name))
}

// allow returns the methods that the target supports now (RFC 9110, section 10.2.1).
func (x *exchange) allow() string {
	switch {
	case x.writable():
		return x.endpoint.allow
	case !strings.HasPrefix(x.endpoint.allow, http.MethodGet):
		return http.MethodOptions
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
	x.answer(http.StatusNoContent, nil)
	return nil
}
