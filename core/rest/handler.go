package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// Handler serves an engine over HTTP. It is safe for concurrent use. [New]
// makes it.
type Handler struct {
	api       *engine.Engine
	opts      Options
	resources map[string]*resource
	document  []byte
	budget    byteBudget
}

var _ http.Handler = (*Handler)(nil)

// New returns a handler for all resources of the engine's model. It refuses
// settings that cannot be meant and a model with a resource that clients would
// call "openapi.json".
func New(api *engine.Engine, opts Options) (*Handler, error) {
	if api == nil {
		return nil, errors.New("rest: the engine is nil; pass the result of engine.New")
	}
	if err := opts.check(); err != nil {
		return nil, fmt.Errorf("rest: %w", err)
	}
	if r := api.Model().ResourceByAPIName(documentName); r != nil {
		return nil, fmt.Errorf("rest: resource %q has the API name %q, the path of the OpenAPI document; give it another APIName", r.Name(), documentName)
	}
	h := &Handler{api: api, opts: opts.withDefaults(api.Model()), resources: make(map[string]*resource)}
	h.budget.limit = h.opts.MaxInFlight
	for _, r := range api.Model().Resources() {
		h.resources[r.APIName()] = &resource{r.APIName(), opts.Prefix + "/" + url.PathEscape(r.APIName())}
	}
	var err error
	if h.document, err = document(api, h.opts); err != nil {
		return nil, fmt.Errorf("rest: OpenAPI document: %w", err)
	}
	return h, nil
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := exchange{h: h, w: w, r: r, reserved: reservation{budget: &h.budget}}
	defer x.reserved.releaseAll()
	defer x.recoverPanic()
	ctx, cancel := context.WithTimeout(r.Context(), h.opts.Timeout)
	defer cancel()
	if err := x.run(ctx); err != nil {
		x.fail(x.hideFromAnonymous(err))
	}
}

// exchange is one request and its answer.
type exchange struct {
	h *Handler
	w http.ResponseWriter
	r *http.Request
	target

	ctx              context.Context // of the request, with its end and its principal
	anonymousAllowed bool            // the store does not deny anonymous callers everything
	reserved         reservation     // bytes that the request holds
	wrote            bool
}

// entryBytes is what every request holds, so that none begins while others hold all
// bytes in flight, and none waits for its first bytes with a transaction open.
const requestBytes = 4 << 10

// answerFactor is how often an answer is in memory: as records, and as text.
const answerFactor = 2

func (x *exchange) run(ctx context.Context) error {
	principal, err := x.h.authenticate(ctx, x.r)
	if err != nil {
		return err
	}
	x.ctx = core.WithPrincipal(ctx, principal)
	if x.target, err = x.h.route(x.r.URL.EscapedPath()); err != nil {
		return err
	}
	serve, ok := x.endpoint.methods[x.r.Method]
	if !ok {
		return &core.Error{Code: core.MethodNotAllowed, Param: x.r.Method, Accepted: x.allow()}
	}
	if err := x.reserved.acquire(x.ctx, requestBytes); err != nil {
		return err
	}
	x.ctx = engine.WithMeter(x.ctx, func(bytes int) error { return x.reserved.tryAcquire(answerFactor * int64(bytes)) })
	return serve(x)
}
