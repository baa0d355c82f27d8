// Own-decorator serves articles that only editors can see before they are published, by a decorator that is written here:
//
//	go run ./cookbook/own-decorator
//
// README.md shows it step by step; -help lists the flags.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
)

var model = core.MustModel("news",
	core.ResourceSpec{Name: "topic", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "name", Type: core.Text},
		{Name: "articles", ToMany: "article", Inverse: "topic"},
	}},
	core.ResourceSpec{Name: "article", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "title", Type: core.Text},
		{Name: "published_at", Type: core.Time, Indexed: true},
		{Name: "topic", ToOne: "topic"},
	}},
)

// authenticate makes a caller with the token of the demonstration an editor.
func authenticate(r *http.Request) (*core.Principal, error) {
	switch r.Header.Get("Authorization") {
	case "":
		return nil, nil //nolint:nilnil // anonymous
	case "Bearer olga":
		return &core.Principal{ID: core.TextValue("olga"), Roles: []string{"editor"}}, nil
	}
	return nil, errors.New("unknown token")
}

func run(ctx context.Context) (err error) {
	backend, err := openBackend(ctx, model)
	if err != nil {
		return err
	}
	store, err := core.New(ctx, model, backend, embargo("published_at", "editor"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	api, err := rest.New(engine.New(store, engine.Options{}), rest.Options{Authenticate: authenticate})
	if err != nil {
		return err
	}
	return serve(ctx, store, api, func(string) error {
		_, err := fmt.Println("demo only: the bearer token olga (an editor)")
		return err
	})
}
