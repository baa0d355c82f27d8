package engine

import (
	"context"
	"fmt"

	"github.com/larder-go/larder/core"
)

// budget is the number of records and bytes that an answer may still show.
type budget struct {
	records, bytes int
	links          int // bytes of members NAME@next
}

func (e *Engine) budget() budget {
	return budget{e.opts.MaxRecords, e.opts.MaxBytes, 4<<10 + e.opts.MaxBytes/16}
}

// spend charges records and bytes that the answer shows a number of times.
func (b *viewBuilder) spend(times, records, size int) error {
	b.remaining.records -= times * records
	b.remaining.bytes -= times * size
	if err := b.checkBudget(); err != nil {
		return err
	}
	return b.callMeter(times * size)
}

// checkBudget returns [core.TooLarge] if the answer exceeds a bound.
func (b *viewBuilder) checkBudget() error {
	switch opts := b.engine.opts; {
	case b.remaining.records < 0:
		b.overBudget = true
		return answerTooLarge("hold more than %d records", opts.MaxRecords)
	case b.remaining.bytes < 0 || b.remaining.links < 0:
		b.overBudget = true
		return answerTooLarge("have more than %d bytes", opts.MaxBytes)
	}
	return nil
}

func answerTooLarge(format string, limit int) error {
	return &core.Error{Code: core.TooLarge, Message: "the answer would " + fmt.Sprintf(format, limit) + "; use a smaller depth"}
}

// size returns an upper bound for the bytes of the record in JSON, with a comma, without related records.
func (info *resourceInfo) size(rec core.Record) int {
	n := info.baseSize
	for i := range info.shown {
		if shown := &info.shown[i]; shown.part < 0 {
			if v := rec.At(shown.field.Column()); v.IsSet() {
				n += len(shown.label) + shown.field.JSONSize(v) + len(",")
			}
		}
	}
	return n
}

// nodeSize returns the size of a record, or of its id if only the id is shown.
func (info *resourceInfo) nodeSize(rec core.Record, bare bool) int {
	if bare {
		return rec.Key().JSONSize() + 1
	}
	return info.size(rec)
}

// WithMeter returns a context in which the engine reports the growth of an answer to meter while it builds the
// answer, before it reads more. It calls meter with the number of bytes since the last call, each time that the
// answer has grown by at least 64 KiB; small answers cause no call. meter may block; its error ends the request.
// The engine does not call meter after it has committed a write, so an error of meter means that nothing was
// written.
func WithMeter(ctx context.Context, meter func(bytes int) error) context.Context {
	return context.WithValue(ctx, meterKey{}, meter)
}

type meterKey struct{}

// meterStep is the growth of an answer in bytes between two calls of a meter.
const meterStep = 64 << 10

// callMeter reports bytes to the meter of the context.
func (b *viewBuilder) callMeter(size int) error {
	if b.unmetered += size; b.unmetered < meterStep || b.meter == nil || b.committed {
		return nil
	}
	size, b.unmetered = b.unmetered, 0
	return b.meter(size)
}

// writeBudget counts the records that a request creates, changes, detaches or deletes. It counts each record once, before
// the operation that writes it.
type writeBudget struct {
	limit, left int
	counted     []map[core.Value]struct{} // by index of the resource
}

func newWriteBudget(e *Engine) *writeBudget {
	return &writeBudget{e.opts.MaxWritten, e.opts.MaxWritten, make([]map[core.Value]struct{}, len(e.resources))}
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
