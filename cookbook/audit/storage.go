package main

// This file is the same in every recipe with a choice of storage.

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/larder-go/larder/backends/file"
	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/core"
)

var (
	storage = flag.String("store", "memory", "where the records are kept: `memory`, file:PATH or postgres://user:password@host:5432/database")
	schema  = flag.String("schema", "", "PostgreSQL `schema` of the tables; default: the name of the model")
)

// largeFile is the size in bytes from which on the program reports how far the opening of a file is.
const largeFile = 32 << 20

// openBackend returns the backend that -store names. In PostgreSQL, core.New creates the tables that are missing.
func openBackend(ctx context.Context, model *core.Model) (core.Backend, error) {
	kind, path, _ := strings.Cut(*storage, ":")
	switch {
	case *storage == "memory":
		return memory.New(), nil
	case kind == "file" && path == "":
		return nil, fmt.Errorf("-store: the path after file: is missing; use file:PATH, such as file:%s.db", model.Name())
	case kind == "file":
		return file.New(path, file.Options{Progress: func(done, total int64) {
			if total >= largeFile {
				_, _ = fmt.Fprintf(os.Stderr, "opening %s: %d of %d MB\n", printable(path), done>>20, total>>20)
			}
		}}), nil
	case (kind == "postgres" || kind == "postgresql") && strings.HasPrefix(path, "//"):
		backend, err := postgres.Open(ctx, *storage, cmp.Or(*schema, model.Name()), postgres.Options{Migrate: true})
		if err != nil {
			return nil, fmt.Errorf("-store: %w", err)
		}
		return backend, nil
	}
	// The value is not printed: it may hold a password.
	return nil, errors.New("-store: unknown kind of storage; use memory, file:PATH or postgres://user:password@host:5432/database")
}
