package rest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// shape is the model of the input or the output of an action: a resource of its own, whose records are the objects.
type shape struct {
	resource *core.Resource
	fields   []*core.Field                  // without the key
	targets  map[*core.Field]*core.Resource // of to-one relations
}

// shapeKey is the name of the key, which every resource needs. No object has it.
const shapeKey = "larder_no_member"

// newShape returns the shape of objects with the fields. The errors of its objects name the resource.
func newShape(m *core.Model, resource string, specs []core.FieldSpec) (*shape, error) {
	s := &shape{targets: make(map[*core.Field]*core.Resource)}
	fields := []core.FieldSpec{{Name: shapeKey, Type: core.Int, Key: true}}
	var errs []error
	targets := make(map[string]*core.Resource)
	for _, spec := range specs {
		if hasOther(spec) {
			errs = append(errs, fmt.Errorf("field %q: can have Name, APIName, Description, Type, Scale, ToOne, Default and the rules from Required to Schema, and nothing else", spec.Name))
			continue
		}
		if spec.ToOne != "" {
			target := m.Resource(spec.ToOne)
			switch {
			case target == nil:
				errs = append(errs, fmt.Errorf("field %q: the model has no resource %q for ToOne", spec.Name, spec.ToOne))
				continue
			case spec.Type != 0:
				errs = append(errs, fmt.Errorf("field %q: a relation has no type of its own; remove Type", spec.Name))
				continue
			}
			if targets[spec.Name], spec.ToOne, spec.Type = target, "", target.Key().Type(); spec.Type == core.Tuple {
				spec.Type = core.Text
			}
		}
		fields = append(fields, spec)
	}
	model, err := core.NewModel("action", core.ResourceSpec{Name: resource, Fields: fields})
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	s.resource = model.Resource(resource)
	for _, f := range s.resource.Fields() {
		if f.Key() {
			continue
		}
		s.fields = append(s.fields, f)
		if target := targets[f.Name()]; target != nil {
			s.targets[f] = target
		}
	}
	return s, nil
}

// hasOther reports whether the declaration sets an attribute that has no meaning for a member of an object.
func hasOther(spec core.FieldSpec) bool {
	spec.Name, spec.APIName, spec.Description, spec.Type, spec.Scale, spec.ToOne, spec.Default = "", "", "", 0, nil, "", nil
	spec.Required, spec.Min, spec.Max, spec.MinLength, spec.MaxLength, spec.Pattern, spec.OneOf, spec.Schema = false, nil, nil, 0, 0, "", nil, nil
	return !reflect.ValueOf(spec).IsZero()
}

// read returns the object of a body, with defaults. A value has at most maxValue bytes.
//
// Errors: [core.UnknownField], [core.BadFieldValue], [core.TooLarge]; [core.ValidationFailed] with all violations.
func (s *shape) read(ctx context.Context, body map[string]any, maxValue int) (core.Record, error) {
	rec := s.resource.RecordOf(make([]core.Value, len(s.resource.Columns())))
	for _, name := range slices.Sorted(maps.Keys(body)) {
		f := s.resource.FieldByAPIName(name)
		if f == nil || f.Key() {
			return rec, &core.Error{Code: core.UnknownField, Resource: s.resource.APIName(), Field: validText(name)}
		}
		v, err := f.Convert(body[name])
		if err != nil {
			return rec, err
		}
		if len(v.Text()) > maxValue {
			return rec, &core.Error{Code: core.TooLarge, Message: fmt.Sprintf("the value of %s has more than %d bytes", name, maxValue)}
		}
		rec = rec.Set(f, v)
	}
	for _, f := range s.fields {
		if rec.Value(f).IsAbsent() {
			v, err := f.Default(ctx)
			if err != nil {
				return rec, err
			}
			rec = rec.Set(f, v)
		}
	}
	return rec, s.check(rec)
}

// check returns [core.ValidationFailed] with all rules that the object breaks.
func (s *shape) check(rec core.Record) error {
	var found []core.Violation
	for _, f := range s.fields {
		if f.Required() && !rec.Value(f).IsSet() {
			found = append(found, f.Violated("required").Violations...)
		}
	}
	if found = append(found, s.resource.Violations(rec)...); len(found) > 0 {
		return &core.Error{Code: core.ValidationFailed, Violations: found}
	}
	return nil
}

// checkTargets checks that the principal can read the records that the object names.
//
// Errors: [core.NotFound] naming the record; those of [engine.Engine.Get].
func (s *shape) checkTargets(ctx context.Context, tx *engine.Engine, rec core.Record) error {
	for _, f := range s.fields {
		target := s.targets[f]
		if target == nil || !rec.Value(f).IsSet() {
			continue
		}
		if _, err := tx.Get(ctx, target.APIName(), rec.Value(f), 0); err != nil {
			return err
		}
	}
	return nil
}

// write returns the JSON of an output. The error of an output that does not fit is one of the program, without a code.
func (s *shape) write(output map[string]any) ([]byte, error) {
	rec, err := s.resource.NewRecord(output)
	if err == nil {
		err = s.check(rec)
	}
	if err != nil {
		return nil, &core.Error{Code: core.ServerError, Cause: fmt.Errorf("output of the action %s: %w", s.resource.Name(), err)}
	}
	text := []byte{'{'}
	for _, f := range s.fields {
		v := rec.Value(f)
		if !v.IsSet() {
			continue
		}
		if len(text) > 1 {
			text = append(text, ',')
		}
		text = core.TextValue(f.APIName()).AppendJSON(text)
		text = f.AppendJSON(append(text, ':'), v)
	}
	return append(text, '}'), nil
}
