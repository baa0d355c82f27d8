package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/larder-go/larder/cookbook/internal/program"
	"github.com/larder-go/larder/core"
)

// open composes the store, and puts the initial records of a file into it.
func open(ctx context.Context, model *core.Model, where *program.Storage, initial string) (*core.Store, error) {
	data, err := readData(initial)
	if err != nil {
		return nil, err
	}
	records, err := model.Records(data)
	if err != nil {
		return nil, fmt.Errorf("-data %s: %w", initial, err)
	}
	backend, err := where.Backend(ctx, model)
	if err != nil {
		return nil, err
	}
	store, err := core.New(ctx, model, backend)
	if err != nil {
		return nil, fmt.Errorf("-store: %w", err)
	}
	if err := fill(ctx, store, records); err != nil {
		return nil, errors.Join(fmt.Errorf("-data %s: %w", initial, err), store.Close())
	}
	return store, nil
}

func readData(file string) (core.Data, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("-data: %w", err)
	}
	data, err := core.ParseData(text)
	if err != nil {
		return nil, fmt.Errorf("-data %s: %w", file, err)
	}
	return data, nil
}

var errNotEmpty = errors.New("the store holds records already")

// fill puts the initial records, by resource, into a store that holds none, all
// or none. Without any the store may hold what it likes.
func fill(ctx context.Context, store *core.Store, records [][]core.Record) error {
	if !slices.ContainsFunc(records, func(of []core.Record) bool { return len(of) > 0 }) {
		return nil
	}
	return store.Tx(core.System(ctx), core.TxOptions{}, func(ctx context.Context, tx *core.Transaction) error {
		for i, r := range store.Model().Resources() {
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
