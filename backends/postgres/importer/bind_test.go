package importer_test

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/importer"
	"github.com/larder-go/larder/backends/postgres/internal/importertest"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

func TestRefusedNotesMatchTheBackend(t *testing.T) {
	var sql strings.Builder
	sql.WriteString(typesSQL)
	for i, c := range typeCases {
		fmt.Fprintf(&sql, ", c%d %s", i, c.sql)
	}
	got := importertest.Import(t, sql.String()+"); CREATE TABLE k (id int PRIMARY KEY); CREATE TABLE d (id text PRIMARY KEY DEFERRABLE); CREATE TABLE e (id text UNIQUE PRIMARY KEY DEFERRABLE)")
	_, err := importertest.Store(t, got)
	if err == nil {
		t.Fatal("the backend accepted all columns")
	}
	var refused, noted []string
	for _, m := range regexp.MustCompile(`(?m)^\t(\w+\.\w+): (.*)`).FindAllStringSubmatch(err.Error(), -1) {
		refused = append(refused, m[1])
	}
	for _, n := range got.Notes {
		if n.Kind == importer.Refused {
			noted = append(noted, n.Table+"."+n.Object)
		}
	}
	slices.Sort(refused)
	slices.Sort(noted)
	importertest.Expect(t, "refused", noted, refused)
}

func TestStoreOfImportedSchema(t *testing.T) {
	got := importertest.Import(t, `
		CREATE TABLE "Füll ""Horn""" ("Schlüssel" uuid DEFAULT gen_random_uuid() PRIMARY KEY, "a.b" text UNIQUE DEFAULT 'x');
		CREATE TABLE cookie (
			id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, horn uuid REFERENCES "Füll ""Horn""" ON DELETE CASCADE,
			made timestamptz DEFAULT now(), twice int GENERATED ALWAYS AS (n * 2) STORED, n smallint DEFAULT 21, next int UNIQUE REFERENCES cookie
		)`)
	for _, r := range got.Resources {
		for i := range r.Fields {
			if r.Fields[i].Name == "cookie" {
				r.Fields[i].ReadOnly = false // a list side that clients may set
			}
		}
	}
	store, err := importertest.Store(t, got)
	if err != nil {
		t.Fatal(err)
	}
	views, err := engine.New(store, engine.Options{}).Create(t.Context(), "Füll__Horn_", engine.Write{Depth: 2},
		map[string]any{"cookie": []any{map[string]any{"next": map[string]any{"n": 4}}}})
	if err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(`"Schlüssel":"[^"]*"|"made":"[^"]*"|"horn":"[^"]*"`).ReplaceAll(views[0].AppendJSON(nil), nil)
	if want := `{,"a_b":"x","cookie":[{"id":2,,,"twice":42,"n":21,"next":1}]}`; string(text) != want {
		t.Errorf("got %s, want %s", text, want)
	}
}

func TestModelSurvivesMigrateAndRead(t *testing.T) {
	want := []core.ResourceSpec{
		{Name: "b", Fields: []core.FieldSpec{
			{Name: "id", Type: core.UUID, Key: true},
			{Name: "many", Description: "its c", ToOne: "c", OnDelete: core.Restrict},
			{Name: "one", ToOne: "c", OnDelete: core.Restrict, Partner: core.RefusePartner, Unique: true},
			{Name: "self", ToOne: "b", OnDelete: core.Restrict},
			{Name: "b_by_self", ToMany: "b", Inverse: "self", ReadOnly: true},
			{Name: "j", ToMany: "j", Inverse: "b", ReadOnly: true},
			{Name: "c", ToMany: "c", Through: "j", ReadOnly: true},
		}},
		{Name: "c", Description: "Everything's here.", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true, Description: "number of the c"},
			{Name: "i", Type: core.Int, Unique: true, Description: "a\\b\nc"},
			{Name: "f", Type: core.Float, Indexed: true},
			{Name: "t", Type: core.Text},
			{Name: "y", Type: core.Bool},
			{Name: "at", Type: core.Time},
			{Name: "u", Type: core.UUID},
			{Name: "x", Type: core.Bytes},
			{Name: "j", Type: core.JSON},
			{Name: "b_by_many", ToMany: "b", Inverse: "many", ReadOnly: true},
			{Name: "b_by_one", ToOne: "b", Inverse: "one", ReadOnly: true},
			{Name: "d", ToMany: "d", Inverse: "c", ReadOnly: true},
			{Name: "j_by_c", ToMany: "j", Inverse: "c", ReadOnly: true},
			{Name: "b", ToMany: "b", Through: "j", ReadOnly: true},
		}},
		{Name: "d", KeyName: "key", Fields: []core.FieldSpec{
			{Name: "c", ToOne: "c", OnDelete: core.Restrict, Key: true},
			{Name: "id", Type: core.Date, Key: true},
			{Name: "e", ToMany: "e", Inverse: "d", ReadOnly: true},
		}},
		{Name: "e", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "x", Type: core.Int},
			{Name: "day", Type: core.Date},
			{Name: "d", ToOne: "d", Via: []string{"x", "day"}, OnDelete: core.Restrict},
		}},
		{Name: "j", Fields: []core.FieldSpec{
			{Name: "b", ToOne: "b", OnDelete: core.Restrict, Key: true},
			{Name: "c", ToOne: "c", OnDelete: core.Restrict, Key: true},
			{Name: "n", Type: core.Int},
		}},
		{Name: core.AnswersName},
	}
	pool, err := pgxpool.New(t.Context(), pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	schema := pgtest.Schema(t)
	if err := postgres.Migrate(t.Context(), pool, schema, core.MustModel("m", want...)); err != nil {
		t.Fatal(err)
	}
	got, err := importer.Read(t.Context(), pool, schema)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got.Resources, want) {
		importertest.Expect(t, "resources", lines(got.Resources), lines(want))
	}
	importertest.Expect(t, "notes", importertest.Notes(got, importer.LeftOut, importer.Refused, importer.Changed), nil)
	if _, err := importertest.Store(t, got); err != nil {
		t.Error(err)
	}
}

// lines describes resources, with one line for each field.
func lines(resources []core.ResourceSpec) (all []string) {
	for _, r := range resources {
		for _, f := range r.Fields {
			all = append(all, fmt.Sprintf("%s: %+v", r.Name, f))
		}
		r.Fields = nil
		all = append(all, fmt.Sprintf("%+v", r))
	}
	return all
}
