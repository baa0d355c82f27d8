package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/larder-go/larder/cookbook/internal/program"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
)

// open composes the store, with the initial records of a file in it and its backend
// watched by the registry.
func open(ctx context.Context, model *core.Model, where *program.Storage, initial string, decorators []core.Decorator, registry *prometheus.Registry) (*core.Store, error) {
	data, err := readData(initial)
	if err != nil {
		return nil, err
	}
	records, err := seed.Records(model, data)
	if err != nil {
		return nil, fmt.Errorf("-data %s: %w", initial, err)
	}
	if where.Data = data; len(data) > 0 && where.Lasting() {
		// Through a store of its own: the layers may refuse what is there to begin with.
		if err := fill(ctx, model, where, records); err != nil {
			return nil, fmt.Errorf("-data %s: %w", initial, err)
		}
	}
	backend, err := where.Backend(ctx, model)
	if err != nil {
		return nil, err
	}
	watch(registry, backend)
	return core.New(ctx, model, backend, decorators...)
}

func readData(file string) (seed.Data, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("-data: %w", err)
	}
	data, err := seed.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("-data %s: %w", file, err)
	}
	return data, nil
}

var errNotEmpty = errors.New("the store holds records already")

// fill puts the initial records, by resource, into a store that holds none, all
// or none. Without any the store may hold what it likes.
func fill(ctx context.Context, model *core.Model, where *program.Storage, records [][]core.Record) (err error) {
	if !slices.ContainsFunc(records, func(of []core.Record) bool { return len(of) > 0 }) {
		return nil
	}
	backend, err := where.Backend(ctx, model)
	if err != nil {
		return err
	}
	store, err := core.New(ctx, model, backend)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return store.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
		for i, r := range model.Resources() {
			if n, err := tx.Count(ctx, r, core.All()); err != nil {
				return err
			} else if n > 0 {
				return errNotEmpty
			}
			if _, err := tx.Insert(ctx, r, records[i]...); err != nil {
				return err
			}
		}
		return nil
	})
}
