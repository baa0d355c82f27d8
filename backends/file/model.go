package file

import (
	"fmt"

	"github.com/larder-go/larder/core"
)

// Model returns what the file's header tells of the model that wrote it: the
// resources with their stored fields, to-one relations and unique values. That is
// enough to look into the file, to back it up and to compact it; defaults, computed
// fields, sides of relations that are not stored and rules for clients are not in
// the header.
//
// Errors: [*CorruptError]; others for a file that is no journal, or one of a newer
// version.
func Model(path string) (*core.Model, error) {
	file, err := osFilesystem{}.Open(path, readOnly, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // it was read only
	size, err := file.Size()
	if err != nil {
		return nil, err
	}
	p := newReplayer(path, file, size)
	if err := p.header(); err != nil {
		return nil, err
	}
	return p.content.schema.toModel(path)
}

// toModel returns a model of that shape.
func (s schema) toModel(path string) (*core.Model, error) {
	specs := make([]core.ResourceSpec, len(s.resources))
	for i, r := range s.resources {
		specs[i].Name = r.name
		for j, f := range r.fields {
			spec := core.FieldSpec{Name: f.name, Type: f.typ, Key: j == r.key, ToOne: f.target, Unique: f.unique}
			if f.target != "" {
				spec.Type = 0 // that of the target's key
			}
			specs[i].Fields = append(specs[i].Fields, spec)
		}
	}
	m, err := core.NewModel(s.model, specs...)
	if err != nil {
		return nil, fmt.Errorf("file: %s has an invalid header: %w", path, err)
	}
	return m, nil
}
