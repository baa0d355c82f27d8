// Package seed loads the initial data of a store from plain Go values or JSON.
//
//	data := seed.Data{
//		"cookie": {1: {"type": "muffin"}, 2: {"type": "shortbread", "jar": 1}},
//		"jar":    {1: {"label": "blue"}},
//	}
//	store, err := core.New(ctx, model, memory.NewWith(data))
//
// [Parse] reads the same data from JSON, and [Records] converts it to typed records.
package seed

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/internal/strictjson"
)

// Data is the content of a store as plain Go values: resource name, key, field name. All names are the names in the
// model, not the API names. Values may have any type that [core.Field.Convert] accepts. The zero Data has no records.
//
// A record need not repeat its key among its fields. A connected relation must be given on its stored side, and a relation
// through a join resource by the records of that resource; if the other side is also given, the two must agree. Stored fields that are left out are null; defaults of the model do
// not apply.
type Data map[string]map[any]map[string]any

// Parse reads data from JSON, in which keys are member names:
//
//	{"cookie": {"1": {"type": "muffin"}}}
//
// It parses strictly, as [core.ParseJSON] does, and does not know the model. The error for invalid JSON has the byte
// offset.
func Parse(text []byte) (Data, error) {
	parsed, err := strictjson.Parse(text, 0)
	if err != nil {
		return nil, err
	}
	resources, ok := parsed.(map[string]any)
	if !ok {
		return nil, errors.New("data is not a JSON object of resources")
	}
	data := make(Data, len(resources))
	for name, content := range resources {
		records, ok := content.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%s: not a JSON object of records by key", name)
		}
		data[name] = make(map[any]map[string]any, len(records))
		for key, record := range records {
			fields, ok := record.(map[string]any)
			if !ok {
				return nil, fmt.Errorf("%s %s: not a JSON object of fields", name, key)
			}
			data[name][key] = fields
		}
	}
	return data, nil
}

// maxErrors bounds the mistakes that the error of [Records] lists.
const maxErrors = 20

// Records returns the records of the data, ascending by key. Index i of the result holds the records of the resource
// with the [core.Resource.Index] i. The caller owns the slices.
//
// The error lists at most 20 mistakes, each with its record and field: unknown names, values of the wrong type, keys that
// contradict the record, to-one relations without a target, relations whose two sides disagree, duplicate unique values.
//
// A to-many relation without an inverse may hold keys of records that do not exist, because the deletion of a record
// leaves its key in such lists. The dump of a store therefore always loads again.
func Records(m *core.Model, data Data) ([][]core.Record, error) {
	l := loader{
		model: m, records: make([]map[core.Value]core.Record, len(m.Resources())),
		lists: make(map[*core.Field]map[core.Value][]core.Value),
	}
	for i := range l.records {
		l.records[i] = make(map[core.Value]core.Record)
	}
	for name := range data {
		if m.Resource(name) == nil {
			l.fail(fmt.Errorf("%s: the model has no such resource", name))
		}
	}
	for _, r := range m.Resources() {
		for key, fields := range data[r.Name()] {
			l.add(r, key, fields)
		}
	}
	l.checkRelations(data)
	if len(l.errs) > 0 {
		slices.SortFunc(l.errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
		return nil, errors.Join(l.errs[:min(len(l.errs), maxErrors)]...)
	}
	return l.sorted(), nil
}
