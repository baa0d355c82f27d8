package engine

import "context"

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
