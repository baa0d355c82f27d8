package postgres_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// Each benchmark stands beside the same with pgx alone, written by hand.

type muffin struct {
	id   int64
	kind *string
	jar  *int64
}

func bakery(b *testing.B) (*core.Store, *pgxpool.Pool, string) {
	b.Helper()
	schema := pgtest.Schema(b)
	if err := postgres.Migrate(b.Context(), pool(b, pgtest.URL(b)), schema, cookies); err != nil {
		b.Fatal(err)
	}
	execute(b, inSchema(schema, `INSERT INTO $S.cookie (type) SELECT 'kind ' || i FROM generate_series(1, 10000) AS i`))
	execute(b, inSchema(schema, `ANALYZE $S.cookie`))
	p := pool(b, with(b, pgtest.URL(b), "default_transaction_isolation", "serializable"))
	store, err := core.New(b.Context(), cookies, postgres.New(p, schema, postgres.Options{}))
	if err != nil {
		b.Fatal(err)
	}
	return store, p, schema
}

func BenchmarkGetOne(b *testing.B) {
	store, p, schema := bakery(b)
	cookie := cookies.Resource("cookie")
	b.Run("larder", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := store.Get(b.Context(), cookie, core.IntValue(77)); err != nil {
				b.Fatal(err)
			}
		}
	})
	sql := inSchema(schema, `SELECT id, type, jar FROM $S.cookie WHERE id = $1`)
	b.Run("pgx", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var m muffin
			if err := p.QueryRow(b.Context(), sql, 77).Scan(&m.id, &m.kind, &m.jar); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkListHundred(b *testing.B) {
	store, p, schema := bakery(b)
	cookie := cookies.Resource("cookie")
	b.Run("larder", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			page, err := store.Select(b.Context(), cookie, core.Query{Limit: 100})
			if err != nil || len(page.Records) != 100 {
				b.Fatal(err)
			}
		}
	})
	sql := inSchema(schema, `SELECT id, type, jar FROM $S.cookie ORDER BY id LIMIT $1`)
	b.Run("pgx", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			rows, err := p.Query(b.Context(), sql, 100)
			if err != nil {
				b.Fatal(err)
			}
			list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (m muffin, err error) {
				err = row.Scan(&m.id, &m.kind, &m.jar)
				return m, err
			})
			if err != nil || len(list) != 100 {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkInsertOne(b *testing.B) {
	store, p, schema := bakery(b)
	cookie := cookies.Resource("cookie")
	rec := func() core.Record {
		r, err := cookie.NewRecord(map[string]any{"type": "new"})
		if err != nil {
			b.Fatal(err)
		}
		return r
	}()
	b.Run("larder", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := store.Insert(b.Context(), cookie, rec); err != nil {
				b.Fatal(err)
			}
		}
	})
	sql := inSchema(schema, `INSERT INTO $S.cookie (type) VALUES ($1) RETURNING id, type, jar`)
	b.Run("pgx", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			err := pgx.BeginFunc(b.Context(), p, func(tx pgx.Tx) error {
				var m muffin
				return tx.QueryRow(b.Context(), sql, "new").Scan(&m.id, &m.kind, &m.jar)
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkInsertThousand(b *testing.B) {
	store, p, schema := bakery(b)
	cookie := cookies.Resource("cookie")
	recs, rows := make([]core.Record, 1000), make([][]any, 1000)
	for i := range recs {
		var err error
		if recs[i], err = cookie.NewRecord(map[string]any{"type": "new"}); err != nil {
			b.Fatal(err)
		}
		rows[i] = []any{"new", nil}
	}
	b.Run("larder", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := store.Insert(b.Context(), cookie, recs...); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("pgx", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			err := pgx.BeginFunc(b.Context(), p, func(tx pgx.Tx) error {
				_, err := tx.CopyFrom(b.Context(), pgx.Identifier{schema, "cookie"}, []string{"type", "jar"}, pgx.CopyFromRows(rows))
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}
