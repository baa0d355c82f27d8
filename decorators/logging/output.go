package logging

import (
	"context"
	"log/slog"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// output is a logger.
type output interface {
	silent() bool // never writes
	enabled(ctx context.Context, level zapcore.Level) bool
	write(ctx context.Context, level zapcore.Level, message string, fields func() []zap.Field)
}

type zapOutput struct{ logger *zap.Logger }

func (z zapOutput) silent() bool { return z.logger.Core() == zapcore.NewNopCore() }

func (z zapOutput) enabled(_ context.Context, level zapcore.Level) bool {
	return z.logger.Core().Enabled(level)
}

func (z zapOutput) write(_ context.Context, level zapcore.Level, message string, fields func() []zap.Field) {
	if entry := z.logger.Check(level, message); entry != nil {
		entry.Write(fields()...)
	}
}

type slogOutput struct{ handler slog.Handler }

func (s slogOutput) silent() bool { return s.handler == slog.DiscardHandler }

// slogLevel returns the level of slog with the name of a level of zap.
func slogLevel(level zapcore.Level) slog.Level {
	const step = slog.LevelInfo - slog.LevelDebug // the distance of two levels, which is 1 in zap
	return slog.Level(level) * step
}

func (s slogOutput) enabled(ctx context.Context, level zapcore.Level) bool {
	return s.handler.Enabled(ctx, slogLevel(level))
}

func (s slogOutput) write(ctx context.Context, level zapcore.Level, message string, fields func() []zap.Field) {
	record := slog.NewRecord(time.Now(), slogLevel(level), message, 0) // without a caller, which would always be this package
	for _, f := range fields() {
		record.AddAttrs(attr(f))
	}
	_ = s.handler.Handle(ctx, record) // as log/slog does: a log has no place to report its own failure
}

// attr returns the field as an attribute with the same content.
func attr(f zap.Field) slog.Attr {
	switch f.Type { //nolint:exhaustive // the other types have the form of zap's encoders
	case zapcore.StringType:
		return slog.String(f.Key, f.String)
	case zapcore.Int64Type:
		return slog.Int64(f.Key, f.Integer)
	case zapcore.BoolType:
		return slog.Bool(f.Key, f.Integer == 1)
	case zapcore.DurationType:
		return slog.Duration(f.Key, time.Duration(f.Integer))
	}
	object := zapcore.NewMapObjectEncoder()
	f.AddTo(object)
	return slog.Any(f.Key, object.Fields[f.Key])
}
