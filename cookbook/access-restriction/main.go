// Access-restriction serves a bakery in which visitors, bakers and the owner have different rights, as the policy in
// policy.json says:
//
//	go run ./cookbook/access-restriction
package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
	"github.com/larder-go/larder/decorators/access"
)

//go:embed policy.json
var policyJSON []byte

func run(ctx context.Context) (err error) {
	policy, err := access.Parse(policyJSON)
	if err != nil {
		return err
	}
	backend, err := openBackend(ctx, bakery)
	if err != nil {
		return err
	}
	store, err := core.New(ctx, bakery, backend, access.New(policy, access.Options{}))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := fill(ctx, store); err != nil {
		return err
	}
	api, err := rest.New(engine.New(store, engine.Options{}), rest.Options{Authenticate: authenticate})
	if err != nil {
		return err
	}
	return serve(ctx, store, api, func(string) error {
		_, err := fmt.Printf("%sdemo only: the bearer tokens alice and bob (bakers) and olga (the owner)\n", store.Describe())
		return err
	})
}
