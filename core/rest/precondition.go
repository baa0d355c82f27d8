package rest

import (
	"net/http"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// conditions are what a request demands of the record that it meets; nil where
// it demands nothing.
type preconditions struct{ match, noneMatch *tagList }

// conditions reads the request's preconditions. Those of dates are ignored, as
// records have none (RFC 9110, section 13.1.3).
func (x *exchange) preconditions() (c preconditions, err error) {
	if c.match, err = parseTagHeader(x.r, "If-Match"); err != nil {
		return c, err
	}
	c.noneMatch, err = parseTagHeader(x.r, "If-None-Match")
	return c, err
}

func parseTagHeader(r *http.Request, header string) (*tagList, error) {
	lines, ok := r.Header[header]
	if !ok {
		return nil, nil
	}
	tags, ok := parseTags(lines)
	if !ok {
		return nil, &core.Error{Code: core.BadRequest, Message: header + ` must be "*" or a list of quoted entity tags, such as "abc", "def"`}
	}
	return tags, nil
}

// write returns the conditions of a write as the engine takes them.
func (c preconditions) condition(h *Handler) func(current *engine.View) error {
	if c.match == nil && c.noneMatch == nil {
		return nil
	}
	return func(current *engine.View) error {
		if current != nil {
			return c.check(h, current)
		}
		if c.match != nil {
			return core.PreconditionFailed
		}
		return nil
	}
}

// notMet is the error of a condition that does not hold for the record with that tag,
// which its client can read.
func preconditionFailed(tag string) error {
	return &core.Error{Code: core.PreconditionFailed, Param: tag}
}

func (c preconditions) check(h *Handler, current *engine.View) error {
	buf := newBuffer()
	defer buf.release()
	buf.b = h.appendView(buf.b, *current)
	tag := tagOf(buf.b)
	if c.match != nil && !c.match.strongMatch(tag) || c.noneMatch != nil && c.noneMatch.weakMatch(tag) {
		return preconditionFailed(tag)
	}
	return nil
}
