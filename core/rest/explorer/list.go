package explorer

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/larder-go/larder/core"
)

// pageSize is the number of records of a page, unless the URL has the argument limit.
const pageSize = 25

// listPage is the content of a list.
type listPage struct {
	Heading, Description string
	URL                  string // of the list without arguments
	Problem              *problem
	Columns              []heading
	Rows                 [][]cell
	New, Explain         string // URLs of other pages; empty if they are not offered
	First, Prev, Next    string // URLs of other pages of the list
	Total, Count         string // the number of records, or the URL of the page that shows it

	Searchable bool
	Search     string
	Conditions []condition // the last one is empty, for a new condition
	Fields     []string    // that conditions can name
	Operators  any
	Filter     string // a filter that the form cannot show; empty for none
	Kept       []kept // arguments that the form repeats
	Narrowed   bool   // the list has conditions
}

// heading is the head of a column.
type heading struct {
	Name, Description string
	Sort              string // URL of the list sorted by the column; empty if it cannot be
	Order             string // "ascending" or "descending", if the list is sorted by the column
}

// kept is an argument of the URL.
type kept struct {
	Name, Value string
	Condition   bool // the argument is a field that equals the value
}

// listArguments are the arguments of a list of the API that are not names of fields.
var listArguments = []string{"after", "before", "count", "depth", "fields", "filter", "limit", "offset", "search", "sort"}

// list shows a page of records of the resource, or of the to-many relation.
func (v *visit) list() error {
	query := v.r.URL.Query()
	if query.Has("$field") {
		return v.applyConditions(query)
	}
	r := v.resource
	if v.relation != nil {
		r = v.relation.Target()
	}
	shown := listPage{
		Heading: r.APIName(), Description: r.Description(), URL: v.path(), Operators: operators,
		Searchable: len(r.Searchable()) > 0, Search: query.Get("search"),
	}
	if v.relation != nil {
		shown.Heading = v.relation.APIName() + " of " + v.resource.APIName() + " " + brief(v.id, maxLabel)
	}
	answer, cols, err := v.readPage(query, columnsOf(chosenFields(r, query), true))
	status := http.StatusOK
	switch p := problemOf(err); {
	case err == nil:
		if err := v.fillList(&shown, r, query, cols, answer); err != nil {
			return err
		}
	case p.Status == http.StatusBadRequest && len(query) > 0: // the person can correct the conditions
		shown.Problem, status = p, p.Status
	default:
		return err
	}
	v.addForm(&shown, r, query, cols)
	if shown.New, err = v.offered(core.Insert, r, v.newURL(r)); err != nil {
		return err
	}
	if v.opts.Explain != nil && v.relation == nil {
		shown.Explain = v.path() + "/$explain"
	}
	return v.render(status, "list", shown.Heading, shown)
}

// chosenFields returns the key and the fields that the argument fields names; without it, all fields that answers show.
func chosenFields(r *core.Resource, query url.Values) (fields []*core.Field) {
	if !query.Has("fields") {
		return withKey(r, shownFields(r))
	}
	for name := range strings.SplitSeq(query.Get("fields"), ",") {
		if f := r.FieldByAPIName(name); f != nil && !f.Hidden() && !slices.Contains(fields, f) {
			fields = append(fields, f)
		}
	}
	return withKey(r, fields)
}

// withKey returns the fields with the key of the resource, which every record shows.
func withKey(r *core.Resource, fields []*core.Field) []*core.Field {
	if slices.Contains(fields, r.Key()) {
		return fields
	}
	return append([]*core.Field{r.Key()}, fields...)
}

// readPage reads a page, with fewer records if the answer is too large.
func (v *visit) readPage(query url.Values, cols []column) (*recorder, []column, error) {
	query = cloneQuery(query)
	query.Del("depth")
	limit := pageSize
	if query.Has("limit") {
		n, err := strconv.Atoi(query.Get("limit"))
		if limit = n; err != nil {
			return v.read(v.path(), query, cols) // the API reports it
		}
	}
	for ; ; limit /= 5 {
		query.Set("limit", strconv.Itoa(limit))
		answer, left, err := v.read(v.path(), query, cols)
		if problemOf(err).Code != tooLarge || limit <= 1 {
			return answer, left, err
		}
	}
}

// fillList adds the records of the answer to the page.
func (v *visit) fillList(shown *listPage, r *core.Resource, query url.Values, cols []column, answer *recorder) error {
	var records []row
	if err := json.Unmarshal(answer.body.Bytes(), &records); err != nil {
		return err
	}
	for _, record := range records {
		shown.Rows = append(shown.Rows, v.cells(r, cols, record, true))
	}
	for _, c := range cols {
		shown.Columns = append(shown.Columns, v.heading(c.field, query))
	}
	for relation, cursor := range cursors(answer.header.Get("Link")) {
		to := v.with(query, cursor.name, cursor.value)
		switch relation {
		case "next":
			shown.Next = to
		case "prev":
			shown.Prev = to
		case "first":
			shown.First = to
		}
	}
	if shown.Total = answer.header.Get("X-Total-Count"); shown.Total == "" {
		shown.Count = v.with(query, "count", "true")
	}
	return nil
}

// heading returns the head of a column, with the opposite order if the list is sorted by it.
func (v *visit) heading(f *core.Field, query url.Values) heading {
	h := heading{Name: f.APIName(), Description: f.Description()}
	if f.Many() || f.Computed() != nil || !f.Ordered() {
		return h
	}
	by := f.APIName()
	switch query.Get("sort") {
	case by:
		h.Order, by = "ascending", "-"+by
	case "-" + by:
		h.Order = "descending"
	}
	h.Sort = v.with(query, "sort", by)
	return h
}

// positions are the arguments that belong to one page of a list.
var positions = []string{"after", "before", "offset", "count"}

// with returns the URL of the list with another value of an argument, at its beginning unless the argument is a cursor. An
// empty value removes the argument.
func (v *visit) with(query url.Values, name, value string) string {
	query = cloneQuery(query)
	for _, position := range positions {
		query.Del(position)
	}
	if query.Set(name, value); value == "" {
		query.Del(name)
	}
	if len(query) == 0 {
		return v.path()
	}
	return v.path() + "?" + query.Encode()
}

// cursor is the argument that leads to another page.
type cursor struct{ name, value string }

// cursors returns the cursors in a Link header of the API by relation: next, prev and first.
func cursors(header string) map[string]cursor {
	found := make(map[string]cursor)
	for part := range strings.SplitSeq(header, ", <") {
		target, rest, _ := strings.Cut(strings.TrimPrefix(part, "<"), ">")
		u, err := url.Parse(target)
		_, relation, is := strings.Cut(rest, `rel="`)
		if err != nil || !is {
			continue
		}
		at := cursor{name: "after", value: u.Query().Get("after")}
		if before := u.Query().Get("before"); before != "" {
			at = cursor{"before", before}
		}
		found[strings.TrimSuffix(relation, `"`)] = at
	}
	return found
}

// addForm adds the form with the conditions of the list.
func (v *visit) addForm(shown *listPage, r *core.Resource, query url.Values, cols []column) {
	rows, ok := conditions(query.Get("filter"))
	if !ok {
		rows, shown.Filter = nil, query.Get("filter")
	}
	for i := range rows {
		rows[i].Remove = v.with(query, "filter", filterOf(r, slices.Delete(slices.Clone(rows), i, i+1), ""))
	}
	shown.Narrowed = len(rows) > 0 || shown.Filter != "" || shown.Search != ""
	shown.Conditions = append(rows, condition{})
	for name, values := range query {
		isCondition := !slices.Contains(listArguments, name)
		if !isCondition && name != "sort" && name != "limit" && name != "fields" {
			continue
		}
		shown.Narrowed = shown.Narrowed || isCondition
		for _, value := range values {
			shown.Kept = append(shown.Kept, kept{name, value, isCondition})
		}
	}
	slices.SortFunc(shown.Kept, func(a, b kept) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value)) })
	for _, c := range cols {
		if c.field.Many() || c.field.Computed() != nil {
			continue
		}
		shown.Fields = append(shown.Fields, c.field.APIName())
		if c.label != nil {
			shown.Fields = append(shown.Fields, c.field.APIName()+"."+c.label.APIName())
		}
	}
	for _, c := range rows {
		if !slices.Contains(shown.Fields, c.Field) {
			shown.Fields = append(shown.Fields, c.Field)
		}
	}
}

// applyConditions leads from the URL that the form makes to the one of the list, with the argument filter of the API.
func (v *visit) applyConditions(query url.Values) error {
	r := v.resource
	if v.relation != nil {
		r = v.relation.Target()
	}
	filter := filterOf(r, typed(query), strings.TrimSpace(query.Get("filter")))
	if further := query.Get("filter"); strings.TrimSpace(further) != "" && !json.Valid([]byte(further)) {
		filter = further // the API reports it
	}
	for _, name := range []string{"$field", "$op", "$value"} {
		query.Del(name)
	}
	if strings.TrimSpace(query.Get("search")) == "" {
		query.Del("search")
	}
	return v.redirect(v.with(query, "filter", filter))
}

// newURL returns the URL of the form of a new record, which a list of a relation fills in with its own record.
func (v *visit) newURL(r *core.Resource) string {
	to := v.resourcePath(r) + "/$new"
	if v.relation != nil {
		if inverse := v.relation.Inverse(); inverse != nil && !inverse.Hidden() {
			to += "?" + url.Values{inverse.APIName(): {v.id}}.Encode()
		}
	}
	return to
}
