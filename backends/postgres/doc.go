// Package postgres is the backend for PostgreSQL 13 and later, tried on 15 and 18: the
// records of a model in ordinary tables of one schema.
//
//	backend, err := postgres.Open(ctx, "postgres://app@db/shop", "cookies", postgres.Options{})
//	store, err := core.New(ctx, model, backend)
//
// # Tables
//
// A resource is the table of its name, unless [Options.Resources] names another, and
// a stored field is the column of its name. The columns of the types, and what else
// may be there already:
//
//   - Int: bigint; integer and smallint
//   - Float: double precision; real
//   - Text: text; character varying
//   - Bool: boolean
//   - Time: timestamp with time zone
//   - UUID: uuid
//   - Bytes: bytea
//   - JSON and List: jsonb
//   - a to-one relation: a foreign key column of the type of the target's key
//   - a one-directional to-many relation: an array of the type of the target's key
//
// # Columns of other types
//
// The other types of the server (manual, chapter 8) are held in these forms:
//
//   - Text: numeric, money, character(n), name, enums, date, time, timestamp without
//     time zone, interval, inet, cidr, macaddr, bit strings, text search, xml, ranges,
//     geometric types, and every other type that is none of the model's and has no
//     parts, as the server spells its values
//   - List: arrays of any type, with elements as to_jsonb makes them; json
//   - JSON: json, and composite types as objects of their parts
//   - a domain: what the type below it is held in
//
// A value is written as the server reads it, and shown as the server spells it: "1e2"
// becomes the numeric "100", and the numeric(4,2) "1.5" becomes "1.50". One that the
// server does not read, cuts or finds out of range is [core.BadFieldValue], the rules
// of a domain included, and so is one that is too large for an index of its column.
// Dates and intervals are spelled in the style of the connection (DateStyle,
// IntervalStyle, TimeZone, lc_monetary), which has to be the same for all: [Open] sees
// to the first two, [New] leaves it to the pool's owner.
//
// Such a Text field sorts and compares as text, by code point, as it does on every
// backend: the numeric "10" comes before "9", an enum does not sort by its
// declaration, and equal is what is spelled the same, so that "1.0" does not find
// the numeric "1.00". Text that is no value of the type equals nothing, and is no
// error. UNIQUE and foreign keys of the database go by the type's own equality:
// there "1.0" and "1.00" are the same number. Give numeric keys a scale,
// numeric(12,0) or the like, so that each has one spelling.
//
// An equality, which includes keys and relations, is answered by an index on the
// column if the type is numeric, character(n), name, an enum, date, time, timestamp,
// inet, cidr, macaddr, macaddr8, a bit string or oid: there the type's own equality
// is asked as well as that of the texts. Of dates and times, this holds for the years
// 1 to 9999. A label that an enum does not have matches nothing. Everything else, and
// every order, range and prefix, looks at the text of each row, unless there is an
// index on the expression, such as ((price::text) COLLATE "C"), which the server
// makes for types whose spelling no setting changes.
//
// A PUT that does not name a field without a default in the model follows the column. A
// default that is the same for every row is set again (SET column = DEFAULT). The stored
// value is kept where the default is a function or an expression that is not IMMUTABLE
// (manual, section 38.7), such as now() or nextval, and of identity and generated columns.
// Without a default the column becomes null.
//
// Columns and tables that the model does not name are left alone. Defaults, generated
// columns and BEFORE triggers of the database do what they do; the records that a
// write returns show it, and conditions that policies put on writes see it. An AFTER
// trigger that changes the row again, or any other, does so unseen: the result is the
// row from before it, and conditions have been checked on that, so that no rule of
// access should rest on a column that AFTER triggers change. An insert whose rows a
// BEFORE trigger leaves out is [core.BadRequest]; what else the trigger did, such as
// to store them in another table, stays if the insert is no part of a transaction.
//
// A row with a value that the model has no place for, put there by somebody else, cannot
// be read, nor can any list that it is in, until the value is changed there: a NaN or an
// infinity in a Float, and a Time that is infinite, before Christ or after the year 9999.
// This is [core.ServerError], and its cause names the field and the key. Constraints such
// as CHECK (isfinite(at)) keep such values out.
//
// [DDL] writes the statements that create what a model needs, [Migrate] executes
// those that are missing and renames columns whose fields say what they were called
// before. Neither ever changes or drops anything else; for migrations that do, use a
// tool for them, such as goose (github.com/pressly/goose), and give it what DDL wrote as
// the first one. When a store is made, the backend compares the schema with the model and
// reports every difference by name.
//
// The constraints that DDL writes are deferred. A migration of your own that changes rows
// and then the same table needs SET CONSTRAINTS ALL IMMEDIATE between the two, because
// ALTER TABLE does not wait for checks that are due at the commit:
//
//	BEGIN;
//	UPDATE cookies.cookie SET jar = 1 WHERE jar IS NULL;
//	SET CONSTRAINTS ALL IMMEDIATE;
//	ALTER TABLE cookies.cookie ALTER COLUMN jar SET NOT NULL;
//	COMMIT;
//
// # Changing the schema while serving
//
// The backend looks once a minute ([Options.CheckSchema]) whether the tables, views and
// queries of the model are as they were. If they are not, the log says what has changed
// ([Options.Logger]), and transactions that begin later work with what there is now.
// Until then they work with what there was:
//
//   - Statements whose result changes its type are repeated, as after a conflict.
//   - After DROP NOT NULL, conditions find the nulls at once. Pages that are sorted by
//     that field first lack the nulls at their end until the backend has looked.
//   - After SET DEFAULT, new records get it at once, and a PUT that does not name the
//     field once the backend has looked.
//   - A column or table that is gone is [core.ServerError], and has the backend look
//     within a second.
//
// A schema that does not fit the model any more, so that no store could be made with it,
// makes all operations [core.Unavailable] until it fits again. The log names the
// differences. Such a change takes three steps. Add the new column or table, which the
// older model leaves alone. Replace the program by one with the new model. Then remove
// what is no longer used. To drop a constraint and make it anew, use one ALTER TABLE or
// one transaction.
//
// # Views
//
// [Options.Resources] says of a resource that it is read from a view or by a query,
// and which table, if any, it is written to: see [Source].
//
// # Transactions
//
// Every transaction is SERIALIZABLE (manual, section 13.2.3), unless
// [Options.Isolation] says less or a replica serves it. A transaction begins along
// with its first statement, so that it costs no round trip of its own; a single
// operation on a connection whose default is SERIALIZABLE, which [Open] sees to, is
// one statement without BEGIN. Deferrable constraints are deferred in every
// transaction that writes: those that are not so by themselves (INITIALLY IMMEDIATE)
// by SET CONSTRAINTS, if the database had any when the store was made.
//
// # Schemas of others
//
// Few schemas that were not made by [DDL] have deferrable constraints, and many delete
// by themselves (ON DELETE CASCADE). What package engine does works there as well. One
// Update can swap unique values: rows whose value another of its rows takes are set to
// null first, so that triggers see two changes. It cannot where the column is NOT NULL
// too or policies ask about it, nor can two Updates: that is [core.AlreadyExists]. A
// Delete of what is pointed at is refused, and ON DELETE CASCADE, SET NULL and SET
// DEFAULT do not happen, because they would not ask the policies that may hide what
// points there. They do happen, past all policies, along foreign keys that are no
// relation of the model: those of tables and columns that it does not name, of keys
// and plain fields, and of several columns. Package importer notes those of its resources.
// Where tables refer to each other, rows that point at deleted ones are set to null,
// and must be deleted or set to something else in the same transaction; until then, an
// operation on them whose policies ask about that field is refused as the Delete would
// be. Of several operations in a transaction, those that point at a record have to
// follow the one that inserts it and to precede the one that deletes it.
//
// Text sorts by code point, as on every backend. A column whose collation does not,
// which is the default of most databases, is compared as COLLATE "C", and its own
// index serves equality only. Orders, pages, ranges and prefixes look at all rows,
// unless there is an index such as
//
//	CREATE INDEX ON customer (name COLLATE "C", id)
//
// and for a key of type text
//
//	CREATE INDEX ON country (code COLLATE "C")
//
// # Conflicts
//
// Transactions that give unique values to rows that others are about to give away
// may wait for each other in a circle. The server finds that out after its
// deadlock_timeout, one second by default (manual, section 19.12), and the
// transaction that it ends is repeated.
//
// Policies are part of the statement that they guard: a row that a condition hides
// is not touched, and a row that would break one makes the statement fail.
//
// # Connections
//
// One pool that lives as long as the program is the advised way: [Open] makes it, or
// [New] takes the caller's. A pooler such as PgBouncer in transaction mode may stand
// before the server; [Options.Bouncer] has Open do without what it refuses.
//
// A [core.BackendFunc] can choose the connections by the principal of a request: a
// pool per tenant, from a map that the program keeps, or a connection of the
// request's own. Since such a backend is bound anew in each transaction, which reads
// the system catalogs, a tenant's backend is best wrapped so that its Bind runs once
// and its Close does nothing. A connection per request costs, besides that, what
// connecting costs, and is for those whom the server must see as themselves.
//
// # Replicas
//
// With [Options.Replicas], transactions begun as read-only and single reads, such as
// a plain Get, go to hot standbys in turn (manual, section 27.4); all others go to
// the primary. A backend reads what it has written: it remembers the timeline and the
// position in the log behind its last commit, which the server tells in the round trip of
// the commit itself, and a standby is asked, in the round trip of the read, whether it has
// replayed so far. A standby on another timeline is behind: after a failover, one that
// lacks the new primary's log serves nothing. When the backend is bound, all that is committed counts as
// written. If a standby is behind, gives no connection within half a second, fails or
// has been promoted, the primary reads instead, and the standby is left alone for a
// moment: 5 ms if it is behind, a second otherwise. If it fails in the middle of a
// transaction, the transaction is repeated, as after a conflict. So no error of a
// standby reaches a client while the primary works and attempts are left.
//
// To see at once that a standby has followed a failover, the role of the connections needs
// pg_read_all_stats, which is part of pg_monitor. Another role sees it at the next
// restartpoint of the standby (checkpoint_timeout), and the primary reads until then.
//
// What is given up: a standby has no SERIALIZABLE (manual, section 13.4.1), and so
// transactions there are REPEATABLE READ. They see one snapshot, of what had
// committed at some moment, but perhaps one that none of the orders explains in
// which the other transactions might have run one after the other (Fekete, O'Neil
// and O'Neil, A Read-Only Transaction Anomaly Under Snapshot Isolation, 2004). What
// other programs have committed may be seen late, and a read may show less of it
// than the one before did. [Options.MaxLag] limits how late. This concerns policies too:
// a principal whose right was revoked by another program reads by the old state of the
// replica until then. A transaction that has to know better is one that is not read-only.
//
// A write then always costs BEGIN and COMMIT, which travel along, where without
// replicas a single one is a lone statement.
//
// # Keys
//
// Keys come from the column's default: an identity, a sequence, or any expression
// such as gen_random_uuid(). A key that is given explicitly moves an identity, or the
// sequence of a default that is nextval and nothing else, when its transaction has
// committed. An insert that generates a key which is taken by then moves the sequence
// and is repeated with another key. Keys beyond half of what the sequence can reach do
// not move it, so that no row uses it up. What an expression makes of a sequence is not
// known, and sequences that go down are left alone. Keys of a column without a default
// are assigned, see [core.KeySource]: whoever creates a record names its key. Those of
// type uuid are random instead. [Backend.KeySource] says which keys clients may choose.
// A key that the server generates from other columns is fixed, and so are these: an
// update that would change it is [core.FieldUpdateForbidden].
//
// # Privileges
//
// The role of the connections needs USAGE on the schema; SELECT, INSERT, UPDATE and
// DELETE on the tables, as far as it is to do that, where each write needs SELECT as
// well; and USAGE, SELECT and UPDATE on the sequences of keys that it hands out ahead
// or is given:
//
//	GRANT USAGE ON SCHEMA cookies TO app;
//	GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA cookies TO app;
//	GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA cookies TO app;
//
// Without those on the sequences, keys of identity columns still come with inserts, and
// a sequence that is behind its table is left there. [Options.Migrate] needs to own what
// it changes. What the role may not do, and rows that row security (manual, section 5.8)
// does not let it write, are [core.Forbidden].
//
// # Errors
//
// Violated constraints become the codes of package core, with the names of the
// model; nothing that a client can see has SQL, names of constraints or values of
// other rows in it. A server out of reach, a full disk and a timeout are
// [core.Unavailable]. Connections that break, by a restart or because a standby took
// over (target_session_attrs, manual, section 34.1.2), fail what was running on them,
// and the pool makes new ones. A write whose commit may have happened meanwhile is
// [core.OutcomeUnknown], which errors.Is also finds as [core.ErrCommitUnknown]. To be
// safe to repeat, such a write has a key of its own choosing: an Insert that happened
// before is then [core.AlreadyExists]. [core.ErrCommitUnknown] is also the error of one that happened although the database made of it
// what the model cannot hold, such as an infinite time.
//
// A call waits for the server as long as its context lasts, and without a deadline for
// [Options.CallTimeout], because a server that is frozen answers nothing and closes nothing.
// Give [core.New] a context with a deadline too: reading the catalogs and migrating are not
// bounded otherwise. A host that is gone without a word is noticed 30 seconds after its last
// sign of life, by keepalives and on Linux by TCP_USER_TIMEOUT, where [Open] made the pool.
//
// With synchronous standbys (synchronous_standby_names), a commit is acknowledged once
// they have it. If its wait is cancelled, by the end of the context or an administrator,
// the server commits on the primary alone and reports success with a warning. The backend
// returns [core.ErrCommitUnknown] then. It sees the warning through pools of [Open] and
// those made from [ParseConfig]; with another pool given to [New], every write whose commit
// returns after the end of its context is [core.ErrCommitUnknown], and a wait that an
// administrator cancels is not seen.
package postgres
