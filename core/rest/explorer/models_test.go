package explorer_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
	"github.com/larder-go/larder/core/rest/explorer"
	"github.com/larder-go/larder/core/seed"
	"github.com/larder-go/larder/core/storetest/policytest"
)

// everyType has a field of each type, and keys of several fields.
func everyType() *core.Model {
	return core.MustModel("types",
		core.ResourceSpec{Name: "value", Fields: []core.FieldSpec{
			{Name: "id", Type: core.UUID, Key: true},
			{Name: "int", Type: core.Int}, {Name: "float", Type: core.Float}, {Name: "text", Type: core.Text}, {Name: "bool", Type: core.Bool},
			{Name: "time", Type: core.Time}, {Name: "uuid", Type: core.UUID}, {Name: "bytes", Type: core.Bytes}, {Name: "json", Type: core.JSON},
			{Name: "list", Type: core.List}, {Name: "date", Type: core.Date}, {Name: "local", Type: core.LocalTime}, {Name: "decimal", Type: core.Decimal},
			{Name: "seat", ToOne: "seat"}, {Name: "others", ToMany: "value"},
		}},
		core.ResourceSpec{Name: "seat", Fields: []core.FieldSpec{
			{Name: "row", Type: core.Text, Key: true}, {Name: "number", Type: core.Int, Key: true}, {Name: "values", ToMany: "value", Inverse: "seat"},
		}},
	)
}

// Forms that are sent as they are change no record, and all links of the pages lead to pages.
func TestPagesOfEveryKindOfField(t *testing.T) {
	id := "9f0c2b4e-6f1d-4c55-8a2f-0f6f3a1c7d10"
	for name, c := range map[string]struct {
		model  *core.Model
		bodies []string // of POST, after the path
	}{
		"types": {everyType(), []string{
			`/seat {"row": "a,%/b", "number": -3}`, `/seat {"row": "$x", "number": 1}`,
			`/value {"int": 9223372036854775807, "float": 1e300, "text": "\n é\u2028<&", "bool": false, "time": "2026-11-29T12:00:00.5Z", "uuid": "` + id + `", "bytes": "AP8=",
				"json": {"a": [1.50, null, "x"]}, "list": ["1", 2], "date": "0001-01-01", "local": "9999-12-31T23:59:59.999999", "decimal": "-12345678901234567890.125",
				"seat": "a%2C%25/b,-3"}`,
		}},
		"owned": {policytest.OwnedModel(), []string{
			`/Jar {"Label": "b", "size": 2, "cookies": [{"kind": "a"}, {"kind": "b"}], "lid": {}}`, `/Page {"slug": "..a", "title": "t"}`,
			`/Page {"slug": "%24", "Parent": "..a", "cookies": [1]}`, `/plate {"cookies": [1, 2]}`, `/seat {"row": "r", "No": 1}`, `/seat {"row": "r", "No": 2, "next": "r,1"}`,
			`/crumb {"cookie": 1}`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			store, err := core.New(t.Context(), c.model, memory.NewWith(seed.Data{}))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = store.Close() })
			s := site{store: store, engine: engine.New(store, engine.Options{})}
			if s.api, err = rest.New(s.engine, rest.Options{}); err != nil {
				t.Fatal(err)
			}
			if s.pages, err = explorer.New(s.api, s.engine, explorer.Options{}); err != nil {
				t.Fatal(err)
			}
			for _, body := range c.bodies {
				path, body, _ := strings.Cut(body, " ")
				if status, answer := s.ask(t, "", http.MethodPost, path, body); status != http.StatusCreated {
					t.Fatalf("%s %s: %s", path, body, answer)
				}
			}
			before, b := s.stored(t), s.browser(t)
			b.crawl(func(target string, a answer) {
				if a.StatusCode != http.StatusOK {
					t.Errorf("%s: %d\n%s", target, a.StatusCode, a.text)
				}
				if strings.HasSuffix(target, "/$edit") {
					if saved := b.post(target, a.sent(nil)); saved.StatusCode != http.StatusSeeOther {
						t.Errorf("%s: %d\n%s", target, saved.StatusCode, saved.text)
					}
				}
			})
			if after := s.stored(t); after != before {
				t.Errorf("before\n%s\nafter\n%s", before, after)
			}
		})
	}
}
