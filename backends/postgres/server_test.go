package postgres_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/internal/servertest"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine/enginetest"
	"github.com/larder-go/larder/core/rest/resttest"
	"github.com/larder-go/larder/core/storetest"
)

func TestMain(m *testing.M) { servertest.Main(m) }

// directly runs a suite on direct connections.
func directly(t *testing.T, suite func(t *testing.T, open storetest.Factory)) {
	t.Parallel()
	inMode(t, servertest.Modes[0], suite)
}

// inOtherModes runs a suite in all modes but that of [directly].
func inOtherModes(t *testing.T, suite func(t *testing.T, mode servertest.Mode, open storetest.Factory)) {
	t.Parallel()
	for _, mode := range servertest.Modes[1:] {
		t.Run(mode.Name, func(t *testing.T) {
			t.Parallel()
			inMode(t, mode, func(t *testing.T, open storetest.Factory) { suite(t, mode, open) })
		})
	}
}

func inMode(t *testing.T, mode servertest.Mode, suite func(t *testing.T, open storetest.Factory)) {
	server := mode.URL(t)
	schemas := servertest.MigratedSchemas(t)
	suite(t, func(tb testing.TB, m *core.Model) core.Backend {
		tb.Helper()
		return schemas.Backend(tb, m, servertest.Pool(tb, server), mode.Options)
	})
}

// onNonDeferrableSchemas runs a suite on schemas without deferrable constraints and with server-side cascades.
func onNonDeferrableSchemas(t *testing.T, suite func(t *testing.T, open storetest.Factory)) {
	t.Parallel()
	server := servertest.Pool(t, pgtest.URL(t))
	schemas := servertest.NewSchemas(server, func(m *core.Model) string {
		schema := pgtest.Schema(t)
		for _, sql := range nonDeferrableDDL(schema, m)[1:] {
			servertest.Execute(t, sql)
		}
		return schema
	})
	suite(t, func(tb testing.TB, m *core.Model) core.Backend {
		tb.Helper()
		return schemas.Backend(tb, m, server, postgres.Options{})
	})
}

// nonDeferrableDDL returns [postgres.DDL] without deferrable constraints and with ON DELETE CASCADE.
func nonDeferrableDDL(schema string, m *core.Model) []string {
	statements := postgres.DDL(schema, m)
	for i, sql := range statements {
		statements[i] = strings.TrimSuffix(sql, " DEFERRABLE INITIALLY DEFERRED")
		for _, r := range m.Resources() {
			for _, f := range r.References() {
				key := "ALTER TABLE " + pgx.Identifier{schema, r.Name()}.Sanitize() + " ADD FOREIGN KEY (" + strings.Join(quotedColumns(f), ", ") + ")"
				if f.OnDelete() == core.Cascade && strings.HasPrefix(sql, key) {
					statements[i] += " ON DELETE CASCADE"
				}
			}
		}
	}
	return statements
}

// quotedColumns returns the columns of a field in the tables of [postgres.DDL].
func quotedColumns(f *core.Field) (columns []string) {
	parts := f.Parts()
	switch {
	case parts == nil && f.Type() != core.Tuple:
		return []string{pgx.Identifier{f.Name()}.Sanitize()}
	case parts == nil:
		for _, column := range quotedColumns(f.Target().Key()) {
			columns = append(columns, `"`+f.Name()+"_"+column[1:])
		}
	}
	for _, part := range parts {
		columns = append(columns, quotedColumns(part)...)
	}
	return columns
}

// rules are prefixes of the names of rules. Without prefixes they are all rules.
type rules struct{ engine, rest []string }

// All suites run completely on direct connections. In the other modes, make test samples them, because every mode sends the
// same statements: through PgBouncer, what depends on sessions and transactions; by the simple protocol, what depends on how
// parameters and results are encoded; through views, what depends on the target of a write. make soak runs all rules in all modes.
var (
	bouncerFamilies = []string{"batch", "ids", "types", "errors", "transaction", "isolation", "concurrency", "locks", "numbers", "answers", "cancellation", "closing", "random", "durability"}
	simpleFamilies  = []string{"filter", "cursor", "batch", "ids", "types", "errors", "aggregate", "related", "key parts", "cancellation", "random"}
	viewFamilies    = []string{"write", "batch", "using", "check", "ids", "integrity", "key parts", "validation", "related"}

	protocolSample   = rules{[]string{"values/", "relation rules/", "keys of several fields/", "members/"}, []string{"types", "errors", "ids of several fields"}}
	constraintSample = rules{
		[]string{
			"relations/", "relation rules/", "keys of several fields/", "deleting/", "replacing/", "nesting/", "through a join resource/", "random/requests on relations with rules agree with a simple model",
		},
		[]string{"delete", "replace", "errors", "ids of several fields"},
	}
)

func (r rules) checkEngine(t *testing.T, open storetest.Factory) {
	for _, c := range enginetest.Cases() {
		if isSampled(c.Name, r.engine) {
			t.Run(c.Name, func(t *testing.T) { c.Check(t, open) })
		}
	}
}

func (r rules) checkREST(t *testing.T, open storetest.Factory) {
	for _, c := range resttest.Cases() {
		if isSampled(c.Name, r.rest) {
			t.Run(c.Name, func(t *testing.T) { c.Check(t, open) })
		}
	}
}

func isSampled(name string, prefixes []string) bool {
	return len(prefixes) == 0 || os.Getenv("LARDER_SOAK") != "" ||
		slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

func TestEngineRules(t *testing.T) { directly(t, rules{}.checkEngine) }

func TestRESTRules(t *testing.T) { directly(t, rules{}.checkREST) }

func TestOtherModesPassEngineRules(t *testing.T) {
	inOtherModes(t, func(t *testing.T, _ servertest.Mode, open storetest.Factory) { protocolSample.checkEngine(t, open) })
}

func TestOtherModesPassRESTRules(t *testing.T) {
	inOtherModes(t, func(t *testing.T, _ servertest.Mode, open storetest.Factory) { protocolSample.checkREST(t, open) })
}

func TestEngineRulesOnNonDeferrableSchemas(t *testing.T) {
	onNonDeferrableSchemas(t, constraintSample.checkEngine)
}

func TestRESTRulesOnNonDeferrableSchemas(t *testing.T) {
	onNonDeferrableSchemas(t, constraintSample.checkREST)
}

func TestManyWritersNumberIssues(t *testing.T) {
	t.Parallel()
	schemas := servertest.MigratedSchemas(t)
	resttest.Numbering(t, func(tb testing.TB, m *core.Model) core.Backend {
		tb.Helper()
		return schemas.Backend(tb, m, servertest.Pool(tb, pgtest.URL(tb)), postgres.Options{})
	}, 64, 5)
}

// A lock that outlives its transaction belongs to a connection that PgBouncer lends to other clients.
func TestLocksEndWithTheirTransactions(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "r", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}})
	for _, mode := range servertest.Modes {
		t.Run(mode.Name, func(t *testing.T) {
			schema := pgtest.Schema(t)
			opts := mode.Options
			opts.Migrate = true
			s, err := core.New(t.Context(), m, postgres.New(servertest.Pool(t, mode.URL(t)), schema, opts))
			servertest.Must(t, err)
			defer s.Close() //nolint:errcheck // nothing is open
			sum := sha256.Sum256([]byte(schema + "\x00b"))
			held := func() (n int) {
				t.Helper()
				err := servertest.Pool(t, pgtest.URL(t)).QueryRow(t.Context(), `SELECT count(*) FROM pg_locks
					WHERE locktype = 'advisory' AND granted AND (classid::bigint << 32) | objid::bigint = $1`, int64(binary.BigEndian.Uint64(sum[:8]))).Scan(&n)
				servertest.Must(t, err)
				return n
			}
			failure := errors.New("no")
			locks := core.TxOptions{Locks: []string{"b", "c"}}
			for _, fails := range []error{nil, failure} {
				err := s.TxWith(t.Context(), locks, func(context.Context, *core.Transaction) error {
					if held() != 1 {
						t.Error("the lock is not held")
					}
					return fails
				})
				if !errors.Is(err, fails) || held() > 0 {
					t.Errorf("%v, held by %d", err, held())
				}
			}
			err = s.TxWith(t.Context(), core.TxOptions{Locks: []string{"c"}}, func(context.Context, *core.Transaction) error {
				for range 20 {
					ctx, cancel := context.WithTimeout(t.Context(), 2*time.Millisecond)
					err := s.TxWith(ctx, locks, func(context.Context, *core.Transaction) error { return nil })
					cancel()
					if !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("got %v", err)
					}
				}
				return nil
			})
			servertest.Must(t, err)
			for held() > 0 { // until the server has ended the closed connections
				time.Sleep(time.Millisecond)
			}
		})
	}
}

func TestConcurrentClientsOnToMany(t *testing.T) {
	t.Parallel()
	schemas := servertest.MigratedSchemas(t)
	enginetest.Crowd(t, func(tb testing.TB, m *core.Model) core.Backend {
		tb.Helper()
		return schemas.Backend(tb, m, servertest.Pool(tb, pgtest.URL(tb)), postgres.Options{})
	})
}

// checks is the number of random draws of the kit in each mode. A server is slower than memory.
const checks = 5

func TestConformance(t *testing.T) {
	var version string
	servertest.Must(t, servertest.Pool(t, pgtest.URL(t)).QueryRow(t.Context(), "SHOW server_version").Scan(&version))
	t.Logf("note: the server is PostgreSQL %s", version)
	directly(t, func(t *testing.T, open storetest.Factory) {
		checkKit(t, open, storetest.Options{Checks: checks, Reopen: servertest.Reopen}, nil)
	})
}

func TestOtherModesPassConformance(t *testing.T) {
	inOtherModes(t, func(t *testing.T, mode servertest.Mode, open storetest.Factory) {
		checkKit(t, open, storetest.Options{Checks: checks, Reopen: servertest.Reopen}, kitSamples[mode.Name])
	})
}

// kitSamples has the families of the kit that make test runs in a mode.
var kitSamples = map[string][]string{servertest.Modes[1].Name: bouncerFamilies, servertest.Modes[2].Name: simpleFamilies}

// checkKit runs the sampled families of the kit for backends. Without families it runs all of them.
func checkKit(t *testing.T, open storetest.Factory, opts storetest.Options, families []string) {
	for _, c := range storetest.Cases() {
		if isSampled(c.Family, families) && (!c.Durable || opts.Reopen != nil) {
			t.Run(c.Family+"/"+c.Name, func(t *testing.T) { c.Check(t, open, opts) })
		}
	}
}

// TestConformanceOnHandMadeTables runs the families that depend on column types on tables that sort text by a language
// and generate keys differently.
func TestConformanceOnHandMadeTables(t *testing.T) {
	t.Parallel()
	byHand := strings.NewReplacer(` COLLATE "C"`, "", "BY DEFAULT AS IDENTITY", "ALWAYS AS IDENTITY", " DEFAULT gen_random_uuid()", "")
	schemas := servertest.NewSchemas(servertest.Pool(t, pgtest.URL(t)), func(m *core.Model) string {
		schema := pgtest.Schema(t)
		for _, sql := range postgres.DDL(schema, m)[1:] {
			servertest.Execute(t, byHand.Replace(sql))
		}
		return schema
	})
	open := func(tb testing.TB, m *core.Model) core.Backend {
		tb.Helper()
		return schemas.Backend(tb, m, servertest.Pool(tb, pgtest.URL(tb)), postgres.Options{})
	}
	for _, c := range storetest.Cases() {
		switch c.Family {
		case "order", "filter", "cursor", "write", "batch", "ids", "key parts":
			t.Run(c.Family+"/"+c.Name, func(t *testing.T) { c.Check(t, open, storetest.Options{}) })
		}
	}
}
