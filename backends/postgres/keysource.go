package postgres

import "github.com/larder-go/larder/core"

// source says where the values of a key column come from.
func (c *catalogColumn) keySource(f *core.Field) core.KeySource {
	s := core.KeySource{Assigned: f.Assigned() || !c.hasDefault() && f.Type() != core.UUID}
	if s.Assigned || f.Type() != core.Int {
		return s
	}
	l := limitsOf(c)
	s.Low, s.High = max(l.low, -maxMiddle), min(l.high, maxMiddle)
	if c.sequence != "" && c.sequenceStep < 0 {
		s.Low = max(c.middle(), s.Low)
	} else {
		s.High = c.middle()
	}
	return s
}

// maxHalf is half of the numbers on which all readers of JSON agree (RFC 8259, section 6).
const maxMiddle = 1 << 52

// half is the middle of the keys that the sequence of the column, or without one the
// type of the column, can reach. Clients choose keys on the near side of it, so that as
// many are left to be generated.
func (c *catalogColumn) middle() int64 {
	l := limitsOf(c)
	low, high := int64(1), l.high
	if c.sequence != "" {
		low, high = max(l.low, c.sequenceLow), min(l.high, c.sequenceLimit)
	}
	middle := low
	if high > low {
		middle += int64(uint64(high-low) / 2) //nolint:gosec // half of any difference fits
	}
	return max(-maxMiddle, min(middle, maxMiddle))
}
