package rest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// post creates a record from an object, or records from a list.
func (x *exchange) post() error {
	write := engine.Write{Minimal: x.prefersMinimal()}
	var err error
	if write.Depth, write.Fields, err = x.shown(); err != nil {
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
	views, err := x.api.Create(x.ctx, x.resource.name, write, bodies...)
	switch {
	case err != nil && many && len(bodies) == 1:
		return withFirstElement(err)
	case err != nil:
		return err
	}
	for _, view := range views {
		x.outcome.IDs = append(x.outcome.IDs, view.Key().String())
	}
	switch {
	case write.Minimal && many:
		x.answerMinimal(http.StatusCreated)
	case many:
		x.answerList(http.StatusCreated, views)
	default:
		x.answerCreated(views[0], write.Minimal)
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
	view, err := x.api.Update(x.ctx, x.resource.name, x.id, w, body)
	switch {
	case err != nil:
		return err
	case w.Minimal:
		x.answerMinimal(http.StatusNoContent)
	default:
		x.answerOne(http.StatusOK, view)
	}
	return nil
}

// put replaces the record, or creates it.
func (x *exchange) put() error {
	w, body, err := x.writeRequest()
	if err != nil {
		return err
	}
	view, created, err := x.api.Replace(x.ctx, x.resource.name, x.id, w, body)
	switch {
	case err != nil:
		return err
	case created:
		x.answerCreated(view, w.Minimal)
	case w.Minimal:
		x.answerMinimal(http.StatusNoContent)
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
	if err := x.api.Delete(x.ctx, x.resource.name, x.id, w); err != nil {
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
	w.Minimal = x.prefersMinimal()
	body, err = x.readObject()
	return w, body, err
}

// readObject reads a body that must be an object.
func (x *exchange) readObject() (map[string]any, error) {
	parsed, err := x.readBody()
	if err != nil {
		return nil, err
	}
	body, ok := parsed.(map[string]any)
	if !ok {
		return nil, &core.Error{Code: core.BadRequest, Message: "the body must be a JSON object"}
	}
	return body, nil
}

// prefersMinimal reports whether the client prefers an answer without the record (RFC 7240, section 4.2).
func (x *exchange) prefersMinimal() bool {
	for _, line := range x.r.Header["Prefer"] {
		for item := range strings.SplitSeq(line, ",") {
			preference, _, _ := strings.Cut(item, ";")
			name, value, _ := strings.Cut(preference, "=")
			if strings.EqualFold(strings.TrimSpace(name), "return") { // the first one counts
				return strings.EqualFold(strings.Trim(value, " \t\""), "minimal")
			}
		}
	}
	return false
}

// patchAll makes the same change of all records that match.
func (x *exchange) patchAll() error {
	b, err := x.bulk()
	if err != nil {
		return err
	}
	b.Merge = mediaType(x.r.Header["Content-Type"]) == mergePatch
	body, err := x.readObject()
	if err != nil {
		return err
	}
	return x.answerCount(x.api.UpdateAll(x.ctx, x.resource.name, b, body))
}

// deleteAll deletes all records that match.
func (x *exchange) deleteAll() error {
	b, err := x.bulk()
	if err != nil {
		return err
	}
	return x.answerCount(x.api.DeleteAll(x.ctx, x.resource.name, b))
}

// bulkArguments are the arguments of a change of many records that are not names of fields.
var bulkArguments = []string{"dry", "filter", "max"}

// bulk reads the arguments of a change of many records. filter and max must be given, so that no client changes all
// records because it left out an argument.
func (x *exchange) bulk() (b engine.Bulk, err error) {
	p, err := x.decodeParams()
	if err != nil {
		return b, err
	}
	if _, given := p.Values["filter"]; !given {
		return b, badParam("filter", "JSON object; it must be given, and {} means all records")
	}
	if _, given := p.Values["max"]; !given {
		return b, badParam("max", "positive integer; it must be given, and bounds the number of records")
	}
	for _, name := range p.reserved {
		if _, given := p.Values[name]; given && name != "filter" {
			return b, badParam(name, "no argument of a list but filter and names of fields")
		}
	}
	if b.Filter, err = p.filter(); err != nil {
		return b, err
	}
	b.Equal = p.equal(bulkArguments)
	if b.Max, err = p.number("max", 0); err != nil {
		return b, err
	}
	b.Dry, err = p.flag("dry")
	return b, err
}

// answerCount answers with the number of changed records.
func (x *exchange) answerCount(count int, err error) error {
	if err != nil {
		return err
	}
	x.outcome.Count = count
	x.answer(http.StatusOK, []byte(`{"count":`+strconv.Itoa(count)+`}`))
	return nil
}

// writeOptions reads the arguments and the preconditions of a write to the record of the URL.
func (x *exchange) writeOptions() (w engine.Write, err error) {
	if w.Depth, w.Fields, err = x.shown(); err != nil {
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
	switch {
	case statuses[e.Code] >= http.StatusInternalServerError:
		return err
	case e.Code == core.ValidationFailed:
		e.Violations = slices.Clone(e.Violations)
		for i := range e.Violations {
			e.Violations[i].Path = slices.Concat([]any{0}, e.Violations[i].Path)
		}
	default:
		e.Element = 1
	}
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
