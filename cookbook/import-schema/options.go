package main

import (
	"errors"
	"flag"
	"fmt"
	"go/token"
	"os"
	"strings"

	"github.com/larder-go/larder/cookbook/internal/program"
)

// options are what the flags say.
type options struct{ url, schema, pkg, file string }

func (o *options) parse(p *program.Program) error {
	p.Flags.StringVar(&o.url, "url", "", "connection `string` of the database; default: the environment variable DATABASE_URL")
	p.Flags.StringVar(&o.schema, "schema", "", "`name` of the schema")
	p.Flags.StringVar(&o.pkg, "package", "main", "`name` of the package that the source is for")
	p.Flags.StringVar(&o.file, "out", "", "`file` to write the source to, which is overwritten; default: standard output")
	if err := p.Parse(); err != nil {
		return err
	}
	if o.url == "" {
		o.url = os.Getenv("DATABASE_URL") // no default of the flag: -help would show it
	}
	return o.check(p.Flags)
}

// check never shows an argument that may be a connection string in the wrong
// place.
func (o *options) check(flags *flag.FlagSet) error {
	var err error
	flags.Visit(func(f *flag.Flag) {
		if s := f.Value.String(); f.Name != "url" && (strings.Contains(s, "://") || strings.Contains(s, "password=")) {
			err = fmt.Errorf("-%s: this is a connection string, which belongs to -url", f.Name)
		}
	})
	switch {
	case err != nil:
		return err
	case o.url == "":
		return errors.New("-url is missing: postgres://user@host/database")
	case o.schema == "":
		return errors.New("-schema is missing: the name of the schema, such as public")
	case !token.IsIdentifier(o.pkg) || o.pkg == "_":
		return fmt.Errorf("-package: %q cannot be the name of a package", o.pkg)
	}
	return nil
}
