package logging

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/larder-go/larder/core"
)

// layer is the decorator in its place in a stack.
type layer struct {
	logger  *zap.Logger
	opts    Options
	model   *core.Model
	next    core.Handler
	allowed [][]*core.Field // by resource
	lines   lines
}

// epoch is what clocks are read against: a time.Time of its own for each reading
// costs twice as much.
var epoch = time.Now()

// errInterrupted is the error of an op that has none because it did not return.
var errInterrupted = errors.New("interrupted by a panic")

func (l *layer) handle(ctx context.Context, op *core.Op) (res core.Result, err error) {
	// What is further in may change the op on its way.
	asked := request{kind: op.Kind, resource: op.Resource, keys: op.Keys, records: op.Records}
	begin := time.Since(epoch)
	err = errInterrupted
	defer func() { l.done(ctx, op, &asked, answer{res.Records, err, time.Since(epoch) - begin}) }()
	return l.next(ctx, op)
}

// request is what the op was when it came.
type request struct {
	kind     core.Kind
	resource *core.Resource
	keys     []core.Value
	records  []core.Record
}

// answer is what became of it.
type answer struct {
	records []core.Record
	err     error
	took    time.Duration
}

// done writes the line if its level is on.
func (l *layer) done(ctx context.Context, op *core.Op, asked *request, a answer) {
	outcome := core.OutcomeOf(a.err)
	level := levelOf(outcome)
	if level < zapcore.WarnLevel && l.opts.Slow > 0 && a.took >= l.opts.Slow {
		level = zapcore.WarnLevel
	}
	if !l.logger.Core().Enabled(level) {
		return
	}
	line := l.lines.of(asked)
	if level == zapcore.DebugLevel && !line.take(l.opts.OneIn) {
		return
	}
	if entry := l.logger.Check(level, line.message); entry != nil {
		entry.Write(l.fields(ctx, op, asked, a, outcome)...)
	}
}

// levelOf is total: an outcome that did not exist when this was written is
// either a failure or not.
func levelOf(o core.Outcome) zapcore.Level {
	switch {
	case o.Failure():
		return zapcore.ErrorLevel
	case o == core.OutcomeConflict:
		return zapcore.WarnLevel
	case o == core.OutcomeDenied:
		return zapcore.InfoLevel
	}
	return zapcore.DebugLevel
}
