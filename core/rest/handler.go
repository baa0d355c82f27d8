package rest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// Handler serves an engine over HTTP. Create one with [New]. It is safe for concurrent use.
type Handler struct {
	api       *engine.Engine
	opts      Options
	resources map[string]*resource // by API name
	actions   []*action
	documents documents
	budget    byteBudget
	// remembered counts the remembered answers, see Handler.forgetSome.
	remembered atomic.Int64
}

var _ http.Handler = (*Handler)(nil)

// New returns a handler for all resources of the engine's model. The handler does not close the engine's store.
//
// New returns an error if the engine is nil, or if options are invalid; the error names each of them.
func New(api *engine.Engine, opts Options) (*Handler, error) {
	if api == nil {
		return nil, errors.New("rest: the engine is nil; pass the result of engine.New")
	}
	if err := opts.check(); err != nil {
		return nil, fmt.Errorf("rest: %w", err)
	}
	h := &Handler{api: api, opts: opts.withDefaults(api.Model()), resources: make(map[string]*resource)}
	h.budget.limit = h.opts.MaxInFlight
	for _, r := range api.Model().Resources() {
		h.resources[r.APIName()] = newResource(api, r, opts.Prefix)
	}
	var err error
	if h.actions, err = newActions(api, opts.Actions); err != nil {
		return nil, fmt.Errorf("rest: %w", err)
	}
	for _, a := range h.actions {
		h.resources[a.Resource].actions[a.operation()] = a
	}
	return h, nil
}

// ServeHTTP answers one request. It ignores a principal that the request's context already has.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := exchange{h: h, api: h.api, w: w, r: r, reserved: reservation{budget: &h.budget}}
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
	h   *Handler
	api *engine.Engine // that of the handler, or one that is bound to the transaction of a batch
	w   http.ResponseWriter
	r   *http.Request
	target

	// ctx has the principal and the deadline of the request. It is nil until the authentication has succeeded.
	ctx context.Context
	// anonymousAllowed is true once the store has said that it does not deny anonymous callers everything.
	anonymousAllowed bool
	// reserved holds the request's bytes of the budget.
	reserved reservation
	// inBatch is the request of a batch that the exchange serves; nil for a request of its own.
	inBatch *batchRequest
	// outcome is the part of the result of a write that an answer to its repetition needs.
	outcome outcome
	// bodyHash is the hash of the body that was read.
	bodyHash [sha256.Size]byte
	// wrote is true once the status line is written.
	wrote bool
}

// requestBytes is reserved for every request before it opens a transaction. While other requests hold the whole budget,
// a new one waits here, where it holds nothing that other requests wait for.
const requestBytes = 4 << 10

// answerFactor counts the copies of an answer in memory: its records, and its JSON.
const answerFactor = 2

// run authenticates, routes and serves the request.
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
	if keys := x.r.Header[keyHeader]; keys != nil && x.writes() {
		return x.serveOnce(keys, serve)
	}
	return serve(x)
}
