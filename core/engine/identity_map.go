package engine

import "github.com/larder-go/larder/core"

// identityMap holds the known state of the records of one resource in a transaction, by key.
type identityMap map[core.Value]knownRecord

// knownRecord is the known state of one record.
type knownRecord struct {
	// record is the present state, with at least the key and the columns of relations. It is the zero Record if
	// the record is about to be created.
	record core.Record
	// visible: a read returned the record, so the principal can see it.
	visible bool
	// created: this transaction creates the record, so write rules do not apply to it.
	created bool
}

// record returns the present state of a record, the zero Record if it is unknown.
func (m identityMap) record(key core.Value) core.Record { return m[key].record }

// addRead adds records from a read. The state of a record that is known already stays, because it may have more
// columns.
func (m identityMap) addRead(records []core.Record) {
	for _, rec := range records {
		known := m[rec.Key()]
		if known.visible = true; known.record.IsZero() {
			known.record = rec
		}
		m[rec.Key()] = known
	}
}

// addWritten sets the state of records to the result of a write.
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

// missing returns the keys of unknown records, in a new slice.
func (m identityMap) missing(keys []core.Value) []core.Value {
	var unknown []core.Value
	for _, key := range keys {
		if m[key].record.IsZero() {
			unknown = append(unknown, key)
		}
	}
	return unknown
}

// allVisible returns the records and true if a read has returned each of them.
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
