package main_test

import (
	"context"
	"fmt"
	"log"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
	"github.com/larder-go/larder/core/typed"
	"github.com/larder-go/larder/decorators/access"
	"github.com/larder-go/larder/decorators/logging"
	"github.com/larder-go/larder/decorators/metrics"
	"github.com/larder-go/larder/decorators/ownership"
	"github.com/larder-go/larder/decorators/readonly"
)

func serve(model *core.Model, backend core.Backend) (*core.Store, http.Handler) {
	ctx, logger, registry := context.Background(), zap.NewNop(), prometheus.NewRegistry()
	policy := access.Policy{{Roles: []string{access.Authenticated}, Resource: "cookie", Operations: access.Read | access.Insert}}
	authenticate := func(*http.Request) (*core.Principal, error) { return nil, nil } // anonymous

	store, err := core.New(ctx, model, backend, // of memory, file or postgres
		logging.New(logger, logging.Options{}), // outermost first
		metrics.New(registry, metrics.Options{}),
		readonly.New(readonly.Options{Resources: []string{"jar"}}),
		ownership.New("owner", ownership.Options{}),
		access.New(policy, access.Options{}))
	if err != nil {
		log.Fatal(err)
	}
	handler, err := rest.New(engine.New(store, engine.Options{}), rest.Options{Authenticate: authenticate})
	if err != nil {
		log.Fatal(err)
	}
	return store, handler
}

func Example() {
	owner := core.FieldSpec{Name: "owner", Type: core.Text, Hidden: true}
	model := core.MustModel("cookies",
		core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, owner}},
		core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, owner}},
	)
	store, _ := serve(model, memory.New())
	fmt.Print(store.Describe())
	// Output:
	// model cookies
	//   logging (observe): slow from 1s
	//   metrics (observe): larder_*
	//   readonly (policy): jar
	//   ownership (policy): owner is the principal's id
	//   access (policy): 1 rules, everything else is denied
	//   memory
}

func Example_records() {
	model := core.MustModel("cookies",
		core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "type", Type: core.Text},
			{Name: "jar", ToOne: "jar"},
		}},
		core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}},
	)
	ctx := context.Background()
	store, err := core.New(ctx, model, memory.New())
	if err != nil {
		log.Fatal(err)
	}

	type Cookie struct {
		ID   int64
		Type string
		Jar  *int64 // nil if the cookie is in no jar
	}
	cookies, err := typed.New[Cookie](store, "cookie")
	if err != nil {
		log.Fatal(err)
	}
	err = store.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
		return cookies.In(tx).Insert(ctx, &Cookie{Type: "muffin"}, &Cookie{Type: "shortbread"}) // both or none
	})
	if err != nil {
		log.Fatal(err)
	}
	for cookie, err := range cookies.All(ctx, core.Query{Where: core.Prefix("type", "m")}) {
		fmt.Println(cookie.ID, cookie.Type, err)
	}
	// Output: 1 muffin <nil>
}
