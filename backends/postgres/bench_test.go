package postgres_test

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/internal/servertest"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// BenchmarkBesidePgx alternates rounds of an operation through a store and of the same operation written with pgx, on
// one pool of four connections. It reports the median ratios of elapsed time (time/pgx) and of CPU time of this
// process, user and system (cpu/pgx). One b.N is one round of each, so ns/op is the sum of both.
func BenchmarkBesidePgx(b *testing.B) {
	k := newBakery(b)
	for _, c := range []struct {
		name       string
		times      int // operations in a round
		ours, hand func(ctx context.Context) error
	}{
		{"get one", 100, k.get, k.getByHand},
		{"list of 100", 50, k.list, k.listByHand},
		{"jar with its 100 cookies", 30, k.jar, k.jarByHand},
		{"insert one", 50, k.insert, k.insertByHand},
		{"insert 1,000", 3, k.insertMany, k.copyByHand},
		{"read, modify, write", 30, k.modify, k.modifyByHand},
		{"8 updaters at once", 1, eightClients(k.modify), eightClients(k.modifyByHand)},
	} {
		b.Run(c.name, func(b *testing.B) {
			var times, cpus []float64
			for b.Loop() {
				round := func(do func(context.Context) error) spent { return spend(b, c.times, do) }
				var ours, hand spent
				if len(times)%2 == 0 {
					ours, hand = round(c.ours), round(c.hand)
				} else {
					hand, ours = round(c.hand), round(c.ours)
				}
				times = append(times, float64(ours.time)/float64(hand.time))
				cpus = append(cpus, float64(ours.cpu)/float64(hand.cpu))
			}
			b.ReportMetric(median(times), "time/pgx")
			b.ReportMetric(median(cpus), "cpu/pgx")
		})
	}
}

// BenchmarkInsertWithRules alternates inserts of 1,000 records into a table with five rules and into one without. It reports
// the median ratio of elapsed time.
func BenchmarkInsertWithRules(b *testing.B) {
	fields := func(ruled bool) []core.FieldSpec {
		all := []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true}, {Name: "title", Type: core.Text}, {Name: "size", Type: core.Int}, {Name: "kind", Type: core.Text},
			{Name: "body", Type: core.Text}, {Name: "made", Type: core.Time}, {Name: "done", Type: core.Bool}, {Name: "rank", Type: core.Float},
		}
		if ruled {
			all[1].Required, all[1].MaxLength = true, 200
			all[2].Min, all[2].Max = 0, 1000
			all[3].OneOf = []any{"bug", "wish", "task"}
		}
		return all
	}
	m := core.MustModel("rules", core.ResourceSpec{Name: "plain", Fields: fields(false)}, core.ResourceSpec{Name: "ruled", Fields: fields(true)})
	schema, pool := pgtest.Schema(b), servertest.Pool(b, pgtest.URL(b))
	store, err := core.New(b.Context(), m, postgres.New(pool, schema, postgres.Options{Migrate: true}))
	servertest.Must(b, err)
	defer func() { _ = store.Close() }()
	insert := func(resource string) func(context.Context) error {
		r := m.Resource(resource)
		rec, err := r.NewRecord(map[string]any{"title": "title", "size": 7, "kind": "wish", "body": "some words", "made": time.Unix(0, 0), "done": true, "rank": 0.5})
		if err != nil {
			b.Fatal(err)
		}
		records := slices.Repeat([]core.Record{rec}, 1000)
		return func(ctx context.Context) error {
			_, err := store.Insert(ctx, r, records...)
			return err
		}
	}
	without, with := insert("plain"), insert("ruled")
	var ratios []float64
	for b.Loop() {
		var ruled, plain spent
		if len(ratios)%2 == 0 {
			plain, ruled = spend(b, 1, without), spend(b, 1, with)
		} else {
			ruled, plain = spend(b, 1, with), spend(b, 1, without)
		}
		ratios = append(ratios, float64(ruled.time)/float64(plain.time))
	}
	b.ReportMetric(median(ratios), "ratio")
}

// spent is the cost of a round.
type spent struct{ time, cpu time.Duration }

func spend(b *testing.B, times int, do func(context.Context) error) spent {
	b.Helper()
	cpu, start := cpuTime(b), time.Now()
	for range times {
		if err := do(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	return spent{time.Since(start), cpuTime(b) - cpu}
}

// cpuTime returns the CPU time of the process, user and system.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// eightClients returns a function that eight concurrent clients call ten times each.
func eightClients(do func(ctx context.Context) error) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		var wg sync.WaitGroup
		var failures [8]error
		for i := range failures {
			wg.Go(func() {
				for range 10 {
					failures[i] = errors.Join(failures[i], do(ctx))
				}
			})
		}
		wg.Wait()
		return errors.Join(failures[:]...)
	}
}

// bakery has the data of both sides: jars of 100 cookies each.
type bakery struct {
	pool      *pgxpool.Pool
	schema    string
	store     *core.Store
	api       *engine.Engine
	cookie    *core.Resource
	fresh     core.Record
	thousand  []core.Record
	rows      [][]any
	buf       []byte
	sqlGet    string
	sqlList   string
	sqlJar    string
	sqlOfJar  string
	sqlInsert string
	sqlUpdate string
}

// muffin is a cookie in a program without a toolkit.
type muffin struct {
	ID   int64   `json:"id"`
	Type *string `json:"type,omitempty"`
	Jar  *int64  `json:"jar,omitempty"`
}

func (m *muffin) scan(row pgx.Row) error { return row.Scan(&m.ID, &m.Type, &m.Jar) }

func newBakery(b *testing.B) *bakery {
	b.Helper()
	schema := pgtest.Schema(b)
	if err := postgres.Migrate(b.Context(), servertest.Pool(b, pgtest.URL(b)), schema, servertest.Cookies); err != nil {
		b.Fatal(err)
	}
	for _, sql := range []string{
		`INSERT INTO $S.jar SELECT FROM generate_series(1, 100)`,
		`INSERT INTO $S.cookie (type, jar) SELECT 'kind ' || i, (i - 1) / 100 + 1 FROM generate_series(1, 10000) AS i`,
		`VACUUM ANALYZE $S.cookie`,
	} {
		servertest.Execute(b, servertest.InSchema(schema, sql))
	}
	url := servertest.With(b, pgtest.URL(b), "pool_max_conns", "4")
	k := &bakery{
		pool: servertest.OwnPool(b, servertest.With(b, url, "default_transaction_isolation", "serializable")), schema: schema, cookie: servertest.Cookies.Resource("cookie"),
		sqlGet:    servertest.InSchema(schema, `SELECT id, type, jar FROM $S.cookie WHERE id = $1`),
		sqlList:   servertest.InSchema(schema, `SELECT id, type, jar FROM $S.cookie ORDER BY id LIMIT $1`),
		sqlJar:    servertest.InSchema(schema, `SELECT id FROM $S.jar WHERE id = $1`),
		sqlOfJar:  servertest.InSchema(schema, `SELECT id, type, jar FROM $S.cookie WHERE jar = $1 ORDER BY id`),
		sqlInsert: servertest.InSchema(schema, `INSERT INTO $S.cookie (type) VALUES ($1) RETURNING id, type, jar`),
		sqlUpdate: servertest.InSchema(schema, `UPDATE $S.cookie SET type = $2 WHERE id = $1 RETURNING id, type, jar`),
	}
	store, err := core.New(b.Context(), servertest.Cookies, postgres.New(k.pool, schema, postgres.Options{}))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	k.store, k.api = store, engine.New(store, engine.Options{})
	k.fresh = servertest.Record(b, k.cookie, map[string]any{"type": "new"})
	k.thousand, k.rows = make([]core.Record, 1000), make([][]any, 1000)
	for i := range k.thousand {
		k.thousand[i], k.rows[i] = k.fresh, []any{"new", nil}
	}
	return k
}

func (k *bakery) get(ctx context.Context) error {
	_, err := k.store.Get(ctx, k.cookie, core.IntValue(77))
	return err
}

func (k *bakery) getByHand(ctx context.Context) error {
	var m muffin
	return m.scan(k.pool.QueryRow(ctx, k.sqlGet, 77))
}

var errWrong = errors.New("not what was asked for")

func (k *bakery) list(ctx context.Context) error {
	page, err := k.store.Select(ctx, k.cookie, core.Query{Limit: 100})
	if err == nil && len(page.Records) != 100 {
		return errWrong
	}
	return err
}

func (k *bakery) listByHand(ctx context.Context) error {
	list, err := k.collect(ctx, k.sqlList, 100)
	if err == nil && len(list) != 100 {
		return errWrong
	}
	return err
}

func (k *bakery) collect(ctx context.Context, sql string, arg any) ([]muffin, error) {
	rows, err := k.pool.Query(ctx, sql, arg)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (m muffin, err error) {
		err = m.scan(row)
		return m, err
	})
}

// jar makes the same JSON as jarByHand.
func (k *bakery) jar(ctx context.Context) error {
	v, err := k.api.Get(ctx, "jar", 7, 2)
	k.buf = v.AppendJSON(k.buf[:0])
	return err
}

func (k *bakery) jarByHand(ctx context.Context) error {
	var jar struct {
		ID      int64    `json:"id"`
		Cookies []muffin `json:"cookies"`
	}
	err := k.pool.QueryRow(ctx, k.sqlJar, 7).Scan(&jar.ID)
	if err != nil {
		return err
	}
	if jar.Cookies, err = k.collect(ctx, k.sqlOfJar, 7); err != nil {
		return err
	}
	text, err := json.Marshal(jar)
	if err == nil && len(k.buf) > 0 && len(text) != len(k.buf) {
		return errWrong
	}
	return err
}

func (k *bakery) insert(ctx context.Context) error {
	_, err := k.store.Insert(ctx, k.cookie, k.fresh)
	return err
}

func (k *bakery) insertByHand(ctx context.Context) error {
	return pgx.BeginFunc(ctx, k.pool, func(tx pgx.Tx) error {
		var m muffin
		return m.scan(tx.QueryRow(ctx, k.sqlInsert, "new"))
	})
}

func (k *bakery) insertMany(ctx context.Context) error {
	_, err := k.store.Insert(ctx, k.cookie, k.thousand...)
	return err
}

func (k *bakery) copyByHand(ctx context.Context) error {
	return pgx.BeginFunc(ctx, k.pool, func(tx pgx.Tx) error {
		_, err := tx.CopyFrom(ctx, pgx.Identifier{k.schema, "cookie"}, []string{"type", "jar"}, pgx.CopyFromRows(k.rows))
		return err
	})
}

// anyKey returns the key of one cookie in a hundred, so that concurrent updates sometimes collide.
func anyKey() int64 { return rand.Int64N(100)*100 + 1 }

func (k *bakery) modify(ctx context.Context) error {
	key := core.IntValue(anyKey())
	return k.store.TxWith(ctx, core.TxOptions{Attempts: 1000}, func(ctx context.Context, tx *core.Transaction) error {
		rec, err := tx.Get(ctx, k.cookie, key)
		if err != nil {
			return err
		}
		change, err := k.cookie.NewRecord(map[string]any{"id": key, "type": toggled(rec.Get("type").Text())})
		if err != nil {
			return err
		}
		_, err = tx.Final().Update(ctx, k.cookie, change)
		return err
	})
}

// toggled changes the case of the first letter.
func toggled(kind string) string {
	if kind[0] == 'k' {
		return "K" + kind[1:]
	}
	return "k" + kind[1:]
}

func (k *bakery) modifyByHand(ctx context.Context) error {
	key := anyKey()
	for {
		err := pgx.BeginTxFunc(ctx, k.pool, pgx.TxOptions{IsoLevel: pgx.Serializable}, func(tx pgx.Tx) error {
			var m muffin
			if err := m.scan(tx.QueryRow(ctx, k.sqlGet, key)); err != nil {
				return err
			}
			return m.scan(tx.QueryRow(ctx, k.sqlUpdate, key, toggled(*m.Type)))
		})
		server, ok := errors.AsType[*pgconn.PgError](err)
		if !ok || server.Code != "40001" && server.Code != "40P01" {
			return err
		}
	}
}
