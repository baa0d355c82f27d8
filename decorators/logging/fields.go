package logging

import (
	"context"
	"errors"

	"go.uber.org/zap"

	"github.com/larder-go/larder/core"
)

// usualFields is how many fields a line has if all is well and no value is
// allowed.
const usualFields = 8

// fields returns those of a line.
func (l *layer) fields(ctx context.Context, op *core.Op, asked *request, a answer, outcome core.Outcome) []zap.Field {
	f := make([]zap.Field, 0, usualFields)
	f = append(f, zap.String("kind", asked.kind.String()))
	if asked.resource != nil {
		f = append(f, zap.String("resource", asked.resource.Name()))
	}
	f = append(f, zap.String("outcome", outcome.String()), zap.Duration("duration", a.took))
	if n, ok := rows(asked, a); ok {
		f = append(f, zap.Int("rows", n))
	}
	f = append(f, zap.Int("attempt", op.Attempt()))
	if asked.kind == core.Tx && op.Tx != nil {
		f = append(f, zap.Bool("read_only", op.Tx.ReadOnly))
	}
	if !l.opts.Anonymous {
		f = appendPrincipal(f, op.Principal)
	}
	if id := RequestIDOf(ctx); id != "" {
		f = append(f, zap.String("request_id", id))
	}
	if a.err != nil {
		f = l.appendError(f, a.err, outcome)
	}
	return l.appendValues(f, asked, a)
}

// rows counts those that were read or written.
func rows(asked *request, a answer) (n int, ok bool) {
	switch {
	case asked.kind == core.Tx || asked.kind == core.Count:
		return 0, false
	case a.err != nil:
		return 0, true
	case asked.kind == core.Delete:
		return len(asked.keys), true
	}
	return len(a.records), true
}

// appendPrincipal adds who it was, so that nobody's id can look like the program.
func appendPrincipal(f []zap.Field, p *core.Principal) []zap.Field {
	switch {
	case p == nil:
		return f
	case p.IsSystem():
		return append(f, zap.Bool("system", true))
	case p.ID.Type() == core.Int:
		return append(f, zap.Int64("principal", p.ID.Int()))
	}
	return append(f, zap.String("principal", p.ID.String()))
}

// appendError adds what may be said of an error.
func (l *layer) appendError(f []zap.Field, err error, outcome core.Outcome) []zap.Field {
	e := core.AsError(err)
	f = append(f, zap.String("code", string(e.Code)))
	if at := l.at(e); at != "" {
		f = append(f, zap.String("at", at))
	}
	if server, ok := errors.AsType[sqlError](err); ok {
		f = append(f, zap.String("sqlstate", server.SQLState()))
	}
	if !outcome.Failure() && outcome != core.OutcomeConflict && outcome != core.OutcomeDenied {
		return f // what a client got wrong may be in it
	}
	if text := causeOf(err); text != "" {
		f = append(f, zap.String("cause", text))
	}
	return f
}

// at is what the error names, if it is the model's: a name that is not may be
// anything that a client has sent.
func (l *layer) at(e *core.Error) string {
	for _, r := range l.model.Resources() {
		if r.External() != e.Resource {
			continue
		}
		if field := r.ExternalField(e.Field); field != nil {
			return r.Name() + "." + field.Name()
		}
		return r.Name()
	}
	return ""
}
