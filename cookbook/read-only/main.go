// Read-only serves resources that clients cannot change, always or during maintenance:
//
//	go run ./cookbook/read-only -resources jar -admin FILE
//
// README.md shows it step by step; -help lists the flags.
package main

import (
	"context"
	"errors"
	"flag"
	"net/http"
	"strings"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
	"github.com/larder-go/larder/decorators/readonly"
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

var (
	resources = flag.String("resources", "", "`names` of resources that are read-only, with commas between them, or * for all")
	admin     = flag.String("admin", "", "`file` with the secret for turning the switch at /admin/read-only; default: no such path")
)

func run(ctx context.Context) (err error) {
	backend, err := openBackend(ctx, model)
	if err != nil {
		return err
	}
	var maintenance readonly.Switch
	decorators := []core.Decorator{readonly.New(readonly.Options{Switch: &maintenance})}
	switch *resources {
	case "":
	case "*":
		decorators = append(decorators, readonly.New(readonly.Options{}))
	default:
		decorators = append(decorators, readonly.New(readonly.Options{Resources: strings.Split(*resources, ",")}))
	}
	store, err := core.New(ctx, model, backend, decorators...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	api, err := rest.New(engine.New(store, engine.Options{}), rest.Options{})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/", api)
	if *admin != "" {
		control, err := newControl(*admin, &maintenance)
		if err != nil {
			return err
		}
		mux.Handle("/admin/read-only", control)
	}
	return serve(ctx, store, mux)
}
