package rest

import (
	"errors"
	"net/http"

	"github.com/larder-go/larder/core"
)

// admit denies an anonymous request where the store denies anonymous callers
// everything. It is for answers that do not have to pass the store, and for bodies
// before they are read. A store that cannot say permits the request.
func (x *exchange) unauthorized() error {
	if err := x.anonymousError(); errors.Is(err, core.Unauthorized) {
		return err
	}
	return nil
}

// ask returns the store's error for anonymous callers, once for each request; nil
// for a request with a principal.
func (x *exchange) anonymousError() error {
	if x.ctx == nil || x.anonymousAllowed || core.PrincipalOf(x.ctx) != nil {
		return nil
	}
	if err := x.h.api.Admit(x.ctx); err != nil {
		return err
	}
	x.anonymousAllowed = true
	return nil
}

// telling are headers that refusals of requests have, and that a 401 must not have
// because they depend on what there is.
var revealingHeaders = []string{"Accept-Encoding", "Accept-Patch", "Accept-Post"}

// unlessNobody returns the error that the client is told: what is wrong with a
// request tells of the model, and who is nobody learns that from no store that
// refuses nobody everything. A failure of the server is one for everybody.
func (x *exchange) hideFromAnonymous(err error) error {
	status, known := statuses[core.AsError(err).Code]
	if !known || status == http.StatusUnauthorized || status >= http.StatusInternalServerError {
		return err
	}
	refused := x.unauthorized()
	if refused == nil {
		return err
	}
	for _, name := range revealingHeaders {
		x.w.Header().Del(name)
	}
	return refused
}
