package enginetest

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

func valueCases() []Case {
	return []Case{
		script("a value of another type is converted if nothing is lost", things, `
			post thing {"int": "1"}                  => {"id": 1, "int": 1}
			post thing {"int": 1.0}                  => {"id": 2, "int": 1}
			post thing {"int": -9223372036854775808} => {"id": 3, "int": -9223372036854775808}
			post thing {"float": 1}                  => {"id": 4, "float": 1}
			post thing {"float": "2.5"}              => {"id": 5, "float": 2.5}
			post thing {"text": 5}                   => {"id": 6, "text": "5"}
			post thing {"text": 1.50}                => {"id": 7, "text": "1.50"}
			post thing {"bool": true}                => {"id": 8, "bool": true}
			post thing {"time": "2024-02-29T12:00:00.5+02:00"} => {"id": 9, "time": "2024-02-29T10:00:00.5Z"}
			post thing {"uuid": "0E984725-C51C-4BF4-9960-E1C80E27ABA0"} => {"id": 10, "uuid": "0e984725-c51c-4bf4-9960-e1c80e27aba0"}
			post thing {"bytes": "AAEC"}             => {"id": 11, "bytes": "AAEC"}
			post thing {"json": {"b": [1.0, {}], "a": null}} => {"id": 12, "json": {"a": null, "b": [1, {}]}}
			post thing {"list": [1, "x", [], {}]}    => {"id": 13, "list": [1, "x", [], {}]}
			post thing {"date": "2024-02-29"}        => {"id": 14, "date": "2024-02-29"}
			post thing {"localtime": "2024-02-29T02:30:00.50"} => {"id": 15, "localtime": "2024-02-29T02:30:00.5"}
			post thing {"decimal": 12345678901234567890.1234567890} => {"id": 16, "decimal": "12345678901234567890.123456789"}
			post thing {"decimal": "1.50e2"}         => {"id": 17, "decimal": "150"}
			post thing {"price": 10.5}               => {"id": 18, "price": "10.50"}
			post thing {"price": "-3"}               => {"id": 19, "price": "-3.00"}
			list thing depth=0 sort=["decimal"] filter={"decimal": {"gt": 9}} => [17, 16]
			list thing depth=0 filter={"price": "10.50"}    => [18]
			list thing depth=0 filter={"price": 10.5}       => [18]`),
		rejectedValues(),
		script("null is left out, empty values are shown", things, `
			post thing {"int": null, "text": "", "bool": false, "float": 0, "list": [], "json": {}, "bytes": ""} => {"id": 1, "float": 0, "text": "", "bool": false, "bytes": "", "json": {}, "list": []}`),
		script("keys may be text or UUIDs, and relations take their type", things, `
			put tag/a {}                             => created {"name": "a", "things": [], "liked": []}
			put tag/5 {"like": "a"}                  => created {"name": "5", "things": [], "like": "a", "liked": []}
			patch tag/a {"liked": [5, "5"]}          => {"name": "a", "things": [], "liked": ["5"]}
			patch tag/a {"liked": [true]}            => BAD_FIELD_VALUE {"object_name": "tag", "field_name": "liked", "type": "text", "value": true}
			put token/0E984725-C51C-4BF4-9960-E1C80E27ABA0 {} => created {"id": "0e984725-c51c-4bf4-9960-e1c80e27aba0"}
			put token/00000000-0000-4000-8000-000000000000 {"next": "0E984725-c51c-4bf4-9960-e1c80e27aba0"} => created {"id": "00000000-0000-4000-8000-000000000000", "next": "0e984725-c51c-4bf4-9960-e1c80e27aba0"}
			get token/1                              => BAD_FIELD_VALUE {"object_name": "token", "field_name": "id", "type": "uuid", "value": "1"}`),
		script("an id of the wrong type is a bad field value", Cookies, `
			get jar/abc        => BAD_FIELD_VALUE {"object_name": "jar", "field_name": "id", "type": "int", "value": "abc"}
			get jar/007        => BAD_FIELD_VALUE {"object_name": "jar", "field_name": "id", "type": "int", "value": "007"}
			get jar/1.0        => BAD_FIELD_VALUE {"object_name": "jar", "field_name": "id", "type": "int", "value": "1.0"}
			patch jar/+1 {}    => BAD_FIELD_VALUE {"object_name": "jar", "field_name": "id", "type": "int", "value": "+1"}
			put jar/9223372036854775808 {} => BAD_FIELD_VALUE {"object_name": "jar", "field_name": "id", "type": "int", "value": "9223372036854775808"}
			delete jar/1x      => BAD_FIELD_VALUE {"object_name": "jar", "field_name": "id", "type": "int", "value": "1x"}`),
		code("programs write plain Go values", things, goValues),
		code("View.Any equals the decoded JSON", things, anyValue),
	}
}

// rejectedValues sends values that do not fit their field.
func rejectedValues() Case {
	rejected := map[string][]string{
		"int":       {`"1 "`, `"01"`, `"+1"`, `"1.0"`, `1.5`, `true`, `[]`, `{}`, `9223372036854775808`, `""`},
		"float":     {`"x"`, `true`, `[]`, `{}`, `9007199254740993`, `"Infinity"`, `"NaN"`},
		"text":      {`true`, `[]`, `{}`},
		"bool":      {`1`, `0`, `"true"`, `[]`, `{}`},
		"time":      {`"2024-02-30T00:00:00Z"`, `"2024-01-01"`, `1`, `true`, `[]`},
		"uuid":      {`"x"`, `1`, `"0e984725c51c4bf49960e1c80e27aba0"`, `[]`},
		"bytes":     {`"?"`, `1`, `[]`},
		"date":      {`"2024-02-30"`, `"2024-01-01T00:00:00Z"`, `"0000-01-01"`, `20240101`, `true`, `[]`},
		"localtime": {`"2024-02-30T00:00:00"`, `"2024-01-01T00:00:00Z"`, `"2024-01-01"`, `1`, `true`, `[]`},
		"decimal":   {`"NaN"`, `"Infinity"`, `"1,5"`, `"+1"`, `"01"`, `" 1"`, `""`, `true`, `[]`},
		"list":      {`{}`, `"[]"`, `1`, `true`},
	}
	var b strings.Builder
	for field, values := range rejected {
		for _, v := range values {
			b.WriteString(`post thing {"` + field + `": ` + v + `} => BAD_FIELD_VALUE {"object_name": "thing", "field_name": "` + field +
				`", "type": "` + field + `", "value": ` + v + "}\n")
		}
	}
	b.WriteString("list thing => []")
	return script("a lossy conversion is rejected", things, b.String())
}

func goValues(t *testing.T, api *engine.Engine) {
	ctx := t.Context()
	at := time.Date(2024, 1, 2, 3, 4, 5, 6000, time.UTC)
	views, err := api.Create(ctx, "thing", engine.Write{Depth: 1}, map[string]any{
		"int": 1, "float": float32(0.5), "text": "x", "bool": true, "time": at, "bytes": []byte{1}, "list": []int{1, 2},
		"json": map[string]any{"a": []string{"b"}}, "uuid": [16]byte{15: 1}, "date": at.Truncate(24 * time.Hour), "localtime": at, "decimal": 0.1, "price": 7,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"id":1,"int":1,"float":0.5,"text":"x","bool":true,"time":"2024-01-02T03:04:05.000006Z",` +
		`"uuid":"00000000-0000-0000-0000-000000000001","bytes":"AQ==","json":{"a":["b"]},"list":[1,2],"date":"2024-01-02","localtime":"2024-01-02T03:04:05.000006","decimal":"0.1","price":"7.00"},{"id":2}]`
	if got := texts(views); got != want {
		t.Errorf("created\n %s, want\n %s", got, want)
	}
	for _, things := range []any{[]int{2, 1, 2}, []any{1, "2"}, []string{"1", "2"}, []int64{1, 2}, core.ListOf(core.IntValue(2), core.IntValue(1))} {
		view, _, err := api.Replace(ctx, "tag", "x", engine.Write{Depth: 1}, map[string]any{"things": things})
		if got, want := text(view), `{"name":"x","things":[1,2],"liked":[]}`; err != nil || got != want {
			t.Errorf("with things %#v: %s, %v, want %s", things, got, err, want)
		}
	}
	for _, f := range []float64{math.NaN(), math.Inf(1)} {
		if _, err := api.Create(ctx, "thing", engine.Write{}, map[string]any{"float": f}); !errors.Is(err, core.BadFieldValue) {
			t.Errorf("float %v: %v, want %s", f, err, core.BadFieldValue)
		}
	}
	for _, s := range []string{"\xff", "a\x00b"} {
		if _, err := api.Create(ctx, "thing", engine.Write{}, map[string]any{"text": s}); !errors.Is(err, core.BadFieldValue) {
			t.Errorf("text %q: %v, want %s", s, err, core.BadFieldValue)
		}
	}
	list, err := api.List(ctx, "thing", engine.Query{Filter: map[string]any{"int": map[string]any{"in": []int{1, 7}}, "time": at}})
	if err != nil || texts(list.Views) != "[1]" {
		t.Errorf("list by Go values: %s, %v, want [1]", texts(list.Views), err)
	}
	for _, id := range []any{nil, core.Null, 1.5, []int{1}} {
		if _, err := api.Get(ctx, "thing", id, 1); !errors.Is(err, core.BadFieldValue) {
			t.Errorf("get with id %v: %v, want %s", id, err, core.BadFieldValue)
		}
	}
	view, err := api.Update(ctx, "thing", 1, engine.Write{Depth: 1}, map[string]any{
		"int": core.Value{}, "float": nil, "time": nil, "uuid": nil, "bytes": nil, "json": nil, "list": nil, "date": nil, "localtime": nil, "decimal": nil, "price": nil,
	})
	if got, want := text(view), `{"id":1,"text":"x","bool":true}`; err != nil || got != want {
		t.Errorf("without values: %s, %v, want %s", got, err, want)
	}
	if view, err := api.Get(ctx, "thing", int32(2), 0); err != nil || view.Key() != core.IntValue(2) {
		t.Errorf("get with id int32(2): %v, %v", view.Key(), err)
	}
}

func anyValue(t *testing.T, api *engine.Engine) {
	views, err := api.Create(t.Context(), "thing", engine.Write{Depth: 1}, map[string]any{"json": []any{nil, "x"}})
	if err != nil {
		t.Fatal(err)
	}
	object, _ := views[0].Any().(map[string]any)
	if list, _ := object["json"].([]any); len(object) != 2 || len(list) != 2 || list[1] != "x" {
		t.Errorf("view as a value is %#v", views[0].Any())
	}
	if none := (engine.View{}); text(none) != "null" || none.Any() != nil || none.Key() != (core.Value{}) {
		t.Errorf("the zero view shows %v", none.Any())
	}
}
