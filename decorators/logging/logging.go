package logging

import (
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/larder-go/larder/core"
)

// Options are what may be logged differently. The zero value works.
type Options struct {
	// Slow is the duration from which on an operation or transaction is a warning;
	// 0 means a second, a negative one that nothing is slow.
	Slow time.Duration
	// DebugSampling thins the lines for debugging: of those with the same message, the
	// first is written and then one in so many; 0 and 1 mean all. Other levels are
	// never thinned.
	DebugSampling int
	// OmitPrincipal leaves the ids of principals out.
	OmitPrincipal bool
	// Values names the fields, as "resource.field", whose values are logged of
	// each record that is read or written, for the first ten records of an
	// operation and the first 256 bytes of a value; nil means none.
	Values []string
}

const defaultSlow = time.Second

// New returns the decorator. It may stand anywhere, and more than once: outermost
// it tells what was asked for, innermost what the backend did; [zap.Logger.Named]
// tells the lines apart.
//
// [core.New] fails if the logger is nil, an option is out of its range, or Values
// names a field that is not stored.
func New(logger *zap.Logger, opts Options) core.Decorator {
	return core.Decorator{
		Name: "logging", Note: opts.note(logger), Kind: core.KindObserve, Repeatable: true,
		Observe: func(m *core.Model) (core.Observer, error) { return newObserver(logger, opts, m) },
	}
}

func newObserver(logger *zap.Logger, opts Options, m *core.Model) (core.Observer, error) {
	if logger == nil {
		return nil, errors.New("there is no logger")
	}
	if opts.DebugSampling < 0 {
		return nil, fmt.Errorf("option DebugSampling: %d is negative", opts.DebugSampling)
	}
	allowed, err := allow(m, opts.Values)
	if err != nil {
		return nil, err
	}
	if logger.Core() == zapcore.NewNopCore() {
		return nil, nil //nolint:nilnil // there is nothing to see
	}
	if opts.Slow == 0 {
		opts.Slow = defaultSlow
	}
	return &observer{
		logger: logger.WithOptions(zap.WithCaller(false)), // which would always be this package
		opts:   opts, model: m, allowed: allowed, lines: newLines(m),
	}, nil
}

func (o Options) note(logger *zap.Logger) string {
	note := "slow from " + defaultSlow.String()
	switch {
	case o.Slow < 0:
		note = "nothing is slow"
	case o.Slow > 0:
		note = "slow from " + o.Slow.String()
	}
	if logger != nil && logger.Name() != "" {
		note = logger.Name() + ", " + note
	}
	if len(o.Values) > 0 {
		note += fmt.Sprintf(", with values of %d fields", len(o.Values))
	}
	return note
}
