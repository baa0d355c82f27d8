package engine

import "github.com/larder-go/larder/core"

// table is what a transaction knows of the records of one resource.
type identityMap map[core.Value]knownRecord

// fact is what a transaction knows of one record.
type knownRecord struct {
	// record as it now is, with at least the columns that relating it takes; the
	// zero Record if it is only about to be born.
	record core.Record
	// read: the principal was shown that it is there.
	visible bool
	// born in this transaction: nothing stops its fields from being set.
	created bool
}

// record returns what is known of a record; the zero Record if nothing is.
func (m identityMap) record(key core.Value) core.Record { return m[key].record }

// read takes in records that were read, without knowing less of them afterwards.
func (m identityMap) addRead(records []core.Record) {
	for _, rec := range records {
		known := m[rec.Key()]
		if known.visible = true; known.record.IsZero() {
			known.record = rec
		}
		m[rec.Key()] = known
	}
}

// written takes in records as a write left them.
func (m identityMap) addWritten(records []core.Record) {
	for _, rec := range records {
		known := m[rec.Key()]
		known.record = rec
		m[rec.Key()] = known
	}
}

func (m identityMap) markCreated(key core.Value) {
	known := m[key]
	known.created = true
	m[key] = known
}

// unknown returns the keys of which nothing is known, in a slice of its own.
func (m identityMap) missing(keys []core.Value) []core.Value {
	var unknown []core.Value
	for _, key := range keys {
		if m[key].record.IsZero() {
			unknown = append(unknown, key)
		}
	}
	return unknown
}

// all returns the records if each of them was read.
func (m identityMap) allVisible(keys []core.Value) ([]core.Record, bool) {
	records := make([]core.Record, len(keys))
	for i, key := range keys {
		known := m[key]
		if !known.visible {
			return nil, false
		}
		records[i] = known.record
	}
	return records, true
}
