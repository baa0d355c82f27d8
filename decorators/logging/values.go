package logging

import (
	"fmt"
	"slices"
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/larder-go/larder/core"
)

const (
	maxRecords = 10  // of one line
	maxValue   = 256 // bytes of one text
)

// allow resolves the names of fields whose values may be logged.
func allow(m *core.Model, names []string) ([][]*core.Field, error) {
	allowed := make([][]*core.Field, len(m.Resources()))
	for _, name := range names {
		resource, field, _ := strings.Cut(name, ".")
		r := m.Resource(resource)
		if r == nil {
			return nil, fmt.Errorf("option Values: %q: the model has no resource %q", name, resource)
		}
		f := r.Field(field)
		if f == nil || !f.Stored() {
			return nil, fmt.Errorf("option Values: %q: the resource has no stored field %q", name, field)
		}
		if !slices.Contains(allowed[r.Index()], f) {
			allowed[r.Index()] = append(allowed[r.Index()], f)
		}
	}
	return allowed, nil
}

// appendValues adds the allowed fields of the records, if there are any.
func (o *observer) appendValues(f []zap.Field, event *core.Event) []zap.Field {
	r := event.Resource
	if r == nil || r.Model() != o.model || len(o.allowed[r.Index()]) == 0 {
		return f
	}
	shown := excerpts{fields: o.allowed[r.Index()], records: event.Result.Records}
	switch {
	case len(event.Result.Records) > 0:
	case len(event.Records) > 0:
		shown.records = event.Records
	case slices.Contains(shown.fields, r.Key()):
		if shown.keys = event.Keys; event.Kind == core.NextID {
			shown.keys = event.Result.Keys
		}
	}
	if len(shown.records)+len(shown.keys) == 0 {
		return f
	}
	return append(f, zap.Array("values", shown))
}

// excerpts are records, cut down to some fields, or keys in their place.
type excerpts struct {
	fields  []*core.Field
	records []core.Record
	keys    []core.Value
}

// MarshalLogArray implements [zapcore.ArrayMarshaler].
func (x excerpts) MarshalLogArray(to zapcore.ArrayEncoder) error {
	for _, rec := range x.records[:min(len(x.records), maxRecords)] {
		if err := to.AppendObject(excerpt{x.fields, rec}); err != nil {
			return err
		}
	}
	for _, key := range x.keys[:min(len(x.keys), maxRecords)] {
		appendKey := zapcore.ObjectMarshalerFunc(func(to zapcore.ObjectEncoder) error { return addValue(to, keyOf(x.fields).Name(), key) })
		if err := to.AppendObject(appendKey); err != nil {
			return err
		}
	}
	return nil
}

func keyOf(fields []*core.Field) *core.Field { return fields[0].Resource().Key() }

type excerpt struct {
	fields []*core.Field
	record core.Record
}

// MarshalLogObject implements [zapcore.ObjectMarshaler].
func (x excerpt) MarshalLogObject(to zapcore.ObjectEncoder) error {
	for _, f := range x.fields {
		if err := addValue(to, f.Name(), x.record.At(f.Column())); err != nil {
			return err
		}
	}
	return nil
}

// addValue adds a value by its type; nothing for one that is absent.
func addValue(to zapcore.ObjectEncoder, name string, v core.Value) error {
	switch {
	case v.IsAbsent():
	case v.IsNull():
		return to.AddReflected(name, nil)
	case v.Type() == core.Int:
		to.AddInt64(name, v.Int())
	case v.Type() == core.Float:
		to.AddFloat64(name, v.Float())
	case v.Type() == core.Bool:
		to.AddBool(name, v.Bool())
	default:
		to.AddString(name, shorten(v.String(), maxValue))
	}
	return nil
}
