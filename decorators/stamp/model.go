package stamp

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
)

// kind says which value a stamp has.
type kind uint8

const (
	stampTime kind = iota
	stampAuthor
	stampRequest
)

// stamp is a stamped field.
type stamp struct {
	name  string
	of    kind
	once  bool        // by an insert only
	field *core.Field // of one resource
}

// touch is a relation to records whose time follows the changes.
type touch struct {
	relation *core.Field
	updated  *core.Field // of the target
}

// plan has what the decorator does for one resource.
type plan struct {
	stamps    []stamp
	ifChanged []*core.Field // fields of the stamps of an update
	touches   []touch
}

// clone returns a copy that shares nothing with the options.
func (o Options) clone() Options {
	o.Touch = maps.Clone(o.Touch)
	for name, relations := range o.Touch {
		o.Touch[name] = slices.Clone(relations)
	}
	return o
}

// stamps returns the stamps with a name, without the fields of resources.
func (o Options) stamps() []stamp {
	all := []stamp{
		{name: o.Created, of: stampTime, once: true}, {name: o.CreatedBy, of: stampAuthor, once: true},
		{name: o.Updated, of: stampTime}, {name: o.UpdatedBy, of: stampAuthor}, {name: o.Request, of: stampRequest},
	}
	return slices.DeleteFunc(all, func(st stamp) bool { return st.name == "" })
}

// names returns the names of the stamped fields.
func (o Options) names() (names []string) {
	for _, st := range o.stamps() {
		names = append(names, st.name)
	}
	return names
}

// note describes the settings.
func (o Options) note() string {
	parts := []string{strings.Join(o.names(), ", ")}
	for _, resource := range slices.Sorted(maps.Keys(o.Touch)) {
		parts = append(parts, resource+" touches "+strings.Join(o.Touch[resource], ", "))
	}
	return strings.Join(parts, "; ")
}

// plans returns the plan of each resource by its index, or an error that lists all mistakes.
func (o Options) plans(m *core.Model) ([]plan, error) {
	var errs []error
	mistake := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if len(o.stamps()) == 0 {
		mistake("the options name no field; name at least one, such as Updated")
	}
	plans := make([]plan, len(m.Resources()))
	for _, st := range o.stamps() {
		found := false
		for _, r := range m.Resources() {
			if st.field = r.Field(st.name); st.field == nil {
				continue
			}
			found = true
			if err := o.check(st); err != nil {
				mistake("field %s: %w", st.field, err)
			}
			p := &plans[r.Index()]
			if p.stamps = append(p.stamps, st); !st.once {
				p.ifChanged = append(p.ifChanged, st.field)
			}
		}
		if !found {
			mistake("no resource of the model %q has a field %q; add it to a resource, or remove the name from the options", m.Name(), st.name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o.Touch)) {
		for _, relation := range o.Touch[name] {
			r := m.Resource(name)
			t, err := o.touch(r, relation)
			if err != nil {
				mistake("option Touch: %s.%s %w", name, relation, err)
				continue
			}
			plans[r.Index()].touches = append(plans[r.Index()].touches, t)
		}
	}
	return plans, errors.Join(errs...)
}

// check returns the reason why a field cannot hold its stamp.
func (o Options) check(st stamp) error {
	f := st.field
	types := map[kind][]core.Type{stampTime: {core.Time}, stampAuthor: {core.Int, core.Text, core.UUID}, stampRequest: {core.Text}}[st.of]
	switch {
	case !f.Stored() || f.Many() || f.Parts() != nil || f.NumberedBy() != nil || st.of != stampAuthor && f.Target() != nil:
		return errors.New("cannot hold a stamp; use a stored field of its own")
	case f.Key() || f.KeyPart():
		return errors.New("is part of the key; use another field")
	case !slices.Contains(types, f.Type()):
		return fmt.Errorf("has the type %s; use %s", f.Type(), listed(types))
	case !f.ReadOnly() && !f.Hidden():
		return errors.New("can be set by clients; set ReadOnly or Hidden in the model")
	case f.HasDefaultFunc() || !f.ConstantDefault().IsAbsent():
		return errors.New("has a default, but the decorator writes it; remove Default in the model")
	case st.of == stampAuthor && !o.Program.IsAbsent() && o.Program.Type() != f.Type():
		return fmt.Errorf("has the type %s, and the option Program has the type %s; use one type for both", f.Type(), o.Program.Type())
	}
	return nil
}

// touch returns the touch of a relation, or the reason why it cannot be one.
func (o Options) touch(r *core.Resource, relation string) (touch, error) {
	if r == nil {
		return touch{}, errors.New("names no resource of the model; name the one that stores the relation")
	}
	f := r.Field(relation)
	if f == nil || f.Target() == nil || f.Many() || !f.Stored() {
		return touch{}, errors.New("is no to-one relation that the resource stores; name the other side of a list")
	}
	updated := f.Target().Field(o.Updated)
	switch {
	case o.Updated == "" || updated == nil:
		return touch{}, fmt.Errorf("leads to %s, which has no field for the option Updated; add the field, or remove the relation from Touch", f.Target().Name())
	case f.Target().ReadOnly():
		return touch{}, fmt.Errorf("leads to %s, which is read-only in the model; remove the relation from Touch", f.Target().Name())
	}
	return touch{f, updated}, nil
}

// listed returns the types as text.
func listed(types []core.Type) string {
	var names []string
	for _, t := range types {
		names = append(names, t.String())
	}
	return strings.Join(names, " or ")
}
