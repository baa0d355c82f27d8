package rest

import (
	"errors"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// params are the arguments of a URL.
type params struct {
	url.Values

	maxNesting int
	reserved   []string // arguments of the list that are not names of fields
}

// params decodes the URL's arguments. An argument that cannot be decoded is [core.BadRequest], and an argument with a
// name that is not known is [core.BadParam].
func (x *exchange) params(known ...string) (params, error) {
	p, err := x.decodeParams()
	for _, name := range slices.Sorted(maps.Keys(p.Values)) {
		if !slices.Contains(known, name) {
			accepted := "no arguments"
			if len(known) > 0 {
				accepted = "the arguments " + strings.Join(known, ", ")
			}
			return p, badParam(validText(name), accepted)
		}
	}
	return p, err
}

// validText returns the text with replacements for bytes that a JSON string cannot hold.
func validText(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// listArguments are the arguments of lists. They win over fields with the same API name.
var listArguments = []string{"after", "before", "count", "depth", "fields", "filter", "limit", "offset", "search", "sort"}

// decodeParams decodes the URL's arguments with any names. On lists, a name outside listArguments is that of a field.
func (x *exchange) decodeParams() (params, error) {
	p := params{maxNesting: x.h.opts.MaxNesting, reserved: listArguments}
	if x.resource != nil && x.resource.keeps && x.relation == "" {
		p.reserved = append(slices.Clone(listArguments), deletedArgument)
	}
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

// single returns the value of an argument, and whether the URL has it. Several values are [core.BadParam].
func (p params) single(name string) (value string, given bool, err error) {
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

// badJSON is badParam for an argument that must have a JSON form. The text gives the reason of the error of
// [core.ParseJSON], which is nil for valid JSON of another form.
func badJSON(param, accepted string, err error) error {
	if e, ok := errors.AsType[*core.Error](err); ok {
		accepted += "; this is " + e.Message
	}
	return badParam(param, accepted)
}

// number returns the value of a numeric argument, or fallback if the URL does not have it. A number beyond int becomes
// [math.MaxInt], which is above every limit.
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
	return math.MaxInt, nil
}

// shown returns the arguments depth and fields, the only ones of the request. The engine checks them.
func (x *exchange) shown() (depth int, fields []string, err error) {
	p, err := x.params("depth", "fields")
	if err != nil {
		return 0, nil, err
	}
	return p.shown()
}

// shown returns the arguments depth and fields.
func (p params) shown() (depth int, fields []string, err error) {
	if depth, err = p.depth(); err != nil {
		return 0, nil, err
	}
	fields, err = p.names("fields")
	return depth, fields, err
}

// names returns the names of fields in an argument, which are separated by commas or the values of a repeated argument; nil if
// the URL does not have it.
func (p params) names(argument string) (names []string, err error) {
	for _, text := range p.Values[argument] {
		if text == "" {
			return nil, badParam(argument, "names of fields with commas between them")
		}
		names = append(names, strings.Split(validText(text), ",")...)
	}
	return names, nil
}

func (p params) depth() (int, error) { return p.number("depth", engine.DefaultDepth) }

// query returns the query of a list, without its limit.
func (p params) query() (q engine.Query, err error) {
	if q.Depth, err = p.depth(); err != nil {
		return q, err
	}
	if q.Fields, err = p.names("fields"); err != nil {
		return q, err
	}
	if q.Filter, err = p.filter(); err != nil {
		return q, err
	}
	q.Equal = p.equal(p.reserved)
	if slices.Contains(p.reserved, deletedArgument) {
		if q.Deleted, err = p.flag(deletedArgument); err != nil {
			return q, err
		}
	}
	if q.Search, _, err = p.single("search"); err != nil {
		return q, err
	}
	if q.Sort, err = p.sort(); err != nil {
		return q, err
	}
	if q.After, err = p.cursor("after"); err != nil {
		return q, err
	}
	if q.Before, err = p.cursor("before"); err != nil {
		return q, err
	}
	if q.Offset, err = p.number("offset", 0); err != nil {
		return q, err
	}
	q.Count, err = p.flag("count")
	return q, err
}

func (p params) cursor(name string) (core.Cursor, error) {
	text, given, err := p.single(name)
	if err == nil && given && text == "" {
		err = badParam(name, "a cursor of the same query")
	}
	return core.Cursor(text), err
}

// flag returns the value of an argument that is true or false; false if the URL does not have it.
func (p params) flag(name string) (bool, error) {
	text, given, err := p.single(name)
	if err == nil && given && text != "true" && text != "false" {
		err = badParam(name, "true or false")
	}
	return text == "true", err
}

func (p params) filter() (map[string]any, error) {
	text, given, err := p.single("filter")
	if err != nil || !given {
		return nil, err
	}
	parsed, err := core.ParseJSON([]byte(text), p.maxNesting)
	object, ok := parsed.(map[string]any)
	if !ok {
		return nil, badJSON("filter", "JSON object", err)
	}
	return object, nil
}

// equal returns the arguments that are conditions on fields, all but the reserved ones: the field equals one of the values.
func (p params) equal(reserved []string) map[string][]string {
	var equal map[string][]string
	for name, values := range p.Values {
		if slices.Contains(reserved, name) {
			continue
		}
		if equal == nil {
			equal = make(map[string][]string)
		}
		equal[validText(name)] = values
	}
	return equal
}

// sort returns the names of the argument, as names does, or those of a JSON list.
func (p params) sort() (names []string, err error) {
	const accepted = "names of fields with commas between them, or a JSON list of them"
	text := p.Get("sort")
	if !strings.HasPrefix(text, "[") {
		return p.names("sort")
	}
	if _, _, err := p.single("sort"); err != nil {
		return nil, err
	}
	parsed, err := core.ParseJSON([]byte(text), p.maxNesting)
	items, ok := parsed.([]any)
	for _, item := range items {
		name, isString := item.(string)
		ok = ok && isString
		names = append(names, name)
	}
	if !ok {
		return nil, badJSON("sort", accepted, err)
	}
	return names, nil
}
