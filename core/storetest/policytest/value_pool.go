package policytest

import (
	"slices"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

// valuePool holds the rows and values that programs draw from.
type valuePool struct {
	generator     generator
	readable      rows                         // initial rows that the actor may read, deleted ones included
	hidden        rows                         // initial rows that the actor may not read, and that grant it nothing
	granting      rows                         // the other initial rows that the actor may not read
	referenced    []map[core.Value]bool        // keys of readable rows that hidden rows reference
	required      []map[core.Value]bool        // keys of hidden rows that readable rows reference
	hiddenUniques map[*core.Field]kit.ValueSet // values of unique fields in hidden rows
	values        map[*core.Field]fieldValues  // values to draw for each field
}

// fieldValues are the values of a field by use.
type fieldValues struct {
	stored, // for written rows
	compared []core.Value // for filters and keys of reads
}

// newPool divides the rows into readable and hidden ones. A hidden row loses a unique reference to a readable row,
// because no policy can hide that the reference is used.
func (g actor) newPool(all rows) valuePool {
	p := valuePool{
		generator: generator{g.Model, all, g.DeletedAt}, readable: make(rows, len(all)), hidden: make(rows, len(all)), granting: make(rows, len(all)),
		hiddenUniques: make(map[*core.Field]kit.ValueSet), values: make(map[*core.Field]fieldValues),
	}
	for i, some := range all {
		p.referenced, p.required = append(p.referenced, make(map[core.Value]bool)), append(p.required, make(map[core.Value]bool))
		for _, row := range some {
			switch {
			case g.sees(row):
				p.readable[i] = append(p.readable[i], row)
			case g.grants(row):
				p.granting[i] = append(p.granting[i], row)
			default:
				p.hidden[i] = append(p.hidden[i], row)
			}
		}
	}
	p.detachPartners(g)
	for i, some := range g.readableWithTargets(slices.Concat(all)) {
		for _, row := range some {
			p.required[i][row.Key()] = !g.sees(row)
		}
	}
	for _, r := range g.Model.Resources() {
		p.addReferences(r)
	}
	for _, r := range g.Model.Resources() {
		for _, f := range r.Columns() {
			p.values[f] = p.valuesOf(f)
		}
	}
	return p
}

// detachPartners sets unique references from hidden rows to readable ones to null, if the rows stay hidden without.
func (p *valuePool) detachPartners(g actor) {
	for i, some := range p.hidden {
		for j, row := range some {
			for _, f := range row.Resource().References() {
				if alone := row.With(f.Column(), core.Null); f.Unique() && p.isReadable(f.Target(), row.At(f.Column())) && !g.sees(alone) {
					row = alone
				}
			}
			p.hidden[i][j] = row
		}
	}
}

func (p *valuePool) isReadable(r *core.Resource, key core.Value) bool {
	return slices.ContainsFunc(p.readable[r.Index()], func(row core.Record) bool { return row.Key() == key })
}

// addReferences notes the readable rows and the unique values that hidden rows of the resource use.
func (p *valuePool) addReferences(r *core.Resource) {
	for _, row := range slices.Concat(p.hidden[r.Index()], p.granting[r.Index()]) {
		for _, f := range r.References() {
			p.markReferenced(f.Target(), row.At(f.Column()))
		}
		for _, f := range r.Uniques() {
			p.markUnique(f, row)
		}
		for _, x := range r.Indexes() {
			for _, o := range x.Order() {
				if x.Claim(row).IsSet() && p.canBeNamed(x, row) {
					p.markUnique(o.Field, row)
				}
			}
		}
	}
}

func (p *valuePool) markUnique(f *core.Field, row core.Record) {
	if p.hiddenUniques[f] == nil {
		p.hiddenUniques[f] = make(kit.ValueSet)
	}
	p.hiddenUniques[f][row.At(f.Column())] = true
}

// canBeNamed reports whether a program could store a row with the values of a hidden row in a unique index: each of them that
// is the key of a hidden row is also in a readable row, which the program could change.
func (p *valuePool) canBeNamed(x *core.Index, row core.Record) bool {
	return x.Unique && !slices.ContainsFunc(x.Order(), func(o core.Order) bool {
		v := row.At(o.Field.Column())
		return o.Field.Target() != nil && !p.isReadable(o.Field.Target(), v) && !slices.ContainsFunc(p.readable[row.Resource().Index()], func(held core.Record) bool {
			return held.Value(o.Field) == v
		})
	})
}

// isUnique reports whether the field is unique, alone or together with others.
func isUnique(f *core.Field) bool {
	return f.Unique() || slices.ContainsFunc(f.Resource().Indexes(), func(x *core.Index) bool {
		return x.Unique && slices.ContainsFunc(x.Order(), func(o core.Order) bool { return o.Field == f })
	})
}

// limitsUnique reports whether the condition of a unique index names the field.
func limitsUnique(f *core.Field) bool {
	return slices.ContainsFunc(f.Resource().Indexes(), func(x *core.Index) bool { return x.Unique && slices.Contains(x.Where.Fields(), f) })
}

// uniques returns fields of the resource. A row in which they are null has no unique value, alone or together with others.
func uniques(r *core.Resource) []*core.Field {
	fields := slices.Clone(r.Uniques())
	for _, x := range r.Indexes() {
		if last := x.Order()[len(x.Order())-1].Field; x.Unique && !slices.Contains(fields, last) {
			fields = append(fields, last)
		}
	}
	return fields
}

// markReferenced marks a readable row as referenced. It also marks the rows from which a delete would cascade to this
// one.
func (p *valuePool) markReferenced(r *core.Resource, key core.Value) {
	for _, row := range p.readable[r.Index()] {
		if row.Key() != key || p.referenced[r.Index()][key] {
			continue
		}
		p.referenced[r.Index()][key] = true
		for _, f := range r.References() {
			if f.OnDelete() == core.Cascade {
				p.markReferenced(f.Target(), row.At(f.Column()))
			}
		}
	}
}

// programKeyCount is the number of keys that programs choose for inserted rows.
const programKeyCount = 6

// valuesOf returns the values to draw for the field.
func (p *valuePool) valuesOf(f *core.Field) fieldValues {
	all := p.generator.values(f)
	target := f.Resource()
	if inKey(f) {
		all = all[1:] // without null
	}
	switch {
	case f.Key():
	case f.Target() != nil && !f.Many():
		target = f.Target()
		for _, row := range slices.Concat(p.hidden[target.Index()], p.granting[target.Index()]) {
			all = append(all, row.Key())
		}
	case isUnique(f):
		return fieldValues{stored: p.freeOf(f, all), compared: all}
	default:
		return fieldValues{stored: all, compared: all}
	}
	var stored []core.Value
	if !f.Key() {
		stored = append(stored, core.Null)
	}
	for _, row := range p.readable[target.Index()] {
		stored = append(stored, row.Key())
	}
	for n := range programKeyCount {
		stored, all = append(stored, p.generator.absentKey(target, n)), append(all, p.generator.absentKey(target, n), p.generator.hiddenKey(target, n))
	}
	if isUnique(f) {
		stored = p.freeOf(f, stored)
	}
	return fieldValues{stored: stored, compared: slices.Concat(all, stored)}
}

// freeOf removes the values that hidden rows hold.
func (p *valuePool) freeOf(f *core.Field, values []core.Value) []core.Value {
	return slices.DeleteFunc(slices.Clone(values), func(v core.Value) bool { return v.IsSet() && p.hiddenUniques[f][v] })
}
