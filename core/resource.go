package core

// Resource is one resource of a [Model], immutable like it. Resources are
// compared by pointer; [Resource.Index] numbers them for arrays.
type Resource struct {
	model     *Model
	index     int
	name      string
	apiName   string
	fields    []*Field
	columns   []*Field
	key       *Field
	byName    map[string]*Field
	byAPIName map[string]*Field
	referrers []*Field
	uniques   []*Field
	toOnes    []*Field
	byKey     []Order
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
func (r *Resource) References() []*Field { return r.toOnes }

// Uniques returns the stored fields, other than the key, of which no two
// records may hold the same value. The slice is shared and must not be
// modified.
func (r *Resource) Uniques() []*Field { return r.uniques }
