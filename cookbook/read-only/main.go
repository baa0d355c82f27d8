package main

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/larder-go/larder/cookbook/internal/program"
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

func main() { program.Main(run) }

func run(ctx context.Context, p *program.Program) (err error) {
	p.AddrFlag()
	where := p.StoreFlags()
	resources := p.Flags.String("resources", "", "`names` of resources that are read-only, with commas between them, or * for all")
	admin := p.Flags.String("admin", "", "`file` with the secret of who may turn the switch at /admin/read-only; default: nobody may")
	if err := p.Parse(); err != nil {
		return err
	}
	backend, err := where.Backend(ctx, model)
	if err != nil {
		return err
	}
	var maintenance readonly.Switch
	store, err := core.New(ctx, model, backend, append(always(*resources), readonly.New(readonly.Options{Switch: &maintenance}))...)
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
	return p.Serve(ctx, store, mux)
}

// always returns the decorator for resources that nobody ever writes.
func always(names string) []core.Decorator {
	switch names {
	case "":
		return nil
	case "*":
		return []core.Decorator{readonly.New(readonly.Options{})}
	}
	return []core.Decorator{readonly.New(readonly.Options{Resources: strings.Split(names, ",")})}
}
