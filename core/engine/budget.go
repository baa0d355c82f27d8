package engine

import (
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
func (r *resolver) take(times, records, size int) error {
	r.left.records -= times * records
	r.left.bytes -= times * size
	if err := r.check(); err != nil {
		return err
	}
	return r.measure(times * size)
}

// check returns [core.TooLarge] if the answer would exceed a bound.
func (r *resolver) check() error {
	switch opts := r.engine.opts; {
	case r.left.records < 0:
		r.full = true
		return tooLarge("hold more than %d records", opts.MaxRecords)
	case r.left.bytes < 0 || r.left.links < 0:
		r.full = true
		return tooLarge("have more than %d bytes", opts.MaxBytes)
	}
	return nil
}

func tooLarge(format string, limit int) error {
	return &core.Error{Code: core.TooLarge, Message: "the answer would " + fmt.Sprintf(format, limit) + "; use a smaller depth"}
}

// size returns at least how many bytes the record takes, with a comma, without what
// it shows of others.
func (s *shape) size(rec core.Record) int {
	n := s.frame
	for i := range s.shown {
		if at := &s.shown[i]; at.part < 0 {
			if v := rec.At(at.field.Column()); v.IsSet() {
				n += len(at.label) + v.JSONSize() + len(",")
			}
		}
	}
	return n
}

// sizeOf is the size of a record, or of its id if it is shown bare.
func (s *shape) sizeOf(rec core.Record, bare bool) int {
	if bare {
		return rec.Key().JSONSize() + 1
	}
	return s.size(rec)
}
