// Failover serves orders from a cluster of PostgreSQL servers, of which one accepts writes:
//
//	go run ./cookbook/failover -url postgres://app:password@db1,db2,db3/shop
//
// README.md is the page for operators; -help lists the flags.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
)

var (
	url     = flag.String("url", "", "connection `string` of PostgreSQL with all servers of the cluster: postgres://user:password@host1,host2,host3/database")
	schema  = flag.String("schema", "", "PostgreSQL `schema` of the tables; default: the name of the model")
	timeout = flag.Duration("timeout", 30*time.Second, "time limit of a request, with its wait for a new primary and for synchronous standbys")
	maxLag  = flag.Duration("max-lag", 0, "greatest `age` of data from a replica; 0: no limit, but own writes are always visible")
	// A server is in both lists, because each of them can become the primary.
	replicas = flag.String("replicas", "", "connection `strings` of the servers, one for each and separated by blanks; a server of the list serves reads while it is a standby")
)

var model = core.MustModel("orders",
	core.ResourceSpec{Name: "order", Fields: []core.FieldSpec{
		{Name: "id", Type: core.UUID, Key: true},
		{Name: "reference", Type: core.Text, MaxLength: 80, Unique: true},
		{Name: "item", Type: core.Text, Required: true, MaxLength: 80},
		{Name: "quantity", Type: core.Int, Min: 0, Default: 1},
	}},
	core.ResourceSpec{Name: core.AnswersName}, // remembers the answers to writes with an Idempotency-Key
)

func run(ctx context.Context) (err error) {
	if *url == "" {
		return errors.New("-url: the connection string is missing; use postgres://user:password@host1,host2,host3/database")
	}
	backend, err := postgres.Open(ctx, *url, cmp.Or(*schema, model.Name()), postgres.Options{
		Migrate: true, Replicas: strings.Fields(*replicas), MaxLag: *maxLag,
	})
	if err != nil {
		return fmt.Errorf("-url: %w", err)
	}
	store, err := core.New(ctx, model, backend)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	api, err := rest.New(engine.New(store, engine.Options{}), rest.Options{Authenticate: authenticate, Timeout: *timeout})
	if err != nil {
		return err
	}
	return serve(ctx, store, api, func(string) error {
		_, err := fmt.Println("demo only: every bearer token is the name of a user")
		return err
	})
}

// authenticate returns the principal of a request, which owns the Idempotency-Keys that it sends. For a demonstration, every
// token is accepted as a name; the recipe authentication shows real tokens.
func authenticate(r *http.Request) (*core.Principal, error) {
	scheme, name, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || name == "" {
		return nil, core.Unauthorized
	}
	return &core.Principal{ID: core.TextValue(name)}, nil
}
