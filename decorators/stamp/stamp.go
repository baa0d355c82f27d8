package stamp

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/larder-go/larder/core"
)

// Options name the stamped fields, by their names in the model. An empty name stands for no such stamp; at least one is needed.
type Options struct {
	// Created and Updated are the times of the insert and of the last change. The fields have the type time.
	Created, Updated string
	// CreatedBy and UpdatedBy are the authors. The fields have the type of the ids of the principals: int, text or uuid. They may
	// be to-one relations.
	CreatedBy, UpdatedBy string
	// Request is the id of the request that created or last changed the record, see [core.RequestIDOf]; null for a request without
	// an id, or with one that is no valid text. The field has the type text.
	Request string
	// Touch names to-one relations by the resource that stores them: {"comment": {"issue"}}. A record that is new, changed or
	// deleted sets the Updated time of the records that the relations lead to.
	Touch map[string][]string
	// Program is the author of writes of [core.System]. The zero Value means null.
	Program core.Value
}

// New returns the decorator.
//
// [core.New] fails if no resource has a named field, if a field cannot hold its stamp or clients can set it, or if Touch names
// anything else than a stored to-one relation to a resource with the field Updated. The error lists every mistake and its
// correction.
func New(opts Options) core.Decorator { return newWithClock(opts, (*core.Op).Now) }

func newWithClock(o Options, now func(op *core.Op) time.Time) core.Decorator {
	o = o.clone()
	return core.Decorator{
		Name: "stamp", Note: o.note(), Kind: core.KindEffect, KnowsRelated: true, Repeatable: true,
		InsidePolicies: true, Inside: []string{"softdelete"},
		Sets: func(f *core.Field) bool { return slices.Contains(o.names(), f.Name()) },
		Wrap: func(m *core.Model, next core.Handler) (core.Handler, error) {
			plans, err := o.plans(m)
			if err != nil {
				return nil, err
			}
			s := &stamper{program: o.Program, plans: plans, now: now, next: next}
			return s.handle, nil
		},
	}
}

type unstampedKey struct{}

// Unstamped returns a context in which writes of [core.System] are not stamped and touch nothing: records keep the stamps that a
// write names. It is for imports of records with their history, and for migrations that must not look like changes.
func Unstamped(ctx context.Context) context.Context {
	return context.WithValue(ctx, unstampedKey{}, true)
}

// stamper is the decorator in one store. It is immutable.
type stamper struct {
	program core.Value // author of writes of the program
	plans   []plan     // by index of the resource
	now     func(op *core.Op) time.Time
	next    core.Handler
}

func (s *stamper) handle(ctx context.Context, op *core.Op) (core.Result, error) {
	switch {
	case op.Resource == nil, op.Kind != core.Insert && op.Kind != core.Update && op.Kind != core.Delete:
		return s.next(ctx, op)
	case op.Principal.IsSystem() && ctx.Value(unstampedKey{}) != nil:
		return s.next(ctx, op)
	}
	p := &s.plans[op.Resource.Index()]
	if op.Kind != core.Delete && len(p.stamps) > 0 {
		if err := s.stamp(ctx, op, p); err != nil {
			return core.Result{}, err
		}
	}
	if len(p.touches) == 0 || len(op.Records)+len(op.Keys) == 0 {
		return s.next(ctx, op)
	}
	return op.InTx(ctx, s.next, func(ctx context.Context, op *core.Op) (core.Result, error) { return s.writeAndTouch(ctx, op, p) })
}

// stamp writes the stamps into the records of an Insert or Update.
func (s *stamper) stamp(ctx context.Context, op *core.Op, p *plan) error {
	op.Records = slices.Clone(op.Records)
	for _, st := range p.stamps {
		var v core.Value // an update leaves the creation as it is
		if op.Kind == core.Insert || !st.once {
			var err error
			if v, err = s.value(ctx, op, st); err != nil {
				return err
			}
		}
		for i, rec := range op.Records {
			if rec.At(st.field.Column()) != v {
				op.Records[i] = rec.With(st.field.Column(), v)
			}
		}
	}
	if op.Kind == core.Update {
		op.IfChanged = append(slices.Clip(op.IfChanged), p.ifChanged...)
	}
	return nil
}

// value returns the value of a stamp for the op.
func (s *stamper) value(ctx context.Context, op *core.Op, st stamp) (core.Value, error) {
	switch {
	case st.of == stampTime:
		return core.TimeValue(s.now(op)), nil
	case st.of == stampRequest:
		if v, err := st.field.Convert(core.RequestIDOf(ctx)); err == nil && v != core.TextValue("") {
			return v, nil
		}
		return core.Null, nil
	case op.Principal == nil, op.Principal.IsSystem() && s.program.IsAbsent():
		return core.Null, nil
	case op.Principal.IsSystem():
		return s.program, nil
	}
	v, err := st.field.Convert(op.Principal.ID)
	if err != nil || op.Principal.ID.Type() != st.field.Type() || v == core.TextValue("") {
		denied := op.Resource.Forbidden()
		denied.Cause = fmt.Errorf("stamp: %s needs an id of type %s, which the principal lacks", st.field, st.field.Type())
		return core.Value{}, denied
	}
	return v, nil
}

// writeAndTouch runs the op and touches the records that the changed records point at, before or after the op.
func (s *stamper) writeAndTouch(ctx context.Context, op *core.Op, p *plan) (core.Result, error) {
	touch := s.asProgram(op, core.Update, op.Resource) // inner decorators may change the op
	res, changes, err := op.Changes(ctx, s.next)
	if err != nil {
		return core.Result{}, err
	}
	for _, t := range p.touches {
		if err := s.touch(core.System(ctx), touch, t, changes); err != nil {
			return core.Result{}, err
		}
	}
	return res, nil
}

// touch sets the time of the records that the changed ones point at. One that is gone, or has the time already, is left out.
func (s *stamper) touch(ctx context.Context, op *core.Op, t touch, changes []core.Change) error {
	var keys []core.Value
	for _, c := range changes {
		for _, rec := range []core.Record{c.Before, c.After} {
			if v := rec.Value(t.relation); v.IsSet() {
				keys = append(keys, v)
			}
		}
	}
	if len(keys) == 0 {
		return nil
	}
	target, now := t.relation.Target(), core.TimeValue(s.now(op))
	load := s.asProgram(op, core.Load, target)
	load.Keys, load.Fields = core.SortKeys(keys), []*core.Field{target.Key(), t.updated}
	res, err := s.next(ctx, load)
	if err != nil {
		return err
	}
	update := s.asProgram(op, core.Update, target)
	for _, rec := range res.Records {
		if rec.Value(t.updated) != now {
			update.Keys, update.Records = append(update.Keys, rec.Key()), append(update.Records, target.Patch(rec.Key()).Set(t.updated, now))
		}
	}
	if len(update.Keys) == 0 {
		return nil
	}
	_, err = s.next(ctx, update)
	return err
}

// system is the principal of touches.
var system = core.PrincipalOf(core.System(context.Background()))

// asProgram derives an op of the program.
func (s *stamper) asProgram(op *core.Op, kind core.Kind, r *core.Resource) *core.Op {
	derived := op.Derive(kind, r)
	derived.Principal = system
	return derived
}
