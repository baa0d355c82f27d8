package core

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// dataLoader turns [Data] into records and collects mistakes.
type dataLoader struct {
	model *Model
	keys  []map[Value]Record           // by resource and key
	sides map[*Field]map[Value][]Value // by to-one field and target, who points at it
	errs  []error
}

var compareText = strings.Compare

func (l *dataLoader) fail(err error) { l.errs = append(l.errs, err) }

// add makes a record of the stored fields.
func (l *dataLoader) add(r *Resource, rawKey any, fields map[string]any) {
	key, err := r.key.typ.Convert(rawKey)
	if err != nil || !key.IsSet() {
		l.fail(fmt.Errorf("%s %v: key is not of type %s", r.name, rawKey, r.key.typ))
		return
	}
	values := make([]Value, len(r.columns))
	for i := range values {
		values[i] = Null
	}
	for name, raw := range fields {
		if err := l.set(r, values, name, raw); err != nil {
			l.fail(fmt.Errorf("%s %s: field %s: %w", r.name, key, name, err))
		}
	}
	k := r.key.column
	if values[k].IsSet() && values[k] != key {
		l.fail(fmt.Errorf("%s %s: field %s: says %s", r.name, key, r.key.name, values[k]))
	}
	values[k] = key
	if _, twice := l.keys[r.index][key]; twice {
		l.fail(fmt.Errorf("%s %s: given twice", r.name, key))
	}
	l.keys[r.index][key] = Record{r, values}
}

func (l *dataLoader) set(r *Resource, values []Value, name string, raw any) error {
	f := r.Field(name)
	switch {
	case f == nil:
		return errors.New("the model has no such field")
	case f.Computed() != nil:
		return errors.New("is computed and cannot be given")
	case !f.Stored():
		return nil // compared with the stored side later
	}
	v, err := f.Convert(raw)
	if err != nil {
		return fmt.Errorf("%s is not of type %s", excerpt(raw), f.typ)
	}
	values[f.column] = v
	return nil
}

func excerpt(raw any) string {
	if s, ok := shorten(raw).(string); ok {
		return fmt.Sprintf("%q", s)
	}
	return fmt.Sprint(shorten(raw))
}

func (l *dataLoader) checkRelations(data Data) {
	for _, r := range l.model.resources {
		for _, rec := range l.keys[r.index] {
			for _, f := range r.toOnes {
				l.checkTarget(f, rec)
			}
		}
		for _, f := range r.uniques {
			l.checkUnique(f)
		}
		for rawKey, fields := range data[r.name] {
			l.checkOtherSides(r, rawKey, fields)
		}
	}
}

func (l *dataLoader) checkTarget(f *Field, rec Record) {
	v := rec.values[f.column]
	if _, there := l.keys[f.target.index][v]; v.IsSet() && !there {
		l.fail(fmt.Errorf("%s %s: field %s: there is no %s %s", f.resource.name, rec.Key(), f.name, f.target.name, v))
	}
}

func (l *dataLoader) checkUnique(f *Field) {
	seen := make(map[Value]Value)
	records := l.keys[f.resource.index]
	for _, key := range slices.SortedFunc(maps.Keys(records), Compare) {
		v := records[key].values[f.column]
		if other, twice := seen[v]; v.IsSet() && twice {
			l.fail(fmt.Errorf("%s %s: field %s: %s has the same value and it must be unique", f.resource.name, key, f.name, other))
		}
		seen[v] = key
	}
}

// checkOtherSides compares what a record says about relations that the other
// resource stores with what that one says.
func (l *dataLoader) checkOtherSides(r *Resource, rawKey any, fields map[string]any) {
	key, err := r.key.typ.Convert(rawKey)
	if err != nil || !key.IsSet() {
		return // reported before
	}
	for name, raw := range fields {
		f := r.Field(name)
		if f == nil || f.Stored() || f.target == nil {
			continue
		}
		said, err := otherSide(f, raw)
		if err != nil {
			l.fail(fmt.Errorf("%s %s: field %s: %w", r.name, key, name, err))
			continue
		}
		if stored := l.pointing(f.inverse)[key]; !slices.Equal(said, stored) {
			l.fail(fmt.Errorf("%s %s: field %s: says %v, but by their field %s it is %v of %s",
				r.name, key, name, said, f.inverse.name, stored, f.target.name))
		}
	}
}

// pointing returns, by target, the ascending keys of the records that point at it
// through f.
func (l *dataLoader) pointing(f *Field) map[Value][]Value {
	if found, ok := l.sides[f]; ok {
		return found
	}
	found := make(map[Value][]Value)
	for key, rec := range l.keys[f.resource.index] {
		found[rec.values[f.column]] = append(found[rec.values[f.column]], key)
	}
	for _, keys := range found {
		SortKeys(keys)
	}
	l.sides[f] = found
	return found
}

// otherSide returns the keys that a record names for a relation that it does
// not store.
func otherSide(f *Field, raw any) ([]Value, error) {
	v, err := f.Convert(raw)
	if err != nil {
		return nil, fmt.Errorf("%s is not of type %s", excerpt(raw), f.typ)
	}
	switch {
	case !v.IsSet():
		return nil, nil
	case f.Many():
		return v.Elements(f.target.key.typ)
	}
	return []Value{v}, nil
}

func (l *dataLoader) sorted() [][]Record {
	out := make([][]Record, len(l.keys))
	for i, records := range l.keys {
		out[i] = slices.SortedFunc(maps.Values(records), func(a, b Record) int { return Compare(a.Key(), b.Key()) })
	}
	return out
}
