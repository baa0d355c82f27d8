package rest

import (
	"errors"
	"net/http"

	"github.com/larder-go/larder/core"
)

// unauthorized returns [core.Unauthorized] if the request is anonymous and the store denies anonymous callers
// everything. If the store cannot answer, it returns nil. It is for answers that need no operation on the store.
func (x *exchange) unauthorized() error {
	if err := x.anonymousError(); errors.Is(err, core.Unauthorized) {
		return err
	}
	return nil
}

// anonymousError returns the store's error for anonymous callers, if the request is anonymous. It asks the store at most
// once per request that is allowed.
func (x *exchange) anonymousError() error {
	if x.ctx == nil || x.anonymousAllowed || core.PrincipalOf(x.ctx) != nil {
		return nil
	}
	if err := x.api.Admit(x.ctx); err != nil {
		return err
	}
	x.anonymousAllowed = true
	return nil
}

// revealingHeaders are headers of errors that depend on the model or the request. A 401 must not have them.
var revealingHeaders = []string{"Accept-Encoding", "Accept-Patch", "Accept-Post"}

// hideFromAnonymous returns the error to answer with. Where the store denies anonymous callers everything, it replaces
// errors that reveal something about the model by [core.Unauthorized]. Failures of the server stay.
func (x *exchange) hideFromAnonymous(err error) error {
	status, known := statuses[core.AsError(err).Code]
	if !known || status == http.StatusUnauthorized || status >= http.StatusInternalServerError {
		return err
	}
	denied := x.unauthorized()
	if denied == nil {
		return err
	}
	for _, name := range revealingHeaders {
		x.w.Header().Del(name)
	}
	return denied
}
