package main

import (
	"context"
	"errors"

	"github.com/larder-go/larder/cookbook/internal/program"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
	"github.com/larder-go/larder/decorators/ownership"
)

// owner is where a record keeps who created it: hidden, so that clients neither see
// nor set it, and indexed, because every read asks for it.
var owner = core.FieldSpec{Name: "user_id", Type: core.Text, Hidden: true, Indexed: true}

var model = core.MustModel("cookies",
	core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "type", Type: core.Text},
		{Name: "jar", ToOne: "jar"},
		owner,
	}},
	core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "cookies", ToMany: "cookie", Inverse: "jar"},
		owner,
	}},
)

func main() { program.Main(run) }

func run(ctx context.Context, p *program.Program) (err error) {
	var tokens settings
	p.AddrFlag()
	where := p.StoreFlags()
	tokens.flags(p.Flags)
	if err := p.Parse(); err != nil {
		return err
	}
	verify, err := tokens.verifier()
	if err != nil {
		return err
	}
	backend, err := where.Backend(ctx, model)
	if err != nil {
		return err
	}
	store, err := compose(ctx, backend)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	api, err := rest.New(engine.New(store, engine.Options{}), rest.Options{Authenticate: verify.principal})
	if err != nil {
		return err
	}
	return p.Serve(ctx, store, api)
}

// compose puts ownership around the backend: here is all there is to it.
func compose(ctx context.Context, backend core.Backend) (*core.Store, error) {
	return core.New(ctx, model, backend, ownership.New("user_id", ownership.Options{}))
}
