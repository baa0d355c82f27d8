package kit

import (
	"context"
	"fmt"
	"slices"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/reference"
)

// KeyTexts returns the keys of the records as strings.
func KeyTexts(recs []core.Record) []string {
	keys := make([]string, len(recs))
	for i, rec := range recs {
		keys[i] = rec.Key().String()
	}
	return keys
}

// Matches reports whether the record matches the filter, which must be bound. all returns the records of every resource.
func Matches(f core.Filter, rec core.Record, all reference.Records) bool {
	return Certain(f.Match(rec, all.Related))
}

// Certain returns the result of a function of the reference evaluator, which cannot fail with bound filters.
func Certain[T any](result T, err error) T {
	if err != nil {
		panic(err)
	}
	return result
}

// Difference describes the first difference between two lists of records. It returns "" if they are equal.
func Difference(got, want []core.Record) string {
	for i := range min(len(got), len(want)) {
		if !got[i].Equal(want[i]) {
			return fmt.Sprintf("record %d of %d: got %v, want %v", i+1, len(want), got[i], want[i])
		}
	}
	switch {
	case len(got) < len(want):
		return fmt.Sprintf("got %d records of %d: %v is missing", len(got), len(want), want[len(got)])
	case len(got) > len(want):
		return fmt.Sprintf("got %d records instead of %d: %v is too many", len(got), len(want), got[len(want)])
	}
	return ""
}

// KeysOf returns the keys of the records.
func KeysOf(recs []core.Record) []core.Value {
	keys := make([]core.Value, len(recs))
	for i, rec := range recs {
		keys[i] = rec.Key()
	}
	return keys
}

// ValueSet is a set of values.
type ValueSet map[core.Value]bool

// AddDistinct adds the keys. It ends the test if one of them is in the set already.
func (f ValueSet) AddDistinct(c *Client, keys ...core.Value) {
	c.Helper()
	for _, k := range keys {
		if f[k] {
			c.Fatalf("key %v was generated twice", k)
		}
		f[k] = true
	}
}

// RecordMap holds records by key.
type RecordMap map[core.Value]core.Record

// ByKey returns the records in a map.
func ByKey(recs []core.Record) RecordMap {
	all := make(RecordMap, len(recs))
	for _, rec := range recs {
		all[rec.Key()] = rec
	}
	return all
}

// CopyOp returns a copy of the public parts of an op, with slices of its own.
func CopyOp(op *core.Op) *core.Op {
	return &core.Op{
		Kind: op.Kind, Resource: op.Resource, Keys: slices.Clone(op.Keys), Where: op.Where, Using: op.Using, Check: op.Check,
		Order: slices.Clone(op.Order), Limit: op.Limit, After: slices.Clone(op.After), Fields: slices.Clone(op.Fields), Conditions: slices.Clone(op.Conditions),
		Reset: slices.Clone(op.Reset), IfChanged: slices.Clone(op.IfChanged), Records: slices.Clone(op.Records), Requested: slices.Clone(op.Requested),
		N: op.N, Principal: op.Principal, Tx: op.Tx, Final: op.Final, Deleted: op.Deleted,
	}
}

// WithDefaults returns the record as an insert stores it: absent columns have the default of the model, or null.
func WithDefaults(rec core.Record) core.Record {
	for c, f := range rec.Resource().Columns() {
		if !rec.At(c).IsAbsent() {
			continue
		}
		value, err := f.Default(context.Background())
		if err != nil || value.IsAbsent() {
			value = core.Null
		}
		rec = rec.With(c, value)
	}
	return rec
}
