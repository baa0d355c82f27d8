package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/cookbook/internal/program"
	"github.com/larder-go/larder/core/gosource"
)

func main() { program.Main(run) }

// run imports a schema, writes the source to the standard output or a file, and
// the report to the standard error.
func run(ctx context.Context, p *program.Program) error {
	var o options
	if err := o.parse(p); err != nil {
		return err
	}
	conn, err := connect(ctx, o.url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // nothing was written
	imported, err := postgres.Import(ctx, conn, o.schema)
	if err != nil {
		return explain(conn.Config(), err)
	}
	if len(imported.Resources) == 0 && len(imported.Notes) == 0 {
		return fmt.Errorf("schema %q has no tables", o.schema)
	}
	tell(p.Messages, imported.Notes)
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
		if err := os.WriteFile(o.file, source, 0o644); err != nil { //nolint:gosec // source code, which others may read
			return fmt.Errorf("-out: %w", err)
		}
		return nil
	}
	_, err = p.Out.Write(source)
	return err
}

// tell reports what the model lacks, the gravest first.
func tell(report io.Writer, notes []postgres.ImportNote) {
	for _, kind := range []postgres.ImportKind{postgres.ImportLeftOut, postgres.ImportRefused, postgres.ImportChanged, postgres.ImportServer} {
		for _, n := range notes {
			if n.Kind == kind {
				fmt.Fprintln(report, program.Printable(n.String())) //nolint:errcheck // what cannot be told cannot be helped
			}
		}
	}
}
