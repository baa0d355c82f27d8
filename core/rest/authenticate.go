package rest

import (
	"context"
	"errors"
	"net/http"

	"github.com/larder-go/larder/core"
)

// authenticate returns who the request runs for.
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
