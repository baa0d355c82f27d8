package engine

import (
	"context"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
)

// derived reports whether a condition is on the side of a pair that stores
// nothing, so that it has to be turned into one on keys first.
func (l *lister) derived() bool {
	return slices.ContainsFunc(l.conditions, func(c condition) bool { return !c.field.Stored() })
}

// scope spells the client's filter for cursors, which shall continue a list
// although the keys in a derived condition have changed.
func (l *lister) scope() string {
	if !l.derived() {
		return ""
	}
	texts := make([]string, len(l.conditions))
	for i, c := range l.conditions {
		texts[i] = c.String()
	}
	return strings.Join(texts, "\x00")
}

func (l *lister) where(ctx context.Context, session core.Session) (core.Filter, error) {
	all := make([]core.Filter, len(l.conditions))
	for i, c := range l.conditions {
		if c.field.Stored() {
			all[i] = c.field.Compare(c.kind, c.values...)
			continue
		}
		f, err := l.derive(ctx, session, c)
		if err != nil {
			return core.Filter{}, err
		}
		all[i] = f
	}
	return core.And(all...), nil
}

// derive turns a condition on the side of a pair that stores nothing into one on
// keys: those that the records on the other side point at. A record that the
// principal cannot see points at nothing, as far as the principal can tell.
func (l *lister) derive(ctx context.Context, session core.Session, c condition) (core.Filter, error) {
	if c.kind == core.FilterNe { // which null fulfils
		f, err := l.derive(ctx, session, condition{c.field, core.FilterEq, c.values})
		return core.Not(f), err
	}
	other := c.field.Inverse()
	related := other.Compare(core.FilterNe, core.Null)
	set, null := split(c.values)
	matching, err := l.pointedAt(ctx, session, other, core.And(related, other.Resource().Key().Compare(c.kind, set...)))
	if err != nil || !null {
		return matching, err
	}
	anyone, err := l.pointedAt(ctx, session, other, related)
	return core.Or(matching, core.Not(anyone)), err
}

// split returns the values that are set, and whether there was a null.
func split(values []core.Value) (set []core.Value, null bool) {
	for _, v := range values {
		if v.IsSet() {
			set = append(set, v)
		} else {
			null = true
		}
	}
	return set, null
}

// pointedAt matches those whom the records that fulfil the condition point at
// through f. There is a limit to how many a filter may need.
func (l *lister) pointedAt(ctx context.Context, session core.Session, f *core.Field, where core.Filter) (core.Filter, error) {
	if where.Kind() == core.FilterNone {
		return where, nil
	}
	page, err := session.Select(ctx, f.Resource(), core.Query{
		Where: where, Fields: []string{f.Name()}, Limit: l.engine.opts.MaxRecords,
	})
	if err != nil {
		return core.None(), err
	}
	if page.Next != "" {
		return core.None(), &core.Error{Code: core.TooLarge, Message: "the filter matches too many related records"}
	}
	return f.Target().Key().Compare(core.FilterIn, targets(f, page.Records)...), nil
}
