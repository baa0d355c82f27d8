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
	maxRecords = 10  // in a line
	maxValue   = 256 // bytes of a string
)

// resolveFields returns the named fields by index of the resource.
func resolveFields(m *core.Model, names []string) ([][]*core.Field, error) {
	fields := make([][]*core.Field, len(m.Resources()))
	for _, name := range names {
		resource, field, _ := strings.Cut(name, ".")
		r := m.Resource(resource)
		if r == nil {
			return nil, fmt.Errorf("option Values: %q: the model has no resource %q; name a field as resource.field", name, resource)
		}
		f := r.Field(field)
		if f == nil || !f.Stored() {
			return nil, fmt.Errorf("option Values: %q: the resource has no stored field %q; name a field as resource.field", name, field)
		}
		if !slices.Contains(fields[r.Index()], f) {
			fields[r.Index()] = append(fields[r.Index()], f)
		}
	}
	return fields, nil
}

// appendValues adds the values of the fields in [Options.Values]. Without records, a line has the keys, if the key is one
// of these fields.
func (o *observer) appendValues(f []zap.Field, event *core.Event) []zap.Field {
	r := event.Resource
	if r == nil || r.Model() != o.model || len(o.values[r.Index()]) == 0 {
		return f
	}
	values := recordValues{fields: o.values[r.Index()], records: event.Result.Records}
	switch {
	case len(event.Result.Records) > 0:
	case len(event.Records) > 0:
		values.records = event.Records
	case slices.Contains(values.fields, r.Key()):
		if values.keys = event.Keys; event.Kind == core.NextID {
			values.keys = event.Result.Keys
		}
	}
	if len(values.records)+len(values.keys) == 0 {
		return f
	}
	return append(f, zap.Array("values", values))
}

// recordValues are the values of some fields of records, or keys instead of records.
type recordValues struct {
	fields  []*core.Field
	records []core.Record
	keys    []core.Value
}

// MarshalLogArray implements [zapcore.ArrayMarshaler].
func (x recordValues) MarshalLogArray(to zapcore.ArrayEncoder) error {
	for _, rec := range x.records[:min(len(x.records), maxRecords)] {
		if err := to.AppendObject(recordValue{x.fields, rec}); err != nil {
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

type recordValue struct {
	fields []*core.Field
	record core.Record
}

// MarshalLogObject implements [zapcore.ObjectMarshaler].
func (x recordValue) MarshalLogObject(to zapcore.ObjectEncoder) error {
	for _, f := range x.fields {
		if err := addValue(to, f.Name(), x.record.At(f.Column())); err != nil {
			return err
		}
	}
	return nil
}

// addValue adds a value with its type, unless it is absent.
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
