package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// The tests of this file run without a cluster: a database has the tables of the extension, and errors of workers are recorded
// answers of Citus 12.1.12. Package citustest runs the kits on a real cluster.

var orders = core.MustModel("orders",
	core.ResourceSpec{Name: "jar", APIName: "Jar", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}},
	core.ResourceSpec{Name: "order", APIName: "Order", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "code", APIName: "codeName", Type: core.Text, Unique: true},
		{Name: "jar", APIName: "jarName", ToOne: "jar"},
		{Name: "size", APIName: "sizeName", Type: core.Int, Min: 0},
		{Name: "name", APIName: "nameName", Type: core.Text, Required: true},
		{Name: "tags", Type: core.List},
	}},
)

// citusCatalog makes the tables of the extension that the backend reads.
const citusCatalog = `SET allow_system_table_mods = on;
CREATE TABLE pg_catalog.pg_dist_partition (logicalrelid regclass, partmethod "char", colocationid integer, repmodel "char");
CREATE TABLE pg_catalog.pg_dist_shard (logicalrelid regclass, shardid bigint);
CREATE TABLE pg_catalog.pg_dist_local_group (groupid integer);
INSERT INTO pg_catalog.pg_dist_local_group VALUES (0);`

// citusLike returns a pool of a new database with the tables of the extension.
func citusLike(t *testing.T) *pgxpool.Pool {
	t.Helper()
	name := "citus_" + strings.ToLower(t.Name())
	admin, err := pgx.Connect(t.Context(), pgtest.URL(t))
	must(t, err)
	_, err = admin.Exec(t.Context(), "CREATE DATABASE "+name)
	must(t, err)
	server, err := url.Parse(pgtest.URL(t))
	must(t, err)
	server.Path = "/" + name
	config, err := ParseConfig(server.String())
	must(t, err)
	config.ConnConfig.RuntimeParams["default_transaction_isolation"] = "serializable"
	config.ConnConfig.Tracer = &statements{}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	must(t, err)
	t.Cleanup(func() {
		pool.Close()
		_, err := admin.Exec(context.Background(), "DROP DATABASE "+name)
		must(t, err)
		must(t, admin.Close(context.Background()))
	})
	execute(t, pool, citusCatalog)
	return pool
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func execute(t *testing.T, pool *pgxpool.Pool, sql string) {
	t.Helper()
	conn, err := pool.Acquire(t.Context())
	must(t, err)
	defer conn.Release()
	_, err = conn.Conn().PgConn().Exec(t.Context(), sql).ReadAll()
	must(t, err)
}

// distribute registers the tables as a schema that Citus has distributed.
const distribute = `INSERT INTO pg_dist_partition VALUES ('s.jar', 'n', 7, 's'), ('s."order"', 'n', 7, 's');
INSERT INTO pg_dist_shard VALUES ('s.jar', 102042), ('s."order"', 102043);`

// answer is an answer of Citus: its notices and the error that follows.
type answer struct {
	notices []pgconn.Notice
	err     pgconn.PgError
}

// atCommit returns the recorded answer to a COMMIT that fails with an error of the worker.
func atCommit(shard string, errs ...pgconn.PgError) answer {
	var a answer
	for _, e := range errs {
		e.Severity = "WARNING"
		a.notices = append(a.notices, pgconn.Notice(e), pgconn.Notice{
			Severity: "WARNING", Code: "01000", Message: "failed to commit transaction on 127.0.0.1:29702", Routine: "FinishRemoteTransactionCommit",
		})
	}
	a.err = pgconn.PgError{
		Severity: "ERROR", Code: "XX000", Message: "could not commit transaction for shard " + shard + " on at least one active node", Routine: "ErrorIfPostCommitFailedShardPlacements",
	}
	return a
}

// ofWorker returns an error of a worker as Citus passes it on.
func ofWorker(code, message, detail string) pgconn.PgError {
	return pgconn.PgError{
		Severity: "ERROR", Code: code, Message: message, Detail: detail, Where: "while executing command on 127.0.0.1:29702", Routine: "ReportResultError",
	}
}

func TestErrorsOfCitusWorkers(t *testing.T) {
	pool := citusLike(t)
	must(t, Migrate(t.Context(), pool, "s", orders))
	execute(t, pool, distribute)
	b := New(pool, "s", Options{CheckSchema: -1})
	must(t, b.Bind(t.Context(), orders))
	order, jar := orders.Resource("order"), orders.Resource("jar")
	rec, err := order.NewRecord(map[string]any{"id": 1, "code": "order_102043", "jar": 77, "name": "x"})
	must(t, err)
	insert := &core.Op{Kind: core.Insert, Resource: order, Records: []core.Record{rec}}
	remove := &core.Op{Kind: core.Delete, Resource: jar, Keys: []core.Value{core.IntValue(1)}}
	const noJar, jarInUse = `insert or update on table "order_102043" violates foreign key constraint "order_jar_fkey_102043"`,
		`update or delete on table "jar_102042" violates foreign key constraint "order_jar_fkey_102043" on table "order_102043"`
	for _, c := range []struct {
		name   string
		op     *core.Op
		answer answer
		want   string
	}{
		{"taken key", insert, answer{err: ofWorker("23505", `duplicate key value violates unique constraint "order_pkey_102043"`, "Key (id)=(1) already exists.")},
			"CONFLICT Order id - 1"},
		{"taken unique value, which looks like a shard", insert, answer{err: ofWorker("23505", `duplicate key value violates unique constraint "order_code_key_102043"`, "Key (code)=(order_102043) already exists.")},
			"CONFLICT Order codeName - order_102043"},
		{"taken unique value at the commit", nil, atCommit("102043", ofWorker("23505", `duplicate key value violates unique constraint "order_code_key_102043"`, "Key (code)=(a) already exists.")),
			"CONFLICT Order codeName - a"},
		{"missing target", insert, answer{err: ofWorker("23503", noJar, `Key (jar)=(77) is not present in table "jar_102042".`)}, "OBJECT_DOES_NOT_EXIST Jar  77 <nil>"},
		{"missing target at the commit", nil, atCommit("102043", ofWorker("23503", noJar, `Key (jar)=(77) is not present in table "jar_102042".`)), "OBJECT_DOES_NOT_EXIST Jar  77 <nil>"},
		{"target in use", remove, answer{err: ofWorker("23503", jarInUse, `Key (id)=(1) is still referenced from table "order_102043".`)}, "STILL_REFERENCED Order jarName - <nil>"},
		{"target in use at the commit", nil, atCommit("102042", ofWorker("23503", jarInUse, `Key (id)=(1) is still referenced from table "order_102043".`)), "STILL_REFERENCED Order jarName - <nil>"},
		{"null", insert, answer{err: ofWorker("23502", `null value in column "name" of relation "order_102043" violates not-null constraint`, "Failing row contains (3, null).")},
			"VALIDATION_FAILED [nameName] required"},
		{"rule of a new table", insert, answer{err: ofWorker("23514", `new row for relation "order_102043" violates check constraint "larder_order_size_min"`, "Failing row contains (3, -1).")},
			"VALIDATION_FAILED [sizeName] min"},
		{"rule that was added to a table", insert, answer{err: ofWorker("23514", `new row for relation "order_102043" violates check constraint "larder_order_size_min_102043"`, "Failing row contains (3, -1).")},
			"VALIDATION_FAILED [sizeName] min"},
		{"table on the coordinator", insert, answer{err: pgconn.PgError{
			Severity: "ERROR", Code: "23505", Message: `duplicate key value violates unique constraint "order_code_key_102043"`, Detail: "Key (code)=(a) already exists.",
			SchemaName: "s", TableName: "order_102043", ConstraintName: "order_code_key_102043", Routine: "_bt_check_unique",
		}}, "CONFLICT Order codeName - a"},
		{"conflict", insert, answer{err: ofWorker("40001", "could not serialize access due to concurrent update", "")}, "conflict"},
		{"conflict at the commit", nil, atCommit("102043", ofWorker("40001", "could not serialize access due to read/write dependencies among transactions", "")), "conflict"},
		{"conflict on the coordinator after the commit of the worker", nil, answer{err: pgconn.PgError{
			Severity: "ERROR", Code: "40001", Message: "could not serialize access due to read/write dependencies among transactions", Routine: "PreCommit_CheckForSerializationFailure",
		}}, "unknown"},
		{"lost connection", insert, answer{err: pgconn.PgError{
			Severity: "ERROR", Code: "08006", Message: "connection to the remote node postgres@127.0.0.1:29702 failed with the following error: connection not open", Routine: "ReportConnectionError",
		}}, "UNAVAILABLE"},
		{"lost connection without a code", insert, answer{err: ofWorker("XX000", "server closed the connection unexpectedly\n\tThis probably means the server terminated abnormally", "")}, "UNAVAILABLE"},
		{"lost connection before the commit", nil, answer{err: pgconn.PgError{
			Severity: "ERROR", Code: "XX000", Message: "failure on connection marked as essential: 127.0.0.1:29702", Routine: "CheckRemoteTransactionsHealth",
		}}, "UNAVAILABLE"},
		{"bug of the worker", insert, answer{err: ofWorker("XX000", "cache lookup failed for type 1", "")}, "SERVER_ERROR"},
		{"worker stopped at the commit", nil, atCommit("102043", ofWorker("57P01", "terminating connection due to administrator command", ""),
			ofWorker("XX000", "FATAL:  terminating connection due to administrator command\nserver closed the connection unexpectedly", "")), "unknown"},
		{"connection lost at the commit", nil, atCommit("102043", pgconn.PgError{Code: "08006", Message: "connection to the remote node failed", Routine: "ReportConnectionError"}), "unknown"},
		{"commit without a warning", nil, atCommit("102043"), "unknown"},
		{"error raised by a function", insert, answer{err: func() pgconn.PgError {
			e := ofWorker("XX123", "secret_message bad", "")
			e.Where = "PL/pgSQL function s.refuse(text) line 1 at RAISE\n" + e.Where
			return e
		}()}, "SERVER_ERROR"},
	} {
		t.Run(c.name, func(t *testing.T) {
			begun, err := b.Begin(t.Context(), core.BackendTxOptions{})
			must(t, err)
			tx := begun.(*transaction)
			must(t, tx.acquire(t.Context()))
			defer tx.end()
			tx.wrote = true
			for _, n := range c.answer.notices {
				tx.conn.Conn().Config().OnNotice(tx.conn.Conn().PgConn(), &n)
			}
			err = tx.operationError(t.Context(), c.op, &c.answer.err, c.op == nil)
			if got := described(err); got != c.want {
				t.Errorf("got %s, want %s: %v", got, c.want, err)
			}
			redacted, raised := errors.AsType[*raisedError](err)
			if raised != (c.name == "error raised by a function") || raised && strings.Contains(redacted.Redacted(), "secret") {
				t.Errorf("raised %v: %v", raised, redacted)
			}
		})
	}
}

// described describes an error without its cause.
func described(err error) string {
	e := core.AsError(err)
	switch {
	case errors.Is(err, core.ErrCommitUnknown):
		return "unknown"
	case errors.Is(err, core.ErrConflict):
		return "conflict"
	case e.Code == core.ValidationFailed:
		return fmt.Sprintf("%s %v %s", e.Code, e.Violations[0].Path, e.Violations[0].Rule)
	case e.Code == core.Unavailable, e.Code == core.ServerError:
		return string(e.Code)
	}
	return fmt.Sprintf("%s %s %s %v %v", e.Code, e.Resource, e.Field, e.Key, e.Value)
}

func TestCitusTablesThatCannotKeepThePromises(t *testing.T) {
	pool := citusLike(t)
	must(t, Migrate(t.Context(), pool, "s", orders))
	execute(t, pool, distribute)
	for _, c := range []struct{ name, change, problem string }{
		{"one schema", "", ""},
		{"view in the schema", "CREATE VIEW s.jars AS SELECT id FROM s.jar", ""},
		{"table outside the schema", "CREATE TABLE s.jars AS SELECT id FROM s.jar", "jar: the table and that of jar may be on different workers"},
		{"local tables", "DELETE FROM pg_dist_partition", ""},
		{"several shards", "UPDATE pg_dist_partition SET partmethod = 'h', repmodel = 's' WHERE logicalrelid = 's.jar'::regclass", "jar: Citus distributes the rows of the table over several shards"},
		{"reference table", "UPDATE pg_dist_partition SET repmodel = 't', colocationid = 9 WHERE logicalrelid = 's.jar'::regclass", "jar: the table is a reference table"},
		{"two schemas", "UPDATE pg_dist_partition SET colocationid = 8 WHERE logicalrelid = 's.jar'::regclass", "order: the table and that of jar may be on different workers"},
		{"one local table", "DELETE FROM pg_dist_partition WHERE logicalrelid = 's.jar'::regclass", "order: the table and that of jar may be on different workers"},
		{"worker", "UPDATE pg_dist_local_group SET groupid = 2", "connect to the coordinator"},
		{"array", `ALTER TABLE s."order" ALTER COLUMN tags TYPE integer[] USING NULL`, "order.tags: column is integer[], which cannot be written through Citus; change its type to jsonb"},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn, err := pool.Acquire(t.Context())
			must(t, err)
			defer conn.Release()
			opts := Options{CheckSchema: -1}
			if strings.Contains(c.change, "s.jars") {
				opts.Resources = map[string]Source{"jar": {Table: "jar", View: "jars"}}
			}
			b := New(pool, "s", opts)
			err = pgx.BeginFunc(t.Context(), conn, func(tx pgx.Tx) error {
				if _, err := tx.Exec(t.Context(), c.change); err != nil {
					return err
				}
				found, err := b.inspect(t.Context(), tx.Conn(), orders)
				if err != nil {
					return err
				}
				bound, err := b.bind(found, orders)
				if err == nil && bound.autocommit {
					t.Error("a single statement would have the default isolation of the worker")
				}
				return errors.Join(errUndo, err)
			})
			problem := strings.TrimPrefix(err.Error(), errUndo.Error())
			if !errors.Is(err, errUndo) || (problem == "") != (c.problem == "") || !strings.Contains(problem, c.problem) {
				t.Errorf("got %v, want %q", err, c.problem)
			}
		})
	}
}

var errUndo = errors.New("undo")

// statements is a tracer that keeps statements, with the state of their transaction.
type statements struct {
	mu    sync.Mutex
	begun bool
	alone []string // outside of a transaction
	all   []string
}

func (s *statements) add(conn *pgx.Conn, sql string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case strings.HasPrefix(sql, "BEGIN"):
		s.begun = true
	case sql == "COMMIT", sql == "ROLLBACK":
		s.begun = false
	case !s.begun && conn.PgConn().TxStatus() == 'I':
		s.alone = append(s.alone, sql)
	}
	s.all = append(s.all, sql)
}

func (s *statements) TraceQueryStart(ctx context.Context, conn *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	s.add(conn, data.SQL)
	return ctx
}

func (*statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (s *statements) TraceBatchStart(ctx context.Context, conn *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	for _, q := range data.Batch.QueuedQueries {
		s.add(conn, q.SQL)
	}
	return ctx
}

func (*statements) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

func (*statements) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// A statement with a sequence and a table would use a sequence of the worker.
func TestStatementsForCitus(t *testing.T) {
	pool := citusLike(t)
	must(t, Migrate(t.Context(), pool, "s", orders))
	execute(t, pool, distribute+"INSERT INTO s.jar VALUES (5), (6)")
	seen := pool.Config().ConnConfig.Tracer.(*statements)
	seen.all, seen.alone = nil, nil
	s, err := core.New(t.Context(), orders, New(pool, "s", Options{CheckSchema: -1}))
	must(t, err)
	defer s.Close() //nolint:errcheck // nothing is open
	jar := orders.Resource("jar")
	record := func(fields map[string]any) core.Record {
		rec, err := jar.NewRecord(fields)
		must(t, err)
		return rec
	}
	keys := func(recs []core.Record, err error) (keys []int64) {
		t.Helper()
		must(t, err)
		for _, rec := range recs {
			keys = append(keys, rec.Key().Int())
		}
		return keys
	}
	bound := len(seen.alone) // catalogs
	if got := keys(s.Insert(t.Context(), jar, record(nil), record(map[string]any{"id": 100}), record(nil))); got[0] != 7 || got[1] != 100 {
		t.Errorf("inserted %v", got)
	}
	execute(t, pool, "INSERT INTO s.jar VALUES (101), (102), (103)")
	ids, err := s.NextIDs(t.Context(), jar, 2)
	if err != nil || ids[0].Int() != 104 || ids[1].Int() != 105 {
		t.Errorf("next keys %v, %v", ids, err)
	}
	execute(t, pool, "INSERT INTO s.jar VALUES (106), (107)")
	if got := keys(s.Insert(t.Context(), jar, record(nil))); got[0] != 108 {
		t.Errorf("inserted after a collision: %v", got)
	}
	if _, err := s.Get(t.Context(), jar, core.IntValue(100)); err != nil {
		t.Error(err)
	}
	for _, sql := range seen.alone[bound:] {
		if strings.Contains(sql, `"s"."jar"`) {
			t.Errorf("outside of a transaction: %s", sql)
		}
	}
	for _, sql := range seen.all {
		if strings.Contains(sql, "jar_id_seq") && strings.Contains(sql, `"s"."jar"`) {
			t.Errorf("a sequence and a table in one statement: %s", sql)
		}
	}
}
