// Package postgres is the backend for PostgreSQL 13 and later: the records of a
// model in ordinary tables of one schema.
//
//	backend, err := postgres.Open(ctx, "postgres://app@db/shop", "cookies", postgres.Options{})
//	store, err := core.New(ctx, model, backend)
//
// # Tables
//
// A resource is the table of its name, a stored field the column of its name. The
// columns of the types, and what else may be there already:
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
// Columns and tables that the model does not name are left alone. Defaults,
// generated columns and triggers of the database do what they do, and the records
// that a write returns show it.
//
// [DDL] writes the statements that create what a model needs, [Migrate] executes
// those that are missing. Neither ever changes or drops anything; for migrations
// that do, use a tool for them, such as goose (github.com/pressly/goose), and
// give it what DDL wrote as the first one. When a store is made, the backend
// compares the schema with the model and reports every difference by name.
//
// # Transactions
//
// Every transaction is SERIALIZABLE (manual, section 13.2.3), unless
// [Options.Isolation] says less. A transaction begins along with its first
// statement, so that it costs no round trip of its own; a single operation on a
// connection whose default is SERIALIZABLE, which [Open] sees to, is one
// statement without BEGIN. Deferrable constraints are deferred in every
// transaction that writes. With constraints that are not deferrable, two records
// cannot swap a unique value.
//
// Transactions that give unique values to rows that others are about to give away
// may wait for each other in a circle. The server finds that out after its
// deadlock_timeout, one second by default (manual, section 19.12), and the
// transaction that it ends is repeated.
//
// Policies are part of the statement that they guard: a row that a condition hides
// is not touched, and a row that would break one makes the statement fail.
//
// # Keys
//
// Keys come from the column's default: an identity, a sequence, or any expression
// such as gen_random_uuid(). A key that is given explicitly moves the sequence on,
// so that it is not handed out again.
//
// # Errors
//
// Violated constraints become the codes of package core, with the names of the
// model; nothing that a client can see has SQL, names of constraints or values of
// other rows in it. A server out of reach, a full disk and a timeout are
// [core.Unavailable]. Connections that break, by a restart or because a standby took
// over (target_session_attrs, manual, section 34.1.2), fail what was running on them,
// and the pool makes new ones. A write whose commit may have happened meanwhile is
// [core.ErrCommitUnknown], and so is one that happened although the database made of it
// what the model cannot hold, such as an infinite time.
package postgres
