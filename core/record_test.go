package core_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/larder-go/larder/core"
)

func TestZeroRecordIsAbsent(t *testing.T) {
	var none core.Record
	for i := range 3 {
		if !none.At(i).IsAbsent() {
			t.Errorf("column %d is %v", i, none.At(i))
		}
	}
	full := cookie(t, cookies(t), map[string]any{"id": 1})
	switch {
	case !none.Key().IsAbsent() || !none.Get("id").IsAbsent():
		t.Error("it has a key")
	case !none.Project(full.Resource().Columns()).IsZero():
		t.Error("a projection of it is another record")
	case !none.Merge(full).Equal(full) || !full.Merge(none).Equal(full) || !none.Merge(none).IsZero():
		t.Error("it adds something to a record")
	case none.Resource() != nil || !none.IsZero() || cookie(t, cookies(t), nil).IsZero():
		t.Error("it belongs to a resource")
	case len(none.Map()) != 0 || none.Len() != 0 || none.String() != "{}":
		t.Error("it shows something")
	}
}

func TestRecordChangesReturnCopies(t *testing.T) {
	m := cookies(t)
	rec := cookie(t, m, map[string]any{"id": 1, "type": "muffin", "price": nil})
	before := rec.String()
	changed := rec.With(1, core.TextValue("oat"))
	merged := rec.Merge(cookie(t, m, map[string]any{"price": 2, "type": nil}))
	projected := rec.Project([]*core.Field{m.Resource("cookie").Field("price")})
	for _, c := range []struct {
		got  core.Record
		want string
	}{
		{changed, "cookie{id:1 type:oat price:null}"},
		{merged, "cookie{id:1 type:null price:2}"}, // null replaces, absent does not
		{projected, "cookie{id:1 price:null}"},     // always with the key
		{rec.Project([]*core.Field{}), "cookie{id:1}"},
		{rec.Project(nil), before},
		{rec, before},
		{core.Record{}, "{}"},
		{cookie(t, m, nil), "cookie{}"},
	} {
		if got := c.got.String(); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func TestValueAndSetByField(t *testing.T) {
	m := cookies(t)
	r := m.Resource("cookie")
	typ, price := r.Field("type"), r.Field("price")
	rec := cookie(t, m, map[string]any{"id": 1, "type": "muffin"})
	changed := rec.Set(typ, core.TextValue("oat")).Set(price, core.Null)
	for name, c := range map[string]struct{ got, want core.Value }{
		"set":                   {rec.Value(typ), core.TextValue("muffin")},
		"absent":                {rec.Value(price), core.Value{}},
		"changed":               {changed.Value(typ), core.TextValue("oat")},
		"changed to null":       {changed.Value(price), core.Null},
		"of the zero record":    {core.Record{}.Value(typ), core.Value{}},
		"by name":               {changed.Get("type"), core.TextValue("oat")},
		"by name, zero record":  {core.Record{}.Get("type"), core.Value{}},
		"of an empty patch":     {r.Patch(core.IntValue(1)).Value(typ), core.Value{}},
		"the key of the patch":  {r.Patch(core.IntValue(1)).Key(), core.IntValue(1)},
		"a change of the patch": {r.Patch(core.IntValue(1)).Set(typ, core.Null).Value(typ), core.Null},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %v, want %v", name, c.got, c.want)
		}
	}
}

func TestRecordPanicsOnOtherFields(t *testing.T) {
	m := cookies(t)
	jar, other := m.Resource("jar"), m.Resource("cookie").Field("type")
	rec, null := jar.Patch(core.IntValue(1)), core.Null
	for name, c := range map[string]struct {
		call func()
		want string
	}{
		"unknown name":         {func() { rec.Get("colour") }, `core: resource "jar" has no field "colour"`},
		"API name":             {func() { cookie(t, m, nil).Get("cost") }, `core: resource "cookie" has no field "cost"`},
		"name not stored":      {func() { rec.Get("cookies") }, `core: field jar.cookies is not stored in records`},
		"not stored":           {func() { rec.Value(jar.Field("cookies")) }, `core: field jar.cookies is not stored in records`},
		"set not stored":       {func() { rec.Set(jar.Field("cookies"), null) }, `core: field jar.cookies is not stored in records`},
		"other resource":       {func() { rec.Value(other) }, `core: field cookie.type does not belong to resource "jar"`},
		"nil field":            {func() { rec.Value(jar.Field("colour")) }, `core: nil field for a record of resource "jar"`},
		"set in a zero record": {func() { core.Record{}.Set(other, null) }, `core: field cookie.type in the zero record`},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if got := fmt.Sprint(recover()); got != c.want {
					t.Errorf("got %s, want %s", got, c.want)
				}
			}()
			c.call()
		})
	}
}

func TestRecordsAreEqualByResourceAndValues(t *testing.T) {
	m := cookies(t)
	one := cookie(t, m, map[string]any{"id": 1})
	for name, c := range map[string]struct {
		other core.Record
		want  bool
	}{
		"same values":    {cookie(t, m, map[string]any{"id": "1"}), true},
		"null or absent": {cookie(t, m, map[string]any{"id": 1, "type": nil}), false},
		"other model":    {cookie(t, cookies(t), map[string]any{"id": 1}), false},
		"zero":           {core.Record{}, false},
	} {
		if one.Equal(c.other) != c.want || c.other.Equal(one) != c.want {
			t.Errorf("%s: want %v", name, c.want)
		}
	}
}

func TestRecordHasStoredFieldsOnly(t *testing.T) {
	m := cookies(t)
	for field, want := range map[string]core.Code{"colour": core.UnknownField, "cookies": core.UnknownField, "id": core.BadFieldValue} {
		if _, err := m.Resource("jar").NewRecord(map[string]any{field: []any{1}}); !errors.Is(err, want) {
			t.Errorf("%s: got %v", field, err)
		}
	}
	rec := cookie(t, m, map[string]any{"id": 1, "price": 1.5})
	want := map[string]any{"id": int64(1), "price": 1.5}
	if got := rec.Map(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
	rec.Map()["id"] = 2 // the caller owns the map
	if rec.Key() != core.IntValue(1) {
		t.Error("the record changed")
	}
}

func TestRecordOfPanicsOnWrongLength(t *testing.T) {
	defer func() {
		if got := fmt.Sprint(recover()); got != "core: a record of jar needs one value per column" {
			t.Errorf("got %s", got)
		}
	}()
	cookies(t).Resource("jar").RecordOf(make([]core.Value, 3))
}

func TestValueAccessorsCheckTheType(t *testing.T) {
	id := [16]byte{15: 7}
	for _, c := range []struct {
		v    core.Value
		typ  core.Type
		text string
		json string
	}{
		{core.Value{}, 0, "-", "null"},
		{core.Null, 0, "null", "null"},
		{core.IntValue(-3), core.Int, "-3", "-3"},
		{core.FloatValue(0.5), core.Float, "0.5", "0.5"},
		{core.BoolValue(true), core.Bool, "true", "true"},
		{core.TextValue(`"a"`), core.Text, `"a"`, `"\"a\""`},
		{core.UUIDValue(id), core.UUID, "00000000-0000-0000-0000-000000000007", `"00000000-0000-0000-0000-000000000007"`},
		{core.BytesValue([]byte{0}), core.Bytes, "AA==", `"AA=="`},
		{core.ListOf(core.Null, core.TextValue("x")), core.List, `[null,"x"]`, `[null,"x"]`},
	} {
		text, err := json.Marshal(c.v)
		if c.v.Type() != c.typ || c.v.String() != c.text || string(text) != c.json || err != nil {
			t.Errorf("%v: type %s, text %s, JSON %s, %v", c.v, c.v.Type(), c.v, text, err)
		}
		got, ok := c.v.UUID()
		others := []bool{
			c.v.Int() != 0 && c.typ != core.Int, c.v.Float() != 0 && c.typ != core.Float, c.v.Bool() && c.typ != core.Bool,
			!c.v.Time().IsZero() && c.typ != core.Time, ok != (c.typ == core.UUID), ok && got != id,
			c.v.IsSet() != (c.typ != 0), c.v.IsNull() != (c.v == core.Null), c.v.IsAbsent() != (c.v == core.Value{}),
		}
		for i, wrong := range others {
			if wrong {
				t.Errorf("%v: answer %d of another type", c.v, i)
			}
		}
	}
}

func TestElementsConvertsToType(t *testing.T) {
	list := core.ListOf(core.IntValue(1), core.TextValue("2"), core.Null)
	got, err := list.Elements(core.Int)
	if err != nil || len(got) != 3 || got[0] != core.IntValue(1) || got[1] != core.IntValue(2) || got[2] != core.Null {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := list.Elements(core.Bool); !errors.Is(err, core.BadFieldValue) {
		t.Errorf("got %v", err)
	}
	if got, err := core.TextValue("x").Elements(core.Text); got != nil || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
}
