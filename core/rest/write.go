package rest

import (
	"net/http"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// post creates a record from an object, or records from a list.
func (x *exchange) post() error {
	depth, err := x.depth()
	if err != nil {
		return err
	}
	body, err := x.readBody()
	if err != nil {
		return err
	}
	bodies, many, err := bodyObjects(body)
	if err != nil {
		return err
	}
	views, err := x.h.api.Create(x.ctx, x.resource.name, engine.Write{Depth: depth}, bodies...)
	switch {
	case err != nil && many && len(bodies) == 1:
		return withFirstElement(err)
	case err != nil:
		return err
	case many:
		x.answerList(http.StatusCreated, views)
	default:
		x.answerCreated(views[0])
	}
	return nil
}

// patch changes the fields that the body names. A merge patch also merges into JSON fields.
func (x *exchange) patch() error {
	w, body, err := x.writeRequest()
	if err != nil {
		return err
	}
	w.Merge = mediaType(x.r.Header["Content-Type"]) == mergePatch
	view, err := x.h.api.Update(x.ctx, x.resource.name, x.id, w, body)
	if err != nil {
		return err
	}
	x.answerOne(http.StatusOK, view)
	return nil
}

// put replaces the record, or creates it.
func (x *exchange) put() error {
	w, body, err := x.writeRequest()
	if err != nil {
		return err
	}
	view, created, err := x.h.api.Replace(x.ctx, x.resource.name, x.id, w, body)
	switch {
	case err != nil:
		return err
	case created:
		x.answerCreated(view)
	default:
		x.answerOne(http.StatusOK, view)
	}
	return nil
}

// delete deletes the record.
func (x *exchange) delete() error {
	w, err := x.writeOptions()
	if err != nil {
		return err
	}
	if err := x.h.api.Delete(x.ctx, x.resource.name, x.id, w); err != nil {
		return err
	}
	x.answer(http.StatusOK, []byte("null"))
	return nil
}

// writeRequest reads the arguments, the preconditions and the body of a PATCH or PUT.
func (x *exchange) writeRequest() (w engine.Write, body map[string]any, err error) {
	if w, err = x.writeOptions(); err != nil {
		return w, nil, err
	}
	parsed, err := x.readBody()
	if err != nil {
		return w, nil, err
	}
	body, ok := parsed.(map[string]any)
	if !ok {
		return w, nil, &core.Error{Code: core.BadRequest, Message: "the body must be a JSON object"}
	}
	return w, body, nil
}

// writeOptions reads the arguments and the preconditions of a write to the record of the URL.
func (x *exchange) writeOptions() (w engine.Write, err error) {
	if w.Depth, err = x.depth(); err != nil {
		return w, err
	}
	c, err := x.preconditions()
	if err != nil {
		return w, err
	}
	creates := x.r.Method == http.MethodPut && c.noneMatch != nil && c.noneMatch.any
	if x.h.opts.RequireIfMatch && c.match == nil && !creates {
		return w, &core.Error{Code: core.PreconditionRequired, Param: "If-Match"}
	}
	w.Match = c.condition(x.h)
	return w, nil
}

// withFirstElement returns the error of a list of one element with the position of that element. The engine sets
// positions only in lists of several elements.
func withFirstElement(err error) error {
	e := *core.AsError(err)
	if statuses[e.Code] >= http.StatusInternalServerError {
		return err
	}
	e.Element = 1
	return &e
}

// bodyObjects returns the objects of a body, and whether the body is a list.
func bodyObjects(body any) (bodies []map[string]any, many bool, err error) {
	items, many := body.([]any)
	if !many {
		items = []any{body}
	}
	bodies = make([]map[string]any, len(items))
	for i, item := range items {
		var ok bool
		if bodies[i], ok = item.(map[string]any); !ok {
			err := &core.Error{Code: core.BadRequest, Message: "the body must be a JSON object or a list of JSON objects"}
			if many {
				err.Element = i + 1
			}
			return nil, many, err
		}
	}
	return bodies, many, nil
}
