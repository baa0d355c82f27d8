package main

import (
	"context"

	"github.com/larder-go/larder/cookbook/internal/program"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
)

var model = core.MustModel("cookies",
	core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "type", Type: core.Text},
		{Name: "jar", ToOne: "jar"},
	}},
	core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "cookies", ToMany: "cookie", Inverse: "jar"},
	}},
)

func main() { program.Main(run) }

func run(ctx context.Context, p *program.Program) error {
	p.AddrFlag()
	if err := p.Parse(); err != nil {
		return err
	}
	store, err := core.New(ctx, model, new(backend))
	if err != nil {
		return err
	}
	defer store.Close() //nolint:errcheck // nothing is left to save when it fails
	handler, err := rest.New(engine.New(store, engine.Options{}), rest.Options{})
	if err != nil {
		return err
	}
	return p.Serve(ctx, store, handler)
}
