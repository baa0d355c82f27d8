package core

import "context"

// ResourceSpec declares one resource of a model.
type ResourceSpec struct {
	// Name is what the program and the backends call the resource.
	Name string
	// APIName is what clients call it; default: Name.
	APIName string
	// Fields in the order in which they are shown and in which the fields of a
	// request are applied. Exactly one is the key.
	Fields []FieldSpec
}

// FieldSpec declares one field. It is exactly one of four kinds: a scalar has a
// Type, a to-one relation ToOne, a to-many relation ToMany, a computed field
// Computed.
type FieldSpec struct {
	// Name is what the program and the backends call the field.
	Name string
	// Was is what the program and the backends called the field before it was renamed;
	// "" if it never was. A backend that finds a field of that name, and none of Name,
	// renames it: the file backend when it is opened, PostgreSQL by Migrate. Programs
	// with the older model that still run on the same database fail from then on. Remove
	// it once all stores are renamed.
	Was string
	// APIName is what clients call it, in bodies, filters, sorts and errors;
	// default: Name.
	APIName string

	// Type of a scalar. On a computed field it only documents what the getter
	// returns; a relation has none, it is typed by its target's key.
	Type Type
	// Key marks the primary key: of type [Int], [Text] or [UUID]. Clients never
	// set one that is generated in a body, and it never changes.
	Key bool
	// Assigned, on a Key: nothing generates the key, whatever the backend could do.
	// Whoever creates a record names it: a client in the body of a POST, or as the id
	// of a PUT. Keys of type Text are assigned unless the backend generates them.
	Assigned bool

	// ToOne names the resource that this relation points at.
	ToOne string
	// ToMany names the resource that this relation collects.
	ToMany string
	// Inverse names the to-one field of the related resource that stores this
	// relation, so that the two fields are both sides of one connected pair:
	// one-to-one if this is a ToOne, one-to-many if it is a ToMany. A field with
	// an Inverse is not stored. A ToMany without one is one-directional: a
	// stored list of keys.
	Inverse string
	// Cascade, on a stored ToOne: the record dies with what it points at.
	Cascade bool

	// ReadOnly: clients cannot set the field; computed setters, the other side
	// of a relation and the program can.
	ReadOnly bool
	// Hidden: clients cannot see, set, filter or sort by the field, and are
	// answered as if it did not exist.
	Hidden bool
	// Writable says whether the field of this record may change at all, by
	// whomever: by a request, through the other side of its relation, by a
	// delete. nil: always; [Never]: set when the record is created, and fixed. The
	// engine asks it about the record as the principal sees it: a to-one relation to a
	// record that a policy hides is null, and setting null there keeps what is stored.
	Writable func(Record) bool
	// Default is the value of a new record that does not name the field: a value
	// that the type converts, or a func() any that returns one. A replacement of the
	// whole record (PUT) that does not name the field sets it to a constant default
	// again; of a function it keeps the stored value.
	Default any
	// Unique: no two records hold the same value; null does not count. The
	// stored side of a one-to-one relation always is.
	Unique bool
	// Indexed: backends keep an index for filters on this field. Stored to-one
	// and unique fields always have one.
	Indexed bool

	// Computed makes the field one that is not stored.
	Computed *Computed
}

// Computed is a field whose value is made from the record. The functions may be
// called by several goroutines at once.
type Computed struct {
	// Get returns the value to show, of any type with a JSON form. It sees the
	// stored fields of the record: hidden ones too, and ids of related records that
	// the principal may not see, which it must not show.
	Get func(ctx context.Context, rec Record) (any, error)
	// Set turns the value that a client wrote into values of other fields, by
	// name, which are then set without regard to ReadOnly and Hidden; relations
	// take what they take in a request, nested records included. nil: clients
	// cannot set the field.
	Set func(ctx context.Context, rec Record, value any) (map[string]any, error)
}

// Never is a [FieldSpec.Writable] that lets nothing change.
func Never(Record) bool { return false }
