package main

import (
	"errors"
	"flag"
	"fmt"
	"go/token"
	"os"
	"strings"
)

var (
	// The environment variable is no default of the flag, because -help would print its password.
	urlFlag     = flag.String("url", "", "connection `string` of the database; default: the environment variable DATABASE_URL")
	schemaFlag  = flag.String("schema", "", "`name` of the schema")
	packageFlag = flag.String("package", "main", "`name` of the package in the source")
	outFlag     = flag.String("out", "", "`file` to write the source to, which is overwritten; default: standard output, or no source with -serve")
	notesFlag   = flag.Bool("notes", false, "list every note after the summary")
	serveFlag   = flag.Bool("serve", false, "serve the tables over REST on -addr, read-only unless -write; there is no authentication")
	writeFlag   = flag.Bool("write", false, "with -serve: allow requests that write")
)

// options are the values of the flags.
type options struct {
	url, schema, pkg, file string
	notes, serve, write    bool
}

// fromFlags returns the options, or an error that names the wrong flag. The error never shows a value that may be a
// connection string in the wrong place.
func fromFlags() (options, error) {
	o := options{*urlFlag, *schemaFlag, *packageFlag, *outFlag, *notesFlag, *serveFlag, *writeFlag}
	if o.url == "" {
		o.url = os.Getenv("DATABASE_URL")
	}
	var err error
	flag.Visit(func(f *flag.Flag) {
		if s := f.Value.String(); f.Name != "url" && (strings.Contains(s, "://") || strings.Contains(s, "password=")) {
			err = fmt.Errorf("-%s: this is a connection string, which belongs to -url", f.Name)
		}
	})
	switch {
	case err != nil:
	case o.url == "":
		err = errors.New("-url is missing: postgres://user@host/database")
	case o.schema == "":
		err = errors.New("-schema is missing: the name of the schema, such as public")
	case o.write && !o.serve:
		err = errors.New("-write has no effect without -serve")
	case !token.IsIdentifier(o.pkg) || o.pkg == "_":
		err = fmt.Errorf("-package: %q cannot be the name of a package", o.pkg)
	}
	return o, err
}
