package engine

import (
	"fmt"

	"github.com/larder-go/larder/core"
)

// writeBudget counts the records that a request creates, changes, detaches or deletes. It counts each record once, before
// the operation that writes it.
type writeBudget struct {
	limit, left int
	counted     []map[core.Value]struct{} // by index of the resource
}

func newWriteBudget(e *Engine) writeBudget {
	return writeBudget{e.opts.MaxWritten, e.opts.MaxWritten, make([]map[core.Value]struct{}, len(e.resources))}
}

// create counts n new records, whose keys may be unknown yet.
//
// Errors: [core.TooLarge] beyond the limit.
func (b *writeBudget) create(n int) error {
	if b.left -= n; b.left < 0 {
		return &core.Error{Code: core.TooLarge, Message: fmt.Sprintf(
			"the request creates, changes or deletes more than %d records; send it in parts", b.limit)}
	}
	return nil
}

// created notes the keys of new records that create has counted.
func (b *writeBudget) created(records []core.Record) {
	for _, rec := range records {
		b.note(rec.Resource(), rec.Key())
	}
}

// write counts the records with the keys.
//
// Errors: [core.TooLarge] beyond the limit.
func (b *writeBudget) write(r *core.Resource, keys ...core.Value) error {
	n := 0
	for _, key := range keys {
		if b.note(r, key) {
			n++
		}
	}
	return b.create(n)
}

// note reports whether the record was not counted before.
func (b *writeBudget) note(r *core.Resource, key core.Value) bool {
	keys := &b.counted[r.Index()]
	if *keys == nil {
		*keys = make(map[core.Value]struct{})
	}
	_, counted := (*keys)[key]
	(*keys)[key] = struct{}{}
	return !counted
}

// room returns the number of records of one resource that can be written without exceeding the limit, counted ones
// included.
func (b *writeBudget) room(r *core.Resource) int { return b.left + len(b.counted[r.Index()]) }
