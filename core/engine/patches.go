package engine

import (
	"slices"

	"github.com/larder-go/larder/core"
)

// patches are changes to records of one resource, one for each record.
type patches struct {
	shape  *shape
	keys   []core.Value
	values map[core.Value][]core.Value
	reset  []*core.Field // see [core.Op.Reset]
}

func (s *shape) patches() *patches {
	return &patches{shape: s, values: make(map[core.Value][]core.Value)}
}

// set adds the change of one field of a record.
func (p *patches) set(key core.Value, f *core.Field, v core.Value) {
	values := p.values[key]
	if values == nil {
		values = make([]core.Value, len(p.shape.resource.Columns()))
		values[p.shape.resource.Key().Column()] = key
		p.put(key, values)
	}
	values[f.Column()] = v
}

// put adds a change that is complete, of a record that has none yet.
func (p *patches) put(key core.Value, values []core.Value) {
	p.keys = append(p.keys, key)
	p.values[key] = values
}

func (p *patches) records() []core.Record {
	records := make([]core.Record, len(p.keys))
	for i, key := range p.keys {
		records[i] = p.shape.resource.RecordOf(p.values[key])
	}
	return records
}

// takes reports whether a record is given what only one can have.
func (p *patches) takes() bool {
	return slices.ContainsFunc(p.keys, func(key core.Value) bool {
		return slices.ContainsFunc(p.shape.resource.Uniques(), func(f *core.Field) bool {
			return p.values[key][f.Column()].IsSet()
		})
	})
}

// moves reports whether the record is to point at something else through f.
func (p *patches) moves(f *core.Field, rec core.Record) bool {
	values := p.values[rec.Key()]
	if f.Resource() != p.shape.resource || values == nil {
		return false
	}
	v := values[f.Column()]
	return !v.IsAbsent() && v != rec.At(f.Column())
}
