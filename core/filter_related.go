package core

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

// Relation is one step from a record to its related records. The same stored field serves both directions.
type Relation struct {
	// Stored is the field that stores the relation: a to-one relation, or a to-many relation without an Inverse, which
	// holds a list of keys.
	Stored *Field
	// Reverse means that the related records store the relation: they point at the record.
	Reverse bool
}

// Relation returns the step to the related records of a relation; false for other fields, and for a relation
// [FieldSpec.Through] a join resource, which takes two steps.
func (f *Field) Relation() (Relation, bool) {
	switch {
	case f.target == nil || f.far != nil:
		return Relation{}, false
	case f.Stored():
		return Relation{Stored: f}, true
	}
	return Relation{Stored: f.inverse, Reverse: true}, true
}

// Relations returns the steps from a record to the related records of a relation: two with [FieldSpec.Through], to the
// records of the join resource and on to their targets, and otherwise one. It returns nil for other fields.
func (f *Field) Relations() []Relation {
	if f.far != nil {
		return []Relation{{Stored: f.near, Reverse: true}, {Stored: f.far}}
	}
	if step, ok := f.Relation(); ok {
		return []Relation{step}
	}
	return nil
}

// Source returns the resource of the records that the step begins at.
func (r Relation) Source() *Resource {
	if r.Reverse {
		return r.Stored.target
	}
	return r.Stored.resource
}

// Target returns the resource of the related records.
func (r Relation) Target() *Resource {
	if r.Reverse {
		return r.Stored.resource
	}
	return r.Stored.target
}

// Back returns the step from the related records to the record.
func (r Relation) Back() Relation { return Relation{r.Stored, !r.Reverse} }

// Many reports whether a record may have several related records.
func (r Relation) Many() bool {
	return r.Stored.Many() || r.Reverse && !r.Stored.unique
}

// Joins reports whether the record to is related to the record from.
func (r Relation) Joins(from, to Record) bool {
	if r.Reverse {
		from, to = to, from
	}
	v := from.values[r.Stored.column]
	if !r.Stored.Many() {
		return v.IsSet() && v == to.Key()
	}
	keys, err := v.Elements(r.Stored.target.key.typ)
	return err == nil && slices.Contains(keys, to.Key())
}

// RelatedReader returns a record that is related to rec by the relation and matches the condition; the zero Record if
// there is none.
type RelatedReader func(rec Record, to Relation, where Filter) (Record, error)

// ErrUndecided is the error of [Filter.Match] for a filter that it cannot decide.
var ErrUndecided = errors.New("core: the condition cannot be decided on one record: it is unbound, or concerns related records")

// related is the part of a FilterRelated node beside its field.
type related struct {
	relation Relation // of a bound node
	through  *Field   // of a bound node: the list whose first step the relation is; nil for other relations
	where    Filter
	guard    Filter
	both     Filter // where and guard
	guarded  bool   // the guard has been determined
}

// Related matches records that have, through the relation with the name, at least one related record that matches all of
// where. A filter of several conditions holds for one and the same related record; two Related filters may be about two
// different ones. Not(Related(...)) means that no related record matches, Not(Related(..., Not(where))) that all
// related records match.
//
// In the Where of a caller, related records that the caller's principal cannot read do not exist. A condition of a
// policy, in [Op.Using] or [Op.Check], sees all records except the ones that an effect such as soft delete removes for
// every principal.
//
// A filter has at most 16 Related parts, at most five within one another.
func Related(relation string, where Filter) Filter {
	depth := 1
	if where.n != nil {
		depth += where.n.depth
	}
	return Filter{&node{kind: FilterRelated, name: relation, related: &related{where: where}, crosses: true, looks: where.n != nil && where.n.looks, depth: depth}}
}

// Match returns the bound condition that a related record matches where, which must be bound to the target of the
// relation. It fails closed: it returns [None] if where is not.
func (r Relation) Match(where Filter) Filter {
	if !where.Bound() || where.n != nil && r.Target().checkBound(where) != nil {
		return None()
	}
	name := r.Stored.name
	if r.Reverse {
		name = r.Stored.String() + "^"
		if r.Stored.inverse != nil {
			name = r.Stored.inverse.name
		}
	}
	return newRelated(name, related{relation: r, where: where})
}

func newRelated(name string, r related) Filter {
	r.both = And(r.where, r.guard)
	n := &node{kind: FilterRelated, name: name, related: &r, bound: true, crosses: true, depth: 1}
	if r.where.n != nil {
		n.depth += r.where.n.depth
		n.looks = r.where.n.looks
	}
	return Filter{n}
}

// Crosses reports whether the filter contains a condition on related records.
func (f Filter) Crosses() bool { return f.n != nil && f.n.crosses }

// Relation returns the relation of a bound [FilterRelated]; the zero Relation for other filters.
func (f Filter) Relation() Relation {
	if f.n == nil || f.n.related == nil {
		return Relation{}
	}
	return f.n.related.relation
}

// Where returns the condition of a [FilterRelated] on the related record. Its fields are those of the relation's
// target.
func (f Filter) Where() Filter {
	if f.n == nil || f.n.related == nil {
		return Filter{}
	}
	return f.n.related.where
}

// Guard returns the condition under which the related records of a [FilterRelated] exist for the caller. It is not part of
// the caller's condition: it is neither in [Filter.String] nor bound to the principal's rights on fields.
func (f Filter) Guard() Filter {
	if f.n == nil || f.n.related == nil {
		return Filter{}
	}
	return f.n.related.guard
}

// Fields returns the stored fields of the resource itself that a bound filter names, each once. Of a condition on
// related records this is the field that stores the relation, if the resource has it. A search of a caller names no
// fields: its guards say where it may look.
func (f Filter) Fields() []*Field {
	var fields []*Field
	f.eachField(func(field *Field) {
		if !slices.Contains(fields, field) {
			fields = append(fields, field)
		}
	})
	return fields
}

func (f Filter) eachField(yield func(*Field)) {
	switch {
	case f.n == nil:
		return
	case f.n.field != nil:
		yield(f.n.field)
	case f.n.related != nil && !f.n.related.relation.Reverse:
		yield(f.n.related.relation.Stored)
	case f.n.search != nil && !f.n.search.guarded:
		for _, in := range f.n.search.in {
			yield(in.Field)
		}
	}
	for _, part := range f.n.parts {
		part.eachField(yield)
	}
}

// comparesOrder reports whether the filter compares the field of the resource itself by order or by a part of its text.
func (f Filter) comparesOrder(field *Field) bool {
	if f.n == nil {
		return false
	}
	return f.n.field == field && !f.n.kind.TakesNull() ||
		slices.ContainsFunc(f.n.parts, func(part Filter) bool { return part.comparesOrder(field) })
}

// Bounds of the conditions on related records in one filter of a caller.
const (
	maxRelated      = 16
	maxRelatedDepth = 5
)

// checkRelated rejects an unbound filter with too many conditions on related records.
func (f Filter) checkRelated() error {
	if !f.Crosses() {
		return nil
	}
	count, depth := f.n.countRelated()
	switch {
	case depth > maxRelatedDepth:
		return &Error{Code: BadRequest, Message: "filter crosses more than five relations within one another"}
	case count > maxRelated:
		return &Error{Code: BadRequest, Message: "filter has more than 16 conditions on related records"}
	}
	return nil
}

func (n *node) countRelated() (count, depth int) {
	add := func(f Filter) {
		if f.Crosses() {
			c, d := f.n.countRelated()
			count, depth = count+c, max(depth, d)
		}
	}
	for _, part := range n.parts {
		add(part)
	}
	if n.related != nil {
		add(n.related.where)
		count, depth = count+1, depth+1
	}
	return count, depth
}

// bindRelated resolves the relation of the node against the resource, and its condition against the target.
func (r *Resource) bindRelated(n *node) (Filter, error) {
	f := r.Field(n.name)
	if f == nil {
		return Filter{}, &Error{Code: UnknownField, Resource: r.apiName, Field: n.name}
	}
	steps := f.Relations()
	if steps == nil {
		return Filter{}, &Error{Code: SearchForbidden, Resource: r.apiName, Field: f.apiName}
	}
	where, err := f.target.Bind(n.related.where)
	if err != nil {
		return Filter{}, err
	}
	first := related{relation: steps[0], where: where}
	if len(steps) == 2 {
		first.where, first.through = newRelated(f.far.name, related{relation: steps[1], where: where}), f
	}
	return newRelated(n.name, first), nil
}

// field returns the field of the source that leads to the related records, or the stored field if the source has none.
func (r *related) field() *Field {
	switch {
	case r.through != nil:
		return r.through
	case r.relation.Reverse && r.relation.Stored.inverse != nil:
		return r.relation.Stored.inverse
	}
	return r.relation.Stored
}

// Hop is one step of the path that an [Order] follows. The guard is the condition under which the related record exists
// for the caller.
type Hop struct {
	Relation Relation
	Guard    Filter

	guarded bool
}

// search is the part of a FilterSearch node.
type search struct {
	words    []string
	resource *Resource // of a bound node
	in       []SearchField
	guarded  bool // the guards have been determined
}

// SearchField is a field that a [FilterSearch] looks into, in the records that match Guard. Whether other records match
// must not depend on the field.
type SearchField struct {
	Field *Field
	Guard Filter
}

// Bounds of a search.
const (
	maxSearchWords = 16
	maxSearchBytes = 1000
)

// Search matches records that have each word of the text in one of the fields that are [FieldSpec.Searchable], as by
// [IContains]. White space separates the words. Without words, every record matches. A text has at most 16 words and 1,000
// bytes.
//
// In the Where of a caller, a word is looked for in the fields only that the caller's principal may read, of each record:
// the store asks the policies for each field by an op of kind [Visibility].
func Search(text string) Filter {
	words := strings.Fields(text)
	if len(words) == 0 {
		return All()
	}
	return Filter{&node{kind: FilterSearch, search: &search{words: words}, looks: true}}
}

// Search returns the words of a bound [FilterSearch] and the fields that it looks into. A record matches if for each word
// there is a field with a Guard that the record matches and a text that [IContains] the word. The slices are shared and
// must not be modified.
func (f Filter) Search() (words []string, in []SearchField) {
	if f.n == nil || f.n.search == nil {
		return nil, nil
	}
	return f.n.search.words, f.n.search.in
}

// bindSearch resolves the fields of a search against the resource.
func (r *Resource) bindSearch(s *search) (Filter, error) {
	bytes := 0
	for _, word := range s.words {
		if bytes += len(word); !wellFormed(TextValue(word)) {
			return Filter{}, &Error{Code: BadParam, Param: "search", Accepted: "valid UTF-8 without NUL"}
		}
	}
	switch {
	case len(s.words) > maxSearchWords || bytes > maxSearchBytes:
		return Filter{}, &Error{Code: BadParam, Param: "search", Accepted: "at most 16 words and 1000 bytes"}
	case len(r.searchable) == 0:
		return Filter{}, r.notSearchable()
	}
	bound := search{words: s.words, resource: r}
	for _, f := range r.searchable {
		bound.in = append(bound.in, SearchField{Field: f})
	}
	return newSearch(bound), nil
}

// notSearchable is the error of a search without a field to look into.
func (r *Resource) notSearchable() error {
	return &Error{Code: BadParam, Param: "search", Accepted: "no search, because " + r.apiName + " has no searchable field"}
}

func newSearch(s search) Filter {
	n := &node{kind: FilterSearch, search: &s, bound: true, looks: true}
	for _, in := range s.in {
		n.crosses = n.crosses || in.Guard.Crosses()
	}
	return Filter{n}
}

func (s *search) match(rec Record, read RelatedReader) (bool, error) {
	texts := make([]string, len(s.in)) // of the fields that the search may look into
	for i, in := range s.in {
		v := rec.values[in.Field.column]
		if !v.IsSet() {
			continue
		}
		is, err := in.Guard.Match(rec, read)
		if err != nil {
			return false, err
		}
		if is {
			texts[i] = foldCase(v.str)
		}
	}
	for _, word := range s.words {
		word = foldCase(word)
		if !slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, word) }) {
			return false, nil
		}
	}
	return true, nil
}

func (s *search) write(b *strings.Builder) {
	b.WriteString("(search")
	for _, word := range s.words {
		if s.resource == nil {
			word = "?"
		} else {
			word = strconv.Quote(word)
		}
		b.WriteString(" " + word)
	}
	b.WriteByte(')')
}
