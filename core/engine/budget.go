package engine

import (
	"context"
	"fmt"

	"github.com/larder-go/larder/core"
)

// budget is what an answer may still show.
type budget struct {
	records, bytes int
	links          int // bytes of members that lead to the rest of a list side
}

func (e *Engine) budget() budget {
	return budget{e.opts.MaxRecords, e.opts.MaxBytes, 4<<10 + e.opts.MaxBytes/16}
}

// take pays for something of that size that the answer shows a number of times, as
// records or as a part of records.
func (b *viewBuilder) spend(times, records, size int) error {
	b.remaining.records -= times * records
	b.remaining.bytes -= times * size
	if err := b.checkBudget(); err != nil {
		return err
	}
	return b.callMeter(times * size)
}

// check returns [core.TooLarge] if the answer would exceed a bound.
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

// size returns at least how many bytes the record takes, with a comma, without what
// it shows of others.
func (info *resourceInfo) size(rec core.Record) int {
	n := info.baseSize
	for i := range info.shown {
		if shown := &info.shown[i]; shown.part < 0 {
			if v := rec.At(shown.field.Column()); v.IsSet() {
				n += len(shown.label) + v.JSONSize() + len(",")
			}
		}
	}
	return n
}

// sizeOf is the size of a record, or of its id if it is shown bare.
func (info *resourceInfo) nodeSize(rec core.Record, bare bool) int {
	if bare {
		return rec.Key().JSONSize() + 1
	}
	return info.size(rec)
}

// WithMeter returns a context in which the engine calls meter while it builds an
// answer, with the number of bytes by which the answer grew since the last call. It calls
// meter for every 64 KiB at least, before it reads more, and not at all for smaller
// answers. meter may wait; its error ends the request. It is not called after a write was
// committed, so such an error means that nothing happened.
func WithMeter(ctx context.Context, meter func(bytes int) error) context.Context {
	return context.WithValue(ctx, meterKey{}, meter)
}

type meterKey struct{}

// meteredAtOnce is by how many bytes an answer grows between calls of a meter.
const meterStep = 64 << 10

// measure calls the meter of the context for bytes that it was not called for.
func (b *viewBuilder) callMeter(size int) error {
	if b.unmetered += size; b.unmetered < meterStep || b.meter == nil || b.committed {
		return nil
	}
	size, b.unmetered = b.unmetered, 0
	return b.meter(size)
}
