package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/larder-go/larder/core"
)

// Citus stores the rows of a distributed table in shards, which are tables of workers; see SCALE.md. The backend supports tables with
// one shard each, of the same colocation group: their transactions run on one worker, whose isolation is that of PostgreSQL.

// distribution describes how Citus stores a table (table pg_dist_partition).
type distribution struct {
	method      string // n: one shard, or a copy on each node; h, r and a: several shards
	replication string // t: a reference table, with a copy on each node
	colocation  int32  // tables of the same group have their shards on the same worker; 0 for tables of the coordinator
	shards      []int64
}

// shards maps the names of tables, indexes and constraints on the workers to the objects that the names stand for. Names
// of shards end with their number.
type shards map[string]objectName

const (
	// coordinatorQuery reports whether the connection leads to the coordinator.
	coordinatorQuery = `SELECT groupid = 0 FROM pg_dist_local_group`

	distributionsQuery = `
SELECT n.nspname::text, c.relname::text, d.partmethod::text, d.repmodel::text, d.colocationid,
       ARRAY(SELECT s.shardid FROM pg_dist_shard s WHERE s.logicalrelid = d.logicalrelid ORDER BY s.shardid)
FROM pg_dist_partition d
JOIN pg_class c ON c.oid = d.logicalrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY ($1::text[])`

	// immediateQuery returns the constraints that are deferrable but not deferred: Citus does not send SET CONSTRAINTS to
	// the workers.
	immediateQuery = `
SELECT n.nspname::text, c.relname::text, k.conname::text
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_dist_partition d ON d.logicalrelid = c.oid
WHERE n.nspname = ANY ($1::text[]) AND k.condeferrable AND NOT k.condeferred`

	// shardsQuery returns the names on the workers. Citus shortens a name with which the number of the shard would exceed 63
	// bytes, and adds a hash of the whole name.
	shardsQuery = `
WITH shard AS (
  SELECT c.oid, n.nspname::text AS schema, c.relname::text AS "table", '_' || s.shardid AS suffix
  FROM pg_dist_shard s
  JOIN pg_class c ON c.oid = s.logicalrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = ANY ($1::text[])
), object AS (
  SELECT schema, "table", suffix, '' AS name, "table" AS whole FROM shard
  UNION ALL
  SELECT schema, "table", suffix, i.relname::text, i.relname::text
  FROM shard JOIN pg_index x ON x.indrelid = shard.oid JOIN pg_class i ON i.oid = x.indexrelid
  UNION ALL
  SELECT schema, "table", suffix, k.conname::text, k.conname::text
  FROM shard JOIN pg_constraint k ON k.conrelid = shard.oid AND k.contype IN ('c', 'f')
)
SELECT schema, "table", name, CASE WHEN octet_length(whole || suffix) < 64 THEN whole || suffix ELSE (
         SELECT left(whole, n) FROM generate_series(char_length(whole), 1, -1) AS n
         WHERE octet_length(left(whole, n) || suffix) <= 54 LIMIT 1) || '_' || lpad(to_hex(hashtext(whole)), 8, '0') || suffix END
FROM object`
)

// readCitus reads how Citus stores the tables of the schemas.
func (c *catalog) readCitus(ctx context.Context, conn *pgx.Conn, schemas []string) error {
	c.shards = make(shards)
	batch := &pgx.Batch{}
	batch.Queue(coordinatorQuery).QueryRow(func(row pgx.Row) error { return row.Scan(&c.coordinator) })
	batch.Queue(distributionsQuery, schemas).Query(c.readDistributions)
	batch.Queue(immediateQuery, schemas).Query(c.readImmediate)
	batch.Queue(shardsQuery, schemas).Query(c.shards.read)
	return conn.SendBatch(ctx, batch).Close()
}

// onWorker reports whether tables are on a worker.
func (c *catalog) onWorker() bool {
	for _, t := range c.tables {
		if t.distribution != nil && t.distribution.colocation != 0 {
			return true
		}
	}
	return false
}

func (c *catalog) readDistributions(rows pgx.Rows) error {
	var name relation
	for rows.Next() {
		d := &distribution{}
		if err := rows.Scan(&name.schema, &name.name, &d.method, &d.replication, &d.colocation, &d.shards); err != nil {
			return err
		}
		if t := c.tables[name]; t != nil {
			t.distribution = d
		}
	}
	return rows.Err()
}

func (c *catalog) readImmediate(rows pgx.Rows) error {
	var at objectName
	for rows.Next() {
		if err := rows.Scan(&at.schema, &at.table, &at.name); err != nil {
			return err
		}
		t := c.tables[relation{at.schema, at.table}]
		for i, x := range t.indexes {
			t.indexes[i].immediate = x.immediate || x.name == at.name
		}
		for i, k := range t.foreignKeys {
			t.foreignKeys[i].immediate = k.immediate || k.name == at.name
		}
	}
	return rows.Err()
}

func (s shards) read(rows pgx.Rows) error {
	var object objectName
	var name string
	for rows.Next() {
		if err := rows.Scan(&object.schema, &object.table, &object.name, &name); err != nil {
			return err
		}
		s[name] = object
	}
	return rows.Err()
}

// compareDistribution reports tables that Citus stores in a way that cannot keep the promises of [core.Backend].
func (c *comparison) compareDistribution(m *core.Model) {
	var first *core.Resource // with its group
	var group int32
	distributed := false
	for _, r := range m.Stored() {
		s := c.opts.source(r)
		for _, name := range []string{s.Table, s.View} {
			t := c.found.tables[s.relation(c.schema, name)]
			if t == nil || t.kind == "v" {
				continue // a view is where its tables are
			}
			d := cmp.Or(t.distribution, &distribution{method: "n"})
			distributed = distributed || t.distribution != nil
			c.compareDistributed(t, r)
			switch {
			case d.method != "n":
				c.add(difference{problem: r.Name() + ": Citus distributes the rows of the table over several shards, whose transactions are not serializable together; " +
					"give each tenant a schema with a shard of its own (citus.enable_schema_based_sharding)"})
			case d.replication == "t":
				c.add(difference{problem: r.Name() + ": the table is a reference table of Citus, whose copies are not serializable together; " +
					"give each tenant a table of its own"})
			case first == nil:
				first, group = r, d.colocation
			case d.colocation != group:
				c.add(difference{problem: fmt.Sprintf("%s: the table and that of %s may be on different workers of Citus, whose transactions are not serializable together; "+
					"keep all tables of a model in one distributed schema, or all on the coordinator", r.Name(), first.Name())})
			}
		}
	}
	if distributed && !c.found.coordinator {
		c.add(difference{problem: "the connection leads to a worker of Citus, where locks and sequences are not those of the coordinator; connect to the coordinator"})
	}
}

// compareDistributed reports columns of a distributed table with types that need a subquery for writing, which Citus rejects.
func (c *comparison) compareDistributed(t *catalogTable, r *core.Resource) {
	for _, cell := range cellsOfResource(r) {
		if col := t.columns[cell.name]; t.distribution != nil && col != nil && col.fits(cell) && formOf(col, cell).json {
			c.report(cell.field, "%s is %s, which cannot be written through Citus; change its type to %s", cell.columnOr("column"), col.display, cell.sqlType())
		}
	}
}

// Citus returns the errors of workers without the names of objects in their fields. At a commit, it returns the error of the
// worker as a warning, and then an error of its own.
const (
	workerError      = "ReportResultError"                      // routine that returns the error of a worker
	workerLost       = "ReportConnectionError"                  // routine that returns the error of a connection to a worker
	workerUnhealthy  = "CheckRemoteTransactionsHealth"          // routine that finds a lost connection before a commit
	workerCommitLost = "ErrorIfPostCommitFailedShardPlacements" // routine that returns the error of a commit
	// Routine that checks a commit of the coordinator for conflicts after the worker has committed. The transactions of
	// this package do not write to tables of the coordinator, but those that move tables do.
	commitCheck = "PreCommit_CheckForSerializationFailure"
)

// workerWarningKey is the key in the custom data of a connection for the warnings with errors of workers.
const workerWarningKey = "larder: errors of workers"

// recordWorkerWarning records the errors of workers at a commit.
func recordWorkerWarning(conn *pgconn.PgConn, n *pgconn.Notice) {
	if n.Routine == workerError || n.Routine == workerLost {
		recorded, _ := conn.CustomData()[workerWarningKey].([]*pgconn.PgError)
		conn.CustomData()[workerWarningKey] = append(recorded, (*pgconn.PgError)(n))
	}
}

// withoutShards returns the error of a call as a server without Citus would return it.
func (t *transaction) withoutShards(err error) error {
	server, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || !t.backend.citus {
		return err
	}
	whole := server
	switch {
	case server.Routine == workerCommitLost:
		recorded, _ := t.conn.Conn().PgConn().CustomData()[workerWarningKey].([]*pgconn.PgError)
		whole = commitError(server, recorded)
	case server.Routine == commitCheck && t.backend.onWorker:
		whole = withSeverity(server, "FATAL")
	}
	whole = t.backend.withTableNames(whole)
	if isReadError(err) {
		return &readError{whole}
	}
	return whole
}

// commitError returns the error of the worker for a failed commit. If the connection to the worker was lost, the worker may
// have committed: the error is FATAL, as that of a server which ends the connection during a commit.
func commitError(server *pgconn.PgError, recorded []*pgconn.PgError) *pgconn.PgError {
	lost := func(e *pgconn.PgError) bool {
		return slices.ContainsFunc([]string{"08", "57P", "XX"}, func(class string) bool { return strings.HasPrefix(e.Code, class) })
	}
	if len(recorded) > 0 {
		server = recorded[max(slices.IndexFunc(recorded, lost), 0)]
	}
	if lost(server) {
		return withSeverity(server, "FATAL")
	}
	return withSeverity(server, "ERROR")
}

func withSeverity(err *pgconn.PgError, severity string) *pgconn.PgError {
	e := *err
	e.Severity, e.SeverityUnlocalized = severity, severity
	return &e
}

// withTableNames returns the error with the names of the tables, indexes and constraints, in place of those of the shards. It
// finds the names in the message, because the fields of an error of a worker are empty.
func (b *binding) withTableNames(err *pgconn.PgError) *pgconn.PgError {
	e := *err
	switch {
	case e.Code == "XX000" && (e.Routine == workerError && strings.Contains(e.Message, "connection") || e.Routine == workerUnhealthy):
		e.Code = "08006" // the connection is lost, for which Citus has no SQLSTATE here
	case e.Routine == workerError && raisedBy.MatchString(e.Where):
		e.File = languageFiles[0]
	}
	if !strings.HasPrefix(e.Code, "23") && !strings.HasPrefix(e.Code, "54") {
		return &e
	}
	object, found := b.shards.in(e.Message)
	if !found {
		if e.Routine == workerError && e.DataTypeName == "" {
			e.DataTypeName = unnamedDomain
		}
		return &e
	}
	e.SchemaName, e.TableName, e.ConstraintName = object.schema, object.table, object.name
	if e.Code == foreignKeyViolation || e.Code == restrictViolation {
		e.Detail = b.shards.withoutLast(e.Detail)
	}
	if t := b.tableNamed(nil, b.partitions.toRoot(&e)); t != nil {
		switch e.Code {
		case checkViolation:
			e.ConstraintName = cmp.Or(e.ConstraintName, quotedIn(e.Message, t.checks))
		case notNullViolation:
			e.ColumnName = cmp.Or(e.ColumnName, quotedIn(e.Message, t.fields))
		}
	}
	return &e
}

// unnamedDomain stands for the domain of an error of a worker that names no table.
const unnamedDomain = "domain"

// in returns the object with the longest name in a text: an index rather than its table.
func (s shards) in(text string) (object objectName, found bool) {
	length := 0
	for name, o := range s {
		better := len(name) > length
		if length > 0 && (o.name == "") != (object.name == "") {
			better = o.name != ""
		}
		if better && strings.Contains(text, name) {
			object, length = o, len(name)
		}
	}
	return object, length > 0
}

// withoutLast replaces the last name of a table of the workers in the detail of an error. Earlier ones may be values.
func (s shards) withoutLast(detail string) string {
	at, last := -1, ""
	for name, o := range s {
		if i := strings.LastIndex(detail, name); o.name == "" && i > at {
			at, last = i, name
		}
	}
	if at < 0 {
		return detail
	}
	return detail[:at] + s[last].table + detail[at+len(last):]
}

// quotedIn returns the longest of the names that the text has in quotes; "" if there is none.
func quotedIn[V any](text string, names map[string]V) (longest string) {
	for name := range names {
		if len(name) > len(longest) && strings.Contains(text, `"`+name+`"`) {
			longest = name
		}
	}
	return longest
}

// andUsing writes the condition of a policy on the rows of a write. Citus fails for a WITH query that writes if its condition
// is always false, so for remote tables the condition depends on the row.
func (r row) andUsing(using core.Filter) {
	if !r.table.remote || using.Kind() == core.FilterAll {
		r.and(using)
		return
	}
	r.WriteString(" AND (")
	r.filter(using, false)
	r.write(" OR ", r.never(), ")")
}

// never returns a condition that no row satisfies and that the planner does not evaluate in advance.
func (r row) never() string {
	key := r.column(r.table.key.cells[0])
	return key + " <> " + key
}
