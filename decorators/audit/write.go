package audit

import (
	"context"
	"fmt"

	"github.com/larder-go/larder/core"
)

// write passes the op on and writes an entry for each record that it has changed. The op is in a transaction; final means that
// no other operation follows in it.
func (t *trail) write(ctx context.Context, op *core.Op, s *subject, final bool) (core.Result, error) {
	entries := op.Derive(core.Insert, t.entry)
	at, principal := core.TimeValue(op.Now()), op.Principal // inner handlers may change the op
	res, changes, err := op.Changes(ctx, t.next)
	if err != nil {
		return core.Result{}, err
	}
	by, err := t.author(principal)
	if err != nil {
		return core.Result{}, err
	}
	request := core.Null
	if id, err := t.request.Convert(core.RequestIDOf(ctx)); err == nil && id != core.TextValue("") {
		request = id
	}
	for _, c := range changes {
		kind, before, after, err := s.compare(c)
		if err != nil {
			return core.Result{}, err
		}
		if kind == Updated && before.IsNull() && after.IsNull() { // only fields that the entries leave out
			continue
		}
		key := c.After.Key()
		if kind == Deleted && c.After.IsZero() {
			key = c.Before.Key()
		}
		entry := t.entry.RecordOf(make([]core.Value, len(t.entry.Columns()))).
			Set(t.at, at).Set(t.kind, core.TextValue(kind)).Set(t.record, core.TextValue(s.resource.APIName()+"/"+key.String())).
			Set(t.by, by).Set(t.request, request).Set(t.before, before).Set(t.after, after).Set(s.relation, key)
		entries.Records = append(entries.Records, entry)
	}
	if len(entries.Records) == 0 {
		return res, nil
	}
	entries.Final = final
	_, err = t.next(ctx, entries)
	return res, err
}

// author returns the id of the principal as the field by has it.
func (t *trail) author(p *core.Principal) (core.Value, error) {
	switch {
	case p.IsSystem() && t.Program.IsSet():
		return t.Program, nil
	case p == nil || p.IsSystem() || !p.ID.IsSet():
		return core.Null, nil
	case t.by.Type() == core.Text:
		return core.TextValue(p.ID.String()), nil
	}
	by, err := t.by.Convert(p.ID.Any())
	if err != nil {
		return core.Value{}, &core.Error{Code: core.ServerError, Cause: fmt.Errorf("audit: the id of the principal does not fit %s of the type %s", t.by, t.by.Type())}
	}
	return by, nil
}

// compare returns the kind of the change, and the shown fields that differ, before and after it; null if there are none.
func (s *subject) compare(c core.Change) (kind string, before, after core.Value, err error) {
	kind = Updated
	switch was, is := s.deleted(c.Before), s.deleted(c.After); {
	case c.Before.IsZero():
		kind = Created
	case c.After.IsZero() || is && !was:
		kind = Deleted
	case was && !is:
		kind = Restored
	}
	var old, now []byte
	for _, f := range s.fields {
		b, a := c.Before.Value(f), c.After.Value(f)
		if a == b || !a.IsSet() && !b.IsSet() {
			continue
		}
		if !b.IsAbsent() {
			old = appendMember(old, f, b)
		}
		if !a.IsAbsent() {
			now = appendMember(now, f, a)
		}
	}
	if before, err = object(old); err == nil {
		after, err = object(now)
	}
	return kind, before, after, err
}

// deleted reports whether the record is softly deleted.
func (s *subject) deleted(rec core.Record) bool {
	return s.deletedAt != nil && rec.Value(s.deletedAt).IsSet()
}

// appendMember appends a member of a JSON object.
func appendMember(to []byte, f *core.Field, v core.Value) []byte {
	separator := byte(',')
	if to == nil {
		separator = '{'
	}
	to = append(core.TextValue(f.APIName()).AppendJSON(append(to, separator)), ':')
	return f.AppendJSON(to, v)
}

// object returns the object of the members; null without members.
func object(members []byte) (core.Value, error) {
	if members == nil {
		return core.Null, nil
	}
	return core.JSON.StoredJSON(append(members, '}')) // one level deeper than a client may write
}
