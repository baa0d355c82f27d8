package audit

import (
	"errors"
	"fmt"
	"slices"

	"github.com/larder-go/larder/core"
)

// Kinds of entries, the values of the field kind.
const (
	Created  = "created"
	Updated  = "updated"
	Deleted  = "deleted"  // also by a soft delete, see [Options.DeletedAt]
	Restored = "restored" // from a soft delete
)

// Resource returns the declaration of a resource of entries about the named resources. It has the fields that package audit
// describes, and a relation to each of the resources, under its name. The caller may change everything that New accepts: the
// APIName and Description, the type of the field by, further indexes.
func Resource(name string, audited ...string) core.ResourceSpec {
	fields := []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "at", Type: core.Time, ReadOnly: true, Description: "Time of the change."},
	}
	for _, r := range audited { // before the texts, which saves PostgreSQL the padding
		fields = append(fields, core.FieldSpec{Name: r, ToOne: r, OnDelete: core.Keep, ReadOnly: true, Description: "The changed " + r + ", if it still exists."})
	}
	return core.ResourceSpec{
		Name: name, Description: "Who changed which record, and how. Entries are written by the service and never change.",
		Fields: append(fields,
			core.FieldSpec{Name: "kind", Type: core.Text, ReadOnly: true, OneOf: []any{Created, Updated, Deleted, Restored}},
			core.FieldSpec{Name: "record", Type: core.Text, ReadOnly: true, Indexed: true, Description: "Resource and id of the changed record, such as issue/17."},
			core.FieldSpec{Name: "by", Type: core.Text, ReadOnly: true, Description: "Id of the principal."},
			core.FieldSpec{Name: "request", Type: core.Text, ReadOnly: true, Description: "Id of the request."},
			core.FieldSpec{Name: "before", Type: core.JSON, ReadOnly: true, Description: "The changed fields before the change."},
			core.FieldSpec{Name: "after", Type: core.JSON, ReadOnly: true, Description: "The changed fields after the change."},
		),
	}
}

// layout is the resource of entries with its fields, and what the entries are about.
type layout struct {
	entry                                        *core.Resource
	at, kind, record, by, request, before, after *core.Field
	subjects                                     []*subject
	of                                           map[*core.Resource]*subject
}

// subject is an audited resource.
type subject struct {
	resource  *core.Resource
	relation  *core.Field   // of the entries
	fields    []*core.Field // that the entries show
	deletedAt *core.Field   // nil without soft delete
}

// newLayout finds the fields of the entries in the model. The error lists all mistakes.
func newLayout(m *core.Model, o Options) (*layout, error) {
	l := &layout{entry: m.Resource(o.Resource), of: make(map[*core.Resource]*subject)}
	switch {
	case o.Resource == "":
		return nil, errors.New(`option Resource: is empty; name the resource of entries, such as "entry"`)
	case l.entry == nil:
		return nil, fmt.Errorf("the model has no resource %q for entries; add audit.Resource(%q, ...) to the model", o.Resource, o.Resource)
	}
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if l.entry.Key().Assigned() || l.entry.Key().Parts() != nil {
		fail("%s: entries need a generated key", l.entry.Key())
	}
	for _, want := range []struct {
		f    **core.Field
		name string
		typ  core.Type
	}{
		{&l.at, "at", core.Time}, {&l.kind, "kind", core.Text}, {&l.record, "record", core.Text}, {&l.request, "request", core.Text},
		{&l.before, "before", core.JSON}, {&l.after, "after", core.JSON}, {&l.by, "by", 0},
	} {
		f := l.entry.Field(want.name)
		if f == nil || !f.Stored() || f.Many() || want.typ != 0 && f.Type() != want.typ {
			of := ""
			if want.typ != 0 {
				of = " of the type " + want.typ.String()
			}
			fail("resource %q needs a stored field %q%s; audit.Resource declares it", l.entry, want.name, of)
		}
		*want.f = f
	}
	for _, f := range l.entry.References() {
		switch {
		case f == l.by:
			if !f.Keeps() {
				fail("%s: an entry must outlive the principal; set OnDelete to core.Keep", f)
			}
		case f.Target() == l.entry:
			fail("%s: entries cannot be audited; remove the relation", f)
		case !f.Keeps():
			fail("%s: an entry must outlive its record; set OnDelete to core.Keep", f)
		case l.of[f.Target()] != nil:
			fail("%s: %s leads to %q too; keep one of the relations", f, l.of[f.Target()].relation, f.Target())
		default:
			s := &subject{resource: f.Target(), relation: f}
			l.of[f.Target()] = s
			l.subjects = append(l.subjects, s)
		}
	}
	if len(l.subjects) == 0 {
		fail("resource %q has no relation to a resource to audit; name one in audit.Resource", l.entry)
	}
	return l, errors.Join(append(errs, l.choose(o)...)...)
}

// choose sets the fields that the entries show.
func (l *layout) choose(o Options) (errs []error) {
	unused, deletedAt := slices.Clone(o.Omit), o.DeletedAt == ""
	for _, s := range l.subjects {
		for _, f := range s.resource.Columns() {
			at := slices.Index(unused, f.String())
			switch {
			case f.Name() == o.DeletedAt:
				s.deletedAt, deletedAt = f, true
			case at >= 0:
				unused = slices.Delete(unused, at, at+1)
			case !f.Hidden() && !f.Key() && !f.KeyPart():
				s.fields = append(s.fields, f)
			}
		}
	}
	for _, name := range unused {
		errs = append(errs, fmt.Errorf("option Omit: %q is no stored field of an audited resource; write resource.field", name))
	}
	if !deletedAt {
		errs = append(errs, fmt.Errorf("option DeletedAt: no audited resource has a field %q; name the field of decorators/softdelete", o.DeletedAt))
	}
	return errs
}
