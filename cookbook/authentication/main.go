// Authentication serves records that only the user who created them can read and write. A bearer token names the user:
//
//	go run ./cookbook/authentication -secret FILE
//
// README.md shows it step by step; -help lists the flags.
package main

import (
	"context"
	"errors"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
	"github.com/larder-go/larder/decorators/ownership"
)

// owner is the field that keeps the creator of a record. It is hidden, so that clients neither see nor set it, and indexed,
// because every read compares it.
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

func run(ctx context.Context) (err error) {
	verify, err := fromFlags().verifier()
	if err != nil {
		return err
	}
	backend, err := openBackend(ctx, model)
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
	return serve(ctx, store, api)
}

// compose puts ownership around the backend: records belong to the principal that creates them.
func compose(ctx context.Context, backend core.Backend) (*core.Store, error) {
	return core.New(ctx, model, backend, ownership.New("user_id", ownership.Options{}))
}
