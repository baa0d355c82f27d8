package engine

import (
	"context"
	"fmt"

	"github.com/larder-go/larder/core"
)

// Create adds one record for each body, all or none (POST). It answers with the views of the new records in the
// order of the bodies. [Write.Match] is called with nil.
//
// The fields of a body are applied in the order of their declaration: first the fields that the record stores,
// then the relations that other records store. A nested record is created from its own body first and then linked
// to its parent. Write rules (Writable) do not apply to records that the same request creates.
//
// An assigned key, see [core.KeySource], must be in the body; the same holds for nested records. If one of several
// bodies causes an error, the Element of the [core.Error] is the position of that body. For a conflict this is the
// last body with the conflicting value, if the backend reports the value.
//
// A [core.ValidationFailed] lists the violations of all records. Path leads from the body to the value, through positions in
// lists and names of relations, such as 0, "comments", 2, "text". Rules over several fields are checked for a record only
// if all records that the request writes before it are valid. A required field that a body leaves out is among the
// violations of every record, unless clients cannot set it or a decorator declares to set it ([core.Decorator]).
//
// Errors: [core.NotFound] for an unknown resource, and for related records that do not exist or are hidden;
// [core.UnknownField], [core.FieldReadOnly] and [core.BadFieldValue] for members of a body; [core.ValidationFailed];
// [core.FieldUpdateForbidden] for a related record with a write rule that forbids the change; [core.AlreadyExists] for a
// unique value of another record, and for a one-to-one partner that is taken (RefusePartner); [core.BadParam] for the depth; [core.BadRequest] for records that are nested too
// deep and for a missing assigned key; [core.TooLarge]; [core.ReadOnly] for a resource that the model declares read-only;
// the errors of [core.Store.Tx] and of policies.
func (e *Engine) Create(ctx context.Context, resource string, opts Write, bodies ...map[string]any) ([]View, error) {
	info, err := e.lookup(resource)
	if err != nil {
		return nil, err
	}
	if err := e.setLooks(ctx, info, &opts); err != nil {
		return nil, err
	}
	if err := info.checkWritable(); err != nil {
		return nil, err
	}
	if len(bodies) > e.opts.MaxRecords {
		return nil, &core.Error{Code: core.TooLarge, Message: fmt.Sprintf(
			"the list has more than %d records; send it in parts", e.opts.MaxRecords)}
	}
	r := e.bodyReader(ctx, true, e.opts.MaxWritten)
	r.setReadOnly = opts.SetReadOnly
	if err := r.count(len(bodies)); err != nil {
		return nil, err
	}
	drafts := make([]*draft, len(bodies))
	for i, body := range bodies {
		if drafts[i], err = r.read(info, body, 1); err != nil {
			return nil, errorAt(err, elementIndex(bodies, i))
		}
		if drafts[i].element = elementIndex(bodies, i); drafts[i].element > 0 {
			drafts[i].path = []any{i}
		}
	}
	direct, err := e.canInsertDirectly(ctx, info, drafts, opts)
	if err != nil {
		return nil, err
	}
	if direct {
		views, err := e.insertDirectly(ctx, info, drafts, opts.after)
		return views, conflictError(drafts, err)
	}
	p := planCreate(drafts, preset{})
	var views []View
	err = e.write(ctx, func(ctx context.Context, w *writer) error {
		if err := w.checkMatch(ctx, opts, core.Record{}); err != nil {
			return err
		}
		for _, d := range drafts {
			w.markCreated(info, d.key())
		}
		if err := w.checkRelated(ctx, p.related); err != nil {
			return err
		}
		keys, err := w.execute(ctx, p, nil)
		if err != nil {
			return err
		}
		views, err = w.viewsOf(ctx, info, keys, opts.after)
		return err
	})
	return views, conflictError(drafts, err)
}
