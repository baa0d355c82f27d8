package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/larder-go/larder/backends/postgres/internal/pgsql"
	"github.com/larder-go/larder/core"
)

// sequence is where the keys of a resource come from (manual, section 9.17). What
// it does belongs to no transaction and is never undone.
type sequence struct {
	name    string // qualified and quoted
	step    int64
	middle  int64        // keys beyond do not move it: nobody can use it up by one key
	missing []string     // privileges that we do not have on it
	last    atomic.Int64 // at least so far it has come, or zero
}

// sequenceOf returns the sequence whose values are the keys, which can be moved past
// keys that are given; nil if there is none, or it goes down.
func sequenceOf(key *catalogColumn, f *core.Field) *sequence {
	if f.Type() != core.Int || key.sequence == "" || key.sequenceStep <= 0 {
		return nil
	}
	s := &sequence{name: key.sequence, step: key.sequenceStep, middle: key.middle(), missing: key.sequenceMissing}
	s.noteValue(key.sequenceLast)
	return s
}

// saw notes that the sequence has come as far as n.
func (s *sequence) noteValue(n int64) { atomicMax(&s.last, n) }

// regclass is an expression for the sequence.
func (s *sequence) regclass() string { return pgsql.String(s.name) + "::regclass" }

// lockSQL keeps others from moving the sequence by setval at the same time, until
// the end of the transaction.
func (s *sequence) lockSQL() string {
	return fmt.Sprintf("SELECT pg_advisory_xact_lock(%d, %s::oid::int)", sequenceLocks, s.regclass())
}

// sequenceLocks is the class of advisory locks on sequences.
const sequenceLocks = 0x6c617264

// advanceSQL moves the sequence to the value of an expression, if it has not come
// so far. Small steps are taken by nextval, which cannot collide with others who
// take values. Large ones are taken by setval: it would only collide if others took
// as many values between the two looks at the sequence.
func (s *sequence) advanceSQL(to string) string {
	return fmt.Sprintf(`SELECT CASE WHEN w.target - s.last_value <= %d
	THEN (SELECT max(nextval(%s)) FROM generate_series(s.last_value::numeric + CASE WHEN s.is_called THEN %d ELSE 0 END, w.target, %[3]d))
	ELSE setval(%[2]s, w.target::bigint) END
FROM (SELECT %[4]s::numeric AS target) AS w, %[5]s AS s
WHERE w.target > 0 AND (s.last_value < w.target OR s.last_value = w.target AND NOT s.is_called)`,
		maxNextvals*s.step, s.regclass(), s.step, to, s.name)
}

// smallMove is how many values a sequence is moved by nextval at the most.
const maxNextvals = 1000

// catchUp moves the sequence past all keys that are there, up to its half.
func (s *sequence) catchUp(ctx context.Context, c *pgx.Conn, t *table) error {
	batch := &pgx.Batch{}
	// Not serializable: reading all keys would conflict with everybody who adds one.
	batch.Queue("BEGIN ISOLATION LEVEL READ COMMITTED")
	batch.Queue(s.lockSQL())
	batch.Queue(s.advanceSQL(t.highestKeySQL()))
	batch.Queue("COMMIT")
	return s.explain(c.SendBatch(ctx, batch).Close())
}

// topSQL is an expression for the highest key that is there and may move the sequence.
func (t *table) highestKeySQL() string {
	return fmt.Sprintf("(SELECT max(%s) FROM %s WHERE %[1]s <= %[3]d)", t.key.name, t.from, t.sequence.middle)
}

// movable reports whether we may see where the sequence is, and move it at least in
// small steps.
func (s *sequence) canAdvance() bool {
	lacks := func(privilege string) bool { return slices.Contains(s.missing, privilege) }
	return !lacks("SELECT") && !(lacks("USAGE") && lacks("UPDATE"))
}

// explain adds to the error of a missing privilege what the sequence needs.
func (s *sequence) explain(err error) error {
	server, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || server.Code != insufficientPrivilege || len(s.missing) == 0 {
		return err
	}
	return fmt.Errorf("%w; %w", err, s.grantError())
}

func (s *sequence) grantError() error {
	return fmt.Errorf("keys need GRANT %s ON SEQUENCE %s", strings.Join(s.missing, ", "), s.name)
}
