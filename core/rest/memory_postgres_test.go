package rest_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
)

// archived is the number of notes in an archive. All but 100 have 64 KiB, 81 MiB together.
const archived = 1400

// archive has notes of 64 KiB of person 1 in PostgreSQL, which sends whole records.
func archive(t *testing.T, decorators ...core.Decorator) *rest.Handler {
	t.Helper()
	shout := func(_ context.Context, rec core.Record) (any, error) { return rec.Get("state"), nil }
	whisper := func(_ context.Context, _ core.Record, v any) (map[string]any, error) {
		return map[string]any{"state": v}, nil
	}
	text := []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true}, {Name: "text", Type: core.Text}, {Name: "info", Type: core.JSON},
		{Name: "code", Type: core.Text, Writable: core.Never},
		{Name: "state", Type: core.Text, Transitions: map[string][]string{"a": {"b", "c"}, "b": {"c"}}},
	}
	m := core.MustModel("archive",
		core.ResourceSpec{Name: "note", Fields: append(slices.Clone(text), core.FieldSpec{Name: "owner", ToOne: "person"},
			core.FieldSpec{Name: "loud", Type: core.Text, OnDemand: true, Computed: &core.Computed{Get: shout, Set: whisper}})},
		core.ResourceSpec{Name: "memo", Fields: append(text, core.FieldSpec{Name: "owner", ToOne: "person"})},
		core.ResourceSpec{Name: "scan", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "text", Type: core.Text}}},
		core.ResourceSpec{Name: "person", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true}, {Name: "memos", ToMany: "memo", Inverse: "owner"},
		}},
	)
	schema := pgtest.Schema(t)
	backend, err := postgres.Open(t.Context(), pgtest.URL(t), schema, postgres.Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	store, err := core.New(t.Context(), m, backend, decorators...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	conn, err := pgx.Connect(t.Context(), pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	const rows = ` (id, text, info, state, owner)
		SELECT n, CASE WHEN n > 100 THEN repeat('x', 65536) END, '{"a": 1}', CASE WHEN n % 100 = 99 THEN 'd' ELSE 'a' END, 1 FROM generate_series(1, ARCHIVED) AS n;`
	const sql = `INSERT INTO SCHEMA.person (id) VALUES (1), (2);
		INSERT INTO SCHEMA.scan (text) SELECT repeat('x', CASE WHEN n > 100 THEN 1048576 ELSE 9 END) FROM generate_series(1, SCANS) AS n;
		INSERT INTO SCHEMA.note` + rows + `INSERT INTO SCHEMA.memo` + rows
	names := strings.NewReplacer("SCHEMA", pgx.Identifier{schema}.Sanitize(), "ARCHIVED", strconv.Itoa(archived), "SCANS", "300")
	if _, err := conn.Exec(t.Context(), names.Replace(sql)); err != nil {
		t.Fatal(err)
	}
	h, err := rest.New(engine.New(store, engine.Options{}), rest.Options{Authenticate: func(*http.Request) (*core.Principal, error) {
		return &core.Principal{ID: core.IntValue(1)}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// Each request changes or reads more than 64 MiB.
func TestCostlyRequestsOnPostgreSQLAreBoundedInMemory(t *testing.T) {
	merge := []string{"Content-Type", "application/merge-patch+json"}
	ids := strings.TrimPrefix(repeatedIDs(archived), ",")
	requests := []costlyRequest{
		{"page", "GET", "/note?limit=1000", "", 200, nil},
		{"page of great values", "GET", "/scan?sort=-id&limit=1000", "", 200, nil},
		{"page of small and great values", "GET", "/scan?limit=1000", "", 200, nil},
		{"PATCH of many", "PATCH", `/note?max=9999&filter={"state":"a"}`, `{"info":1}`, 200, nil},
		{"PATCH of many with a rule for states", "PATCH", `/note?max=9999&filter={"state":"a"}`, `{"state":"b"}`, 200, nil},
		{"PATCH of many that breaks a rule", "PATCH", `/note?max=9999&filter={}`, `{"state":"c"}`, 400, nil},
		{"PATCH of many with a setter", "PATCH", `/note?max=9999&filter={"state":"b"}`, `{"loud":"c"}`, 200, nil},
		{"PATCH of many that merges", "PATCH", `/note?max=9999&filter={}`, `{"info":{"b":1}}`, 200, merge},
		{"PATCH of many with a great value", "PATCH", `/note?max=9999&filter={"id":{"le":80}}`, `{"info":"` + strings.Repeat("x", 1<<20-100) + `"}`, 200, nil},
		{"a list that gains members", "PATCH", "/person/2", `{"memos":[` + ids + `]}`, 200, nil},
		{"a DELETE that detaches", "DELETE", "/person/2", "", 200, nil},
		{"DELETE of many", "DELETE", "/note?max=9999&filter={}", "", 200, nil},
	}
	h := archive(t)
	for _, r := range requests {
		t.Run(r.name, func(t *testing.T) { r.checkBound(t, h) })
	}
	hooked := archive(t, core.OnWrite("note", func(context.Context, *core.Transaction, []core.Change) error { return nil }))
	t.Run("PATCH of many with a hook", func(t *testing.T) { requests[3].checkBound(t, hooked) })
}

// repeatedIDs returns the numbers up to n, each after a comma.
func repeatedIDs(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ",%d", i+1)
	}
	return b.String()
}
