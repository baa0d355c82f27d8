package logging

import (
	"context"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/larder-go/larder/core"
)

// observer is the decorator in its place in a stack.
type observer struct {
	logger  *zap.Logger
	opts    Options
	model   *core.Model
	allowed [][]*core.Field // by resource
	lines   lines
}

var _ core.Observer = (*observer)(nil)

// Begin does nothing: there is a line for what has ended.
func (o *observer) Begin(core.Kind, *core.Resource) {}

// End writes the line if its level is on.
func (o *observer) End(ctx context.Context, event *core.Event) {
	outcome := core.OutcomeOf(event.Err)
	level := levelOf(outcome)
	if level < zapcore.WarnLevel && o.opts.Slow > 0 && event.Took >= o.opts.Slow {
		level = zapcore.WarnLevel
	}
	if !o.logger.Core().Enabled(level) {
		return
	}
	line := o.lines.of(event)
	if level == zapcore.DebugLevel && !line.take(o.opts.DebugSampling) {
		return
	}
	if entry := o.logger.Check(level, line.message); entry != nil {
		entry.Write(o.fields(ctx, event, outcome)...)
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
