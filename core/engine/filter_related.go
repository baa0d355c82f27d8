package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
)

// derived reports whether the list depends on related records, so that those have to
// be read, too.
func (l *lister) needsRelated() bool {
	return len(l.maskedSorts) > 0 || slices.ContainsFunc(l.conditions, l.conditionNeedsRelated)
}

// derives reports whether it takes a look at related records to answer the
// condition: where the other side of a pair stores the relation, and where a policy
// may hide what a record points at.
func (l *lister) conditionNeedsRelated(c condition) bool {
	return !c.field.Stored() || c.field.Target() != nil && l.engine.mayHide
}

// scope spells the client's filter for cursors, which shall continue a list
// although the keys in a derived condition have changed.
func (l *lister) scope() string {
	if l.query.Scope != "" {
		return "\x00" + l.query.Scope // no condition is spelled like this
	}
	if !l.needsRelated() {
		return ""
	}
	texts := make([]string, len(l.conditions))
	for i, c := range l.conditions {
		texts[i] = c.String()
	}
	return strings.Join(texts, "\x00")
}

func (l *lister) where(ctx context.Context, querier core.Querier) (core.Filter, error) {
	all := make([]core.Filter, len(l.conditions))
	for i, c := range l.conditions {
		if !l.conditionNeedsRelated(c) {
			all[i] = c.field.Compare(c.kind, c.values...)
			continue
		}
		f, err := l.rewriteRelation(ctx, querier, c)
		if isDenied(err) {
			err = l.denialError(ctx, querier, c.field, err)
		}
		if err != nil {
			return core.Filter{}, err
		}
		all[i] = f
	}
	return core.And(all...), nil
}

// refusal returns the error of a condition on a field whose related records a policy does
// not let the principal ask about. A list of the resource itself that is refused, and a
// field that the principal may not read, come first.
func (l *lister) denialError(ctx context.Context, querier core.Querier, f *core.Field, err error) error {
	q := core.Query{Fields: l.info.keyOnly, Limit: 1}
	switch {
	case f.Stored():
		q.Where = f.Compare(core.FilterEq, core.Null)
	case errors.Is(err, core.UnknownField): // on the other side, where the field is stored
		err = l.info.unknownField(f.APIName())
	}
	if _, own := querier.Select(ctx, l.info.resource, q); own != nil {
		return own
	}
	return err
}

// derive turns a condition on a to-one relation into one on keys. A record that
// the principal cannot see points at nothing, and nothing points at it, as far as
// the principal can tell.
func (l *lister) rewriteRelation(ctx context.Context, querier core.Querier, c condition) (core.Filter, error) {
	if c.kind == core.FilterNe { // which null fulfils
		f, err := l.rewriteRelation(ctx, querier, condition{c.field, core.FilterEq, c.values})
		return core.Not(f), err
	}
	set, null := splitNull(c.values)
	f, exists, related := c.field, core.All(), l.referrersTo
	if !f.Stored() {
		f, related = f.Inverse(), l.targetsOf
		exists = f.Compare(core.FilterNe, core.Null)
	}
	matching, err := related(ctx, querier, f, core.And(exists, c.field.Target().Key().Compare(c.kind, set...)))
	if err != nil || !null {
		return matching, err
	}
	withAny, err := related(ctx, querier, f, exists)
	return core.Or(matching, core.Not(withAny)), err
}

// split returns the values that are set, and whether there was a null.
func splitNull(values []core.Value) (set []core.Value, null bool) {
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
// through f.
func (l *lister) targetsOf(ctx context.Context, querier core.Querier, f *core.Field, where core.Filter) (core.Filter, error) {
	records, err := l.selectRelated(ctx, querier, f.Resource(), where, f)
	return f.Target().Key().Compare(core.FilterIn, targetKeys(f, records)...), err
}

// pointingAt matches those who point through f at a record that fulfils the
// condition.
func (l *lister) referrersTo(ctx context.Context, querier core.Querier, f *core.Field, where core.Filter) (core.Filter, error) {
	records, err := l.selectRelated(ctx, querier, f.Target(), where, f.Target().Key())
	return f.Compare(core.FilterIn, keysOf(records)...), err
}

func keysOf(records []core.Record) []core.Value {
	keys := make([]core.Value, len(records))
	for i, rec := range records {
		keys[i] = rec.Key()
	}
	return keys
}

// related reads a field of the records that fulfil the condition. There is a limit
// to how many a filter may need.
func (l *lister) selectRelated(ctx context.Context, querier core.Querier, r *core.Resource, where core.Filter, f *core.Field) ([]core.Record, error) {
	if where.Kind() == core.FilterNone {
		return nil, nil
	}
	page, err := querier.Select(ctx, r, core.Query{Where: where, Fields: []string{f.Name()}, Limit: l.engine.opts.MaxRecords})
	switch {
	case err != nil:
		return nil, err
	case page.Next != "":
		return nil, &core.Error{Code: core.TooLarge, Message: fmt.Sprintf(
			"the filter depends on more than %d related records; use a narrower filter", l.engine.opts.MaxRecords)}
	}
	return page.Records, nil
}
