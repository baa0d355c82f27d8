// Import-schema prints the Go source of a model for the tables of an existing PostgreSQL schema:
//
//	go run ./cookbook/import-schema -url postgres://user@host/database -schema NAME
//
// It reports on standard error every table and column that a model cannot hold, or holds in another form. README.md shows
// an example.
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/larder-go/larder/backends/postgres/importer"
	"github.com/larder-go/larder/core/gosource"
)

// run imports a schema, writes the source to the standard output or a file, and the report to the standard error.
func run(ctx context.Context) error {
	o, err := fromFlags()
	if err != nil {
		return err
	}
	conn, err := connect(ctx, o.url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // the program has only read
	imported, err := importer.Read(ctx, conn, o.schema)
	if err != nil {
		return explain(conn.Config(), err)
	}
	if len(imported.Resources) == 0 && len(imported.Notes) == 0 {
		return fmt.Errorf("schema %q has no tables", o.schema)
	}
	report(os.Stderr, imported.Notes)
	if len(imported.Resources) == 0 {
		return fmt.Errorf("schema %q has no table that can be a resource", o.schema)
	}
	model, err := imported.Model()
	if err != nil {
		return err
	}
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

// report writes the notes, the gravest kind first.
func report(w io.Writer, notes []importer.Note) {
	for _, kind := range []importer.Kind{importer.LeftOut, importer.Refused, importer.Changed, importer.Server} {
		for _, n := range notes {
			if n.Kind == kind {
				fmt.Fprintln(w, printable(n.String())) //nolint:errcheck // the source is written all the same
			}
		}
	}
}
