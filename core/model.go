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

// Model is the set of resources that a store holds. It is immutable and safe
// for concurrent use. [NewModel] builds it.
type Model struct {
	name      string
	resources []*Resource
	byName    map[string]*Resource
	byAPIName map[string]*Resource
}

// NewModel builds and checks a model. Its name is what backends call the whole:
// PostgreSQL's schema, by default. If anything is wrong, the error lists every
// mistake, each with the resource and field that it is in.
func NewModel(name string, resources ...ResourceSpec) (*Model, error) {
	b := builder{model: &Model{
		name:      name,
		byName:    make(map[string]*Resource, len(resources)),
		byAPIName: make(map[string]*Resource, len(resources)),
	}}
	b.addResources(resources)
	b.linkRelations()
	b.checkFields()
	b.convertDefaults()
	if err := b.err(); err != nil {
		return nil, err
	}
	return b.model, nil
}

// MustModel is [NewModel] for models that are part of a program: it panics if
// anything is wrong.
func MustModel(name string, resources ...ResourceSpec) *Model {
	m, err := NewModel(name, resources...)
	if err != nil {
		panic(err)
	}
	return m
}

// Name returns the model's name.
func (m *Model) Name() string { return m.name }

// Resources returns the resources in the order of their declaration. The slice
// is shared and must not be modified.
func (m *Model) Resources() []*Resource { return m.resources }

// Resource returns the resource of that name, or nil.
func (m *Model) Resource(name string) *Resource { return m.byName[name] }

// ResourceByAPIName returns the resource that clients call by that name, or nil.
func (m *Model) ResourceByAPIName(name string) *Resource { return m.byAPIName[name] }

// Resource is one resource of a [Model], immutable like it. Resources are
// compared by pointer; [Resource.Index] numbers them for arrays.
type Resource struct {
	model      *Model
	index      int
	name       string
	apiName    string
	fields     []*Field
	columns    []*Field
	key        *Field
	byName     map[string]*Field
	byAPIName  map[string]*Field
	referrers  []*Field
	uniques    []*Field
	references []*Field
	keyOrder   []Order
}

// Model returns the model that the resource belongs to.
func (r *Resource) Model() *Model { return r.model }

// Index returns the resource's position in [Model.Resources].
func (r *Resource) Index() int { return r.index }

// Name returns the name that the program uses.
func (r *Resource) Name() string { return r.name }

// APIName returns the name that clients use.
func (r *Resource) APIName() string { return r.apiName }

// String returns the name that the program uses.
func (r *Resource) String() string { return r.name }

// Fields returns all fields in the order of their declaration. The slice is
// shared and must not be modified.
func (r *Resource) Fields() []*Field { return r.fields }

// Columns returns the stored fields in the order of their declaration, which
// is the order of the values of a [Record]. The slice is shared and must not be
// modified.
func (r *Resource) Columns() []*Field { return r.columns }

// Key returns the primary key.
func (r *Resource) Key() *Field { return r.key }

// Field returns the field of that name, or nil.
func (r *Resource) Field(name string) *Field { return r.byName[name] }

// FieldByAPIName returns the field that clients call by that name, or nil. It
// finds hidden fields too.
func (r *Resource) FieldByAPIName(name string) *Field { return r.byAPIName[name] }

// Referrers returns the stored to-one fields, of any resource, that point at
// this one. The slice is shared and must not be modified.
func (r *Resource) Referrers() []*Field { return r.referrers }

// References returns the resource's own stored to-one fields. The slice is
// shared and must not be modified.
func (r *Resource) References() []*Field { return r.references }

// Uniques returns the stored fields, other than the key, of which no two
// records may hold the same value. The slice is shared and must not be
// modified.
func (r *Resource) Uniques() []*Field { return r.uniques }
