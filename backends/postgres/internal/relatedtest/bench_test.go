package relatedtest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/internal/servertest"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// BenchmarkMembershipPolicy reads 100 of 1,000,000 issues under a policy of 10,000 memberships. It alternates rounds with
// the same statement written with pgx, with the plain EXISTS that a program would write, and with a policy on the owner of
// the issue, and reports the median ratios of the elapsed times. One b.N is one round of each.
func BenchmarkMembershipPolicy(b *testing.B) {
	schema := scale(b, 1_000_000)
	recorded, last := servertest.RecordedPool(b)
	p := servertest.OwnPool(b, servertest.With(b, servertest.With(b, pgtest.URL(b), "default_transaction_isolation", "serializable"), "jit", "off"))
	for _, c := range []struct {
		name string
		user int
	}{{"member of ten projects", usual}, {"member of one project", alone}, {"member of everything", everywhere}, {"member of nothing", nowhere}} {
		b.Run(c.name, func(b *testing.B) {
			user := c.user
			list(b, newStore(b, recorded, schema, members(&user)))
			ours, owner := newStore(b, p, schema, members(&user)), newStore(b, p, schema, owns(7))
			plain := servertest.InSchema(schema, `SELECT t.id, t.title, t.rank, t.owner, t.project FROM $S.issue AS t WHERE EXISTS (
				SELECT FROM $S.project AS p WHERE p.id = t.project AND EXISTS (SELECT FROM $S.membership AS m WHERE m.project = p.id AND m."user" = $1))
				ORDER BY t.id LIMIT 101`)
			var ratios [3][]float64
			for b.Loop() {
				var times [4]time.Duration
				for i, do := range []func(){
					func() { list(b, ours) },
					func() { listByHand(b, p, last.SQL, last.Args()...) },
					func() { listByHand(b, p, plain, user) },
					func() { list(b, owner) },
				} {
					begun := time.Now()
					for range 10 {
						do()
					}
					times[i] = time.Since(begun)
				}
				for i := range ratios {
					ratios[i] = append(ratios[i], float64(times[0])/float64(times[1+i]))
				}
			}
			for i, unit := range []string{"time/pgx", "time/exists", "time/owner"} {
				slices.Sort(ratios[i])
				b.ReportMetric(ratios[i][len(ratios[i])/2], unit)
			}
		})
	}
}

func newStore(b *testing.B, p *pgxpool.Pool, schema string, policy core.Decorator) *core.Store {
	b.Helper()
	store, err := core.New(b.Context(), teams, postgres.New(p, schema, postgres.Options{CheckSchema: -1}), policy)
	servertest.Must(b, err)
	b.Cleanup(func() { _ = store.Close() })
	return store
}

// owns returns a policy that shows the issues of the owner.
func owns(owner int) core.Decorator {
	return core.Decorator{Name: "owner", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if op.Resource != nil && op.Resource.Name() == "issue" {
				op.Guard(core.Eq("owner", owner))
			}
			return next(ctx, op)
		}, nil
	}}
}

func list(b *testing.B, store *core.Store) {
	b.Helper()
	_, err := store.Select(b.Context(), teams.Resource("issue"), core.Query{Limit: 100})
	servertest.Must(b, err)
}

// row is an issue in a program without a toolkit.
type row struct {
	id                   int64
	title                *string
	rank, owner, project *int64
}

func listByHand(b *testing.B, p *pgxpool.Pool, sql string, args ...any) {
	b.Helper()
	rows, err := p.Query(b.Context(), sql, args...)
	servertest.Must(b, err)
	_, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (i row, err error) {
		err = r.Scan(&i.id, &i.title, &i.rank, &i.owner, &i.project)
		return i, err
	})
	servertest.Must(b, err)
}
