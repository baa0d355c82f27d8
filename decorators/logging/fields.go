package logging

import (
	"context"
	"errors"

	"go.uber.org/zap"

	"github.com/larder-go/larder/core"
)

const (
	usualFields  = 8   // fields of a line without an error and values
	maxPrincipal = 256 // bytes of an id of a principal; a token may have chosen the id
	maxTraceID   = 128 // bytes; a client may have chosen the id
)

// fields returns the fields of a line.
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
	if id := core.RequestIDOf(ctx); id != "" {
		f = append(f, zap.String("request_id", id))
	}
	if id := core.TraceIDOf(ctx); id != "" {
		f = append(f, zap.String("trace_id", shorten(id, maxTraceID)))
	}
	if event.Err != nil {
		f = o.appendError(f, event.Err, outcome)
	}
	return o.appendValues(f, event)
}

// rows returns the number of records read or written, of keys allocated, or of groups. It returns false if the kind has none.
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
	case event.Kind == core.Aggregate:
		return len(event.Result.Groups), true
	}
	return len(event.Result.Records), true
}

// appendPrincipal adds the principal. The system principal has a field of its own, so that no id looks like it.
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

// appendError adds the parts of an error that contain no values.
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
		return f // the cause may repeat values of the client
	}
	if text := causeOf(err); text != "" {
		f = append(f, zap.String("cause", text))
	}
	return f
}

// at returns the resource, or resource and field, that the error names. It returns "" for names that the model does not
// have, since a client may have sent them.
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
