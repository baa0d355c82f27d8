package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/larder-go/larder/backends/postgres/internal/pgsql"
	"github.com/larder-go/larder/core"
)

// keySource returns the source of new keys in a key column.
func (c *catalogColumn) keySource(f *core.Field) core.KeySource {
	s := core.KeySource{Assigned: f.Assigned() || !c.hasDefault() && f.Type() != core.UUID}
	if s.Assigned || f.Type() != core.Int {
		return s
	}
	l := limitsOf(c)
	s.Low, s.High = max(l.low, -maxMiddle), min(l.high, maxMiddle)
	if c.sequence != "" && c.sequenceStep < 0 {
		s.Low = max(c.middle(), s.Low)
	} else {
		s.High = c.middle()
	}
	return s
}

// maxMiddle is half of the largest integer that all JSON implementations represent exactly (RFC 8259, section 6).
const maxMiddle = 1 << 52

// middle returns the middle of the range of the column's sequence, or without one of its type. Clients choose keys on
// the near side, so that half of the range remains for generated keys.
func (c *catalogColumn) middle() int64 {
	l := limitsOf(c)
	low, high := int64(1), l.high
	if c.sequence != "" {
		low, high = max(l.low, c.sequenceLow), min(l.high, c.sequenceLimit)
	}
	middle := low
	if high > low {
		middle += int64(uint64(high-low) / 2) //nolint:gosec // half of any difference fits
	}
	return max(-maxMiddle, min(middle, maxMiddle))
}

// sequence generates the keys of a resource (manual, section 9.17). Its changes belong to no transaction and are never
// undone.
type sequence struct {
	name    string // qualified and quoted
	step    int64
	middle  int64        // keys beyond do not advance the sequence, so that no single key exhausts it
	missing []string     // privileges that the role lacks
	last    atomic.Int64 // the sequence has reached at least this value; 0 if unknown
}

// sequenceOf returns the sequence of a key column; nil if there is none or it descends.
func sequenceOf(key *catalogColumn, f *core.Field) *sequence {
	if f.Type() != core.Int || key.sequence == "" || key.sequenceStep <= 0 {
		return nil
	}
	s := &sequence{name: key.sequence, step: key.sequenceStep, middle: key.middle(), missing: key.sequenceMissing}
	s.noteValue(key.sequenceLast)
	return s
}

// noteValue records that the sequence has reached n.
func (s *sequence) noteValue(n int64) { atomicMax(&s.last, n) }

// regclass returns the sequence as an expression.
func (s *sequence) regclass() string { return pgsql.String(s.name) + "::regclass" }

// lockSQL returns the statement that locks the sequence against setval by other backends, until the end of the
// transaction.
func (s *sequence) lockSQL() string {
	return fmt.Sprintf("SELECT pg_advisory_xact_lock(%d, %s::oid::int)", sequenceLocks, s.regclass())
}

// sequenceLocks is the first key of the advisory locks on sequences.
const sequenceLocks = 0x6c617264

// advanceSQL returns the statement that advances the sequence to the value of an expression, unless it has reached it.
// Short distances use nextval, which cannot collide with other users of the sequence. Long distances use setval, which
// could only collide if others generated as many values between two reads of the sequence.
func (s *sequence) advanceSQL(to string) string {
	return fmt.Sprintf(`SELECT CASE WHEN w.target - s.last_value <= %d
	THEN (SELECT max(nextval(%s)) FROM generate_series(s.last_value::numeric + CASE WHEN s.is_called THEN %d ELSE 0 END, w.target, %[3]d))
	ELSE setval(%[2]s, w.target::bigint) END
FROM (SELECT %[4]s::numeric AS target) AS w, %[5]s AS s
WHERE w.target > 0 AND (s.last_value < w.target OR s.last_value = w.target AND NOT s.is_called)`,
		maxNextvals*s.step, s.regclass(), s.step, to, s.name)
}

// maxNextvals is the greatest distance, in values, that is covered by nextval.
const maxNextvals = 1000

// beginReadCommitted begins the transactions that read many keys: a serializable read would conflict with every insert.
const beginReadCommitted = "BEGIN ISOLATION LEVEL READ COMMITTED"

// catchUp advances the sequence past all existing keys up to its middle.
func (s *sequence) catchUp(ctx context.Context, c *pgx.Conn, t *table) error {
	to, args := t.highestKeySQL(), []any(nil)
	if t.remote {
		highest, err := highestKeys(ctx, c, []string{to})
		if err != nil {
			return err
		}
		to, args = "$1::bigint", []any{highest[0]}
	}
	batch := &pgx.Batch{}
	// READ COMMITTED: a serializable read of all keys would conflict with every insert.
	batch.Queue(beginReadCommitted)
	batch.Queue(s.lockSQL())
	batch.Queue(s.advanceSQL(to), args...)
	batch.Queue("COMMIT")
	return s.explain(c.SendBatch(ctx, batch).Close())
}

// highestKeySQL returns an expression for the highest existing key that may advance the sequence.
func (t *table) highestKeySQL() string {
	return fmt.Sprintf("(SELECT max(%s) FROM %s WHERE %[1]s <= %[3]d)", t.key.name, t.from, t.sequence.middle)
}

// canAdvance reports whether the role may read the sequence and advance it at least by short distances.
func (s *sequence) canAdvance() bool {
	lacks := func(privilege string) bool { return slices.Contains(s.missing, privilege) }
	return !lacks("SELECT") && !(lacks("USAGE") && lacks("UPDATE"))
}

// explain adds the required GRANT to an error of a missing privilege.
func (s *sequence) explain(err error) error {
	server, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || server.Code != insufficientPrivilege || len(s.missing) == 0 {
		return err
	}
	return fmt.Errorf("%w; %w", err, s.grantError())
}

// grantError names the GRANT that the role needs.
func (s *sequence) grantError() error {
	return fmt.Errorf("generating keys needs GRANT %s ON SEQUENCE %s", strings.Join(s.missing, ", "), s.name)
}

// catchUpSequences advances the sequences of all tables past the existing keys. One statement finds the sequences that
// are behind, usually none.
func catchUpSequences(ctx context.Context, c *pgx.Conn, tables []*table) error {
	var sequenced []*table
	var expressions []string
	for _, t := range tables {
		if t.sequence != nil && t.sequence.canAdvance() {
			sequenced, expressions = append(sequenced, t), append(expressions, t.highestKeySQL())
		}
	}
	if len(sequenced) == 0 {
		return nil
	}
	highest, err := highestKeys(ctx, c, expressions)
	if err != nil {
		return err
	}
	for i, t := range sequenced {
		if n := highest[i]; n != nil && *n > t.sequence.last.Load() {
			if err := t.sequence.catchUp(ctx, c, t); err != nil {
				return err
			}
			t.sequence.noteValue(*n)
		}
	}
	return nil
}

// highestKeys returns the values of expressions in one round trip.
func highestKeys(ctx context.Context, c *pgx.Conn, expressions []string) (highest []*int64, err error) {
	batch := &pgx.Batch{}
	// READ COMMITTED: a serializable read of all keys would conflict with every insert.
	batch.Queue("BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY")
	batch.Queue("SELECT ARRAY[" + strings.Join(expressions, ", ") + "]::bigint[]").QueryRow(func(row pgx.Row) error { return row.Scan(&highest) })
	batch.Queue("COMMIT")
	return highest, c.SendBatch(ctx, batch).Close()
}

// keySet is a set of keys of one table.
type keySet map[core.Value]struct{}

func (c keySet) has(key core.Value) bool {
	_, is := c[key]
	return is
}

// addKeys adds keys of a table to the sets of a transaction.
func addKeys(all *map[*table]keySet, t *table, keys ...core.Value) {
	if len(keys) == 0 {
		return
	}
	if *all == nil {
		*all = make(map[*table]keySet)
	}
	if (*all)[t] == nil {
		(*all)[t] = make(keySet)
	}
	for _, key := range keys {
		(*all)[t][key] = struct{}{}
	}
}

// noteExplicitKeys records keys of inserted records that the sequence has not reached. The sequence is advanced after
// the commit, because that cannot be undone and other transactions would see it.
//
// Errors: [core.Forbidden] if the role may not advance the sequence so far.
func (t *transaction) noteExplicitKeys(table *table, recs []core.Record) error {
	if table.sequence == nil {
		return nil
	}
	last := table.sequence.last.Load()
	for _, rec := range recs {
		key := rec.Key()
		if key.Int() <= last {
			continue
		}
		if !table.sequence.canReach(key.Int(), last) {
			found := table.resource.Forbidden()
			found.Cause = table.sequence.grantError()
			return found
		}
		addKeys(&t.explicitKeys, table, key)
	}
	return nil
}

// canReach reports whether the role may advance the sequence past the key, or need not.
func (s *sequence) canReach(key, last int64) bool {
	return key > s.middle || s.canAdvance() && (!slices.Contains(s.missing, "UPDATE") || key-last <= maxNextvals*s.step)
}

// sequenceCalls returns the calls that advance sequences past the explicit keys. They follow the commit. If they fail,
// the sequence is advanced later, when it generates one of the keys.
func (t *transaction) sequenceCalls() (calls []call) {
	tables := slices.SortedFunc(maps.Keys(t.explicitKeys), func(a, b *table) int {
		return cmp.Compare(a.resource.Index(), b.resource.Index()) // all transactions lock in the same order
	})
	for _, table := range tables {
		if to := table.sequence.target(t.explicitKeys[table]); to > 0 {
			calls = append(calls, table.sequence.advance(to)...)
		}
	}
	return calls
}

// target returns the highest key that advances the sequence; 0 if none does.
func (s *sequence) target(keys keySet) (highest int64) {
	last := s.last.Load()
	for key := range keys {
		if n := key.Int(); n > last && n <= s.middle {
			highest = max(highest, n)
		}
	}
	return highest
}

// advance returns the calls that advance the sequence to n, unless it has reached it.
func (s *sequence) advance(n int64) []call {
	return []call{
		{sql: s.lockSQL()},
		{sql: s.advanceSQL("$1::bigint"), args: []any{n}, read: func(rows pgx.Rows) error {
			rows.Close()
			if rows.Err() == nil {
				s.noteValue(n)
			}
			return rows.Err()
		}},
	}
}

// withGeneratedKeys gives keys to records without one if the statement might otherwise generate an explicit key of the
// same transaction.
func (t *transaction) withGeneratedKeys(ctx context.Context, op *core.Op, table *table, recs []core.Record) ([]core.Record, error) {
	missing := 0
	for _, rec := range recs {
		if rec.Key().IsAbsent() {
			missing++
		}
	}
	if missing == 0 || len(t.explicitKeys[table]) == 0 {
		return recs, nil
	}
	keys, err := t.nextKeys(ctx, op, table, missing)
	if err != nil {
		return nil, err
	}
	recs = slices.Clone(recs)
	for i, rec := range recs {
		if rec.Key().IsAbsent() {
			recs[i], keys = rec.With(table.key.index, keys[0]), keys[1:]
		}
	}
	return recs, nil
}

// NextIDs returns keys from the default of the key column.
func (t *transaction) NextIDs(ctx context.Context, op *core.Op) ([]core.Value, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	table, err := t.backend.writeTable(op.Resource)
	if err != nil {
		return nil, err
	}
	switch {
	case table.keySource.Assigned || table.nextKeyExpr() == "" && table.key.field.Type() != core.UUID:
		return nil, op.Resource.NoNextKey()
	case table.nextKeyExpr() == "":
		keys := make([]core.Value, op.N)
		for i := range keys {
			keys[i] = core.NewUUID()
		}
		return keys, nil
	case t.begun:
		return t.nextKeys(ctx, op, table, op.N)
	}
	return t.unusedKeys(ctx, op, table)
}

// nextKeyExpr returns an expression that generates a new key each time; "" if there is none. The cast makes the type of
// a default expression that of the column, as an insert does.
func (t *table) nextKeyExpr() string {
	switch {
	case t.sequence != nil:
		return "nextval(" + t.sequence.regclass() + ")"
	case t.key.defaultExpr != "":
		return "(" + t.key.defaultExpr + ")::" + t.key.sqlType
	}
	return ""
}

// nextKeysSQL returns a query that generates as many keys as its parameter says.
func (t *table) nextKeysSQL() string {
	return "SELECT " + t.key.toModel("s."+t.key.name) +
		" FROM (SELECT " + t.nextKeyExpr() + " AS " + t.key.name + " FROM generate_series(1, $1::bigint)) AS s"
}

// nextKeys generates keys within the transaction, except keys that it has used explicitly. A key of another row is
// detected when it is inserted. Several statements may be necessary, so no commit is sent along.
func (t *transaction) nextKeys(ctx context.Context, op *core.Op, table *table, n int) ([]core.Value, error) {
	t.moreFollows = true
	defer func() { t.moreFollows = false }()
	explicit := t.explicitKeys[table]
	keys, err := table.collectKeys(n, func(missing int) (more []core.Value, err error) {
		for try := 0; ; try++ {
			n := missing << max(try-1, 0) // more each time, to pass a block of explicit keys
			err = t.run(ctx, op, call{sql: table.nextKeysSQL(), args: []any{int64(n)}, read: func(rows pgx.Rows) (err error) {
				more, err = scanKeys(rows, table)
				return err
			}})
			taken := len(more)
			more = slices.DeleteFunc(more, explicit.has)
			if err != nil || len(more) == taken || len(more) > 0 {
				return more[:min(missing, len(more))], err
			}
		}
	})
	addKeys(&t.generatedKeys, table, keys...)
	return keys, err
}

// unusedKeys generates keys that no row has, even if other programs have inserted rows without the sequence. It runs
// before the transaction begins, and at READ COMMITTED: a serializable search for missing keys would conflict with
// every insert.
func (t *transaction) unusedKeys(ctx context.Context, op *core.Op, table *table) ([]core.Value, error) {
	ctx, cancel := t.backend.withTimeout(ctx)
	defer cancel()
	if err := t.acquire(ctx); err != nil {
		return nil, err
	}
	sql := table.nextKeysSQL()
	if !table.remote {
		sql += fmt.Sprintf(" WHERE NOT EXISTS (SELECT FROM %s AS t WHERE t.%s = s.%[2]s)", table.from, table.key.name)
	}
	keys, err := table.collectKeys(op.N, func(missing int) (more []core.Value, err error) {
		var batch pgx.Batch
		batch.Queue(beginReadCommitted)
		batch.Queue(sql, int64(missing)).Query(func(rows pgx.Rows) error {
			more, err = scanKeys(rows, table)
			return err
		})
		batch.Queue("COMMIT")
		err = t.conn.SendBatch(ctx, &batch).Close()
		if err == nil && table.remote {
			more, err = t.withoutExisting(ctx, table, more)
		}
		if err == nil {
			err = t.missedStandby(ctx) // a promoted standby may generate the keys again
		}
		if err == nil && len(more) < missing && table.sequence != nil {
			err = table.sequence.catchUp(ctx, t.conn.Conn(), table)
		}
		return more, err
	})
	switch {
	case isStandbyError(err, false):
		return nil, t.backend.errorOn(ctx, t.conn, err)
	case err != nil:
		return nil, t.backend.statementError(ctx, op, err)
	}
	if t.opts.Single {
		t.end()
	} else {
		addKeys(&t.generatedKeys, table, keys...)
	}
	return keys, nil
}

// withoutExisting returns the keys that no row of a remote table has.
func (t *transaction) withoutExisting(ctx context.Context, table *table, keys []core.Value) ([]core.Value, error) {
	b := newBuilder()
	r := b.row(table)
	b.WriteString("SELECT ")
	r.values(table.key.cells)
	b.write(" FROM ", table.from, " AS t WHERE ")
	r.matches(b.keys(table, keys, true))
	var existing []core.Value
	err := t.send(ctx, []call{
		{sql: beginReadCommitted},
		{sql: b.String(), args: b.args, read: func(rows pgx.Rows) (err error) {
			existing, err = scanKeys(rows, table)
			return err
		}},
		{sql: "COMMIT"},
	})
	return slices.DeleteFunc(keys, func(key core.Value) bool { return slices.Contains(existing, key) }), err
}

// maxEmptyTries is how many consecutive times the default may generate only existing keys. A sequence that was just
// advanced generates new ones.
const maxEmptyTries = 3

// collectKeys calls take until it has n different keys.
func (t *table) collectKeys(n int, take func(missing int) ([]core.Value, error)) ([]core.Value, error) {
	var keys []core.Value
	for left := maxEmptyTries; len(keys) < n; {
		more, err := take(n - len(keys))
		if err != nil {
			return nil, err
		}
		before := len(keys)
		if keys = core.SortKeys(append(keys, more...)); len(keys) > before {
			left = maxEmptyTries
		} else if left--; left == 0 {
			return nil, fmt.Errorf("postgres: %s: the default of the key generates only existing keys", t.resource)
		}
	}
	if t.sequence != nil && n > 0 {
		t.sequence.noteValue(keys[n-1].Int())
	}
	return keys, nil
}

// scanKeys reads rows of keys.
func scanKeys(rows pgx.Rows, t *table) ([]core.Value, error) {
	recs, err := records(rows, t, t.key.cells, 0)
	keys := make([]core.Value, len(recs))
	for i, rec := range recs {
		keys[i] = rec.Key()
	}
	return keys, err
}
