package explorer_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
	"github.com/larder-go/larder/core/rest/explorer"
	"github.com/larder-go/larder/core/seed"
)

func Example() {
	model := core.MustModel("cookies", core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "type", Type: core.Text},
	}})
	store, err := core.New(context.Background(), model, memory.NewWith(seed.Data{"cookie": {1: {"type": "muffin"}}}))
	if err != nil {
		panic(err)
	}
	defer func() { _ = store.Close() }()
	records := engine.New(store, engine.Options{})
	api, err := rest.New(records, rest.Options{})
	if err != nil {
		panic(err)
	}
	pages, err := explorer.New(api, records, explorer.Options{Title: "Bakery"})
	if err != nil {
		panic(err)
	}
	for _, accept := range []string{"application/json", "text/html"} {
		r := httptest.NewRequest(http.MethodGet, "/cookie/1", nil)
		r.Header.Set("Accept", accept)
		w := httptest.NewRecorder()
		pages.ServeHTTP(w, r)
		for line := range strings.Lines(w.Body.String()) {
			if strings.HasPrefix(line, "{") || strings.HasPrefix(line, "<title>") || strings.HasPrefix(line, "<h1>") {
				fmt.Println(w.Code, strings.TrimSpace(line))
			}
		}
	}
	// Output:
	// 200 {"id":1,"type":"muffin"}
	// 200 <title>muffin – Bakery</title>
	// 200 <h1>muffin</h1>
}
