// Import-schema prints the Go source of a model for the tables of an existing PostgreSQL schema, or serves them:
//
//	go run ./cookbook/import-schema -url postgres://user@host/database -schema NAME
//	go run ./cookbook/import-schema -url postgres://user@host/database -schema NAME -serve
//
// It counts on standard error the tables and columns that a model cannot hold, or holds in another form; -notes lists them.
// README.md shows an example.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/importer"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/gosource"
	"github.com/larder-go/larder/core/rest"
	"github.com/larder-go/larder/decorators/readonly"
)

// run imports a schema, writes the report to the standard error, and writes the source or serves the tables.
func run(ctx context.Context) error {
	o, err := fromFlags()
	if err != nil {
		return err
	}
	model, err := importSchema(ctx, o)
	if err != nil {
		return err
	}
	if !o.serve || o.file != "" {
		if err := writeSource(model, o); err != nil {
			return err
		}
	}
	if o.serve {
		return serveSchema(ctx, model, o)
	}
	return nil
}

// importSchema returns a model of the schema, and reports what the model lacks.
func importSchema(ctx context.Context, o options) (*core.Model, error) {
	conn, err := connect(ctx, o.url)
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // the connection has only read
	imported, err := importer.Read(ctx, conn, o.schema)
	if err != nil {
		return nil, explain(conn.Config(), err)
	}
	if len(imported.Resources) == 0 && len(imported.Notes) == 0 {
		return nil, fmt.Errorf("schema %q has no tables", o.schema)
	}
	summarize(os.Stderr, imported, o.notes)
	if len(imported.Resources) == 0 {
		return nil, fmt.Errorf("schema %q has no table that can be a resource", o.schema)
	}
	return imported.Model()
}

// writeSource writes the source of the model to the file, or to the standard output.
func writeSource(model *core.Model, o options) error {
	source, err := gosource.Source(model, o.pkg)
	if err != nil {
		return err
	}
	if o.file != "" {
		if err := os.WriteFile(o.file, source, 0o644); err != nil { //nolint:gosec // others may read source code
			return fmt.Errorf("-out: %w", err)
		}
		return nil
	}
	_, err = os.Stdout.Write(source)
	return err
}

// serveSchema serves the tables of the model until ctx ends. Without -write, every request that writes is rejected.
func serveSchema(ctx context.Context, model *core.Model, o options) (err error) {
	backend, err := postgres.Open(ctx, o.url, o.schema, postgres.Options{})
	if err != nil {
		return err
	}
	var decorators []core.Decorator
	if !o.write {
		decorators = append(decorators, readonly.New(readonly.Options{}))
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
	return serve(ctx, store, api)
}
