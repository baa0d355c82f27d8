package rest

import (
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// get answers with one record.
func (x *exchange) get() error {
	view, err := x.read()
	if err != nil {
		return err
	}
	buf := newBuffer()
	defer buf.release()
	buf.b = x.h.appendView(buf.b, view)
	return x.answerConditionally(buf.b)
}

// read returns the record of the URL, or the deleted one.
func (x *exchange) read() (engine.View, error) {
	known, get := []string{"depth", "fields"}, x.api.Get
	if x.resource.keeps {
		known = append(known, deletedArgument)
	}
	p, err := x.params(known...)
	if err != nil {
		return engine.View{}, err
	}
	depth, fields, err := p.shown()
	if err != nil {
		return engine.View{}, err
	}
	deleted, err := p.flag(deletedArgument)
	if err != nil {
		return engine.View{}, err
	}
	if deleted {
		get = x.api.GetDeleted
	}
	return get(x.ctx, x.resource.name, x.id, depth, fields...)
}

// answerConditionally answers a read after its preconditions, in the order of RFC 9110, section 13.2.2.
func (x *exchange) answerConditionally(body []byte) error {
	c, err := x.preconditions()
	if err != nil {
		return err
	}
	tag := tagOf(body)
	if c.match != nil && !c.match.strongMatch(tag, gzipTag(tag)) {
		return preconditionFailed(tag)
	}
	for _, current := range x.acceptableTags(tag, body) {
		if c.noneMatch != nil && c.noneMatch.weakMatch(current) {
			x.w.Header().Set("ETag", current)
			x.answer(http.StatusNotModified, nil)
			return nil
		}
	}
	x.w.Header().Set("ETag", tag)
	x.answer(http.StatusOK, body)
	return nil
}

// list answers with a page of records.
func (x *exchange) list() error {
	return x.answerPage(func(q engine.Query) (engine.List, error) { return x.api.List(x.ctx, x.resource.name, q) })
}

// related answers with a page of the records of a to-many relation.
func (x *exchange) related() error {
	return x.answerPage(func(q engine.Query) (engine.List, error) {
		found, err := x.api.Related(x.ctx, x.resource.name, x.id, x.relation, q)
		if e := core.AsError(err); e != nil && e.Code == core.UnknownField && e.Resource == x.resource.name && e.Field == x.relation {
			err = noSuchURL(x.r.URL.EscapedPath()) // the principal may not read the relation
		}
		return found, err
	})
}

// answerPage answers with the page that read returns for the query of the request.
func (x *exchange) answerPage(read func(engine.Query) (engine.List, error)) error {
	p, err := x.decodeParams()
	if err != nil {
		return err
	}
	q, err := p.query()
	if err != nil {
		return err
	}
	limit, err := x.limit(p)
	if err != nil {
		return err
	}
	q.Limit = max(limit, 1) // with limit=0 the query is checked, and its records are dropped below
	found, err := read(q)
	if err != nil {
		return err
	}
	if limit == 0 {
		found.Views, found.Next, found.Prev = nil, "", ""
	}
	if q.Count {
		x.w.Header().Set("X-Total-Count", strconv.Itoa(found.Count))
	}
	if links := x.links(p, found); links != "" {
		x.w.Header().Set("Link", links)
	}
	x.answerList(http.StatusOK, found.Views)
	return nil
}

// appendView appends the JSON of a record.
func (h *Handler) appendView(dst []byte, view engine.View) []byte {
	return view.AppendLinked(dst, h.membersURL)
}

// membersURL returns the URL of the list that continues the list side of a relation, at the same depth.
func (h *Handler) membersURL(m engine.More) string {
	args := url.Values{"depth": {strconv.Itoa(m.Depth)}}
	if m.After != "" {
		args.Set("after", string(m.After))
	}
	if m.Fields != nil {
		args.Set("fields", strings.Join(m.Fields, ","))
	}
	r := h.resources[m.Field.Resource().APIName()]
	return r.relatedPath(m.Owner.String(), m.Field.APIName()) + "?" + args.Encode()
}

// limit returns the greatest number of records that the page may have.
func (x *exchange) limit(p params) (int, error) {
	limit, err := p.number("limit", x.h.opts.PageSize)
	if most := x.h.opts.MaxPageSize; err == nil && limit > most {
		err = badParam("limit", "at most "+strconv.Itoa(most))
	}
	return limit, err
}

// links returns the Link to the next, the previous and the first page (RFC 8288): the arguments of this request, with
// another cursor. There is no previous and no first page where the list begins with this one.
func (x *exchange) links(p params, page engine.List) string {
	path := x.resource.path
	if x.relation != "" {
		path = x.resource.relatedPath(x.id, x.relation)
	}
	args := url.Values{}
	maps.Copy(args, p.Values)
	for _, name := range []string{"after", "before", "offset"} {
		args.Del(name)
	}
	link := func(relation, argument string, at core.Cursor) string {
		if at != "" {
			args.Set(argument, string(at))
			defer args.Del(argument)
		}
		return "<" + path + "?" + args.Encode() + `>; rel="` + relation + `"`
	}
	var links []string
	if page.Next != "" {
		links = append(links, link("next", "after", page.Next))
	}
	if page.Prev != "" {
		links = append(links, link("prev", "before", page.Prev), link("first", "", ""))
	}
	return strings.Join(links, ", ")
}
