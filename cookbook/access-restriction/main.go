package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"

	"github.com/larder-go/larder/cookbook/internal/program"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
	"github.com/larder-go/larder/decorators/access"
)

//go:embed policy.json
var policyJSON []byte

func main() { program.Main(run) }

func run(ctx context.Context, p *program.Program) (err error) {
	p.AddrFlag()
	where := p.StoreFlags()
	if err := p.Parse(); err != nil {
		return err
	}
	policy, err := access.Parse(policyJSON)
	if err != nil {
		return err
	}
	backend, err := where.Backend(ctx, bakery)
	if err != nil {
		return err
	}
	store, err := core.New(ctx, bakery, backend, access.New(policy, access.Options{}))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := open(ctx, store); err != nil {
		return err
	}
	handler, err := rest.New(engine.New(store, engine.Options{}), rest.Options{Authenticate: principals.Principal})
	if err != nil {
		return err
	}
	return p.Serve(ctx, store, handler, func(string) error {
		_, err := fmt.Fprintf(p.Out, "%sdemo only: the bearer tokens alice and bob (bakers) and olga (the owner)\n", store.Describe())
		return err
	})
}
