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

	"github.com/larder-go/larder/core"
)

// sequence is where the keys of a resource come from (manual, section 9.17). What
// it does belongs to no transaction and is never undone.
type sequence struct {
	name  string // qualified and quoted
	step  int64
	limit int64
	lacks []string     // privileges that we do not have on it
	last  atomic.Int64 // at least so far it has come, or zero
}

// sequenceOf returns the sequence whose values are the keys, which can be moved past
// keys that are given; nil if there is none, or it goes down.
func sequenceOf(key *catalogColumn, f *core.Field) *sequence {
	if f.Type() != core.Int || key.sequence == "" || key.sequenceStep <= 0 {
		return nil
	}
	return &sequence{name: key.sequence, step: key.sequenceStep, limit: key.sequenceLimit, lacks: key.sequenceLacks}
}

// saw notes that the sequence has come as far as n.
func (s *sequence) saw(n int64) { raise64(&s.last, n) }

// regclass is an expression for the sequence.
func (s *sequence) regclass() string { return quoted(s.name) + "::regclass" }

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
	const small = 1000
	return fmt.Sprintf(`SELECT CASE WHEN w.target - s.last_value <= %d
	THEN (SELECT max(nextval(%s)) FROM generate_series(s.last_value::numeric + CASE WHEN s.is_called THEN %d ELSE 0 END, w.target, %[3]d))
	ELSE setval(%[2]s, w.target::bigint) END
FROM (SELECT least(x.target, %[5]d) AS target FROM (SELECT %[4]s::numeric AS target) AS x WHERE x.target > 0) AS w, %[6]s AS s
WHERE s.last_value < w.target OR s.last_value = w.target AND NOT s.is_called`,
		small*s.step, s.regclass(), s.step, to, s.limit, s.name)
}

// catchUp moves the sequence past all keys that are there.
func (s *sequence) catchUp(ctx context.Context, c *pgx.Conn, t *table) error {
	batch := &pgx.Batch{}
	// Not serializable: reading all keys would conflict with everybody who adds one.
	batch.Queue("BEGIN ISOLATION LEVEL READ COMMITTED")
	batch.Queue(s.lockSQL())
	batch.Queue(s.advanceSQL("(SELECT max(" + t.key.name + ") FROM " + t.name + ")"))
	batch.Queue("COMMIT")
	return s.explain(c.SendBatch(ctx, batch).Close())
}

// movable reports whether we may see where the sequence is, and move it at least in
// small steps.
func (s *sequence) movable() bool {
	lacks := func(privilege string) bool { return slices.Contains(s.lacks, privilege) }
	return !lacks("SELECT") && !(lacks("USAGE") && lacks("UPDATE"))
}

// explain adds to the error of a missing privilege what the sequence needs.
func (s *sequence) explain(err error) error {
	server, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || server.Code != insufficientPrivilege || len(s.lacks) == 0 {
		return err
	}
	return fmt.Errorf("%w; keys need GRANT %s ON SEQUENCE %s", err, strings.Join(s.lacks, ", "), s.name)
}

// advance returns the calls that move the sequence past the keys of records to
// insert, none if it is known to be there, and the highest of these keys.
func (t *table) advance(recs []core.Record) (calls []call, highest int64) {
	if t.sequence == nil {
		return nil, 0
	}
	for _, rec := range recs {
		highest = max(highest, rec.Key().Int())
	}
	if highest <= t.sequence.last.Load() {
		return nil, highest
	}
	return []call{
		{sql: t.sequence.lockSQL()},
		{sql: t.sequence.advanceSQL("$1::bigint"), args: []any{highest}},
	}, highest
}
