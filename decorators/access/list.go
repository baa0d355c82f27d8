package access

import "github.com/larder-go/larder/core"

// list is a field list on the columns of a resource; nil stands for all of them.
// The key is on every list.
type list struct {
	has    []bool // by column
	fields []*core.Field
}

func newList(r *core.Resource, has []bool) *list {
	has[r.Key().Column()] = true
	l := &list{has: has}
	for i, f := range r.Columns() {
		if has[i] {
			l.fields = append(l.fields, f)
		}
	}
	return l
}

func (l *list) allows(f *core.Field) bool { return l == nil || l.has[f.Column()] }

// cut returns the record without the columns that are not on the list.
func (l *list) cut(rec core.Record) core.Record {
	if l == nil {
		return rec
	}
	for i, has := range l.has {
		if !has && !rec.At(i).IsAbsent() {
			return rec.Project(l.fields)
		}
	}
	return rec
}

// narrow returns those of the fields that are on the list; nil, which stands for
// all, is all that are.
func (l *list) narrow(fields []*core.Field) []*core.Field {
	if l == nil {
		return fields
	}
	if fields == nil {
		return l.fields
	}
	for i, f := range fields {
		if !l.allows(f) {
			return l.pick(fields, i)
		}
	}
	return fields
}

// pick copies those of the fields that are on the list, the first n of which are;
// at least the key, so that there are some.
func (l *list) pick(fields []*core.Field, n int) []*core.Field {
	kept := append(make([]*core.Field, 0, len(fields)), fields[:n]...)
	for _, f := range fields[n:] {
		if l.allows(f) {
			kept = append(kept, f)
		}
	}
	if len(kept) == 0 {
		kept = append(kept, fields[0].Resource().Key())
	}
	return kept
}

// missing returns a field that the condition names and that is not on the list,
// or nil.
func (l *list) missing(f core.Filter) *core.Field {
	if l == nil {
		return nil
	}
	if named := f.Field(); named != nil && !l.allows(named) {
		return named
	}
	for _, part := range f.Filters() {
		if bad := l.missing(part); bad != nil {
			return bad
		}
	}
	return nil
}

// same reports whether both lists hold the same fields.
func (l *list) same(o *list) bool {
	if l == nil || o == nil {
		return l == o
	}
	for i, has := range l.has {
		if has != o.has[i] {
			return false
		}
	}
	return true
}

// addTo marks the columns on the list.
func (l *list) addTo(has []bool) {
	for i := range has {
		has[i] = has[i] || l.has[i]
	}
}
