package rest

import (
	"math"
	"net/url"
	"strconv"
	"strings"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// params are the arguments of a URL.
type params struct {
	url.Values

	maxNesting int
}

// params reads the URL's arguments. One that cannot be decoded is an error: to
// drop a condition that somebody misspelled would answer another question.
func (x *exchange) params() (params, error) {
	p := params{maxNesting: x.h.opts.MaxNesting}
	if x.r.URL.RawQuery == "" {
		return p, nil
	}
	values, err := url.ParseQuery(x.r.URL.RawQuery)
	if err != nil {
		return p, &core.Error{Code: core.BadRequest, Message: "the query string is malformed; percent-encode names and values, and separate arguments with &"}
	}
	p.Values = values
	return p, nil
}

// one returns the value of an argument, and whether it was given.
func (p params) single(name string) (string, bool, error) {
	switch values := p.Values[name]; len(values) {
	case 0:
		return "", false, nil
	case 1:
		return values[0], true, nil
	}
	return "", false, badParam(name, "one value")
}

func badParam(param, accepted string) error {
	return &core.Error{Code: core.BadParam, Param: param, Accepted: accepted}
}

// number returns an argument that counts something.
func (p params) number(name string, fallback int) (int, error) {
	text, given, err := p.single(name)
	if err != nil || !given {
		return fallback, err
	}
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, badParam(name, "non-negative integer")
	}
	if n, err := strconv.Atoi(text); err == nil {
		return n, nil
	}
	return math.MaxInt, nil // more than anybody has
}

// depth returns the depth at which to show one record; the engine knows how
// great it may be.
func (x *exchange) depth() (int, error) {
	p, err := x.params()
	if err != nil {
		return 0, err
	}
	return p.depth()
}

func (p params) depth() (int, error) { return p.number("depth", engine.DefaultDepth) }

// query returns which records to list, but for the limit.
func (p params) query() (q engine.Query, err error) {
	if q.Depth, err = p.depth(); err != nil {
		return q, err
	}
	if q.Filter, err = p.filter(); err != nil {
		return q, err
	}
	if q.Sort, err = p.sort(); err != nil {
		return q, err
	}
	after, given, err := p.single("after")
	if err == nil && given && after == "" {
		err = badParam("after", "a cursor of the same query")
	}
	q.After = core.Cursor(after)
	return q, err
}

func (p params) filter() (map[string]any, error) {
	text, given, err := p.single("filter")
	if err != nil || !given {
		return nil, err
	}
	parsed, _ := core.ParseJSON([]byte(text), p.maxNesting)
	object, ok := parsed.(map[string]any)
	if !ok {
		return nil, badParam("filter", "JSON object")
	}
	return object, nil
}

func (p params) sort() ([]string, error) {
	text, given, err := p.single("sort")
	if err != nil || !given {
		return nil, err
	}
	var names []string
	parsed, _ := core.ParseJSON([]byte(text), p.maxNesting)
	items, ok := parsed.([]any)
	for _, item := range items {
		name, text := item.(string)
		ok = ok && text
		names = append(names, name)
	}
	if !ok {
		return nil, badParam("sort", "JSON list of field names")
	}
	return names, nil
}
