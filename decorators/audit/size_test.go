package audit_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/audit"
)

// wide has records of twenty fields, and entries about them.
func wide() *core.Model {
	fields := []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "state", Type: core.Text}}
	for i := len(fields); i < 20; i++ {
		fields = append(fields, core.FieldSpec{Name: fmt.Sprintf("field_%d", i), Type: core.Text})
	}
	return core.MustModel("wide", core.ResourceSpec{Name: "issue", Fields: fields}, audit.Resource("entry", "issue"))
}

const wideRecords = 200

// insertWide inserts the records as the program, without entries of a size to measure.
func insertWide(tb testing.TB, store *core.Store) {
	tb.Helper()
	issue := store.Model().Resource("issue")
	records := make([]core.Record, wideRecords)
	for i := range records {
		records[i] = issue.Patch(core.IntValue(int64(i + 1)))
		for _, f := range issue.Columns()[1:] {
			records[i] = records[i].Set(f, core.TextValue("some text of a field"))
		}
	}
	if _, err := store.Insert(core.System(tb.Context()), issue, records...); err != nil {
		tb.Fatal(err)
	}
}

func open(tb testing.TB, backend core.Backend, decorators ...core.Decorator) *core.Store {
	tb.Helper()
	store, err := core.New(tb.Context(), wide(), backend, decorators...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = store.Close() })
	return store
}

// An update of one field of a record with twenty fields adds at most 300 bytes to the entries on PostgreSQL, indexes included.
func TestAnEntryIsSmall(t *testing.T) {
	schema := pgtest.Schema(t)
	backend, err := postgres.Open(t.Context(), pgtest.URL(t), schema, postgres.Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	store := open(t, backend, trail(audit.Options{}))
	size := func() int { return relationSize(t, schema, "entry") }
	insertWide(t, store)
	before := size()
	const rounds = 25
	changeStates(t, store, rounds)
	perEntry := (size() - before) / (rounds * wideRecords)
	t.Logf("%d bytes per entry", perEntry)
	if perEntry > 300 || perEntry < 50 {
		t.Errorf("an entry has %d bytes, want 50 to 300", perEntry)
	}
}

// changeStates changes one field of each of the records, in one operation for each round, as a user.
func changeStates(tb testing.TB, store *core.Store, rounds int) {
	tb.Helper()
	issue := store.Model().Resource("issue")
	ctx := core.WithRequestID(core.WithPrincipal(tb.Context(), &core.Principal{ID: core.IntValue(4711)}), "4XQZJ7M2KWP5TBNRH3VDYFGLC6")
	for round := range rounds {
		changes := make([]core.Record, wideRecords)
		for i := range changes {
			changes[i] = issue.Patch(core.IntValue(int64(i+1))).Set(issue.Field("state"), core.TextValue([]string{"in progress", "open"}[round%2]))
		}
		if _, err := store.Update(ctx, issue, changes...); err != nil {
			tb.Fatal(err)
		}
	}
}

func relationSize(tb testing.TB, schema, table string) (size int) {
	tb.Helper()
	conn, err := pgx.Connect(tb.Context(), pgtest.URL(tb))
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(tb.Context())) }()
	if err := conn.QueryRow(tb.Context(), "SELECT pg_total_relation_size($1::regclass)", pgx.Identifier{schema, table}.Sanitize()).Scan(&size); err != nil {
		tb.Fatal(err)
	}
	return size
}
