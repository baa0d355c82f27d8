package core

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
