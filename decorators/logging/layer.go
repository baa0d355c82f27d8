package logging

import (
	"context"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/larder-go/larder/core"
)

// layer is the decorator in its place in a stack.
type layer struct {
	logger  *zap.Logger
	opts    Options
	model   *core.Model
	allowed [][]*core.Field // by resource
	lines   lines
}

var _ core.Watcher = (*layer)(nil)

// Begin does nothing: there is a line for what has ended.
func (l *layer) Begin(core.Kind, *core.Resource) {}

// End writes the line if its level is on.
func (l *layer) End(ctx context.Context, seen *core.Seen) {
	outcome := core.OutcomeOf(seen.Err)
	level := levelOf(outcome)
	if level < zapcore.WarnLevel && l.opts.Slow > 0 && seen.Took >= l.opts.Slow {
		level = zapcore.WarnLevel
	}
	if !l.logger.Core().Enabled(level) {
		return
	}
	line := l.lines.of(seen)
	if level == zapcore.DebugLevel && !line.take(l.opts.OneIn) {
		return
	}
	if entry := l.logger.Check(level, line.message); entry != nil {
		entry.Write(l.fields(ctx, seen, outcome)...)
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
