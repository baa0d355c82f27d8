package core

import (
	"errors"
	"fmt"
	"slices"

	"github.com/larder-go/larder/core/internal/strictjson"
)

// Data is the content of a store as plain Go values: by name of the resource,
// then by key, the fields by name. In Go:
//
//	core.Data{
//		"cookie": {1: {"id": 1, "type": "muffin"}, 2: {"id": 2, "type": "shortbread", "jar": 1}},
//		"jar":    {1: {"id": 1, "cookies": []any{2}}},
//	}
//
// The key may be left out of the fields, and so may the side of a relation that
// is not stored; what is given must agree. Other fields that are left out are
// null, whatever their default is.
type Data map[string]map[any]map[string]any

// ParseData reads data in JSON, where keys are names:
//
//	{"cookie": {"1": {"id": 1, "type": "muffin"}}}
//
// The error of text that is not JSON says at which byte.
func ParseData(text []byte) (Data, error) {
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

// maxDataErrors is how many mistakes of a data set are worth reading at once.
const maxDataErrors = 20

// Records returns the records that the data holds, ascending by key, those of
// [Model.Resources][i] at index i. If the data breaks the model, the error names
// each record and field that does, up to a number: unknown names, values that do
// not fit, keys that disagree, relations without a target or whose two sides
// disagree, unique values that are held twice.
func (m *Model) Records(data Data) ([][]Record, error) {
	l := dataLoader{model: m, keys: make([]map[Value]Record, len(m.resources)), sides: make(map[*Field]map[Value][]Value)}
	for i := range l.keys {
		l.keys[i] = make(map[Value]Record)
	}
	for name := range data {
		if m.byName[name] == nil {
			l.fail(fmt.Errorf("%s: the model has no such resource", name))
		}
	}
	for _, r := range m.resources {
		for key, fields := range data[r.name] {
			l.add(r, key, fields)
		}
	}
	l.checkRelations(data)
	if len(l.errs) > 0 {
		slices.SortFunc(l.errs, func(a, b error) int { return compareText(a.Error(), b.Error()) })
		return nil, errors.Join(l.errs[:min(len(l.errs), maxDataErrors)]...)
	}
	return l.sorted(), nil
}
