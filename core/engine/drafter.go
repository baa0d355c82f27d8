package engine

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
)

// drafter reads bodies.
type drafter struct {
	engine *Engine
	// internal bodies come from setters: they have the program's names and no
	// regard for ReadOnly and Hidden.
	internal bool
	// merge objects into the values of JSON fields.
	merge bool
	// create: the body is that of a new record, which names a key that nothing
	// generates.
	create bool
	// left is how many related records the bodies may still create, or name in
	// relations to many.
	left *int
}

// drafter returns a drafter for the bodies of one request, which create records or
// change one.
func (e *Engine) drafter(create bool) drafter {
	left := e.opts.MaxWritten
	return drafter{engine: e, create: create, left: &left}
}

// take counts related records before memory is allocated for them.
func (d drafter) take(n int) error {
	if *d.left -= n; *d.left < 0 {
		return &core.Error{Code: core.TooLarge, Message: fmt.Sprintf(
			"the request creates or names more than %d related records; send it in parts", d.engine.opts.MaxWritten)}
	}
	return nil
}

func (d drafter) draft(s *shape, body map[string]any, level int) (*draft, error) {
	if level > d.engine.opts.MaxNesting {
		return nil, &core.Error{Code: core.BadRequest, Message: fmt.Sprintf(
			"the body nests records deeper than %d levels; create the inner records first", d.engine.opts.MaxNesting)}
	}
	out := &draft{shape: s, level: level, plain: true}
	for _, f := range s.resource.Fields() {
		raw, named := body[d.name(f)]
		if d.leadsOn(f, body) {
			if out.partial = append(out.partial, f); named {
				return nil, tooMany(f)
			}
		}
		if !named || !d.knows(f) {
			continue
		}
		a, err := d.assignment(f, raw, level)
		if err != nil {
			return nil, err
		}
		out.add(a)
	}
	if len(out.assignments)+len(out.partial) < len(body) {
		return nil, d.unknown(s, body)
	}
	if d.create && s.keys.Assigned && !out.key().IsSet() {
		return nil, s.resource.NoNextKey()
	}
	return out, nil
}

// leadsOn reports whether the body has the member that leads to the rest of a list
// side, which is ignored.
func (d drafter) leadsOn(f *core.Field, body map[string]any) bool {
	if d.internal || !d.knows(f) || !Continues(f) {
		return false
	}
	_, named := body[f.APIName()+NextSuffix]
	return named
}

// names reports whether the body may name the key.
func (d drafter) names(f *core.Field) bool {
	return f.Key() && d.create && d.engine.shapeOf(f.Resource()).keys.Assigned
}

func (d drafter) name(f *core.Field) string {
	if d.internal {
		return f.Name()
	}
	return f.APIName()
}

// knows reports whether the field exists for whoever wrote the body.
func (d drafter) knows(f *core.Field) bool { return d.internal || !f.Hidden() }

// settable refuses fields that whoever wrote the body must not set.
func (d drafter) settable(f *core.Field) error {
	forClients := f.Key() || f.ReadOnly() || f.Computed() != nil && f.Computed().Set == nil
	switch {
	case d.names(f):
	case d.internal && (f.Key() || f.Computed() != nil):
		return badSetter(f.Resource(), f.Name())
	case !d.internal && forClients:
		return &core.Error{Code: core.FieldReadOnly, Resource: f.Resource().APIName(), Field: f.APIName()}
	}
	return nil
}

// unknown names the first field of the body that does not exist.
func (d drafter) unknown(s *shape, body map[string]any) error {
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(body)), func(name string) bool {
		f := s.resource.FieldByAPIName(name)
		if d.internal {
			f = s.resource.Field(name)
		}
		if list, ok := strings.CutSuffix(name, NextSuffix); ok && f == nil {
			f = s.resource.FieldByAPIName(list)
			return f != nil && d.leadsOn(f, body)
		}
		return f != nil && d.knows(f)
	})
	if d.internal {
		return badSetter(s.resource, names[0])
	}
	return s.unknown(names[0])
}

// badSetter is the error of a program whose setter names what it cannot set.
func badSetter(r *core.Resource, name string) error {
	return &core.Error{Code: core.ServerError, Cause: fmt.Errorf(
		"the setter of a computed field sets %s.%s; a setter can only set fields that exist and are neither the key nor computed", r, name)}
}

func (d drafter) assignment(f *core.Field, raw any, level int) (a assignment, err error) {
	if err := d.settable(f); err != nil {
		return a, err
	}
	a.field = f
	switch {
	case f.Computed() != nil:
		a.raw = raw
		err = d.engine.fits(f, measured(raw), d.internal)
	case f.Target() != nil:
		a.value = core.Null
		a.items, err = d.items(f, raw, level)
	default:
		a.value, err = f.Convert(raw)
		switch {
		case err == nil && f.Key() && !a.value.IsSet():
			err = badValue(f, f.Type(), raw)
		case a.value.IsAbsent():
			a.value = core.Null
		}
		if err == nil {
			err = d.engine.fits(f, a.value, d.internal)
			a.merge = d.merge && mergeable(f, a.value)
		}
	}
	return a, err
}

// fits refuses a value of a client that is too long.
func (e *Engine) fits(f *core.Field, v core.Value, internal bool) error {
	if limit := e.opts.MaxValue; !internal && len(v.Text()) > limit {
		return &core.Error{Code: core.TooLarge, Message: fmt.Sprintf(
			"the value of %s.%s has more than %d bytes", f.Resource().APIName(), f.APIName(), limit)}
	}
	return nil
}

// measured returns what a client wrote for a computed field as a value with a length.
func measured(raw any) core.Value {
	if text, ok := raw.(string); ok {
		return core.TextValue(text)
	}
	v, _ := core.JSON.Convert(raw) // what has no JSON form is for the setter to refuse
	return v
}

// items reads the value of a relation: ids and bodies of records to create.
func (d drafter) items(f *core.Field, raw any, level int) ([]item, error) {
	list := []any{raw}
	if f.Many() {
		var err error
		if list, err = members(f, raw); err != nil {
			return nil, err
		}
	}
	if _, nested := raw.(map[string]any); f.Many() || nested {
		if err := d.take(len(list)); err != nil {
			return nil, err
		}
	}
	items := make([]item, 0, len(list))
	for _, raw := range list {
		it, err := d.item(f, raw, level)
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

// members returns what the value of a to-many relation lists.
func members(f *core.Field, raw any) ([]any, error) {
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
	list, _ := elements(v)
	return list, nil
}

func (d drafter) item(f *core.Field, raw any, level int) (it item, err error) {
	if body, ok := raw.(map[string]any); ok {
		d.create = true
		it.create, err = d.draft(d.engine.shapeOf(f.Target()), body, level+1)
		return it, err
	}
	keyType := f.Target().Key().Type()
	if it.key, err = keyType.Convert(raw); err != nil {
		err = badValue(f, keyType, raw)
	}
	return it, err
}
