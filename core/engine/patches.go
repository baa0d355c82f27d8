package engine

import "github.com/larder-go/larder/core"

// patches are changes to records of one resource, one for each record.
type patches struct {
	shape  *shape
	keys   []core.Value
	values map[core.Value][]core.Value
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
