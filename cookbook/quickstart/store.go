package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
	"github.com/larder-go/larder/decorators/metrics"
)

var dataFile = flag.String("data", "", "JSON `file` of initial records: {\"cookie\": {\"1\": {\"type\": \"muffin\"}}}")

// open returns the store with its initial records. The registry gets the metrics of the connection pool, if there is one.
func open(ctx context.Context, model *core.Model, decorators []core.Decorator, registry *prometheus.Registry) (*core.Store, error) {
	data, err := readData()
	if err != nil {
		return nil, err
	}
	records, err := seed.Records(model, data)
	if err != nil {
		return nil, fmt.Errorf("-data %s: %w", *dataFile, err)
	}
	if *storage == "memory" {
		return core.New(ctx, model, memory.NewWith(data), decorators...)
	}
	if len(data) > 0 {
		// A store without decorators: a policy could reject the initial records.
		if err := fill(ctx, model, records); err != nil {
			return nil, fmt.Errorf("-data %s: %w", *dataFile, err)
		}
	}
	backend, err := openBackend(ctx, model)
	if err != nil {
		return nil, err
	}
	if server, ok := backend.(*postgres.Backend); ok {
		registry.MustRegister(metrics.PoolCollector(server.Stat))
	}
	return core.New(ctx, model, backend, decorators...)
}

func readData() (seed.Data, error) {
	if *dataFile == "" {
		return nil, nil
	}
	text, err := os.ReadFile(*dataFile)
	if err != nil {
		return nil, fmt.Errorf("-data: %w", err)
	}
	data, err := seed.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("-data %s: %w", *dataFile, err)
	}
	return data, nil
}

var errNotEmpty = errors.New("the store holds records already")

// fill inserts the initial records, by index of the resource, into a store without records: all of them or none. Without
// initial records, the store may hold any.
func fill(ctx context.Context, model *core.Model, records [][]core.Record) (err error) {
	if !slices.ContainsFunc(records, func(of []core.Record) bool { return len(of) > 0 }) {
		return nil
	}
	backend, err := openBackend(ctx, model)
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
