package core

import (
	"errors"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

var errForeignRecord = errors.New("record belongs to another resource")

func checkKey(r *Resource, key Value) error {
	if key.typ == r.key.typ && wellFormed(key) {
		return nil
	}
	return &Error{
		Code: BadFieldValue, Resource: r.apiName, Field: r.key.apiName, Type: r.key.typ, Value: key.Any(),
	}
}

// checkKeys returns the keys sorted and unique, in a slice of its own.
func checkKeys(r *Resource, keys []Value) ([]Value, error) {
	for _, key := range keys {
		if err := checkKey(r, key); err != nil {
			return nil, err
		}
	}
	return SortKeys(slices.Clone(keys)), nil
}

// checkRecord makes sure that what backends get fits the model.
func checkRecord(r *Resource, rec Record) error {
	if rec.resource != r {
		return &Error{Code: ServerError, Cause: errForeignRecord}
	}
	for i, f := range r.columns {
		if v := rec.values[i]; v.IsSet() && (v.typ != f.typ || !wellFormed(v)) {
			return &Error{Code: BadFieldValue, Resource: r.apiName, Field: f.apiName, Type: f.typ, Value: v.Any()}
		}
	}
	return nil
}

// wellFormed checks what the constructors of values leave to their callers.
func wellFormed(v Value) bool {
	switch v.typ {
	case Text:
		return utf8.ValidString(v.str) && strings.IndexByte(v.str, 0) < 0
	case Float:
		return !math.IsNaN(v.Float()) && !math.IsInf(v.Float(), 0)
	case Time:
		year := v.Time().Year()
		return year >= 1 && year <= 9999
	}
	return true
}

// checkInsert returns the records with the model's defaults filled in.
func checkInsert(r *Resource, records []Record) ([]Record, error) {
	checked := make([]Record, len(records))
	for i, rec := range records {
		filled, err := withDefaults(r, rec)
		if err != nil {
			return nil, err
		}
		if err := checkRecord(r, filled); err != nil {
			return nil, err
		}
		checked[i] = filled
	}
	return checked, nil
}

func withDefaults(r *Resource, rec Record) (Record, error) {
	if rec.resource != r {
		return rec, nil // refused by checkRecord
	}
	var values []Value
	set := func(i int, v Value) {
		if values == nil {
			values = slices.Clone(rec.values)
		}
		values[i] = v
	}
	for i, f := range r.columns {
		switch {
		case f == r.key && rec.values[i].IsNull():
			set(i, Value{})
		case rec.values[i].IsAbsent() && f.spec.Default != nil:
			v, err := f.Default()
			if err != nil {
				return rec, err
			}
			set(i, v)
		}
	}
	if values == nil {
		return rec, nil
	}
	return Record{r, values}, nil
}

// checkUpdate returns the changes sorted by key, and the keys.
func checkUpdate(r *Resource, changes []Record) ([]Record, []Value, error) {
	for _, rec := range changes {
		if err := checkRecord(r, rec); err != nil {
			return nil, nil, err
		}
		if err := checkKey(r, rec.Key()); err != nil {
			return nil, nil, err
		}
	}
	sorted := slices.Clone(changes)
	slices.SortFunc(sorted, func(a, b Record) int { return Compare(a.Key(), b.Key()) })
	keys := make([]Value, len(sorted))
	for i, rec := range sorted {
		if keys[i] = rec.Key(); i > 0 && keys[i] == keys[i-1] {
			return nil, nil, &Error{Code: BadRequest, Message: "two changes to one record: " + r.apiName + " " + keys[i].String()}
		}
	}
	return sorted, keys, nil
}
