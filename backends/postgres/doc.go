// Package postgres is the backend for PostgreSQL: it stores the records of a model in ordinary tables of one schema. It
// supports version 13 and later.
//
//	backend, err := postgres.Open(ctx, "postgres://app@db/shop", "cookies", postgres.Options{})
//	store, err := core.New(ctx, model, backend)
//
// # Tables
//
// A resource is the table of the same name, unless [Options.Resources] names another. A stored field is the column of the
// same name. These are the column types, with the type that [DDL] uses first:
//
//   - Int: bigint; also integer and smallint
//   - Float: double precision; also real, as the shortest decimal of each value, such as 34.8. Conditions and orders compare
//     that decimal, so no index on the column serves them
//   - Text: text; also character varying
//   - Bool: boolean
//   - Time: timestamp with time zone
//   - Date: date
//   - Decimal: numeric; a scale of the column is enforced, see [core.FieldSpec.Scale] for showing it
//   - LocalTime: timestamp without time zone
//   - UUID: uuid
//   - Bytes: bytea
//   - JSON and List: jsonb
//   - a to-one relation: a foreign key column of the type of the target's key
//   - a one-directional to-many relation: an array of the type of the target's key
//
// The parts of a key of several fields are columns, and together the primary key; the key itself has no column. A relation
// to such a key through [core.FieldSpec.Via] uses the columns of these fields. Without Via, it has a column for each column of
// the key, and their names join those of the relation and of the column by "_": a relation "spare" to a key of "order" and
// "number" is stored in "spare_order" and "spare_number". Its foreign key has all of the columns, with MATCH FULL if no other
// field uses them. The relation is null if one of them is null.
//
// [DDL] returns the statements that create the tables of a model. [Migrate] executes the missing ones and renames columns
// of renamed fields. Neither drops or changes anything else. For other migrations use a tool such as goose
// (github.com/pressly/goose), with the statements of DDL as its first migration. Package importer describes existing
// tables as a model.
//
// When a store is made, the backend compares the schema with the model. If they do not fit, the error lists every
// difference. Columns and tables that are not in the model are ignored.
//
// The constraints of DDL are deferred, and ALTER TABLE fails while checks are pending. A migration that changes rows and
// then the same table needs SET CONSTRAINTS ALL IMMEDIATE in between:
//
//	BEGIN;
//	UPDATE cookies.cookie SET jar = 1 WHERE jar IS NULL;
//	SET CONSTRAINTS ALL IMMEDIATE;
//	ALTER TABLE cookies.cookie ALTER COLUMN jar SET NOT NULL;
//	COMMIT;
//
// # Defaults, generated columns and triggers
//
// Defaults, generated columns and BEFORE triggers take effect. The records that a write returns show their results, and
// the conditions of policies on writes apply to them. An AFTER trigger that changes the row again does so after the
// conditions were checked, and the returned record does not show its change. Do not base access rules on columns that
// AFTER triggers change.
//
// An Insert is [core.BadRequest] if a BEFORE trigger skips its rows. Other effects of the trigger remain if the Insert is
// not part of a larger transaction.
//
// A PUT that omits a field without a default in the model uses the default of the column. If the default is the same for
// every row, the column is set to it (SET column = DEFAULT). The column keeps its value if the default is not IMMUTABLE
// (manual, section 38.7), such as now() or nextval, and if the column is an identity or generated. Without a default the
// column becomes null.
//
// # Columns of other types
//
// Columns may have any type of the server (manual, chapter 8). Fields represent the types that the list above lacks as
// follows:
//
//   - Text: money, character(n), name, enums, time, interval, inet, cidr, macaddr, bit strings, text search, xml,
//     ranges, geometric types, and all other types without components, as the server spells their values
//   - List: arrays of any type, with elements as to_jsonb makes them; json
//   - JSON: json, and composite types as objects of their components
//   - a domain: like its base type
//   - Text also: numeric, date and timestamp without time zone, for a model without these types
//
// The server parses written values and spells returned ones: "1e2" becomes the numeric "100", and "1.5" becomes the
// numeric(4,2) "1.50". A value that the server would reject, truncate or find out of range is [core.BadFieldValue]. So is
// a value that violates the rules of a domain, or is too large for an index of its column. A violated NOT NULL or CHECK is
// [core.ValidationFailed]. The spelling of dates and
// intervals depends on settings (DateStyle, IntervalStyle, TimeZone, lc_monetary), which must be the same for all
// connections. [NewPool] sets the first two; in another pool, its owner must set them.
//
// Such a Text field sorts and compares as text, by code point, as on every backend: the numeric "10" comes before "9", and
// enums do not sort in the order of their declaration. Equality compares the spelling: "1.0" does not find the numeric
// "1.00". A string that is no value of the type equals nothing and is no error. UNIQUE and foreign keys use the equality
// of the type, for which "1.0" and "1.00" are the same number. Give numeric keys a scale, such as numeric(12,0), so that
// each key has one spelling.
//
// An index on the column serves equality, including keys and relations, for these types: numeric, character(n), name,
// enums, date, time, timestamp, inet, cidr, macaddr, macaddr8, bit strings and oid. For dates and times this holds for the
// years 1 to 9999. A label that an enum does not have matches nothing. All other conditions and orders read the text of
// every row, unless there is an index on the expression, such as ((price::text) COLLATE "C"). The server permits such an
// index for types with a spelling that does not depend on settings.
//
// Other programs can store values that the model does not represent: NaN or an infinity in a Float or Decimal, a Decimal of more than 1,000 digits, and a Time, Date or LocalTime that is
// infinite, before Christ or after the year 9999. The row, and every list with the row, then fails with
// [core.ServerError] until the value is changed. The cause names the field and the key. Constraints such as
// CHECK (isfinite(at)) prevent such values.
//
// # Text order
//
// Text sorts by code point, as on every backend. Most databases have another default collation. The backend compares
// columns with such a collation with COLLATE "C", and their ordinary index serves only equality. Orders, pages, ranges and
// prefixes then read all rows, unless there is an index such as
//
//	CREATE INDEX ON customer (name COLLATE "C", id)
//
// and for a key of type text
//
//	CREATE INDEX ON country (code COLLATE "C")
//
// DDL gives text columns the collation "C".
//
// An order by a relation with several columns reads all rows, too, unless they are NOT NULL or their foreign key is MATCH FULL:
// rows with null in only some of the columns sort as if all were null.
//
// The operators contains and icontains, and so a search, read all rows, unless there is an index of the extension pg_trgm:
//
//	CREATE INDEX ON customer USING gin (name COLLATE "C" gin_trgm_ops)
//
// # Conditions on related records
//
// A condition on related records is an EXISTS in the same statement, in reads, updates and deletes. It reads the tables,
// views or queries that [Options.Resources] names for reads. An order by a path joins the rows that the path leads to.
//
// The planner cannot know how many rows such a condition leaves, and a wrong guess makes a page with a limit slow: a member
// of all projects would read all rows, and a member of none would search the whole table. The statement of a page
// therefore counts the matching rows up to 1,000. If there are no more, it reads all of them and sorts; otherwise it reads
// the rows in the order of the page and decides the condition for each.
//
// A policy such as "issues of projects with a membership of the user" leads from a row to one record by a to-one relation. If
// it permits at most 16 such records, and an index has the relation and then the fields of the order, the statement merges the
// rows of these records in the order of the page. It reads little more than the page. The keys of the records must be
// integers or UUIDs, and the page must have a usual size, such as 20, 25, 50 or 100.
//
// Each step of a condition needs an index: on the foreign key of a to-one relation, which DDL makes, and on the fields that
// the condition compares. For a policy such as "issues of projects with a membership of the user" these are
//
//	CREATE INDEX ON issue (project, id);
//	CREATE INDEX ON membership ("user");
//	CREATE INDEX ON membership (project);
//
// No index serves a list of keys from the other side, nor an order by a path: such a page reads all rows that match its
// condition.
//
// Turn the JIT compiler off (jit, manual, section 32): compiling such statements takes longer than executing them. Open does
// that; for other pools use ALTER ROLE app SET jit = off.
//
// # Views
//
// [Options.Resources] can read a resource from a view or a query, and name the table for its writes: see [Source].
//
// # Transactions
//
// Every transaction is SERIALIZABLE (manual, section 13.2.3), unless [Options.Isolation] has another level or a replica
// serves it. BEGIN is sent together with the first statement and takes no round trip of its own. On connections of [Open],
// a single operation is one statement without BEGIN, because their default level is SERIALIZABLE.
//
// Every transaction that writes defers all deferrable constraints. For INITIALLY IMMEDIATE constraints it executes SET
// CONSTRAINTS, if the database had any when the store was made.
//
// Conditions of policies are part of the statement that they guard: the statement does not change a hidden row, and fails
// if a row would violate a condition.
//
// The locks of [core.TxOptions] are advisory locks (manual, section 13.3.5), which transactions of all processes on the
// schema respect. They cost a round trip before the first statement, and work through PgBouncer. A transaction that waits
// for a lock occupies a connection of its pool; with a context without deadline it waits for at most
// [Options.CallTimeout]. If the wait fails, its connection is closed.
//
// Transactions that exchange unique values may wait for each other in a cycle. The server detects that after its
// deadlock_timeout, one second by default (manual, section 19.12), and aborts one transaction, which is repeated.
//
// # Keys
//
// The column's default generates keys: an identity, a sequence, or any expression such as gen_random_uuid(). UUID keys
// without a default are random. All other keys without a default are assigned: clients name the key when they create a
// record, see [core.KeySource]. [Backend.KeySource] reports which keys clients may choose.
//
// A key that a client chooses advances the identity, or the sequence of a default that is only nextval, after the commit.
// Keys beyond the middle of the sequence's range do not advance it, so that no record exhausts the sequence. If an Insert
// generates an existing key, the backend advances the sequence and repeats the Insert. It does not advance sequences in
// other expressions, nor descending ones.
//
// A key that the server generates from other columns is fixed, and so are those columns: an update that would change the
// key is [core.FieldUpdateForbidden].
//
// # Numbered fields
//
// The table larder_number has the counters of numbered fields ([core.FieldSpec.NumberedBy]): the name of the field with the
// value of the group, and the last number. DDL and Migrate create it. The counter of a group starts after the highest number
// of the table's rows when Larder inserts into the group for the first time; an index on the group and the number makes that
// fast. A program that inserts numbers with SQL afterwards must raise the counter itself. The group must not have a default
// or a trigger that changes it.
//
// # Remembered answers
//
// The table larder_answer has the answers to writes with an idempotency key, if the model declares [core.AnswersName]. DDL and
// Migrate create it, with an index on the time of expiry, and the importer reads it back as that declaration. Its rows can be
// deleted at any time: a request that is repeated later is then performed again.
//
// # Tables of other programs
//
// Tables that were not made by DDL rarely have deferrable constraints and often have ON DELETE CASCADE. Package engine works
// on such tables as well, with these differences:
//
//   - One Update can swap unique values: it first sets them to null, so that triggers see two changes. It cannot if the
//     column is NOT NULL, if policies concern the column, or if the index is unique over several columns or in part of the rows;
//     two Updates cannot either. That is [core.AlreadyExists].
//   - Deleting a referenced record is rejected. ON DELETE CASCADE, SET NULL and SET DEFAULT of relations have no effect,
//     because they would bypass policies that hide the referring records.
//   - Foreign keys that are no relation of the model keep their ON DELETE action, which bypasses all policies: foreign
//     keys of tables and columns outside the model, of keys and plain fields, and of several columns. Package importer
//     notes them.
//   - If tables refer to each other, the backend sets references to deleted rows to null. The referring rows must be
//     deleted or changed in the same transaction. Until then, operations on them whose policies concern that field are
//     rejected like the Delete.
//   - Within a transaction, operations that refer to a record must follow its Insert and precede its Delete.
//
// # Schema changes
//
// The backend checks once a minute ([Options.CheckSchema]) whether the tables, views and queries of the model have changed.
// If so, it logs the changes ([Options.Logger]), and later transactions use the present schema. Until then:
//
//   - Statements with a result of another type are repeated, as after a conflict.
//   - After DROP NOT NULL, conditions find nulls at once. Pages sorted by the field lack the nulls at their end until the
//     check.
//   - After SET DEFAULT, new records have the default at once. A PUT that omits the field uses it after the check.
//   - A missing column or table is [core.ServerError], and causes a check within a second.
//
// If the schema no longer fits the model, all operations are [core.Unavailable] until it fits again, and the log lists the
// differences. Make such a change in three steps: add the new column or table, which the old model ignores; replace the
// program by one with the new model; remove the old column or table. To replace a constraint, use one ALTER TABLE or one
// transaction.
//
// # Connections
//
// Use one pool for the life of the program: [Open] makes one, and [New] takes the caller's, from [NewPool]. A pooler such as PgBouncer in
// transaction mode may stand in front of the server; set [Options.Bouncer] for it.
//
// Tenants with a schema each have a backend and a store each, and can share one pool. [StopWrites] and [CopySchema] move a schema
// to another server. SCALE.md has more, and the recipe cookbook/tenants creates, migrates and moves tenants.
//
// A [core.BackendFunc] can choose the connections by the principal of a request, for example a pool per tenant from a map
// of the program. Such a backend is bound in each transaction, which reads the system catalogs. Wrap a tenant's backend so
// that its Bind runs once and its Close does nothing. A connection per request additionally costs the time of connecting;
// it is for users that the server must see as separate roles.
//
// # Replicas
//
// With [Options.Replicas], hot standbys serve read-only transactions and single reads, such as a plain Get, in turn (manual,
// section 27.4). The primary serves everything else.
//
// A backend reads its own writes. A commit reads the timeline and the position of the primary's log in the same round trip.
// A read on a standby verifies, in its own round trip, that the standby has replayed up to this position. A standby on
// another timeline counts as lagging: after a failover, a standby without the new primary's log serves nothing. When the
// store is made, all earlier commits count as its own.
//
// If a standby lags, fails, has been promoted, or gives no connection within half a second, the primary serves the read. The
// standby is not used for 5 ms if it lags, otherwise for a second; then one read tries it. If it fails in the middle of a
// transaction, the transaction is repeated, as after a conflict. Clients see no error of a standby while the primary works and
// attempts remain. A read that takes longer than half a second makes the backend ask the standby for a new connection: if
// there is no answer within two seconds, the standby is frozen, and the primary serves the read about five seconds after its start.
// A pooler answers in the place of its standby.
//
// A role with pg_read_all_stats, which is part of pg_monitor, sees at once that a standby has followed a failover. Other
// roles see it after the standby's next restartpoint (checkpoint_timeout); until then the primary serves the reads.
//
// Replicas have these costs:
//
//   - A standby has no SERIALIZABLE (manual, section 13.4.1). Its transactions are REPEATABLE READ: they see one snapshot,
//     but possibly one that no serial order of the transactions explains (Fekete, O'Neil and O'Neil, A Read-Only
//     Transaction Anomaly Under Snapshot Isolation, 2004).
//   - Commits of other programs may become visible late, and a read may show less than an earlier one. [Options.MaxLag]
//     limits the delay. This includes policies: after another program has revoked a right, reads on the replica still have
//     it for a while. Transactions that must not see old data must not be read-only.
//   - Every write needs BEGIN and COMMIT, which are sent along with it.
//
// SCALE.md in this folder describes failover: clusters with a standby that takes over.
//
// # Citus
//
// With the extension Citus, the backend supports a schema per tenant, each on one worker. SCALE.md beside this file describes how,
// and the differences. Tables that Citus distributes by a column, and reference tables, are an error when the store is made,
// because their transactions are not serializable together. On a database with the extension, each operation has BEGIN and
// COMMIT, an Insert lists its values, and no statement uses both a sequence and a table.
//
// # Privileges
//
// The role of the connections needs USAGE on the schema; SELECT, and as required INSERT, UPDATE and DELETE on the tables,
// where every write also needs SELECT; and USAGE, SELECT and UPDATE on the sequences of keys:
//
//	GRANT USAGE ON SCHEMA cookies TO app;
//	GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA cookies TO app;
//	GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA cookies TO app;
//
// Without privileges on sequences, inserts still generate the keys of identity columns, but a sequence that is behind its
// table is not advanced. [Options.Migrate] needs ownership of the objects that it changes. Missing privileges and rows that
// row security rejects (manual, section 5.8) are [core.Forbidden].
//
// # Errors
//
// Violated constraints have the codes of package core and the names of the model. Error texts for clients contain neither
// SQL nor names of constraints nor values of other rows. An unreachable server, a full disk and a timeout of the context are
// [core.Unavailable]. A statement that takes longer than [Options.StatementTimeout] is [core.QueryTooExpensive].
//
// When connections break, by a restart or a failover (target_session_attrs, manual, section 34.1.2), their running
// operations fail and the pool makes new connections. A write that may have been committed is [core.OutcomeUnknown], and
// errors.Is also matches [core.ErrCommitUnknown]. To be safe to repeat, a write needs a key of the client's choice: if the
// first Insert has happened, the second one is [core.AlreadyExists]. A write is [core.ErrCommitUnknown] too if it was
// committed and its result cannot be read, because the database stored a value that the model does not represent.
//
// A call waits for the server as long as its context permits; without a deadline, as long as [Options.CallTimeout], because
// a frozen server neither answers nor closes its connections. Give [core.New] a context with a deadline too: reading the
// catalogs and migrating have no other limit. In pools of [Open], keepalives and on Linux TCP_USER_TIMEOUT detect a host
// that has disappeared 30 seconds after its last sign of life.
//
// With synchronous standbys (synchronous_standby_names), the server acknowledges a commit when they have it. If the wait is
// cancelled, by the end of the context or by an administrator, the server keeps the commit on the primary and reports
// success with a warning. The backend then returns [core.ErrCommitUnknown]. It detects the warning in pools of [Open] and in
// pools made from [ParseConfig]. With other pools, every write with a commit that returns after the end of its context is
// [core.ErrCommitUnknown], and a wait that an administrator cancels remains undetected.
//
// # Versions
//
// make test runs the kit for backends on the installed version of the server and on 18 from npm, the rules of the engine and of
// REST in full on 18 and in other modes on the installed version, tests of newer features on 18, and all other tests on the
// installed version. make test-versions runs the tests of this package on other versions, except those of standbys, for which the
// programs of npm do not suffice.
//
// These versions were tried. "Kits" are the kit for backends and the rules of the engine and of REST in full, on direct
// connections; "further tests" are those of this package without the kits in other modes.
//
//	version  tried       result
//	13.23    2026-11-30  kits and further tests pass; the version has no multiranges
//	14.23    2026-11-30  kits pass
//	15.18    2026-11-30  all tests of this package pass, on Debian's package
//	16.14    2026-11-30  kits and further tests pass
//	17.10    2026-11-30  kits and further tests pass
//	18.4     2026-11-30  kits and further tests pass, those of package importer too
//
// Before version 15, the tests of package importer do not run, because their schemas have newer syntax.
package postgres
