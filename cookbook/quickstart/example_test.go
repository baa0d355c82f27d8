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
	"github.com/larder-go/larder/decorators/access"
	"github.com/larder-go/larder/decorators/logging"
	"github.com/larder-go/larder/decorators/metrics"
	"github.com/larder-go/larder/decorators/ownership"
	"github.com/larder-go/larder/decorators/readonly"
)

func serve(model *core.Model, backend core.Backend) (*core.Store, http.Handler) {
	ctx, logger, registry := context.Background(), zap.NewNop(), prometheus.NewRegistry()
	policy := access.Policy{{Roles: []string{access.Authenticated}, Resource: "cookie", Operations: access.Read | access.Insert}}
	authenticate := func(*http.Request) (*core.Principal, error) { return nil, nil } // nobody

	// README
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
	// README

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
