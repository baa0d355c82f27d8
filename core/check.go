package core

// checkFields looks for attributes that contradict each other.
func (b *builder) checkFields() {
	for _, r := range b.model.resources {
		for _, f := range r.fields {
			b.checkKind(f)
			if f.spec.Key {
				b.checkKey(f)
			}
			b.checkAttributes(f)
		}
		b.checkRenames(r)
	}
}

func (b *builder) checkKind(f *Field) {
	s := f.spec
	relation := s.ToOne != "" || s.ToMany != ""
	switch {
	case s.ToOne != "" && s.ToMany != "":
		b.failField(f, "is both to-one and to-many")
	case relation && s.Computed != nil:
		b.failField(f, "is both a relation and computed")
	case relation && s.Type != 0:
		b.failField(f, "a relation has no type of its own")
	case !relation && s.Inverse != "":
		b.failField(f, "has an inverse but is no relation")
	case !relation && s.Computed == nil && !s.Type.Valid():
		b.failField(f, "has neither a type nor a relation nor a computation")
	case s.Computed != nil && s.Type != 0 && !s.Type.Valid():
		b.failField(f, "has no valid type")
	case s.Computed != nil && s.Computed.Get == nil:
		b.failField(f, "is computed and has no getter")
	}
}

func (b *builder) checkKey(f *Field) {
	s := f.spec
	switch {
	case f.target != nil || s.Computed != nil:
		b.failField(f, "a key cannot be a relation or computed")
	case !s.Type.key():
		b.failField(f, "a key must be int, text or uuid, not %s", s.Type)
	case s.Hidden:
		b.failField(f, "a key cannot be hidden")
	case s.Default != nil || s.Writable != nil:
		b.failField(f, "a key has no default and is never writable")
	}
}

func (b *builder) checkAttributes(f *Field) {
	s := f.spec
	storedToOne := s.ToOne != "" && s.Inverse == ""
	switch {
	case s.Cascade && !storedToOne:
		b.failField(f, "only a stored to-one relation can cascade")
	case s.Default != nil && (!f.Stored() || f.Many()):
		b.failField(f, "only a stored scalar or to-one relation can have a default")
	case (s.Unique || s.Indexed) && (!f.Stored() || !f.typ.Ordered()):
		b.failField(f, "a field of this kind cannot be unique or indexed")
	case s.Computed != nil && (s.ReadOnly || s.Writable != nil):
		b.failField(f, "a computed field is settable exactly if it has a setter")
	}
}

// checkRenames makes sure that no column is taken for two fields.
func (b *builder) checkRenames(r *Resource) {
	renamed := make(map[string]*Field)
	for _, f := range r.fields {
		was := f.spec.Was
		if was == "" {
			continue
		}
		other := r.byName[was]
		switch {
		case !f.Stored():
			b.failField(f, "only a stored field can have been renamed")
		case !goodName(was):
			b.failField(f, "Was has control characters")
		case was == f.name:
			b.failField(f, "Was is its own name")
		case other != nil && other.Stored():
			b.failField(f, "Was is the name of another field, %q", was)
		case renamed[was] != nil:
			b.failField(f, "Was is %q, and so it is for %q", was, renamed[was].name)
		}
		renamed[was] = f
	}
}
