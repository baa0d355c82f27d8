// Own-decorator serves records that can be restored after they were deleted, by a decorator that is written here:
//
//	go run ./cookbook/own-decorator
//
// README.md shows it step by step; -help lists the flags.
package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
)

var deletedAt = core.FieldSpec{Name: "deleted_at", Type: core.Time, Hidden: true, Indexed: true}

var model = core.MustModel("cookies",
	core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "type", Type: core.Text},
		{Name: "jar", ToOne: "jar"},
		deletedAt,
	}},
	core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "cookies", ToMany: "cookie", Inverse: "jar"},
		deletedAt,
	}},
)

func run(ctx context.Context) (err error) {
	backend, err := openBackend(ctx, model)
	if err != nil {
		return err
	}
	store, err := core.New(ctx, model, backend, softDelete("deleted_at"))
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
	mux.HandleFunc("POST /restore/{resource}/{id}", func(w http.ResponseWriter, r *http.Request) {
		switch err := restore(r.Context(), store, r.PathValue("resource"), r.PathValue("id")); {
		case err == nil:
			w.WriteHeader(http.StatusNoContent)
		case errors.Is(err, core.NotFound), errors.Is(err, core.BadFieldValue):
			http.NotFound(w, r)
		default:
			http.Error(w, "the record was not restored", http.StatusInternalServerError)
		}
	})
	return serve(ctx, store, mux)
}

// restore makes a deleted record visible again. The program acts for itself, as core.System, and so sees deleted records.
func restore(ctx context.Context, store *core.Store, resource, id string) error {
	r := store.Model().ResourceByAPIName(resource)
	if r == nil {
		return core.NotFound
	}
	rec, err := r.NewRecord(map[string]any{r.Key().Name(): id, "deleted_at": nil})
	if err != nil {
		return err
	}
	_, err = store.Update(core.System(ctx), r, rec)
	return err
}
