package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/larder-go/larder/core"
)

// Query selects the records of a list. The zero Query lists all records of the resource, as ids.
type Query struct {
	// Filter holds conditions by API name, all of which must match. A condition is a value that the field equals,
	// or an object of operators (eq, ne, lt, le, gt, ge, between, in, prefix, contains, icontains) with their values. An
	// object means operators for a JSON field too; to compare with an object, write {"eq": {...}}. null matches null.
	//
	// Package core/condition describes the language: conditions on fields, paths over to-one relations such as
	// "jar.color", $and, $or, $not, and for relations $any, $all and $none. A to-one relation is compared by its id, from
	// either side of a pair. A related record that is hidden from the principal does not exist. A field that the principal
	// may not read is [core.UnknownField], like a hidden field. A related resource that a policy denies completely is the
	// error of the policy, such as [core.Forbidden].
	Filter map[string]any
	// Equal holds further conditions by API name, which must match in addition to Filter: a field equals one of the
	// values. The values are strings, as in a URL: numbers in JSON form, true and false, and JSON for JSON and list
	// fields; the string is the value itself for any other type. It cannot express null.
	Equal map[string][]string
	// Search is a text whose words, separated by white space, each occur in at least one field that is
	// [core.FieldSpec.Searchable] and that the principal may read in this record, see [core.Search]. Every record matches
	// the empty string.
	Search string
	// Sort holds API names; a leading "-" means descending. Nulls come last ascending and first descending; equal
	// records are ordered by id. A to-one relation sorts by its id, and a path such as "jar.color" by the field of the
	// related record; both are null if there is no such record, or if it is hidden from the principal.
	Sort []string
	// Limit is the greatest number of records of the page; 0 means no limit. A page may be shorter because of
	// [Options.MaxRecords] and [Options.MaxBytes]: only an empty [List.Next] means the end of the list.
	Limit int
	// Offset is the number of records to leave out at the beginning of the list, at most 10,000. They are read, so a
	// cursor is cheaper. It cannot be used with After or Before.
	Offset int
	// After continues a list: the [List.Next] of the previous page.
	After core.Cursor
	// Before reads the page before another one: the [List.Prev] of that page. It cannot be used with After.
	Before core.Cursor
	// Count asks for [List.Count].
	Count bool
	// Scope, if not empty, replaces Filter and Search in the binding of cursors. Use it if the program builds a new Filter
	// for each page, see [core.Query.Scope].
	Scope string
	// Deleted lists the records that were deleted and that the principal may restore, see [core.Store.Deleted]. The records
	// related to them are never deleted ones.
	Deleted bool
	// Depth is the depth at which records are shown: 0 as ids, n as their fields with related records at n-1.
	Depth int
	// Fields are the API names of the fields that the records show; nil for all. A path over relations such as "jar.label"
	// shows the related records with that field, and other relations as ids; it needs a Depth of at most 1. Depth 0 and
	// Fields exclude each other.
	Fields []string
}

// List is a page of records.
type List struct {
	// Views are the records in the order of the query.
	Views []View
	// Next continues the list after this page. It is empty on the last page.
	Next core.Cursor
	// Prev leads to the page before this one, see [Query.Before]. It is empty on the first page of the list, and on a
	// page without records.
	Prev core.Cursor
	// Count is the number of records of the whole list for this principal, as of the same moment as the page; 0
	// without [Query.Count].
	Count int
}

// MaxOffset is the greatest [Query.Offset].
const MaxOffset = 10_000

// List returns a page of the records of a resource. The page has as many records as the query and the options of
// the engine allow, and at least one if any record matches. Too many records never cause an error: the page ends
// earlier, and List.Next continues it.
//
// Errors: [core.NotFound] for an unknown resource; [core.UnknownField] and [core.SearchForbidden] for fields of
// filter and sort; [core.SearchForbidden] also for an operator that the field does not have, such as prefix on a
// number; [core.BadFieldValue] for values in the filter; [core.BadParam] for limit, offset, depth, cursors, search and unknown
// operators; [core.BadRequest] for a filter with too many conditions on related records; [core.TooLarge] for a single
// record above the bounds of an answer; the errors of [core.Store.Select] and of policies.
func (e *Engine) List(ctx context.Context, resource string, q Query) (List, error) {
	info, err := e.lookup(resource)
	if err != nil {
		return List{}, err
	}
	l := lister{engine: e, info: info, query: q}
	return l.list(ctx)
}

// list returns the page of the query.
func (l *lister) list(ctx context.Context) (list List, err error) {
	if err := l.prepare(); err != nil {
		return List{}, l.hideUnreadable(ctx, err)
	}
	if l.look, err = l.engine.look(ctx, l.info, l.query.Fields, l.query.Depth); err != nil {
		return List{}, err
	}
	for {
		list, err := l.attempt(ctx)
		if !l.overBudget || l.readCount == 1 {
			return list, err
		}
		l.limit = l.readCount / 2
	}
}

// lister runs one [Query].
type lister struct {
	engine     *Engine
	info       *resourceInfo
	query      Query
	of         *membership // the records are those of a relation; nil for all records of the resource
	where      core.Filter
	order      []string // names of the model, with sign; in the opposite order for a query with Before
	limit      int      // records to read; halved after an answer over budget
	readCount  int      // records that were read
	overBudget bool     // the records did not fit with their related records
	look       look
}

// prepare does all checks that need no read.
func (l *lister) prepare() (err error) {
	if err := l.engine.checkDepth(l.query.Depth); err != nil {
		return err
	}
	where, err := l.engine.filter(l.info, l.query.Filter)
	if err != nil {
		return err
	}
	equal, err := l.engine.equalities(l.info, l.query.Equal)
	if err != nil {
		return err
	}
	l.where = core.And(where, equal, core.Search(l.query.Search))
	if l.order, err = l.engine.parseSort(l.info, l.query.Sort); err != nil {
		return err
	}
	if err := l.checkPosition(); err != nil {
		return err
	}
	if l.query.Before != "" {
		l.order = opposite(l.order, l.info.resource.Key())
	}
	if l.limit = l.engine.opts.MaxRecords; l.query.Limit != 0 {
		l.limit = min(l.limit, l.query.Limit) // the store rejects a negative limit
	}
	return err
}

// checkPosition checks the place of the page in the list.
func (l *lister) checkPosition() error {
	after, before, offset := l.query.After != "", l.query.Before != "", l.query.Offset
	switch {
	case after && before:
		return &core.Error{Code: core.BadParam, Param: "before", Accepted: "no before beside after"}
	case offset != 0 && after:
		return &core.Error{Code: core.BadParam, Param: "offset", Accepted: "no offset beside after"}
	case offset != 0 && before:
		return &core.Error{Code: core.BadParam, Param: "offset", Accepted: "no offset beside before"}
	case offset < 0:
		return &core.Error{Code: core.BadParam, Param: "offset", Accepted: "non-negative integer"}
	case offset > MaxOffset:
		return &core.Error{Code: core.BadParam, Param: "offset", Accepted: fmt.Sprintf("at most %d", MaxOffset)}
	}
	return nil
}

// opposite returns the opposite of an order. It names the key, which otherwise breaks ties in ascending order.
func opposite(order []string, key *core.Field) []string {
	reversed, named := make([]string, 0, len(order)+1), false
	for _, name := range order {
		field, descending := strings.CutPrefix(name, "-")
		if named = named || field == key.Name(); descending {
			reversed = append(reversed, field)
		} else {
			reversed = append(reversed, "-"+field)
		}
	}
	if !named {
		reversed = append(reversed, "-"+key.Name())
	}
	return reversed
}

// hideUnreadable returns the error for conditions that are invalid. If the condition names a field that the principal may
// not read, this is the error of a field that does not exist, so that the answer is independent of the values in the
// condition and of the field's type.
func (l *lister) hideUnreadable(ctx context.Context, invalid error) error {
	m, ok := errors.AsType[*mistake](invalid)
	if !ok {
		return invalid
	}
	if !l.engine.mayHide || m.probe.Kind() == core.FilterAll {
		return m.err
	}
	q := core.Query{Where: m.probe, Fields: l.info.keyOnly, Limit: 1}
	_, err := l.engine.querier().Select(ctx, l.info.resource, q)
	if errors.Is(err, core.UnknownField) {
		return err
	}
	return m.err
}

// isUnreadable reports whether a request that names the field is invalid because the principal may not read the field.
// It is false for errors that do not come from a name or a value.
func (e *Engine) isUnreadable(ctx context.Context, f *core.Field, invalid error) bool {
	switch core.AsError(invalid).Code {
	case core.UnknownField, core.BadFieldValue, core.SearchForbidden, core.BadParam:
	default:
		return false
	}
	if near, far := f.Through(); near != nil {
		return e.isUnreadable(ctx, near, invalid) || e.isUnreadable(ctx, far, invalid)
	}
	if f.Inverse() != nil && !f.Stored() {
		f = f.Inverse()
	}
	if !e.mayHide || !f.Stored() || f.Many() {
		return false
	}
	q := core.Query{Where: f.Compare(core.FilterEq, core.Null), Fields: e.info(f.Resource()).keyOnly, Limit: 1}
	_, err := e.querier().Select(ctx, f.Resource(), q)
	return errors.Is(err, core.UnknownField)
}

// attempt lists the records that fit. It uses a transaction if it needs several operations.
func (l *lister) attempt(ctx context.Context) (list List, err error) {
	l.readCount, l.overBudget = 0, false // in case run is not called
	one := l.of == nil && (l.query.Depth == 0 || l.limit <= firstChunk) && !l.query.Count && l.query.Offset == 0
	if one {
		alone, err := l.engine.needsNoReads(ctx, l.look.info, l.look.depth)
		if err != nil {
			return List{}, err
		}
		if alone {
			return l.run(ctx, l.engine.querier(), l.engine.viewBuilder(nil, neverFinal))
		}
	}
	err = l.engine.readFinal(ctx, func(ctx context.Context, tx *core.Transaction, ending finality) (err error) {
		list, err = l.run(ctx, tx, l.engine.viewBuilder(tx, ending))
		return err
	})
	return list, err
}

func (l *lister) run(ctx context.Context, querier core.Querier, b *viewBuilder) (List, error) {
	l.readCount, l.overBudget = 0, false // the transaction may run again
	if l.query.Deleted {
		querier = querier.Deleted()
	}
	q := core.Query{
		Where: l.where, Order: l.order, Limit: l.limit, After: cmp.Or(l.query.After, l.query.Before), Scope: l.scope(), Fields: l.look.info.fieldsAt(l.look.depth),
	}
	if l.of != nil {
		members, err := l.of.filter(ctx, l.engine, querier)
		if err != nil {
			return List{}, err
		}
		q.Where = core.And(members, l.where)
	}
	count := 0
	if l.query.Count {
		var err error
		if count, err = querier.Count(ctx, l.info.resource, q.Where); err != nil {
			return List{}, err
		}
	}
	if l.query.Offset > 0 {
		skipped := q
		skipped.Limit, skipped.Fields = l.query.Offset, l.info.keyOnly
		page, err := querier.Select(ctx, l.info.resource, skipped)
		if err != nil || page.Next == "" {
			return List{Count: count}, err
		}
		q.After = page.Next
	}
	c := chunkReader{info: l.look.info, querier: querier, idOnly: l.query.Depth == 0, bytes: l.engine.opts.MaxBytes}
	page, err := c.read(ctx, q)
	if err != nil {
		return List{}, l.positionError(err)
	}
	list := List{Count: count, Next: page.Next}
	if len(page.Records) > 0 && q.After != "" {
		if list.Prev, err = page.CursorBefore(0); err != nil {
			return List{}, err
		}
	}
	views, err := b.views(ctx, l.look.info, page.Records, l.look.depth)
	l.readCount, l.overBudget = len(page.Records), b.overBudget
	list.Views = views
	if l.query.Before != "" {
		slices.Reverse(list.Views)
		list.Next, list.Prev = list.Prev, list.Next
	}
	return list, err
}

// positionError returns the error with the name that the cursor has in the query.
func (l *lister) positionError(err error) error {
	if e, ok := errors.AsType[*core.Error](err); ok && e.Code == core.BadParam && e.Param == "after" && l.query.Before != "" {
		named := *e
		named.Param = "before"
		return &named
	}
	return err
}

// scope returns the text that cursors are bound to instead of the filter. The members of a stored list can change between two
// pages.
func (l *lister) scope() string {
	switch {
	case l.of == nil:
		return l.query.Scope
	case l.query.Scope != "":
		return l.of.String() + "\x00\x00" + l.query.Scope
	}
	return l.of.String() + "\x00" + l.where.String() + "\x00" + l.query.Search
}

// parseSort translates the API names of a sort.
func (e *Engine) parseSort(info *resourceInfo, names []string) ([]string, error) {
	order := make([]string, len(names))
	for i, name := range names {
		path, sign := name, ""
		if info.resource.FieldByAPIName(name) == nil && strings.HasPrefix(name, "-") {
			path, sign = name[1:], "-"
		}
		var err error
		if path, err = e.sortPath(info, path); err != nil {
			return nil, err
		}
		order[i] = sign + path
	}
	return order, nil
}

// sortPath translates a path of API names. Where a policy may hide its target, a relation at the end of the path stands for
// the id of the target, so that it is null if the target is hidden.
func (e *Engine) sortPath(info *resourceInfo, path string) (string, error) {
	name, rest, more := strings.Cut(path, ".")
	f := info.resource.FieldByAPIName(name)
	switch {
	case f == nil || f.Hidden() || more && f.Target() == nil:
		return "", info.unknownField(path)
	case more && f.Many():
		return "", searchForbidden(f)
	case more:
		rest, err := e.sortPath(e.info(f.Target()), rest)
		return f.Name() + "." + rest, err
	case f.Target() != nil && !f.Many() && (e.mayHide || !f.Stored()):
		return f.Name() + "." + f.Target().Key().Name(), nil
	}
	return f.Name(), nil
}

// unknownField is the error for a field that does not exist or is hidden.
func (info *resourceInfo) unknownField(name string) error {
	return &core.Error{Code: core.UnknownField, Resource: info.resource.APIName(), Field: name}
}

// Aggregation asks for figures about the records of a resource that match the conditions, by API names. See
// [core.Aggregation].
type Aggregation struct {
	// Filter, Equal and Search are conditions as in a [Query].
	Filter map[string]any
	Equal  map[string][]string
	Search string
	// Group holds the fields by which the records are grouped, or paths over to-one relations as in a sort. A to-one
	// relation groups by its id, which is null if the related record is hidden from the principal.
	Group []string
	// Count asks for the number of records of each group.
	Count bool
	// Sum and Avg hold int and decimal fields, Min and Max fields with an order.
	Sum, Min, Max, Avg []string
}

// Group is a group of records, with a value for each name of Group, Sum, Min, Max and Avg, in this order.
type Group struct {
	core.Group

	of *grouping
}

// grouping is an aggregation whose names are resolved.
type grouping struct {
	asked    Aggregation
	query    core.Aggregation
	keys     []*core.Field
	measured []*core.Field
}

// AppendJSON appends the group as a JSON object: {"group": {...}, "count": n, "sum": {...}, "min": {...}, "max": {...},
// "avg": {...}}, with the parts that the aggregation asks for. Sums and averages are decimals, so they are strings.
func (g Group) AppendJSON(dst []byte) []byte {
	begin := len(dst)
	part := func(name string) {
		dst = append(dst, ',', '"')
		dst = append(append(dst, name...), '"', ':')
	}
	object := func(part string, names []string, fields []*core.Field, values []core.Value) {
		for i, name := range names {
			dst = append(dst, ',')
			if i == 0 {
				dst = append(append(append(dst, '"'), part...), '"', ':', '{')
			}
			dst = append(core.TextValue(name).AppendJSON(dst), ':')
			if v := values[i]; part == "avg" {
				dst = v.AppendJSON(dst)
			} else {
				dst = fields[i].AppendJSON(dst, v)
			}
		}
		if len(names) > 0 {
			dst = append(dst, '}')
		}
	}
	object("group", g.of.asked.Group, g.of.keys, g.Key)
	if g.of.asked.Count {
		part("count")
		dst = strconv.AppendInt(dst, int64(g.Count), 10)
	}
	at := 0
	for _, m := range g.of.asked.measures() {
		n := at + len(m.names)
		object(m.part, m.names, g.of.measured[at:n], g.Values[at:n])
		at = n
	}
	dst[begin] = '{' // the first comma
	return append(dst, '}')
}

// asked are the measures of one function.
type asked struct {
	part  string
	names []string
	of    func(field string) core.Measure
}

func (a Aggregation) measures() []asked {
	return []asked{{"sum", a.Sum, core.SumOf}, {"min", a.Min, core.MinOf}, {"max", a.Max, core.MaxOf}, {"avg", a.Avg, core.AvgOf}}
}

// Aggregate returns the groups of an aggregation, ascending by the values of Group; one group without Group. A record counts if
// the principal can read it and every field that the aggregation names.
//
// Errors: [core.NotFound] for an unknown resource; [core.UnknownField] for fields that do not exist for the principal;
// [core.SearchForbidden] for a field that cannot be grouped by or lacks the function; [core.BadParam] for an aggregation that
// asks for no figure, a name that is there twice, and more than [core.MaxGroups] groups; those of [Engine.List] for the
// conditions, and of [core.Store.Aggregate].
func (e *Engine) Aggregate(ctx context.Context, resource string, a Aggregation) ([]Group, error) {
	info, err := e.lookup(resource)
	if err != nil {
		return nil, err
	}
	l := lister{engine: e, info: info, query: Query{Filter: a.Filter, Equal: a.Equal, Search: a.Search}}
	of := &grouping{asked: a}
	if err = l.prepare(); err == nil {
		of.query.Where = l.where
		err = of.resolve(e, info)
	}
	if err != nil {
		return nil, l.hideUnreadable(ctx, err)
	}
	found, err := e.querier().Aggregate(ctx, info.resource, of.query)
	groups := make([]Group, len(found))
	for i, g := range found {
		groups[i] = Group{g, of}
	}
	return groups, err
}

// resolve checks the names of the aggregation.
func (of *grouping) resolve(e *Engine, info *resourceInfo) error {
	parts := append(of.asked.measures(), asked{part: "group", names: of.asked.Group})
	for _, m := range parts {
		for i, name := range m.names {
			if slices.Contains(m.names[:i], name) {
				return &core.Error{Code: core.BadParam, Param: m.part, Accepted: "different fields"}
			}
		}
	}
	for _, name := range of.asked.Group {
		path, err := e.sortPath(info, name)
		if err != nil {
			return err
		}
		f := info.resource.FieldByAPIName(name)
		if f != nil && f.Target() == nil && !f.Groups() {
			return &mistake{searchForbidden(f), probeOf(f)}
		}
		of.query.Group, of.keys = append(of.query.Group, path), append(of.keys, fieldAt(info.resource, path))
	}
	for _, m := range of.asked.measures() {
		for _, name := range m.names {
			f := info.resource.FieldByAPIName(name)
			if f == nil || f.Hidden() {
				return info.unknownField(name)
			}
			measure := m.of(f.Name())
			if !measure.Func.Fits(f) {
				return &mistake{searchForbidden(f), probeOf(f)}
			}
			of.query.Measures, of.measured = append(of.query.Measures, measure), append(of.measured, f)
		}
	}
	if len(of.query.Measures) == 0 && !of.asked.Count {
		return &core.Error{Code: core.BadParam, Param: "count", Accepted: "at least one of count, sum, min, max and avg"}
	}
	return nil
}

// fieldAt returns the field at the end of a path of the model's names; nil if there is none.
func fieldAt(r *core.Resource, path string) *core.Field {
	for {
		name, rest, more := strings.Cut(path, ".")
		f := r.Field(path)
		if f != nil || !more || r.Field(name) == nil || r.Field(name).Target() == nil {
			return f
		}
		r, path = r.Field(name).Target(), rest
	}
}
