// Testing sells cookies, and its tests show that no fault of the storage sells a cookie twice or loses one:
//
//	go run ./cookbook/testing
//	go test ./cookbook/testing
//
// README.md shows it step by step; -help lists the flags.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
)

var (
	model = core.MustModel("sales",
		core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "left", Type: core.Int, Required: true, Min: 0},
		}},
		core.ResourceSpec{Name: "sale", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "reference", Type: core.Text, Required: true, Unique: true},
			{Name: "jar", ToOne: "jar", Required: true},
		}},
	)
	jars, sales = model.Resource("jar"), model.Resource("sale")
	left        = jars.Field("left")
)

// sell takes a cookie from the jar and records the sale, both or neither. Calls with the same reference sell one cookie.
func sell(ctx context.Context, store *core.Store, jar core.Value, reference string) error {
	err := sellOnce(ctx, store, jar, reference)
	if errors.Is(err, core.OutcomeUnknown) {
		// Was it sold? Ask by selling again: the reference is unique.
		err = sellOnce(ctx, store, jar, reference)
	}
	return err
}

func sellOnce(ctx context.Context, store *core.Store, jar core.Value, reference string) error {
	return store.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
		n, err := tx.Count(ctx, sales, core.Eq("reference", reference))
		if err != nil || n > 0 {
			return err
		}
		found, err := tx.Get(ctx, jars, jar)
		if err != nil {
			return err
		}
		count := found.Get("left").Int()
		if count == 0 {
			return &core.Error{Code: core.BadRequest, Message: "the jar is empty"}
		}
		if _, err := tx.Update(ctx, jars, jars.Patch(jar).Set(left, core.IntValue(count-1))); err != nil {
			return err
		}
		sale, err := sales.NewRecord(map[string]any{"jar": jar, "reference": reference})
		if err != nil {
			return err
		}
		_, err = tx.Insert(ctx, sales, sale)
		return err
	})
}

// newHandler serves the records, and POST /sell?jar=ID&reference=TEXT.
func newHandler(store *core.Store) (http.Handler, error) {
	api, err := rest.New(engine.New(store, engine.Options{}), rest.Options{})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/", api)
	mux.HandleFunc("POST /sell", func(w http.ResponseWriter, r *http.Request) {
		jar, err := jars.Key().Convert(json.Number(r.FormValue("jar")))
		if err == nil {
			err = sell(r.Context(), store, jar, r.FormValue("reference"))
		}
		if err != nil {
			api.WriteError(w, r, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	return mux, nil
}

func run(ctx context.Context) (err error) {
	backend, err := openBackend(ctx, model)
	if err != nil {
		return err
	}
	store, err := core.New(ctx, model, backend)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	handler, err := newHandler(store)
	if err != nil {
		return err
	}
	return serve(ctx, store, handler)
}
