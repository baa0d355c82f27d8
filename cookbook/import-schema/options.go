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
	outFlag     = flag.String("out", "", "`file` to write the source to, which is overwritten; default: standard output")
)

// options are the values of the flags.
type options struct{ url, schema, pkg, file string }

// fromFlags returns the options, or an error that names the wrong flag. The error never shows a value that may be a
// connection string in the wrong place.
func fromFlags() (options, error) {
	o := options{*urlFlag, *schemaFlag, *packageFlag, *outFlag}
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
	case !token.IsIdentifier(o.pkg) || o.pkg == "_":
		err = fmt.Errorf("-package: %q cannot be the name of a package", o.pkg)
	}
	return o, err
}
