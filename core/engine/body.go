package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
)

// bodyReader converts request bodies into drafts.
type bodyReader struct {
	engine *Engine
	// internal marks the result of a setter: it uses the program's field names and may set read-only and hidden
	// fields.
	internal bool
	// merge makes objects for JSON fields merge patches, see [Write.Merge].
	merge bool
	// setReadOnly permits read-only fields, see [Write.SetReadOnly].
	setReadOnly bool
	// create marks the body of a new record, which must name an assigned key.
	create bool
	// key is the key of the record that the request names, which the body may repeat. It is absent for the body of a
	// new record.
	key core.Value
	// given is the relation by which a nested record points at the record that it is nested in; nil for other bodies.
	given *core.Field
	// left is the number of records that the bodies may still create or name in to-many relations.
	left *int
	// interrupted returns the error of the request's context.
	interrupted func() error
}

// bodyReader returns a reader for the bodies of one request, which may create or name left records.
func (e *Engine) bodyReader(ctx context.Context, create bool, left int) bodyReader {
	return bodyReader{engine: e, create: create, left: &left, interrupted: ctx.Err}
}

// count subtracts n records from the limit, before memory is allocated for them.
func (r bodyReader) count(n int) error {
	if *r.left -= n; *r.left < 0 {
		return &core.Error{Code: core.TooLarge, Message: fmt.Sprintf(
			"the request creates or names more than %d records; send it in parts", r.engine.opts.MaxWritten)}
	}
	return nil
}

func (r bodyReader) read(info *resourceInfo, body map[string]any, level int) (*draft, error) {
	if err := r.interrupted(); err != nil {
		return nil, core.AsError(err)
	}
	if level > r.engine.opts.MaxNesting {
		return nil, &core.Error{Code: core.BadRequest, Message: fmt.Sprintf(
			"the body nests records deeper than %d levels; create the inner records first", r.engine.opts.MaxNesting)}
	}
	out := &draft{info: info, level: level, batchable: true}
	known := 0 // members that are fields or NAME@next
	for _, f := range info.resource.Fields() {
		raw, named := body[r.name(f)]
		if r.hasNext(f, body) {
			known++
			if out.partialLists = append(out.partialLists, f); named && clientWritable(f) {
				if r.key.IsAbsent() {
					return nil, tooManyMembers(f)
				}
				known++
				out.addRepeated(repeatedMember{field: f, raw: raw, err: tooManyMembers(f), rest: true})
				continue
			}
		}
		if !named || !r.isVisible(f) {
			continue
		}
		known++
		if err := r.checkSettable(f); err != nil {
			if !r.mayRepeat(f, raw) {
				return nil, err
			}
			if !f.Key() && !f.KeyPart() {
				out.addRepeated(repeatedMember{field: f, raw: raw, err: err})
			}
			continue
		}
		a, err := r.assignment(f, raw, level)
		if err != nil {
			return nil, err
		}
		out.add(a)
		if f.Stored() && f.Target() != nil && f.Many() && r.engine.mayHide {
			out.needsBefore = true // hidden members stay
		}
	}
	if known < len(body) {
		return nil, r.unknownMember(info, body)
	}
	if err := out.checkLists(); err != nil {
		return nil, err
	}
	// The store reports a part of a key that neither the body nor a default nor a policy sets.
	if r.create && info.keySource.Assigned && info.resource.Key().Parts() == nil && !out.key().IsSet() && !r.relatesKey(out) {
		return nil, info.resource.NoNextKey()
	}
	return out, nil
}

// relatesKey reports whether the key of a new record is that of a record which the draft creates or is nested in, see
// [core.FieldSpec.Via].
func (r bodyReader) relatesKey(d *draft) bool {
	return slices.ContainsFunc(d.info.via, func(f *core.Field) bool {
		named := func(a assignment) bool { return a.field == f && a.hasNested() }
		return slices.Contains(f.Parts(), d.info.resource.Key()) && (f == r.given || slices.ContainsFunc(d.assignments, named))
	})
}

// hasNext reports whether the body has the member NAME@next for the list side f. The value of that member is
// ignored.
func (r bodyReader) hasNext(f *core.Field, body map[string]any) bool {
	if r.internal || !r.isVisible(f) || !Continues(f) {
		return false
	}
	_, named := body[f.APIName()+NextSuffix]
	return named
}

// mayNameKey reports whether f is a key that the body may name. A key of several fields is named by its parts.
func (r bodyReader) mayNameKey(f *core.Field) bool {
	return f.Key() && f.Parts() == nil && r.create && r.engine.info(f.Resource()).keySource.Assigned
}

func (r bodyReader) name(f *core.Field) string {
	if r.internal {
		return f.Name()
	}
	return f.APIName()
}

// isVisible reports whether the field exists for the author of the body.
func (r bodyReader) isVisible(f *core.Field) bool { return r.internal || !f.Hidden() }

// checkSettable rejects fields that the author of the body must not set.
func (r bodyReader) checkSettable(f *core.Field) error {
	forClients := f.Key() || f.KeyPart() && !r.create || f.ReadOnly() && !r.setReadOnly || f.Computed() != nil && f.Computed().Set == nil
	switch {
	case r.mayNameKey(f):
	case r.internal && (f.Key() || f.KeyPart() || f.Computed() != nil):
		return badSetterField(f.Resource(), f.Name())
	case !r.internal && forClients:
		return &core.Error{Code: core.FieldReadOnly, Resource: f.Resource().APIName(), Field: f.APIName()}
	}
	return nil
}

// mayRepeat reports whether the body may repeat the value of a field that its author must not set. A key and its parts
// must be those of the request; other values are compared later with the stored record.
func (r bodyReader) mayRepeat(f *core.Field, raw any) bool {
	if r.internal || r.key.IsAbsent() {
		return false
	}
	v, err := f.Convert(raw)
	switch {
	case f.Key():
		return err == nil && v == r.key
	case f.KeyPart():
		key := f.Resource().Key()
		return err == nil && v == key.Split(r.key)[slices.Index(key.Parts(), f)]
	}
	return true
}

// unknownMember returns the error for the first member of the body that is no field.
func (r bodyReader) unknownMember(info *resourceInfo, body map[string]any) error {
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(body)), func(name string) bool {
		f := info.resource.FieldByAPIName(name)
		if r.internal {
			f = info.resource.Field(name)
		}
		if list, ok := strings.CutSuffix(name, NextSuffix); ok && f == nil {
			f = info.resource.FieldByAPIName(list)
			return f != nil && r.hasNext(f, body)
		}
		return f != nil && r.isVisible(f)
	})
	if r.internal {
		return badSetterField(info.resource, names[0])
	}
	return info.unknownField(names[0])
}

// badSetterField is the internal error for a setter that names a field it cannot set.
func badSetterField(r *core.Resource, name string) error {
	return &core.Error{Code: core.ServerError, Cause: fmt.Errorf(
		"the setter of a computed field sets %s.%s; a setter can only set fields that exist and are neither the key nor computed", r, name)}
}

func (r bodyReader) assignment(f *core.Field, raw any, level int) (a assignment, err error) {
	a.field = f
	switch {
	case f.Computed() != nil:
		a.raw = raw
		err = r.engine.checkSize(f, sizedValue(raw), r.internal)
	case f.Target() != nil:
		a.value = core.Null
		a.items, err = r.items(f, raw, level)
	default:
		a.value, err = f.Convert(raw)
		switch {
		case err == nil && f.Key() && !a.value.IsSet():
			err = badValue(f, f.Type(), raw)
		case a.value.IsAbsent():
			a.value = core.Null
		}
		if err == nil {
			err = r.engine.checkSize(f, a.value, r.internal)
			a.merge = r.merge && isMergePatch(f, a.value)
		}
	}
	return a, err
}

// checkSize rejects a value of a client that is larger than Options.MaxValue.
func (e *Engine) checkSize(f *core.Field, v core.Value, internal bool) error {
	if limit := e.opts.MaxValue; !internal && len(v.Text()) > limit {
		return &core.Error{Code: core.TooLarge, Message: fmt.Sprintf(
			"the value of %s.%s has more than %d bytes", f.Resource().APIName(), f.APIName(), limit)}
	}
	return nil
}

// sizedValue returns the client's value for a computed field as a value with a length.
func sizedValue(raw any) core.Value {
	if text, ok := raw.(string); ok {
		return core.TextValue(text)
	}
	// A value without a JSON form has no size here; the setter rejects it.
	v, _ := core.JSON.Convert(raw)
	return v
}

// items reads the value of a relation: ids, and bodies of records to create.
func (r bodyReader) items(f *core.Field, raw any, level int) ([]item, error) {
	list := []any{raw}
	if f.Many() {
		var err error
		if list, err = memberList(f, raw); err != nil {
			return nil, err
		}
	}
	if _, nested := raw.(map[string]any); f.Many() || nested {
		if err := r.count(len(list)); err != nil {
			return nil, err
		}
	}
	items := make([]item, 0, len(list))
	for _, raw := range list {
		it, err := r.item(f, raw, level)
		if err != nil {
			return nil, err
		}
		if it.create == nil && !it.key.IsSet() {
			if f.Many() {
				return nil, badValue(f, f.Target().Key().Type(), raw)
			}
			continue
		}
		items = append(items, it)
	}
	return items, nil
}

// memberList returns the elements of a to-many relation's value.
func memberList(f *core.Field, raw any) ([]any, error) {
	switch list := raw.(type) {
	case []any:
		return list, nil
	case []map[string]any:
		bodies := make([]any, len(list))
		for i, body := range list {
			bodies[i] = body
		}
		return bodies, nil
	}
	v, err := f.Convert(raw)
	if err != nil {
		return nil, err
	}
	list, _ := listElements(v)
	return list, nil
}

func (r bodyReader) item(f *core.Field, raw any, level int) (it item, err error) {
	if body, ok := raw.(map[string]any); ok {
		r.create, r.key, r.given = true, core.Value{}, f.Inverse()
		it.create, err = r.read(r.engine.info(f.Target()), body, level+1)
		return it, err
	}
	it.key, err = f.TargetKey(raw)
	return it, err
}
