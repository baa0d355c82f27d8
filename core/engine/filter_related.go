package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
)

// needsRelated reports whether the list must read related records for its filter or sort.
func (l *lister) needsRelated() bool {
	return len(l.maskedSorts) > 0 || slices.ContainsFunc(l.conditions, l.conditionNeedsRelated)
}

// conditionNeedsRelated reports whether the condition must read related records: the other side of a pair stores
// the relation, or a policy may hide its target.
func (l *lister) conditionNeedsRelated(c condition) bool {
	return !c.field.Stored() || c.field.Target() != nil && l.engine.mayHide
}

// scope returns the text that cursors are bound to instead of the filter that the store sees. The store's filter
// may contain keys of related records, which can change between two pages.
func (l *lister) scope() string {
	if l.query.Scope != "" {
		return "\x00" + l.query.Scope // no condition begins with this byte
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

// denialError returns the error for a condition on related records that a policy denies. If the policy denies the
// list itself or the field, that error comes first.
func (l *lister) denialError(ctx context.Context, querier core.Querier, f *core.Field, err error) error {
	q := core.Query{Fields: l.info.keyOnly, Limit: 1}
	switch {
	case f.Stored():
		q.Where = f.Compare(core.FilterEq, core.Null)
	case errors.Is(err, core.UnknownField): // the other side stores the field
		err = l.info.unknownField(f.APIName())
	}
	if _, own := querier.Select(ctx, l.info.resource, q); own != nil {
		return own
	}
	return err
}

// hideUnreadable returns the error for conditions that are invalid. If the condition names a field that the principal may
// not read, this is the error of a field that does not exist, so that the answer is independent of the values in the
// condition and of the field's type.
func (l *lister) hideUnreadable(ctx context.Context, invalid error) error {
	e := core.AsError(invalid)
	if !l.engine.mayHide || e.Code != core.BadFieldValue && e.Code != core.SearchForbidden {
		return invalid
	}
	f := l.info.resource.FieldByAPIName(e.Field)
	if f == nil {
		return invalid
	}
	stored := f
	if f.Inverse() != nil && !f.Stored() {
		stored = f.Inverse()
	}
	if !stored.Stored() || stored.Many() {
		return invalid
	}
	q := core.Query{Where: stored.Compare(core.FilterEq, core.Null), Fields: l.engine.info(stored.Resource()).keyOnly, Limit: 1}
	_, err := l.engine.store.Select(ctx, stored.Resource(), q)
	if errors.Is(err, core.UnknownField) {
		return l.info.unknownField(f.APIName())
	}
	return invalid
}

// rewriteRelation converts a condition on a to-one relation into a condition on keys. Hidden records take no part
// in relations, on either side.
func (l *lister) rewriteRelation(ctx context.Context, querier core.Querier, c condition) (core.Filter, error) {
	if c.kind == core.FilterNe { // null matches too
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

// splitNull returns the values that are set, and whether there was a null.
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

// targetsOf returns a filter for the records that the matching records point at through f.
func (l *lister) targetsOf(ctx context.Context, querier core.Querier, f *core.Field, where core.Filter) (core.Filter, error) {
	records, err := l.selectRelated(ctx, querier, f.Resource(), where, f)
	return f.Target().Key().Compare(core.FilterIn, targetKeys(f, records)...), err
}

// referrersTo returns a filter for the records that point through f at a matching record.
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

// selectRelated reads field f of the matching records, at most Options.MaxRecords of them.
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
