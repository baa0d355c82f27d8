package core_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
)

func TestDataInTheChaptersFormBecomesRecords(t *testing.T) {
	m := cookies(t)
	inGo := core.Data{
		"cookie": {1: {"id": 1, "type": "muffin"}, 2: {"id": 2, "type": "shortbread", "jar": 1}},
		"jar":    {1: {"id": 1, "cookies": []any{2}}},
	}
	inJSON, err := core.ParseData([]byte(`{
		"cookie": {"1": {"id": 1, "type": "muffin"}, "2": {"type": "shortbread", "jar": 1}},
		"jar": {"1": {"cookies": [2]}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, data := range []core.Data{inGo, inJSON} {
		records, err := m.Records(data)
		if err != nil {
			t.Fatal(err)
		}
		want := "[[cookie{id:1 type:muffin price:null jar:null} cookie{id:2 type:shortbread price:null jar:1}] [jar{id:1 label:null}]]"
		if got := fmt.Sprint(records); got != want {
			t.Errorf("got %s", got)
		}
	}
}

func TestDataThatBreaksTheModelIsRefusedByRecordAndField(t *testing.T) {
	m := cookies(t)
	_, err := m.Records(core.Data{
		"cake": {1: {}},
		"cookie": {
			"x": {}, 1: {"id": 2}, "1": {}, 3: {"type": []any{}}, 4: {"colour": "red"}, 5: {"jar": 9}, 6: {"jar": 1},
		},
		"jar": {1: {"label": "a", "cookies": []any{5}}, 2: {"label": "a", "cookies": "x"}},
	})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{
		"cake: the model has no such resource", "cookie x: key is not of type int", "cookie 1: field id: says 2", "cookie 1: given twice",
		"cookie 3: field type: [] is not of type text", "cookie 4: field colour: the model has no such field",
		"cookie 5: field jar: there is no jar 9", "jar 1: field cookies: says [5], but by their field jar it is [6] of cookie",
		`jar 2: field cookies: "x" is not of type list`, "jar 2: field label: 1 has the same value and it must be unique",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("not reported: %s", want)
		}
	}
	if t.Failed() {
		t.Log(err)
	}
}

func TestDataThatIsNotAnObjectOfObjectsIsRefused(t *testing.T) {
	for _, text := range []string{``, `[]`, `{"a": 1}`, `{"a": {"1": 2}}`, `{"a": {}}{`, `{"a": {}, "a": {}}`} {
		if _, err := core.ParseData([]byte(text)); err == nil {
			t.Errorf("accepted %s", text)
		}
	}
}
