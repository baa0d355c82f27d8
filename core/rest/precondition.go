package rest

import (
	"net/http"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// preconditions are the If-Match and If-None-Match of a request; nil for a header that the request does not have.
type preconditions struct{ match, noneMatch *tagList }

// preconditions parses the request's preconditions. It ignores If-Modified-Since and If-Unmodified-Since, because
// records have no modification date (RFC 9110, section 13.1.3).
func (x *exchange) preconditions() (c preconditions, err error) {
	if c.match, err = parseTagHeader(x.r, "If-Match"); err != nil {
		return c, err
	}
	c.noneMatch, err = parseTagHeader(x.r, "If-None-Match")
	return c, err
}

// parseTagHeader returns the tags of a header, or nil if the request does not have the header.
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

// condition returns the preconditions of a write as an [engine.Write.Match]; nil if there are none.
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

// preconditionFailed returns the error of a precondition that does not match the tag of the current record. The client
// may read that record.
func preconditionFailed(tag string) error {
	return &core.Error{Code: core.PreconditionFailed, Param: tag}
}

// check compares the preconditions with the current record.
func (c preconditions) check(h *Handler, current *engine.View) error {
	buf := newBuffer()
	defer buf.release()
	buf.b = h.appendView(buf.b, *current)
	tag := tagOf(buf.b)
	if c.match != nil && !c.match.strongMatch(tag, gzipTag(tag)) || c.noneMatch != nil && c.noneMatch.weakMatch(tag, gzipTag(tag)) {
		return preconditionFailed(tag)
	}
	return nil
}
