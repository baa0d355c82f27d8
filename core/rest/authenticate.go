package rest

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/larder-go/larder/core"
)

// bearer is the authentication scheme of RFC 6750.
const bearer = "Bearer"

// challenge returns the WWW-Authenticate of a 401. For a rejected bearer token it adds error="invalid_token" and an
// error_description (RFC 6750, section 3.1): the reason, if Authenticate gives one in printable ASCII.
func (x *exchange) challenge(reason string) string {
	challenge := x.h.opts.Challenge
	if reason == "" || strings.ContainsFunc(reason, notQuotable) {
		reason = "the token is malformed, expired, revoked or not accepted here"
	}
	rejected := `error="invalid_token", error_description="` + reason + `"`
	scheme, params, _ := strings.Cut(challenge, " ")
	given, _, _ := strings.Cut(x.r.Header.Get("Authorization"), " ")
	authenticated := x.ctx != nil
	switch {
	case authenticated || !strings.EqualFold(given, bearer) || !strings.EqualFold(scheme, bearer) || strings.Contains(params, "error="):
		return challenge
	case params == "":
		return scheme + " " + rejected
	}
	return challenge + ", " + rejected
}

// notQuotable reports whether an error_description cannot have the character (RFC 6750, section 3).
func notQuotable(c rune) bool { return c < ' ' || c > '~' || c == '"' || c == '\\' }

// authenticate returns the principal of the request; nil for an anonymous one. See [Options.Authenticate] for the
// errors.
func (h *Handler) authenticate(ctx context.Context, r *http.Request) (*core.Principal, error) {
	if h.opts.Authenticate == nil {
		return nil, nil
	}
	p, err := h.opts.Authenticate(r.WithContext(ctx))
	if err == nil {
		return p, nil
	}
	if _, own := errors.AsType[*core.Error](err); !own && core.AsError(err).Code == core.ServerError {
		return nil, &core.Error{Code: core.Unauthorized, Cause: err}
	}
	return nil, err
}

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
