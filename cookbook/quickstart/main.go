package main

import (
	"context"

	"github.com/larder-go/larder/cookbook/internal/program"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
)

func main() { program.Main(run) }

// run serves until ctx ends.
func run(ctx context.Context, p *program.Program) error {
	p.AddrFlag()
	where := p.StoreFlags()
	modelName := p.Flags.String("model", "cookies", "the resources to serve: `cookies` or family")
	initial := p.Flags.String("data", "", "JSON `file` of initial records: {\"cookie\": {\"1\": {\"type\": \"muffin\"}}}")
	if err := p.Parse(); err != nil {
		return err
	}
	model, err := modelOf(*modelName)
	if err != nil {
		return err
	}
	store, err := open(ctx, model, where, *initial)
	if err != nil {
		return err
	}
	defer store.Close() //nolint:errcheck // nothing is left to save when it fails
	handler, err := rest.New(engine.New(store, engine.Options{}), rest.Options{})
	if err != nil {
		return err
	}
	return p.Serve(ctx, handler, func(base string) error { return announce(p.Out, base, store) })
}
