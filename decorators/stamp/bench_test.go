package stamp_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/internal/costtest"
	"github.com/larder-go/larder/decorators/stamp"
)

var tasks = core.MustModel("tasks", core.ResourceSpec{Name: "task", Fields: []core.FieldSpec{
	id, {Name: "title", Type: core.Text}, {Name: "rank", Type: core.Int},
	{Name: "updated_at", Type: core.Time, ReadOnly: true}, {Name: "updated_by", Type: core.Int, ReadOnly: true},
}})

var ofTasks = stamp.Options{Updated: "updated_at", UpdatedBy: "updated_by"}

// patcher returns a function that changes the rank of a task.
func patcher(b *testing.B, backend core.Backend, decorators ...core.Decorator) func() {
	b.Helper()
	store, err := core.New(b.Context(), tasks, backend, decorators...)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	r := tasks.Resource("task")
	ctx := core.WithPrincipal(b.Context(), &core.Principal{ID: core.IntValue(1)})
	inserted, err := store.Insert(ctx, r, r.RecordOf([]core.Value{{}, core.TextValue("a"), core.IntValue(0), {}, {}}))
	if err != nil {
		b.Fatal(err)
	}
	key, rank, n := inserted[0].Key(), r.Field("rank"), int64(0)
	return func() {
		n++
		if _, err := store.Update(ctx, r, r.Patch(key).Set(rank, core.IntValue(n))); err != nil {
			b.Fatal(err)
		}
	}
}

// byHand is a decorator that sets the two fields of each update, whether it changes the record or not.
func byHand() core.Decorator {
	return core.Decorator{Name: "hand", Kind: core.KindEffect, KnowsRelated: true, Wrap: func(m *core.Model, next core.Handler) (core.Handler, error) {
		at, by := m.Resource("task").Field("updated_at"), m.Resource("task").Field("updated_by")
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if op.Kind == core.Update || op.Kind == core.Insert {
				op.Records = slices.Clone(op.Records)
				for i, rec := range op.Records {
					op.Records[i] = rec.Set(at, core.TimeValue(op.Now())).Set(by, op.Principal.ID)
				}
			}
			return next(ctx, op)
		}, nil
	}}
}

// BenchmarkPatch compares the time that two stamps add to a patch with that of the same by hand: in memory a decorator that does not
// compare, and on PostgreSQL a statement that does.
func BenchmarkPatch(b *testing.B) {
	b.Run("memory", func(b *testing.B) {
		bare := patcher(b, memory.New())
		costtest.Against(b, bare, patcher(b, memory.New(), byHand()), bare, patcher(b, memory.New(), stamp.New(ofTasks)))
	})
	b.Run("postgres", func(b *testing.B) {
		pool, err := pgxpool.New(b.Context(), pgtest.URL(b))
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(pool.Close)
		schema := pgtest.Schema(b)
		backend := func() core.Backend { return postgres.New(pool, schema, postgres.Options{Migrate: true}) }
		bare, ours := patcher(b, backend()), patcher(b, backend(), stamp.New(ofTasks))
		table, n := pgx.Identifier{schema, "task"}.Sanitize(), int64(0)
		patch := func(id int64, sql string, args ...any) func() {
			return func() {
				n++
				var got [4]any
				all := append([]any{id, n}, args...)
				if len(args) > 0 {
					all[2] = time.Now()
				}
				if err := pool.QueryRow(b.Context(), "UPDATE "+table+" SET "+sql+" WHERE id = $1 RETURNING id, title, rank, updated_at", all...).Scan(&got[0], &got[1], &got[2], &got[3]); err != nil {
					b.Fatal(err)
				}
			}
		}
		costtest.Against(b, patch(1, "rank = $2"),
			patch(2, "rank = $2, updated_at = CASE WHEN rank IS DISTINCT FROM $2 THEN $3 ELSE updated_at END, updated_by = CASE WHEN rank IS DISTINCT FROM $2 THEN $4 ELSE updated_by END", nil, int64(1)),
			bare, ours)
	})
}
