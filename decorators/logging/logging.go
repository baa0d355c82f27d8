package logging

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.uber.org/zap"

	"github.com/larder-go/larder/core"
)

// Options are the settings of the decorator. The zero value logs everything that the logger's level permits, without
// values.
type Options struct {
	// Slow is the duration from which an operation or transaction is a warning. 0 means one second; a negative value means
	// never.
	Slow time.Duration
	// DebugSampling reduces the lines at debug level: of the lines with the same message, the first is written and then one
	// in DebugSampling. 0 and 1 mean all; a negative number is an error. Lines at other levels are always written.
	DebugSampling int
	// OmitPrincipal leaves out the ids of principals. Ids in the text of a cause stay, see "Values and secrets" in the
	// package comment.
	OmitPrincipal bool
	// Values names the fields, as "resource.field", whose values are logged, for the first 10 records of an operation and
	// the first 256 bytes of a value. nil means none.
	Values []string
}

const defaultSlow = time.Second

// New returns the decorator. It may stand anywhere in a stack, and more than once: outermost it logs the requests,
// innermost the operations of the backend. Give each its own logger, such as one from [zap.Logger.Named], to distinguish
// their lines.
//
// [core.New] fails if the logger is nil, DebugSampling is negative, or Values names a field that is not a stored field of
// the model.
func New(logger *zap.Logger, opts Options) core.Decorator {
	if logger == nil {
		return newDecorator(nil, "", opts)
	}
	return newDecorator(zapOutput{logger.WithOptions(zap.WithCaller(false))}, logger.Name(), opts) // the caller would always be this package
}

// NewSlog returns the decorator for a [slog.Logger], such as the one of rest.Options Logger. It is [New] otherwise: the lines have
// the same messages, fields and levels. The handler gets the context of each operation.
func NewSlog(logger *slog.Logger, opts Options) core.Decorator {
	if logger == nil {
		return newDecorator(nil, "", opts)
	}
	return newDecorator(slogOutput{logger.Handler()}, "", opts)
}

// newDecorator returns the decorator for an output with a name. A nil output is an error of core.New.
func newDecorator(out output, name string, opts Options) core.Decorator {
	return core.Decorator{
		Name: "logging", Note: opts.note(name), Kind: core.KindObserve, Repeatable: true,
		Observe: func(m *core.Model) (core.Observer, error) { return newObserver(out, opts, m) },
	}
}

func newObserver(out output, opts Options, m *core.Model) (core.Observer, error) {
	if out == nil {
		return nil, errors.New("the logger is nil; pass zap.NewNop() or slog.New(slog.DiscardHandler) to log nothing")
	}
	if opts.DebugSampling < 0 {
		return nil, fmt.Errorf("option DebugSampling: %d is negative; use 0 to write every line", opts.DebugSampling)
	}
	fields, err := resolveFields(m, opts.Values)
	if err != nil {
		return nil, err
	}
	if out.silent() {
		return nil, nil //nolint:nilnil // no observer, see core.Decorator
	}
	if opts.Slow == 0 {
		opts.Slow = defaultSlow
	}
	return &observer{out: out, opts: opts, model: m, values: fields, messages: newMessages(m)}, nil
}

func (o Options) note(name string) string {
	note := "slow from " + defaultSlow.String()
	switch {
	case o.Slow < 0:
		note = "never slow"
	case o.Slow > 0:
		note = "slow from " + o.Slow.String()
	}
	if name != "" {
		note = name + ", " + note
	}
	if len(o.Values) > 0 {
		note += fmt.Sprintf(", with values of %d fields", len(o.Values))
	}
	return note
}
