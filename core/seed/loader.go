package seed

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/larder-go/larder/core"
)

// loader converts [Data] to records and collects mistakes.
type loader struct {
	model   *core.Model
	records []map[core.Value]core.Record                // by index of the resource and by key
	lists   map[*core.Field]map[core.Value][]core.Value // see related
	errs    []error
}

func (l *loader) fail(err error) { l.errs = append(l.errs, err) }

// add converts the stored fields of one record.
func (l *loader) add(r *core.Resource, rawKey any, fields map[string]any) {
	key, err := r.Key().Convert(rawKey)
	if typed, mismatch := r.Key().Type().Convert(rawKey); err != nil && mismatch == nil && typed.IsSet() {
		l.fail(fmt.Errorf("%s %q: %w", r, typed, errors.Unwrap(err)))
		return
	}
	if err != nil || !key.IsSet() {
		l.fail(fmt.Errorf("%s %v: key is not of type %s", r, rawKey, r.Key().Type()))
		return
	}
	values := make([]core.Value, len(r.Columns()))
	for name, raw := range fields {
		if err := l.set(r, values, name, raw); err != nil {
			l.fail(fmt.Errorf("%s %s: field %s: %w", r, key, name, err))
		}
	}
	k := r.Key().Column()
	if values[k].IsSet() && values[k] != key {
		l.fail(fmt.Errorf("%s %s: field %s: is %s, which contradicts the key", r, key, r.Key().Name(), values[k]))
	}
	values[k] = key
	if _, twice := l.records[r.Index()][key]; twice {
		l.fail(fmt.Errorf("%s %s: given twice", r, key))
	}
	rec, err := r.RecordOf(values).WithParts()
	if err != nil {
		l.fail(fmt.Errorf("%s %s: %s", r, key, core.AsError(err).Message))
	}
	l.records[r.Index()][key] = stored(rec)
}

// stored returns the record with null in absent columns.
func stored(rec core.Record) core.Record {
	r := rec.Resource()
	values := make([]core.Value, rec.Len())
	for i, f := range r.Columns() {
		if values[i] = rec.At(i); values[i].IsAbsent() && f.Parts() == nil {
			values[i] = core.Null
		}
	}
	return r.RecordOf(values)
}

func (l *loader) set(r *core.Resource, values []core.Value, name string, raw any) error {
	f := r.Field(name)
	switch {
	case f == nil:
		return errors.New("the model has no such field")
	case f.Computed() != nil:
		return errors.New("is computed and cannot be given")
	case !f.Stored():
		return nil // checkInverses compares it with the stored side
	}
	v, err := f.Convert(raw)
	if err != nil {
		return fmt.Errorf("%s is not of type %s", excerpt(raw), f.Type())
	}
	values[f.Column()] = v
	return nil
}

// excerpt returns the beginning of a value in JSON.
func excerpt(raw any) string {
	const longest = 256
	text := fmt.Sprint(raw)
	if encoded, err := json.Marshal(raw); err == nil {
		text = string(encoded)
	}
	if len(text) > longest {
		return fmt.Sprintf("%.*s...", longest, text)
	}
	return text
}

func (l *loader) checkRelations(data Data) {
	for _, r := range l.model.Resources() {
		for _, rec := range l.records[r.Index()] {
			for _, f := range r.References() {
				l.checkTarget(f, rec)
			}
		}
		for _, f := range r.Uniques() {
			l.checkUnique(r, "field "+f.Name(), func(rec core.Record) core.Value { return rec.At(f.Column()) })
		}
		for _, x := range r.Indexes() {
			if x.Unique {
				l.checkUnique(r, "fields "+x.String(), x.Claim)
			}
		}
		for rawKey, fields := range data[r.Name()] {
			l.checkInverses(r, rawKey, fields)
		}
	}
}

func (l *loader) checkTarget(f *core.Field, rec core.Record) {
	v := rec.At(f.Column())
	if _, exists := l.records[f.Target().Index()][v]; v.IsSet() && !exists && !f.Keeps() {
		l.fail(fmt.Errorf("%s %s: field %s: there is no %s %s", f.Resource(), rec.Key(), f.Name(), f.Target(), v))
	}
}

// checkUnique reports records for which the function returns the same value as for an earlier one.
func (l *loader) checkUnique(r *core.Resource, subject string, value func(core.Record) core.Value) {
	holders := make(map[core.Value]core.Value)
	records := l.records[r.Index()]
	for _, key := range slices.SortedFunc(maps.Keys(records), core.Compare) {
		v := value(records[key])
		if other, twice := holders[v]; v.IsSet() && twice {
			l.fail(fmt.Errorf("%s %s: %s: %s has the same value and it must be unique", r, key, subject, other))
		}
		holders[v] = key
	}
}

// checkInverses compares the relations of a record that are stored on the other side with that side.
func (l *loader) checkInverses(r *core.Resource, rawKey any, fields map[string]any) {
	key, err := r.Key().Convert(rawKey)
	if err != nil || !key.IsSet() {
		return // add has reported it
	}
	for name, raw := range fields {
		f := r.Field(name)
		if f == nil || f.Stored() || f.Target() == nil {
			continue
		}
		given, err := relatedKeys(f, raw)
		if err != nil {
			l.fail(fmt.Errorf("%s %s: field %s: %w", r, key, name, err))
			continue
		}
		by, member := f.Through()
		if by == nil {
			by = f.Inverse()
			member = by.Resource().Key()
		}
		if stored := l.related(f, by, member)[key]; !slices.Equal(given, stored) {
			l.fail(fmt.Errorf("%s %s: field %s: is %v, but field %s of %s makes it %v",
				r, key, name, given, by.Name(), by.Resource(), stored))
		}
	}
}

// related returns the ascending keys of the related records of a relation that other records store, by the value of their
// field by. Their field member holds the keys.
func (l *loader) related(f, by, member *core.Field) map[core.Value][]core.Value {
	if found, ok := l.lists[f]; ok {
		return found
	}
	found := make(map[core.Value][]core.Value)
	for _, rec := range l.records[by.Resource().Index()] {
		if v := rec.Value(member); v.IsSet() {
			found[rec.Value(by)] = append(found[rec.Value(by)], v)
		}
	}
	for _, keys := range found {
		core.SortKeys(keys)
	}
	l.lists[f] = found
	return found
}

// relatedKeys returns the keys in a value of a relation that is not stored.
func relatedKeys(f *core.Field, raw any) ([]core.Value, error) {
	v, err := f.Convert(raw)
	if err != nil {
		return nil, fmt.Errorf("%s is not of type %s", excerpt(raw), f.Type())
	}
	switch {
	case !v.IsSet():
		return nil, nil
	case f.Many():
		return f.Elements(v)
	}
	return []core.Value{v}, nil
}

func (l *loader) sorted() [][]core.Record {
	out := make([][]core.Record, len(l.records))
	for i, records := range l.records {
		out[i] = slices.SortedFunc(maps.Values(records), func(a, b core.Record) int { return core.Compare(a.Key(), b.Key()) })
	}
	return out
}
