package rest

import (
	"net/http"

	"github.com/larder-go/larder/core"
)

// restoreName is the segment of a path that restores a deleted record, where the store keeps deleted records of the resource.
const restoreName = "$restore"

// deletedArgument is the argument of a GET of such a resource for its deleted records. It wins over a field of that name.
const deletedArgument = "deleted"

var restoreEndpoint = endpoint{"POST, OPTIONS", "", map[string]func(*exchange) error{
	http.MethodPost:    (*exchange).restore,
	http.MethodOptions: (*exchange).allowedMethods,
}}

// restore restores the deleted record. Its body is an empty object, so that it has a content type and no other site can send the
// request from a browser without a CORS preflight.
func (x *exchange) restore() error {
	w, err := x.writeOptions()
	if err != nil {
		return err
	}
	w.Minimal = x.prefersMinimal()
	body, err := x.readObject()
	if err != nil {
		return err
	}
	if len(body) > 0 {
		return &core.Error{Code: core.BadRequest, Message: "a restore sets no fields; send the body {}"}
	}
	view, err := x.api.Restore(x.ctx, x.resource.name, x.id, w)
	if err != nil {
		return err
	}
	x.outcome.IDs = []string{view.Key().String()}
	if w.Minimal {
		x.answerMinimal(http.StatusNoContent)
	} else {
		x.answerOne(http.StatusOK, view)
	}
	return nil
}

// restorePath describes the URL that restores a record.
func (n schemaNames) restorePath(r *core.Resource, opts Options) object {
	failures := writeFailures(http.StatusPreconditionFailed, http.StatusUnsupportedMediaType)
	if opts.RequireIfMatch {
		failures = append(failures, http.StatusPreconditionRequired)
	}
	return object{
		"parameters": []any{idParameter(r)},
		"post": n.operation("restore_"+n.nameOf(r), r, object{
			"summary":     "Restore a deleted record of " + r.APIName(),
			"description": "Makes a deleted record present again, with the records that were deleted together with it.",
			"parameters":  append(n.shown(r), parameterRefs("If-Match", "If-None-Match")...),
			"requestBody": bodyOf(object{"type": "object", "additionalProperties": false}, object{}, plainJSON),
			"responses":   responses(object{"200": response("The restored record.", n.answer(r, n.depth), "ETag")}, failures...),
		}),
	}
}

// deletedParameter describes the argument for deleted records, if the store keeps those of the resource.
func (n schemaNames) deletedParameter(r *core.Resource) []any {
	if !n.api.Keeps(r.APIName()) {
		return nil
	}
	return parameterRefs(deletedArgument)
}
