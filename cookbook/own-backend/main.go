// Own-backend serves records from a storage that is written here, in maps:
//
//	go run ./cookbook/own-backend
//
// README.md shows it; -help lists the flags.
package main

import (
	"context"

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

func run(ctx context.Context) error {
	store, err := core.New(ctx, model, new(backend))
	if err != nil {
		return err
	}
	defer store.Close() //nolint:errcheck // the records end with the program
	api, err := rest.New(engine.New(store, engine.Options{}), rest.Options{})
	if err != nil {
		return err
	}
	return serve(ctx, store, api)
}
