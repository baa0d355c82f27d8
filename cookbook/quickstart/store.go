package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/larder-go/larder/backends/file"
	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/core"
)

// storage is what the flags say about where the records are kept.
type storage struct {
	where  string // memory, file:PATH, or the connection string of a PostgreSQL
	schema string // of PostgreSQL; the model's name if empty
	data   string // file of initial records

	messages io.Writer
}

// open composes the store.
func (s storage) open(ctx context.Context, model *core.Model) (*core.Store, error) {
	data, err := readData(s.data)
	if err != nil {
		return nil, err
	}
	records, err := model.Records(data)
	if err != nil {
		return nil, fmt.Errorf("-data %s: %w", s.data, err)
	}
	backend, err := s.backend(ctx, model)
	if err != nil {
		return nil, fmt.Errorf("-store: %w", err)
	}
	store, err := core.New(ctx, model, backend)
	if err != nil {
		return nil, fmt.Errorf("-store: %w", err)
	}
	if err := fill(ctx, store, records); err != nil {
		return nil, errors.Join(fmt.Errorf("-data %s: %w", s.data, err), store.Close())
	}
	return store, nil
}

func (s storage) backend(ctx context.Context, model *core.Model) (core.Backend, error) {
	scheme, _, found := strings.Cut(s.where, "://")
	switch {
	case s.where == "memory":
		return memory.New(), nil
	case found && (scheme == "postgres" || scheme == "postgresql"):
		schema := s.schema
		if schema == "" {
			schema = model.Name()
		}
		return postgres.Open(ctx, s.where, schema, postgres.Options{Migrate: true})
	}
	if path, ok := strings.CutPrefix(s.where, "file:"); ok && path != "" {
		return file.Open(path, file.Options{Progress: s.progress(path)}), nil
	}
	// What was given is not repeated: it may hold a password.
	return nil, errors.New("unknown kind of storage; use memory, file:PATH or postgres://user:password@host:5432/database")
}

// large is the size of a file, in bytes, whose opening takes long enough to tell
// how far it is.
const large = 32 << 20

func (s storage) progress(path string) func(done, total int64) {
	return func(done, total int64) {
		if total >= large {
			_, _ = fmt.Fprintf(s.messages, "opening %s: %d of %d MB\n", path, done>>20, total>>20)
		}
	}
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
