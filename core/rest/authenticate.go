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
