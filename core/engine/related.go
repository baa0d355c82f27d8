package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/larder-go/larder/core"
)

// ToMany reports whether clients can list the records of the field with [Engine.Related]: the field is a to-many
// relation and not hidden.
func ToMany(f *core.Field) bool { return f.Many() && !f.Hidden() }

// Related returns a page of the records of a to-many relation of one record (GET /r/id/NAME). The page is a list of
// the related resource, as [Engine.List] returns it: the query filters and sorts by fields of that resource, and its
// policies hide records. relation is the API name of the relation. A [More] of a view continues with the same method
// and [Query.After].
//
// Errors: [core.UnknownField] naming relation if it is no to-many relation, is hidden, or is unreadable for the
// principal; [core.NotFound] for the record, if it does not exist or is hidden, and for an unknown resource;
// [core.BadFieldValue] for an id of the wrong type; the errors of [Engine.List].
func (e *Engine) Related(ctx context.Context, resource string, id any, relation string, q Query) (List, error) {
	info, key, err := e.resourceAndKey(resource, id)
	if err != nil {
		return List{}, err
	}
	f := info.resource.FieldByAPIName(relation)
	if f == nil || !ToMany(f) {
		return List{}, info.unknownField(relation)
	}
	l := lister{engine: e, info: e.info(f.Target()), query: q, of: &membership{f, key}}
	list, err := l.list(ctx)
	if err != nil && e.isUnreadable(ctx, f, err) {
		err = info.unknownField(relation)
	}
	return list, err
}

// membership is a to-many relation of one record.
type membership struct {
	field *core.Field
	owner core.Value // key of the record
}

// String returns a unique text for the relation of the record.
func (m *membership) String() string {
	return "\x01" + m.field.String() + " " + core.ListOf(m.owner).Text() // no condition begins with this byte
}

// filter reads the record and returns the condition on its related records.
//
// Errors: [core.NotFound] if the record does not exist or is hidden; [core.UnknownField] if a policy hides the
// relation.
func (m *membership) filter(ctx context.Context, e *Engine, querier core.Querier) (core.Filter, error) {
	f := m.field
	near, far := f.Through()
	info := e.info(f.Resource())
	fields := info.keyOnly
	if f.Stored() {
		fields = append(slices.Clone(fields), f.Name())
	}
	records, err := querier.Load(ctx, f.Resource(), []core.Value{m.owner}, fields...)
	switch {
	case errors.Is(err, core.UnknownField):
		return core.Filter{}, info.unknownField(f.APIName())
	case err != nil:
		return core.Filter{}, err
	case len(records) == 0:
		return core.Filter{}, f.Resource().NotFound(m.owner)
	case near != nil:
		return core.Relation{Stored: far, Reverse: true}.Match(anyOf(near, []core.Value{m.owner})), nil
	case !f.Stored():
		return anyOf(f.Inverse(), []core.Value{m.owner}), nil
	case records[0].At(f.Column()).IsAbsent():
		return core.Filter{}, info.unknownField(f.APIName())
	}
	ids, err := storedIDs(f, records[0])
	return anyOf(f.Target().Key(), ids), err
}

// storedIDs returns the ids that the record stores in a list.
func storedIDs(f *core.Field, rec core.Record) ([]core.Value, error) {
	ids, err := f.Elements(rec.At(f.Column()))
	if err != nil {
		return nil, &core.Error{Code: core.ServerError, Cause: fmt.Errorf("reading the ids that a record stores in %s: %w", f, err)}
	}
	return ids, nil
}
