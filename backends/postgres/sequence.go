package postgres

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/core"
)

// sequence is where the keys of a resource come from (manual, section 9.17). What
// it does belongs to no transaction and is never undone.
type sequence struct {
	name  string // qualified and quoted
	step  int64
	limit int64
	last  atomic.Int64 // at least so far it has come, or zero
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
	return c.SendBatch(ctx, batch).Close()
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

// NextIDs takes values from the key's default.
func (t *transaction) NextIDs(ctx context.Context, op *core.Op) ([]core.Value, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	table, err := t.backend.writing(op.Resource)
	if err != nil {
		return nil, err
	}
	switch {
	case table.sequence != nil && !t.begun:
		return t.freshKeys(ctx, op, table)
	case table.sequence != nil:
		return t.evaluate(ctx, op, table, "nextval("+table.sequence.regclass()+")")
	case table.key.fallback != "":
		return t.evaluate(ctx, op, table, table.key.readDefault())
	case table.key.field.Type() == core.UUID:
		keys := make([]core.Value, op.N)
		for i := range keys {
			keys[i] = core.NewUUID()
		}
		return keys, nil
	}
	return nil, noNextKey(op.Resource)
}

// readDefault is the value of the column's default as the model has it.
func (c *column) readDefault() string {
	if !c.text {
		return c.fallback
	}
	return c.read("(" + c.fallback + ")::" + c.declared)
}

// evaluate returns N values of the expression.
func (t *transaction) evaluate(ctx context.Context, op *core.Op, table *table, expression string) ([]core.Value, error) {
	sql := "SELECT " + expression + " AS " + table.key.name + " FROM generate_series(1, $1::bigint)"
	var keys []core.Value
	err := t.run(ctx, op, call{sql, []any{int64(op.N)}, func(rows pgx.Rows) (err error) {
		keys, err = keysOf(rows, table)
		return err
	}})
	if err == nil && table.sequence != nil && len(keys) > 0 {
		table.sequence.saw(keys[len(keys)-1].Int())
	}
	return keys, err
}

func keysOf(rows pgx.Rows, t *table) ([]core.Value, error) {
	recs, err := records(rows, t, []*column{t.key}, 0)
	keys := make([]core.Value, len(recs))
	for i, rec := range recs {
		keys[i] = rec.Key()
	}
	return keys, err
}

// freshKeys takes values from the sequence that no row has, although somebody else
// may have added rows without asking the sequence. It runs before the transaction
// begins and is not serializable, because looking for keys that are not there would
// conflict with everybody who adds some.
func (t *transaction) freshKeys(ctx context.Context, op *core.Op, table *table) ([]core.Value, error) {
	if err := t.acquire(ctx); err != nil {
		return nil, err
	}
	s := table.sequence
	sql := fmt.Sprintf("SELECT s.%s FROM (SELECT nextval(%s) AS %[1]s FROM generate_series(1, $1::bigint)) AS s"+
		" WHERE NOT EXISTS (SELECT FROM %[3]s AS t WHERE t.%[1]s = s.%[1]s)", table.key.name, s.regclass(), table.name)
	var keys []core.Value
	for len(keys) < op.N {
		var batch pgx.Batch
		batch.Queue("BEGIN ISOLATION LEVEL READ COMMITTED")
		missing := op.N - len(keys)
		batch.Queue(sql, int64(missing)).Query(func(rows pgx.Rows) error {
			more, err := keysOf(rows, table)
			keys = append(keys, more...)
			return err
		})
		batch.Queue("COMMIT")
		if err := t.conn.SendBatch(ctx, &batch).Close(); err != nil {
			return nil, t.backend.failure(ctx, op, err)
		}
		if len(keys) < op.N {
			if err := s.catchUp(ctx, t.conn.Conn(), table); err != nil {
				return nil, t.backend.failure(ctx, op, err)
			}
		}
	}
	s.saw(keys[len(keys)-1].Int())
	if t.opts.Single {
		t.end()
	}
	return keys, nil
}
