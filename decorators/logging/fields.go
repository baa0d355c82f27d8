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
func (o *observer) fields(ctx context.Context, event *core.Event, outcome core.Outcome) []zap.Field {
	f := make([]zap.Field, 0, usualFields)
	f = append(f, zap.String("kind", event.Kind.String()))
	if event.Resource != nil {
		f = append(f, zap.String("resource", event.Resource.Name()))
	}
	f = append(f, zap.String("outcome", outcome.String()), zap.Duration("duration", event.Took))
	if n, ok := rows(event); ok {
		f = append(f, zap.Int("rows", n))
	}
	f = append(f, zap.Int("attempt", event.Attempt))
	if event.Kind == core.Tx && event.Tx != nil {
		f = append(f, zap.Bool("read_only", event.Tx.ReadOnly))
	}
	if !o.opts.OmitPrincipal {
		f = appendPrincipal(f, event.Principal)
	}
	if id := RequestIDOf(ctx); id != "" {
		f = append(f, zap.String("request_id", id))
	}
	if event.Err != nil {
		f = o.appendError(f, event.Err, outcome)
	}
	return o.appendValues(f, event)
}

// rows counts those that were read or written.
func rows(event *core.Event) (n int, ok bool) {
	switch {
	case event.Kind == core.Tx || event.Kind == core.Count:
		return 0, false
	case event.Err != nil:
		return 0, true
	case event.Kind == core.Delete:
		return len(event.Keys), true
	case event.Kind == core.NextID:
		return len(event.Result.Keys), true
	}
	return len(event.Result.Records), true
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
	return append(f, zap.String("principal", shorten(p.ID.String(), maxPrincipal)))
}

// appendError adds what may be said of an error.
func (o *observer) appendError(f []zap.Field, err error, outcome core.Outcome) []zap.Field {
	e := core.AsError(err)
	f = append(f, zap.String("code", string(e.Code)))
	if at := o.at(e); at != "" {
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

// maxPrincipal is how many bytes of a principal's id a line repeats: a token may have
// chosen it.
const maxPrincipal = 256

// at is what the error names, if it is the model's: a name that is not may be
// anything that a client has sent.
func (o *observer) at(e *core.Error) string {
	for _, r := range o.model.Resources() {
		if r.APIName() != e.Resource {
			continue
		}
		if field := r.FieldByAPIName(e.Field); field != nil {
			return r.Name() + "." + field.Name()
		}
		return r.Name()
	}
	return ""
}
