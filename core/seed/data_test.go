package seed_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
)

func id() core.FieldSpec { return core.FieldSpec{Name: "id", Type: core.Int, Key: true} }

func cookies() *core.Model {
	return core.MustModel("cookies",
		core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
			id(),
			{Name: "type", Type: core.Text},
			{Name: "price", APIName: "cost", Type: core.Float, Default: 1},
			{Name: "jar", ToOne: "jar"},
		}},
		core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{
			id(),
			{Name: "cookies", ToMany: "cookie", Inverse: "jar"},
			{Name: "label", Type: core.Text, Unique: true},
		}},
	)
}

func TestDataInGoAndInJSON(t *testing.T) {
	m := cookies()
	inGo := seed.Data{
		"cookie": {1: {"id": 1, "type": "muffin"}, 2: {"id": 2, "type": "shortbread", "jar": 1}},
		"jar":    {1: {"id": 1, "cookies": []any{2}}},
	}
	inJSON, err := seed.Parse([]byte(`{
		"cookie": {"1": {"id": 1, "type": "muffin"}, "2": {"type": "shortbread", "jar": 1}},
		"jar": {"1": {"cookies": [2]}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, data := range []seed.Data{inGo, inJSON} {
		records, err := seed.Records(m, data)
		if err != nil {
			t.Fatal(err)
		}
		want := "[[cookie{id:1 type:muffin price:null jar:null} cookie{id:2 type:shortbread price:null jar:1}] [jar{id:1 label:null}]]"
		if got := fmt.Sprint(records); got != want {
			t.Errorf("got %s", got)
		}
	}
}

func TestMistakesNameRecordAndField(t *testing.T) {
	m := cookies()
	_, err := seed.Records(m, seed.Data{
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
		"cake: the model has no such resource", "cookie x: key is not of type int", "cookie 1: field id: is 2, which contradicts the key", "cookie 1: given twice",
		"cookie 3: field type: [] is not of type text", "cookie 4: field colour: the model has no such field",
		"cookie 5: field jar: there is no jar 9", "jar 1: field cookies: is [5], but field jar of cookie makes it [6]",
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

func TestStoredListsMayKeepKeysOfDeletedRecords(t *testing.T) {
	m := core.MustModel("issues",
		core.ResourceSpec{Name: "ticket", Fields: []core.FieldSpec{id(), {Name: "tags", ToMany: "tag"}}},
		core.ResourceSpec{Name: "tag", Fields: []core.FieldSpec{{Name: "name", Type: core.Text, Key: true}}},
	)
	records, err := seed.Records(m, seed.Data{"ticket": {1: {"tags": []any{"a", "deleted"}}}, "tag": {"a": {}}})
	if want := `[[ticket{id:1 tags:["a","deleted"]}] [tag{name:a}]]`; err != nil || fmt.Sprint(records) != want {
		t.Errorf("got %v, %v, want %s", records, err, want)
	}
}

func TestTextKeysMustFitURLs(t *testing.T) {
	m := core.MustModel("tags", core.ResourceSpec{Name: "tag", Fields: []core.FieldSpec{{Name: "name", Type: core.Text, Key: true}}})
	for _, key := range []string{"", ".", ".."} {
		_, err := seed.Records(m, seed.Data{"tag": {key: {}}})
		if err == nil || !strings.Contains(err.Error(), `"", "." and ".." cannot be keys`) {
			t.Errorf("%q: got %v", key, err)
		}
	}
}

func TestParseRejectsOtherJSON(t *testing.T) {
	for _, text := range []string{``, `[]`, `{"a": 1}`, `{"a": {"1": 2}}`, `{"a": {}}{`, `{"a": {}, "a": {}}`} {
		if _, err := seed.Parse([]byte(text)); err == nil {
			t.Errorf("accepted %s", text)
		}
	}
}

func TestSidesOfAOneToOneMustAgree(t *testing.T) {
	m := core.MustModel("family",
		core.ResourceSpec{Name: "male", Fields: []core.FieldSpec{id(), {Name: "wife", ToOne: "female"}}},
		core.ResourceSpec{Name: "female", Fields: []core.FieldSpec{id(), {Name: "husband", ToOne: "male", Inverse: "wife"}}},
	)
	for husband, want := range map[any]string{
		1: "", nil: "is [], but", 2: "is [2], but", "x": `"x" is not of type int`,
	} {
		_, err := seed.Records(m, seed.Data{"male": {1: {"wife": 5}, 2: {}}, "female": {5: {"husband": husband}, 6: {"husband": nil}}})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), "female 5: field husband: "+want) {
			t.Errorf("%v: got %v", husband, err)
		}
	}
	_, err := seed.Records(m, seed.Data{"male": {1: {"wife": 5}, 2: {"wife": 5}, 3: {}}, "female": {5: {"husband": 1}, nil: {"husband": nil}}})
	for _, want := range []string{"male 2: field wife: 1 has the same value and it must be unique", "female 5: field husband: is [1], but field wife of male makes it [1 2]", "female <nil>: key is not of type int"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("not reported: %s in %v", want, err)
		}
	}
	if n := strings.Count(err.Error(), "\n"); n != 2 {
		t.Errorf("%d more mistakes: %v", n-2, err)
	}
}

func TestListThroughAJoinResourceMustAgreeWithIt(t *testing.T) {
	m := core.MustModel("tracker",
		core.ResourceSpec{Name: "issue", Fields: []core.FieldSpec{id(), {Name: "labels", ToMany: "label", Through: "link"}}},
		core.ResourceSpec{Name: "label", Fields: []core.FieldSpec{id()}},
		core.ResourceSpec{Name: "link", Fields: []core.FieldSpec{
			id(), {Name: "issue", ToOne: "issue"}, {Name: "label", ToOne: "label"},
		}, Unique: [][]string{{"issue", "label"}}},
	)
	for _, c := range []struct {
		labels []any
		want   string
	}{
		{[]any{6, 5}, ""}, {[]any{5}, "is [5], but field issue of link makes it [5 6]"}, {nil, "is [], but field issue of link makes it [5 6]"},
	} {
		_, err := seed.Records(m, seed.Data{
			"issue": {1: {"labels": c.labels}, 2: {}}, "label": {5: {}, 6: {}},
			"link": {1: {"issue": 1, "label": 6}, 2: {"issue": 1, "label": 5}, 3: {"issue": 1}, 4: {"issue": 2, "label": 5}},
		})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), "issue 1: field labels: "+c.want) {
			t.Errorf("%v: got %v", c.labels, err)
		}
	}
}

func TestErrorListsAtMostTwentyMistakes(t *testing.T) {
	records := map[any]map[string]any{}
	for i := range 100 {
		records[i] = map[string]any{"colour": "red"}
	}
	_, err := seed.Records(cookies(), seed.Data{"cookie": records})
	if err == nil || strings.Count(err.Error(), "\n") != 19 {
		t.Errorf("got %v", err)
	}
}
