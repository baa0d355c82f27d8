package rest

import (
	"errors"
	"net/http"

	"github.com/larder-go/larder/core"
)

// admit refuses nobody where the store does, before an answer that did not have to
// pass the store.
func (x *exchange) admit() error {
	if x.ctx == nil || core.PrincipalOf(x.ctx) != nil {
		return nil
	}
	if err := x.h.api.Admit(x.ctx); errors.Is(err, core.Unauthorized) {
		return err
	}
	return nil
}

// telling are headers that refusals of requests have, and that a 401 must not have
// because they depend on what there is.
var telling = []string{"Accept-Encoding", "Accept-Patch", "Accept-Post"}

// unlessNobody returns the error that the client is told: what is wrong with a
// request tells of the model, and who is nobody learns that from no store that
// refuses nobody everything. A failure of the server is one for everybody.
func (x *exchange) unlessNobody(err error) error {
	status, known := statuses[core.AsError(err).Code]
	if !known || status == http.StatusUnauthorized || status >= http.StatusInternalServerError {
		return err
	}
	refused := x.admit()
	if refused == nil {
		return err
	}
	for _, name := range telling {
		x.w.Header().Del(name)
	}
	return refused
}
