package explorer

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// column is a field that a page shows.
type column struct {
	field *core.Field
	label *core.Field // of the related records; nil for ids alone, and for other fields
}

// names returns the names of the column in the argument fields of the API: with a label, the ones of the related id and label.
func (c column) names() string {
	name := c.field.APIName()
	if c.label != nil {
		return name + "." + c.field.Target().Key().APIName() + "," + name + "." + c.label.APIName()
	}
	return name
}

// shownBy returns the argument fields of the API for the columns. An entity tag belongs to it.
func shownBy(cols []column) url.Values {
	names := make([]string, len(cols))
	for i, c := range cols {
		names[i] = c.names()
	}
	return url.Values{"fields": {strings.Join(names, ",")}}
}

// maxColumns is the greatest number of fields that a page shows. The API accepts twice as many names.
const maxColumns = 100

// columnsOf returns columns for the fields, at most maxColumns. With labels, relations show the labels of the related records.
func columnsOf(fields []*core.Field, labels bool) []column {
	var cols []column
	for _, f := range fields[:min(len(fields), maxColumns)] {
		c := column{field: f}
		if labels && f.Target() != nil {
			c.label = labelOf(f.Target())
		}
		cols = append(cols, c)
	}
	return cols
}

// labelOf returns the field that describes a record to people: the first text that is not one of a few values; nil if there
// is none.
func labelOf(r *core.Resource) *core.Field {
	for _, f := range shownFields(r) {
		if f.Type() == core.Text && f.Target() == nil && f.Computed() == nil && !f.Key() && !f.KeyPart() &&
			f.OneOf() == nil && f.Spec().Transitions == nil {
			return f
		}
	}
	return nil
}

// shownFields returns the fields of a resource that answers show.
func shownFields(r *core.Resource) (fields []*core.Field) {
	for _, f := range r.Fields() {
		if !f.Hidden() && !f.OnDemand() {
			fields = append(fields, f)
		}
	}
	return fields
}

// read sends a GET for the columns. Columns that the caller can read in no record are left out of the request and of the
// result.
//
// Errors: those of [visit.send].
func (v *visit) read(path string, query url.Values, cols []column) (*recorder, []column, error) {
	query = cloneQuery(query)
	for {
		query["fields"] = shownBy(cols)["fields"]
		answer, err := v.get(path, query)
		if err == nil {
			return answer, cols, nil
		}
		left := withoutUnreadable(cols, problemOf(err))
		if left == nil {
			return nil, cols, err
		}
		cols = left
	}
}

// withoutUnreadable returns the columns without the field that the error is about; nil if the error is about none of them. An
// error about rights can concern a resource whose labels the columns show, so the columns lose all labels.
func withoutUnreadable(cols []column, p *problem) []column {
	labelled := func(c column) bool { return c.label != nil }
	left := slices.Clone(cols)
	switch {
	case p.Code == string(core.UnknownField):
		for i, c := range left {
			switch {
			case c.label != nil && about(p, c.label):
				left[i].label = nil
				return left
			case about(p, c.field) && len(left) > 1:
				return slices.Delete(left, i, i+1)
			}
		}
	case (p.Status == http.StatusForbidden || p.Status == http.StatusUnauthorized) && slices.ContainsFunc(left, labelled):
		for i := range left {
			left[i].label = nil
		}
		return left
	}
	return nil
}

// about reports whether the error names the field.
func about(p *problem, f *core.Field) bool {
	return p.Details.Field == f.APIName() && p.Details.Object == f.Resource().APIName()
}

// cloneQuery returns a copy of the arguments; an empty one for none.
func cloneQuery(query url.Values) url.Values {
	clone := make(url.Values, len(query)+1)
	maps.Copy(clone, query)
	return clone
}

// row is a record of an answer: its members by name, as JSON.
type row map[string]json.RawMessage

// id returns the id of a record of the resource.
func (m row) id(r *core.Resource) string { return plain(m[r.Key().APIName()]) }

// plain returns a JSON string as its text, null as nothing, and any other value as JSON.
func plain(raw json.RawMessage) string {
	var text string
	if len(raw) == 0 || string(raw) == "null" {
		return ""
	}
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}

// cell is a value in a page.
type cell struct {
	Name, Description string
	Text              string
	Kind              string // "text", "number", "code" for JSON, "links", or "" for null
	Links             []link // related records
	All               string // URL of the list of related records, for a to-many relation
}

// wideText is the number of characters from which on a value needs a wide column in a table.
const wideText = 16

// Wide reports whether the value needs a wide column in a table.
func (c cell) Wide() bool { return utf8.RuneCountInString(c.Text) > wideText }

// cells returns the values of the columns in a record of the resource. Short ones fit into a table.
func (v *visit) cells(r *core.Resource, cols []column, record row, short bool) []cell {
	shown := make([]cell, len(cols))
	for i, c := range cols {
		shown[i] = v.cell(c, record, v.recordPath(r, record.id(r)), short)
	}
	return shown
}

// cell returns the value of the column in the record at the path.
func (v *visit) cell(c column, record row, path string, short bool) cell {
	f, raw := c.field, record[c.field.APIName()]
	shown := cell{Name: f.APIName(), Description: f.Description(), Text: plain(raw), Kind: "text"}
	switch {
	case f.Target() != nil:
		shown.Kind, shown.Text = "links", ""
		v.addLinks(&shown, c, raw, short)
		if engine.ToMany(f) {
			shown.All = path + "/" + url.PathEscape(f.APIName())
		}
		return shown
	case shown.Text == "":
		shown.Kind = ""
	case f.Key():
		shown.Kind, shown.Links, shown.Text = "links", []link{{Text: brief(shown.Text, maxLabel), URL: path}}, ""
		return shown
	case f.Type() == core.Int || f.Type() == core.Float || f.Type() == core.Decimal:
		shown.Kind = "number"
	case f.Type() == core.JSON || f.Type() == core.List:
		shown.Kind, shown.Text = "code", indented(raw)
	}
	if short {
		shown.Text = brief(shown.Text, maxCell)
	}
	return shown
}

const (
	maxCell       = 120 // characters of a value in a table
	maxShortLinks = 3   // related records in a table
	maxLinks      = 50  // related records in the page of a record
)

// addLinks adds links to the related records in raw: an id, a record with a label, or a list of them.
func (v *visit) addLinks(shown *cell, c column, raw json.RawMessage, short bool) {
	target, most := c.field.Target(), maxLinks
	if short {
		most = maxShortLinks
	}
	var related []json.RawMessage
	if c.field.Many() {
		if json.Unmarshal(raw, &related) != nil {
			return
		}
	} else if len(raw) > 0 && string(raw) != "null" {
		related = []json.RawMessage{raw}
	}
	for _, one := range related[:min(len(related), most)] {
		id, label := plain(one), ""
		if record := (row)(nil); json.Unmarshal(one, &record) == nil && record != nil {
			id = record.id(target)
			if c.label != nil {
				label = plain(record[c.label.APIName()])
			}
		}
		text := labelled(id, label)
		if short && label != "" {
			text = brief(label, maxLabel)
		}
		shown.Links = append(shown.Links, link{Text: text, URL: v.recordPath(target, id)})
	}
	if len(related) > most {
		shown.Text = "…"
	}
}

// labelled returns the text of a link to a record.
func labelled(id, label string) string {
	if label == "" {
		return brief(id, maxLabel)
	}
	return brief(label, maxLabel) + " (" + brief(id, maxLabel) + ")"
}

// maxIndented is the length of the longest JSON that is indented. Deep lists may grow to a multiple of their length.
const maxIndented = 4 << 10

// indented returns JSON over several lines, or in one line if it is long.
func indented(raw json.RawMessage) string {
	var b bytes.Buffer
	if len(raw) > maxIndented || json.Indent(&b, raw, "", "  ") != nil {
		return string(raw)
	}
	return b.String()
}
