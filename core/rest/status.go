package rest

import (
	"net/http"

	"github.com/larder-go/larder/core"
)

// statuses has the HTTP status of every code that there is.
var statuses = map[core.Code]int{
	core.NotFound:             http.StatusNotFound,
	core.UnknownField:         http.StatusBadRequest,
	core.FieldReadOnly:        http.StatusBadRequest,
	core.FieldUpdateForbidden: http.StatusBadRequest,
	core.SearchForbidden:      http.StatusBadRequest,
	core.BadParam:             http.StatusBadRequest,
	core.BadFieldValue:        http.StatusBadRequest,
	core.BadRequest:           http.StatusBadRequest,
	core.Unauthorized:         http.StatusUnauthorized,
	core.Forbidden:            http.StatusForbidden,
	core.MethodNotAllowed:     http.StatusMethodNotAllowed,
	core.ReadOnly:             http.StatusMethodNotAllowed,
	core.AlreadyExists:        http.StatusConflict,
	core.PreconditionFailed:   http.StatusPreconditionFailed,
	core.TooLarge:             http.StatusRequestEntityTooLarge,
	core.UnsupportedMediaType: http.StatusUnsupportedMediaType,
	core.ServerError:          http.StatusInternalServerError,
	core.Unavailable:          http.StatusServiceUnavailable,
	core.OutcomeUnknown:       http.StatusServiceUnavailable,
}
