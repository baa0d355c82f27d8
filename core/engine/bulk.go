package engine

import (
	"context"
	"fmt"
	"slices"

	"github.com/larder-go/larder/core"
)

// Bulk selects the records of a change of many records: those that [Engine.List] lists for the same conditions.
type Bulk struct {
	// Filter and Equal are the conditions, as in a [Query]. An empty Filter selects all records.
	Filter map[string]any
	Equal  map[string][]string
	// Max is the greatest number of records that the request may change. It must be positive.
	Max int
	// Dry only counts the records, whatever Max is.
	Dry bool
	// Merge is that of [Write].
	Merge bool
}

// UpdateAll makes the same change of every record that matches, all of them or none, and returns their number. The body is
// that of [Engine.Update]. A record that the principal can list and may not change is [core.Forbidden], and nothing
// changes. The records are written in several operations of one transaction, so a [core.OnWrite] gets them in parts. A
// [core.ValidationFailed] has equal violations once, with the keys of the records; if the body changes relations
// or computed fields, it has the violations of the first record that breaks a rule.
//
// Errors: [core.BadParam] for Max, and naming max if more records match; the errors of [Engine.List] for the conditions;
// the errors of [Engine.Update] for the changes.
func (e *Engine) UpdateAll(ctx context.Context, resource string, b Bulk, body map[string]any) (int, error) {
	l, err := e.bulk(ctx, resource, b)
	if err != nil {
		return 0, err
	}
	r := e.bodyReader(ctx, false, e.opts.MaxWritten)
	r.merge = b.Merge
	d, err := r.read(l.info, body, 1)
	if err != nil {
		return 0, err
	}
	p := planUpdate(d, false)
	return l.change(ctx, b, l.info.keyOnly, func(ctx context.Context, w *writer, records []core.Record) error {
		if d.batchable && !d.namesRelated && !d.needsBefore && d.writesColumns() {
			return w.updateRecords(ctx, d, records)
		}
		for _, rec := range records {
			w.forget() // as in a request for this record alone
			c := newChange(l.info, d.level)
			c.set(l.info.resource.Key(), rec.Key())
			var err error
			if c.before, err = w.load(ctx, l.info, rec.Key()); err != nil {
				return err
			}
			if c.before.IsZero() { // deleted by the change of another record
				return l.info.resource.NotFound(rec.Key())
			}
			if err := w.checkRepeated(ctx, d, c.before); err != nil {
				return err
			}
			if err := w.checkRelated(ctx, p.related); err != nil {
				return err
			}
			if _, err := w.execute(ctx, p, c); err != nil {
				return withKeys(err, func(core.Violation) core.Value { return rec.Key() })
			}
		}
		return nil
	})
}

// updateRecords makes the same change of every record.
func (w *writer) updateRecords(ctx context.Context, d *draft, records []core.Record) error {
	updates := d.info.newUpdateSet()
	updates.same = true
	for _, rec := range records {
		for _, a := range d.assignments {
			updates.set(rec.Key(), a.field, a.value)
		}
	}
	return withKeys(w.update(ctx, updates), func(v core.Violation) core.Value {
		if v.Resource != d.info.resource.APIName() || v.Record < 0 || v.Record >= len(updates.keys) {
			return core.Value{} // of a record that a decorator wrote
		}
		return updates.keys[v.Record]
	})
}

// maxViolationKeys bounds the keys of a violation.
const maxViolationKeys = 100

// withKeys returns the error of a change of many records with equal violations once, and with the keys of their records.
func withKeys(err error, keyOf func(core.Violation) core.Value) error {
	e := core.AsError(err)
	if e == nil || e.Code != core.ValidationFailed {
		return err
	}
	once, known := *e, make(map[string]int)
	once.Violations = nil
	for _, v := range e.Violations {
		text := fmt.Sprint(v.Resource, v.Path, v.Rule, v.Accepted)
		i, seen := known[text]
		if !seen {
			i = len(once.Violations)
			known[text] = i
			once.Violations = append(once.Violations, v)
		}
		keys := &once.Violations[i].Keys
		if key := keyOf(v); key.IsSet() && len(*keys) < maxViolationKeys && !slices.Contains(*keys, key) {
			*keys = append(*keys, key)
		}
	}
	return &once
}

// DeleteAll deletes every record that matches, all of them or none, and returns their number. Records that point at them
// are detached or deleted, or forbid the delete, as with [Engine.Delete]. A record that is deleted because of another one
// counts only if it matches.
//
// Errors: [core.BadParam] for Max, and naming max if more records match; the errors of [Engine.List] for the conditions;
// the errors of [Engine.Delete] for the records.
func (e *Engine) DeleteAll(ctx context.Context, resource string, b Bulk) (int, error) {
	l, err := e.bulk(ctx, resource, b)
	if err != nil {
		return 0, err
	}
	return l.change(ctx, b, l.info.relationFields, func(ctx context.Context, w *writer, records []core.Record) error {
		w.knownOf(l.info).addRead(records)
		pending := newPendingWrites(l.info)
		for _, rec := range records {
			pending.deletions = append(pending.deletions, rec.Key())
		}
		return detachError(w.cascadeDelete(ctx, pending, true))
	})
}

// bulk prepares the request.
func (e *Engine) bulk(ctx context.Context, resource string, b Bulk) (*lister, error) {
	info, err := e.lookup(resource)
	if err != nil {
		return nil, err
	}
	if err := info.checkWritable(); err != nil {
		return nil, err
	}
	if b.Max <= 0 {
		return nil, &core.Error{Code: core.BadParam, Param: "max", Accepted: "positive integer"}
	}
	l := &lister{engine: e, info: info, query: Query{Filter: b.Filter, Equal: b.Equal}}
	if err := l.prepare(); err != nil {
		return nil, l.hideUnreadable(ctx, err)
	}
	return l, nil
}

// change reads the fields of the selected records and calls fn with the records, unless there are none, in one transaction.
// It returns their number.
func (l *lister) change(ctx context.Context, b Bulk, fields []string, fn func(context.Context, *writer, []core.Record) error) (count int, err error) {
	if b.Dry {
		return l.engine.querier().Count(ctx, l.info.resource, l.where)
	}
	err = l.engine.write(ctx, func(ctx context.Context, w *writer) error {
		page, err := w.tx.Select(ctx, l.info.resource, core.Query{Where: l.where, Fields: fields, Limit: b.Max})
		if err != nil {
			return err
		}
		if count = len(page.Records); page.Next != "" {
			return &core.Error{Code: core.BadParam, Param: "max", Accepted: "at least the number of records that match"}
		}
		if count == 0 {
			return nil
		}
		return fn(ctx, w, page.Records)
	})
	return count, err
}
