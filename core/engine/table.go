package engine

import "github.com/larder-go/larder/core"

// table is what a transaction knows of the records of one resource.
type table map[core.Value]fact

// fact is what a transaction knows of one record.
type fact struct {
	// record as it now is, with at least the columns that relating it takes; the
	// zero Record if it is only about to be born.
	record core.Record
	// read: the principal was shown that it is there.
	read bool
	// born in this transaction: nothing stops its fields from being set.
	born bool
}

// record returns what is known of a record; the zero Record if nothing is.
func (t table) record(key core.Value) core.Record { return t[key].record }

// read takes in records that were read, without knowing less of them afterwards.
func (t table) read(records []core.Record) {
	for _, rec := range records {
		f := t[rec.Key()]
		if f.read = true; f.record.IsZero() {
			f.record = rec
		}
		t[rec.Key()] = f
	}
}

// written takes in records as a write left them.
func (t table) written(records []core.Record) {
	for _, rec := range records {
		f := t[rec.Key()]
		f.record = rec
		t[rec.Key()] = f
	}
}

func (t table) bear(key core.Value) {
	f := t[key]
	f.born = true
	t[key] = f
}

// unknown returns the keys of which nothing is known, in a slice of its own.
func (t table) unknown(keys []core.Value) []core.Value {
	var unknown []core.Value
	for _, key := range keys {
		if t[key].record.IsZero() {
			unknown = append(unknown, key)
		}
	}
	return unknown
}

// all returns the records if each of them was read.
func (t table) all(keys []core.Value) ([]core.Record, bool) {
	records := make([]core.Record, len(keys))
	for i, key := range keys {
		f := t[key]
		if !f.read {
			return nil, false
		}
		records[i] = f.record
	}
	return records, true
}
