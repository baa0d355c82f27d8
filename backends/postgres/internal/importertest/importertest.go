// Package importertest imports schemas for the tests of the importer and of the backend.
package importertest

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/importer"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// Connect opens a connection to the test server. It is closed with the test.
func Connect(tb testing.TB) *pgx.Conn {
	tb.Helper()
	conn, err := pgx.Connect(tb.Context(), pgtest.URL(tb))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// Import executes statements in a new schema and imports the schema. In the statements, SCHEMA stands for the quoted
// name of the schema.
func Import(tb testing.TB, sql string) *importer.Result {
	tb.Helper()
	conn, schema := Connect(tb), pgtest.Schema(tb)
	quoted := pgx.Identifier{schema}.Sanitize()
	sql = strings.ReplaceAll(sql, "SCHEMA", quoted)
	if _, err := conn.Exec(tb.Context(), "SET client_min_messages = warning; SET search_path = "+quoted+";"+sql); err != nil {
		tb.Fatal(err)
	}
	result, err := importer.Read(tb.Context(), conn, schema)
	if err != nil {
		tb.Fatal(err)
	}
	return result
}

// Store makes a store of an imported schema. It is closed with the test.
func Store(tb testing.TB, result *importer.Result, decorators ...core.Decorator) (*core.Store, error) {
	tb.Helper()
	model, err := result.Model()
	if err != nil {
		tb.Fatal(err)
	}
	backend, err := postgres.Open(tb.Context(), pgtest.URL(tb), result.Schema, postgres.Options{Resources: result.Sources})
	if err != nil {
		tb.Fatal(err)
	}
	store, err := core.New(tb.Context(), model, backend, decorators...)
	if err != nil {
		_ = backend.Close()
		return nil, err
	}
	tb.Cleanup(func() { _ = store.Close() })
	return store, nil
}

// Fields describes the fields of a resource in short: name, type or relation, attributes.
func Fields(tb testing.TB, result *importer.Result, resource string) []string {
	tb.Helper()
	i := slices.IndexFunc(result.Resources, func(r core.ResourceSpec) bool { return r.Name == resource })
	if i < 0 {
		tb.Fatalf("no resource %q; notes: %v", resource, result.Notes)
	}
	var out []string
	for _, f := range result.Resources[i].Fields {
		out = append(out, describe(f))
	}
	return out
}

func describe(f core.FieldSpec) string {
	parts := []string{f.Name}
	switch {
	case f.ToOne != "":
		parts = append(parts, "->", f.ToOne)
	case f.ToMany != "":
		parts = append(parts, "->>", f.ToMany)
	default:
		parts = append(parts, f.Type.String())
	}
	if f.Inverse != "" {
		parts = append(parts, "of", f.Inverse)
	}
	if f.Through != "" {
		parts = append(parts, "through", f.Through)
	}
	if f.Via != nil {
		parts = append(parts, "via", strings.Join(f.Via, ","))
	}
	v := reflect.ValueOf(f)
	if f.OnDelete != core.Detach {
		parts = append(parts, f.OnDelete.String())
	}
	if f.Partner == core.RefusePartner {
		parts = append(parts, "refuse")
	}
	for _, name := range []string{"Key", "ReadOnly", "Unique", "Indexed"} {
		if v.FieldByName(name).Bool() {
			parts = append(parts, strings.ToLower(name))
		}
	}
	if f.Default != nil {
		parts = append(parts, fmt.Sprint("default ", f.Default))
	}
	return strings.Join(parts, " ")
}

// Notes returns the notes of some kinds, as strings.
func Notes(result *importer.Result, kinds ...importer.Kind) []string {
	var out []string
	for _, n := range result.Notes {
		if slices.Contains(kinds, n.Kind) {
			out = append(out, n.String())
		}
	}
	return out
}

// Expect fails the test if two lists of lines differ.
func Expect(tb testing.TB, subject string, got, want []string) {
	tb.Helper()
	if !slices.Equal(got, want) {
		tb.Errorf("%s:\ngot\n\t%s\nwant\n\t%s", subject, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}
