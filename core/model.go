package core

import (
	"context"
)

// ResourceSpec declares one resource of a model.
type ResourceSpec struct {
	// Name is the name for programs and backends. It must be unique in the model.
	Name string
	// APIName is the name for clients, in URLs and errors; default: Name. It consists of letters, digits, "_" and, neither
	// first nor last, "-". It must be unique in the model.
	APIName string
	// Description describes the records to people. The OpenAPI document shows it, and PostgreSQL stores it as the
	// comment of a table that Migrate creates.
	Description string
	// ReadOnly means that the records come from elsewhere, for example from a view of a database: the store rejects every
	// write with the code [ReadOnly], also for [System]. The other side of a relation that such a resource stores is
	// read-only, too. The relation cannot have OnDelete, Orphans or Partner: a delete of its target changes no record of
	// the resource.
	ReadOnly bool
	// Fields are applied and shown in this order. One of them is the key, or several are its parts.
	Fields []FieldSpec
	// KeyName is the name of the field that shows the key of a resource with several Key fields; default: "id". Set it if
	// the resource has another field of this name. For clients the field is readonly.
	KeyName string
	// Unique lists groups of field names: no two records may have the same values in all fields of a group. It is short for
	// Indexes with Unique.
	Unique [][]string
	// Indexes are the indexes over several fields or over some of the records.
	Indexes []Index
	// Validate returns the violations of rules over several fields, after every insert and update has passed the
	// decorators and before the backend writes. before is the zero Record for a new record. after has the values that the
	// operation sets; values that the backend adds, such as a generated key, are absent from a new one. after may break rules
	// of fields, whose violations are reported together. Both have all fields, also those that the principal cannot read, so
	// a [Violation] must not show their values. The first element of its Path is the Name of a field.
	//
	// An error fails the operation: an [*Error] goes to the caller as it is, any other error is a [ServerError]. The function
	// runs inside the transaction, so it must be quick, and it cannot use the store. It may run again when the transaction is
	// repeated.
	Validate func(ctx context.Context, before, after Record) ([]Violation, error)
}

// FieldSpec declares one field. It is of one of four kinds: a scalar has a Type, a to-one relation ToOne, a to-many
// relation ToMany, a computed field Computed.
//
// ReadOnly, Hidden, Writable and Computed are rules for the requests of clients. Package core/engine applies them; a
// [Store] does not. Functions of the declaration may run in several goroutines at once.
type FieldSpec struct {
	// Name is the name for programs and backends. It must be unique in the resource.
	Name string
	// Was is the former name of a renamed field; "" for other fields. A backend that finds the old name and not the
	// new one renames the field: the file backend on opening, PostgreSQL in Migrate. Stop programs with the older
	// model first: the file backend rejects it from then on, but Migrate would add the old name as an empty column,
	// with a warning in the log. Remove Was once all stores are renamed.
	Was string
	// APIName is the name for clients, in bodies, filters, sorts and errors; default: Name. It consists of letters,
	// digits, "_" and, neither first nor last, "-". It must be unique in the resource.
	APIName string
	// Description describes the values to people. The OpenAPI document shows it, and PostgreSQL stores it as the comment
	// of a column that Migrate creates.
	Description string

	// Type of a scalar. For a computed field it documents the values of the Get function. A relation has no Type: it
	// takes the type of its target's key.
	Type Type
	// Scale, for a Decimal, is the number of digits after the point: clients see exactly that many, and a value with more
	// is rejected. It must be within 0 and 1,000. nil means any number of digits, shown without superfluous zeros.
	Scale *int
	// Key marks the primary key, of type [Int], [Text] or [UUID]. A key never changes, and clients never set a
	// generated one in a body.
	//
	// With several Key fields their values together are the key, in their order. They are scalars, of type [Bool], [Time],
	// [Date] and [LocalTime] too, or stored to-one relations, and never null. The model adds a field of type [Tuple], the
	// key that programs pass and clients see; see [ResourceSpec.KeyName]. Such keys are assigned: a new record names all of
	// the Key fields that have no Default.
	//
	// A record that has the key of another record, such as an account with that of its user, has a scalar Key and a relation
	// with Via beside it: {Name: "user", ToOne: "user", Via: []string{"user_id"}}. The body of a POST names either of the two.
	Key bool
	// Assigned, for a Key, means that the key is not generated, even if the backend could. A client sets it in the
	// body of a POST or in the URL of a PUT. Keys of type Text are assigned unless the backend generates them.
	Assigned bool

	// ToOne is the resource that a to-one relation points at.
	ToOne string
	// ToMany is the resource that a to-many relation points at.
	ToMany string
	// Via, for a ToOne, names the stored scalar and to-one fields of the resource that hold the key of the target, in the
	// order of its elements. The relation is derived from them and is null if one of them is null. Setting it sets them.
	// Use it for a value that is part of several relations, or of a relation and the key.
	//
	// Detaching the relation sets those of the fields to null that are not Required and belong to no other relation and not to
	// the key. If there are none, OnDelete is [Restrict] instead of [Detach].
	Via []string
	// Inverse is the to-one field of the related resource that stores this relation. The two fields are connected:
	// one-to-one for a ToOne, one-to-many for a ToMany. A field with an Inverse is not stored. A ToMany without
	// Inverse and Through is stored as a list of keys.
	Inverse string
	// Through, for a ToMany, is the resource that joins the two: each of its records, the links, points at a record of this
	// resource and at a related record with stored to-one relations. The list has the targets of the links, and setting it
	// creates and deletes links. The join resource remains a resource with fields, policies and requests of its own. Its
	// key, or a Unique, consists of the two relations, so that no two links join the same records. The Unique has no condition,
	// or the condition that a hidden time is null, for a decorator that keeps deleted links with such a time.
	// Deleting either record deletes the links, unless the relation has an OnDelete.
	//
	// If several pairs of relations are possible, as between users who follow users, Through also names the relation to
	// the target of ToMany: "follow.followee" for the list of the followed users.
	Through string
	// OnDelete, for a stored ToOne, is the effect of deleting the target. Default: [Detach]; [Cascade] if [Resource.Join]
	// returns the relation or a list goes Through it; [Restrict] for other relations in the key, which cannot be detached. [Keep]
	// is a reference that nothing enforces.
	OnDelete OnDelete
	// Orphans, for a stored ToOne with a connected other side, is the effect on a record that leaves that side.
	// Default: [KeepOrphans].
	Orphans Orphans
	// Partner, for the stored side of a one-to-one relation, is the effect of setting it to a partner that is taken.
	// Default: [ReassignPartner].
	Partner Partner

	// ReadOnly means that clients cannot set the field. Programs, computed setters and the other side of a relation
	// can.
	ReadOnly bool
	// Hidden means that clients cannot see, set, filter or sort by the field. It does not exist for them.
	Hidden bool
	// Writable reports whether the field of the record may change, by a request, through the other side of its
	// relation, or by a delete. nil means always; [Never] fixes the value that a new record gets. The engine passes
	// the record as the principal sees it: a to-one relation to a hidden record is null, and setting it to null keeps
	// the stored value.
	Writable func(Record) bool
	// Default is the value of the field in new records that do not set it: a value that the type can convert, a
	// func() any, or a func(context.Context) any, which finds the principal with [PrincipalOf]. A replacement of a record
	// (PUT) without the field sets a constant default, and keeps the stored value for a function.
	Default any

	// The rules for values, from Required to Schema, hold for every field that an insert or update sets, whatever sets it: a
	// client, a program or a decorator. The store checks them inside all decorators, and fails the operation with
	// [ValidationFailed], which lists all violations. A record that breaks a rule because it is older than the rule can be
	// read, and changed in other fields. Rules other than Required accept null.

	// Required, for a stored scalar or to-one relation other than the key, means that the value is never null: a new record
	// has a value or a default, and a change does not set null. Empty text is a value, unless MinLength is 1 or more. The
	// default of a database does not count. A to-one relation that is Required cannot be detached, so its OnDelete defaults
	// to [Restrict].
	Required bool
	// Min and Max are the least and the greatest value of an Int, Float, Decimal, Time, Date or LocalTime, as values that the
	// type can convert. nil means no bound.
	Min, Max any
	// MinLength and MaxLength bound the number of characters, which are Unicode code points, of a Text. 0 means no bound.
	MinLength, MaxLength int
	// Pattern is a regular expression that a part of a Text matches; "^" and "$" tie it to the beginning and the end. It
	// consists of characters, ".", which matches every character, "^", "$", brackets such as "[^a-z0-9_]", groups "(a|b)" and
	// "(?:a|b)", and the quantifiers "*", "+", "?", "{2}", "{2,}" and "{2,255}". A backslash makes one of the characters
	// ^ $ . [ ] { } ( ) | * + ? / \ and - in brackets an ordinary one. Go, PostgreSQL and JSON Schema read these alike. Use
	// [0-9] for \d, [A-Za-z0-9_] for \w and [ \t\n] for \s, which differ.
	Pattern string
	// OneOf lists the values that an Int, Text, Date, Decimal or UUID can have.
	OneOf []any
	// Transitions lists, for the states of a Text, the states that may follow: {"open": {"closed"}, "closed": nil}. A
	// state that is no key is final. "" stands for null: its list holds the states of new records; without this entry a new
	// record may have any state. Setting the same state again is always allowed.
	Transitions map[string][]string
	// Schema decides about the content of a JSON or List. Package core/jsonschema implements it.
	Schema ContentSchema
	// Unique means that no two records may have the same value, other than null. The stored side of a one-to-one
	// relation is always unique.
	Unique bool
	// Indexed means that backends keep an index for filters on the field. Stored to-one relations and unique fields
	// always have one.
	Indexed bool

	// Searchable, for a stored Text that is neither Hidden nor a relation, means that [Search] looks into the field.
	Searchable bool
	// OnDemand means that an answer of package core/engine shows the field only to a request that names it, see
	// engine.Query.Fields: for long texts, long lists and values that are expensive to compute. A replacement keeps the field if
	// its body does not name it. A key and a hidden field cannot be OnDemand.
	OnDemand bool

	// NumberedBy, for a stored Int, is the field by whose value the records are grouped: a stored to-one relation or an
	// Indexed field. Within a group, new records get the numbers 1, 2, 3 and so on in the order of their inserts; null is
	// a group, too. The store keeps a counter for each group: a number is not given to another record, even after its
	// record was deleted, and an insert that is rolled back leaves no gap. A record that moves to another group keeps its
	// number, and that group continues after it. Clients cannot set the field, as with ReadOnly. A program can; the
	// counter then continues after the highest number. If a program sets the number of a record to null, in an update that
	// may also move the record, the record gets the next number of its group.
	//
	// Inserts into one group wait for each other, see [TxOptions.Locks]. If a transaction has read records before, the
	// insert cannot wait: it is a conflict, and the repeated transaction takes the lock first.
	NumberedBy string

	// Unordered, for a stored scalar other than the key, means that queries cannot sort by the field or compare it by
	// order: only equality and the operators on parts of the text are left. Use it for a Text that spells values of another
	// type, such as numbers or the labels of an enumeration, which do not sort by their spelling.
	Unordered bool

	// Computed makes the field a computed one, which is not stored.
	Computed *Computed
}

// Computed holds the functions of a computed field. They may run in several goroutines at once.
//
// An error of a function fails the request and undoes its changes. An [*Error] goes to the client as it is, such as a
// [BadRequest] with a Message. Any other error, a bare [Code] included, is a [ServerError], or [Unavailable] for conflicts,
// closed stores and ended contexts.
type Computed struct {
	// Get returns the value, of any type with a JSON form. The record has the stored fields that the policies of the
	// store return to the principal; other fields are absent. It includes Hidden fields, and the keys of related
	// records that are hidden from the principal. The value must not reveal them.
	Get func(ctx context.Context, rec Record) (any, error)
	// Set converts the value that a client has written to values of other fields, by name. ReadOnly and Hidden do not
	// apply to them; relations accept the values of a request, nested records included. nil means that clients cannot
	// set the field.
	Set func(ctx context.Context, rec Record, value any) (map[string]any, error)
}

// Never is a [FieldSpec.Writable] that rejects every change.
func Never(Record) bool { return false }

// Model is the set of resources of a store. It is immutable and safe for concurrent use. [NewModel] builds it.
type Model struct {
	name      string
	resources []*Resource
	stored    []*Resource
	counters  *Resource // nil without numbered fields
	answers   *Resource // nil if the model does not remember answers
	byName    map[string]*Resource
	byAPIName map[string]*Resource
}

// NewModel builds and checks a model. The name identifies the model in errors, in [Store.Describe], in the header of
// a file of backends/file, and as the default title of an OpenAPI document. The error lists all mistakes, each with
// its resource and field.
func NewModel(name string, resources ...ResourceSpec) (*Model, error) {
	resources, remembers := withoutAnswers(resources)
	b := builder{model: &Model{
		name:      name,
		byName:    make(map[string]*Resource, len(resources)),
		byAPIName: make(map[string]*Resource, len(resources)),
	}}
	b.addResources(resources)
	b.linkRelations()
	b.checkFields()
	for i, r := range b.model.resources {
		b.addIndexes(r, resources[i])
	}
	b.linkThroughs()
	b.addCounters()
	b.addAnswers(remembers)
	for i, r := range b.model.resources {
		b.addRules(r, resources[i])
	}
	b.convertDefaults()
	if err := b.err(); err != nil {
		return nil, err
	}
	return b.model, nil
}

// MustModel is [NewModel] for models that are part of a program. It panics on an error.
func MustModel(name string, resources ...ResourceSpec) *Model {
	m, err := NewModel(name, resources...)
	if err != nil {
		panic(err)
	}
	return m
}

// Name returns the name of the model.
func (m *Model) Name() string { return m.name }

// Resources returns the resources in declaration order. The slice is shared and must not be modified.
func (m *Model) Resources() []*Resource { return m.resources }

// Stored returns the resources with records in a backend: those of Resources, and private ones. [CountersName] is one of
// those if fields are numbered, and [AnswersName] if the model remembers answers. Only backends use it: no decorator, engine
// or client meets a private resource. The slice is shared and must not be modified.
func (m *Model) Stored() []*Resource { return m.stored }

// RemembersAnswers reports whether the model has the private resource [AnswersName].
func (m *Model) RemembersAnswers() bool { return m.answers != nil }

// Resource returns the resource with the name; nil if there is none.
func (m *Model) Resource(name string) *Resource { return m.byName[name] }

// ResourceByAPIName returns the resource with the API name; nil if there is none.
func (m *Model) ResourceByAPIName(name string) *Resource { return m.byAPIName[name] }

// Resource is a resource of a [Model]. It is immutable and safe for concurrent use, and compared by pointer.
type Resource struct {
	model       *Model
	index       int
	name        string
	apiName     string
	description string
	readOnly    bool
	fields      []*Field
	columns     []*Field
	key         *Field
	byName      map[string]*Field
	byAPIName   map[string]*Field
	referrers   []*Field
	uniques     []*Field
	indexes     []*Index
	references  []*Field
	numbers     []*Field
	searchable  []*Field
	keyOrder    []Order
	derived     []*Field  // computed from stored fields: the key if it has several fields, and relations with Via
	join        [2]*Field // see Join
	rules       resourceRules
}

// Model returns the model that the resource belongs to.
func (r *Resource) Model() *Model { return r.model }

// Index returns the position of the resource in [Model.Resources] and [Model.Stored].
func (r *Resource) Index() int { return r.index }

// Name returns the name for programs and backends.
func (r *Resource) Name() string { return r.name }

// APIName returns the name for clients.
func (r *Resource) APIName() string { return r.apiName }

// Description describes the records to people; "" without a description.
func (r *Resource) Description() string { return r.description }

// ReadOnly reports whether the store rejects every write of the resource.
func (r *Resource) ReadOnly() bool { return r.readOnly }

// String returns the name for programs and backends.
func (r *Resource) String() string { return r.name }

// Fields returns all fields in declaration order. The slice is shared and must not be modified.
func (r *Resource) Fields() []*Field { return r.fields }

// Columns returns the stored fields in declaration order, which is the order of the values of a [Record]. The slice
// is shared and must not be modified.
func (r *Resource) Columns() []*Field { return r.columns }

// Key returns the primary key. For a resource with several Key fields it is the field of type [Tuple] that the model has
// added, as the first field; [Field.Parts] returns the Key fields.
func (r *Resource) Key() *Field { return r.key }

// Field returns the field with the name; nil if there is none.
func (r *Resource) Field(name string) *Field { return r.byName[name] }

// FieldByAPIName returns the field with the API name, hidden ones included; nil if there is none.
func (r *Resource) FieldByAPIName(name string) *Field { return r.byAPIName[name] }

// Referrers returns the stored to-one relations of all resources that point at this one, apart from those that [Keep] their
// reference when it is deleted. The slice is shared and must not be modified.
func (r *Resource) Referrers() []*Field { return r.referrers }

// References returns the stored to-one relations of the resource. The slice is shared and must not be modified.
func (r *Resource) References() []*Field { return r.references }

// Uniques returns the stored unique fields, without the key. The slice is shared and must not be modified.
func (r *Resource) Uniques() []*Field { return r.uniques }

// Searchable returns the fields that a [Search] looks into. The slice is shared and must not be modified.
func (r *Resource) Searchable() []*Field { return r.searchable }

// Indexes returns the indexes of [ResourceSpec.Unique] and [ResourceSpec.Indexes], resolved against the model. The slice and
// its elements are shared and must not be modified.
func (r *Resource) Indexes() []*Index { return r.indexes }

// OnDelete is the effect of deleting a record on the records that point at it through a stored to-one relation. The
// engine carries it out as operations under the policies of the caller. A backend deletes only the records that an
// operation names.
type OnDelete uint8

const (
	// Detach sets the relation of the referring records to null.
	Detach OnDelete = iota
	// Cascade deletes the referring records, too.
	Cascade
	// Restrict rejects the delete with [StillReferenced] while other records point at the record. Records that the same
	// request deletes do not count.
	Restrict
	// Keep leaves the reference as it is. The relation may name a record that no longer exists or never did: a backend does
	// not enforce it, and PostgreSQL has no foreign key for it. A reference without a record is like one to a hidden record:
	// package core/engine shows null, and [Related] does not match. A later record with the same key is the target again. Use
	// it for histories, which must outlive the records that they are about.
	Keep
)

// String returns the lower-case name of the rule.
func (d OnDelete) String() string { return ruleName(int(d), "detach", "cascade", "restrict", "keep") }

// Orphans is the effect on a record that leaves the other side of its relation: taken off a list side, or separated
// from its one-to-one partner. A record that moves to another list is no orphan.
type Orphans uint8

const (
	// KeepOrphans sets the relation of the record to null.
	KeepOrphans Orphans = iota
	// DeleteOrphans deletes the record.
	DeleteOrphans
)

// String returns the lower-case name of the rule.
func (o Orphans) String() string { return ruleName(int(o), "keep", "delete") }

// Partner is the effect of setting a one-to-one relation to a partner that another record has.
type Partner uint8

const (
	// ReassignPartner separates the former partners; [Orphans] says whether the one that stores the relation is kept.
	ReassignPartner Partner = iota
	// RefusePartner rejects the change with [AlreadyExists]. Separate the former partners first.
	RefusePartner
)

// String returns the lower-case name of the rule.
func (p Partner) String() string { return ruleName(int(p), "reassign", "refuse") }

// ruleName returns the i-th name; "invalid" if there is none.
func ruleName(i int, names ...string) string {
	if i >= len(names) {
		return "invalid"
	}
	return names[i]
}
