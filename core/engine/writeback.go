package engine

import (
	"context"
	"slices"

	"github.com/larder-go/larder/core"
)

// repeatedMember is a member of a body for a field that the client cannot set. A client that sends back a representation
// which it has read sends such members too. The write succeeds if the value is the one that the principal reads.
type repeatedMember struct {
	field *core.Field
	raw   any
	err   error // if the value is another one
	// rest: the member NAME@next stands beside a list side that clients can set otherwise.
	rest bool
}

// checkRepeated returns the error of the first repeated member that differs from the record before the request, as the
// principal reads it at depth 1. For a field that the principal cannot read in this record, it returns the error for
// every value, so that the answer reveals nothing about the stored one.
func (w *writer) checkRepeated(ctx context.Context, d *draft, before core.Record) error {
	var parts []part
	for _, m := range d.repeated {
		if before.IsZero() {
			return m.err
		}
		if m.field.Target() == nil && m.field.Computed() == nil {
			if !m.matchesColumn(before.At(m.field.Column())) {
				return m.err
			}
			continue
		}
		if parts == nil {
			view, err := w.engine.viewBuilder(w.tx, neverFinal).view(ctx, d.info, before, 1)
			if err != nil {
				return err
			}
			parts = view.node.parts
		}
		i := slices.IndexFunc(d.info.shown, func(shown shownField) bool { return shown.field == m.field })
		hidden := m.field.Stored() && before.At(m.field.Column()).IsAbsent()
		if i < 0 || hidden || !m.matchesPart(&parts[d.info.shown[i].part]) {
			return m.err
		}
	}
	return nil
}

// matchesColumn compares the member with a column of the record.
func (m *repeatedMember) matchesColumn(stored core.Value) bool {
	v, err := m.field.Convert(m.raw)
	return err == nil && sameShown(v, stored) && !stored.IsAbsent()
}

// matchesPart compares the member with the shown value of a relation or a computed field.
func (m *repeatedMember) matchesPart(p *part) bool {
	switch {
	case m.field.Computed() != nil:
		v, err := core.JSON.Convert(m.raw)
		return err == nil && sameShown(v, p.value)
	case !m.field.Many():
		v, err := m.field.TargetKey(m.raw)
		return err == nil && sameShown(v, p.value)
	case !p.isList || m.rest && p.more == nil:
		return false
	}
	list, err := memberList(m.field, m.raw)
	if err != nil {
		return false
	}
	keys := make([]core.Value, len(list))
	for i, raw := range list {
		if keys[i], err = m.field.TargetKey(raw); err != nil {
			return false
		}
	}
	return slices.Equal(core.SortKeys(keys), p.ids)
}

// sameShown reports whether a view shows the same for both values. It shows neither null nor absent values.
func sameShown(a, b core.Value) bool { return a == b || !a.IsSet() && !b.IsSet() }

// showsAlready reports whether a computed field of an existing record has the value of the body once all other
// columns that the body names are set. Its setter does not run then, because there is nothing to change.
func (ex *execution) showsAlready(ctx context.Context, c *change, s *step) (bool, error) {
	a := s.assignments[0]
	want, err := core.JSON.Convert(a.raw)
	if c.isNew || err != nil {
		return false, nil //nolint:nilerr // the setter decides about the value
	}
	rec, err := ex.currentRecord(ctx, c)
	if err != nil {
		return false, err
	}
	later := false
	for i := range ex.plan.steps {
		t := &ex.plan.steps[i]
		switch {
		case t == s:
			later = true
		case !later || t.record != s.record:
		case t.kind == stepSet:
			for _, next := range t.assignments {
				rec = rec.With(next.field.Column(), next.value)
			}
		case t.kind == stepLink && !t.assignments[0].hasNested():
			f := t.assignments[0].field
			rec = rec.With(f.Column(), storedValue(f, ex.keys(t.members)))
		}
	}
	shown, err := computed(ctx, a.field, rec)
	return err == nil && sameShown(want, shown), nil // the setter may repair the record
}
