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

// source says where the values of a key column come from.
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

// maxHalf is half of the numbers on which all readers of JSON agree (RFC 8259, section 6).
const maxMiddle = 1 << 52

// half is the middle of the keys that the sequence of the column, or without one the
// type of the column, can reach. Clients choose keys on the near side of it, so that as
// many are left to be generated.
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

// catchUpAll moves the sequences past the keys of their tables. One statement, for
// however many tables, finds those that are behind, which are few.
func catchUpSequences(ctx context.Context, c *pgx.Conn, tables []*table) error {
	var sequenced []*table
	var tops []string
	for _, t := range tables {
		if t.sequence != nil && t.sequence.canAdvance() {
			sequenced, tops = append(sequenced, t), append(tops, t.highestKeySQL())
		}
	}
	if len(sequenced) == 0 {
		return nil
	}
	highest, err := highestKeys(ctx, c, tops)
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

// highestKeys returns the values of the expressions, in one round trip.
func highestKeys(ctx context.Context, c *pgx.Conn, tops []string) (highest []*int64, err error) {
	batch := &pgx.Batch{}
	// Not serializable: reading all keys would conflict with everybody who adds one.
	batch.Queue("BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY")
	batch.Queue("SELECT ARRAY[" + strings.Join(tops, ", ") + "]::bigint[]").QueryRow(func(row pgx.Row) error { return row.Scan(&highest) })
	batch.Queue("COMMIT")
	return highest, c.SendBatch(ctx, batch).Close()
}

// chosen are keys of one table that a transaction has given to records or generated
// for the caller.
type keySet map[core.Value]struct{}

func (c keySet) has(key core.Value) bool {
	_, is := c[key]
	return is
}

// note adds keys of a table.
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

// choose notes the keys of records to insert that the sequence of the table has not
// reached yet. They move it when the transaction has committed, and not before: a
// move cannot be undone, and others would see it.
//
// Errors: [core.Forbidden] if the role may not move the sequence so far.
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

// reaches reports whether the role may move the sequence past the key.
func (s *sequence) canReach(key, last int64) bool {
	return key > s.middle || s.canAdvance() && (!slices.Contains(s.missing, "UPDATE") || key-last <= maxNextvals*s.step)
}

// moves returns the calls that move the sequences past the keys that the transaction
// chose. They go behind the commit. A sequence that is not moved, because the server or
// the connection fails in between, is moved when it generates one of the keys.
func (t *transaction) sequenceCalls() (calls []call) {
	tables := slices.SortedFunc(maps.Keys(t.explicitKeys), func(a, b *table) int {
		return cmp.Compare(a.resource.Index(), b.resource.Index()) // the locks of all transactions in one order
	})
	for _, table := range tables {
		if to := table.sequence.target(t.explicitKeys[table]); to > 0 {
			calls = append(calls, table.sequence.advance(to)...)
		}
	}
	return calls
}

// moveTo returns the highest of the keys that moves the sequence; 0 if none does.
func (s *sequence) target(keys keySet) (highest int64) {
	last := s.last.Load()
	for key := range keys {
		if n := key.Int(); n > last && n <= s.middle {
			highest = max(highest, n)
		}
	}
	return highest
}

// move returns the calls that move the sequence to n unless it is there already.
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

// generated returns the records with keys where they have none, if the statement could
// generate one of those that the transaction chose.
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

// NextIDs takes values from the key's default.
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

// nextKey is an expression of the key column's type that makes another key each time,
// "" if there is none. A default is converted to that type when a row gets it, which
// its expression alone is not.
func (t *table) nextKeyExpr() string {
	switch {
	case t.sequence != nil:
		return "nextval(" + t.sequence.regclass() + ")"
	case t.key.defaultExpr != "":
		return "(" + t.key.defaultExpr + ")::" + t.key.sqlType
	}
	return ""
}

// nextKeysSQL returns as many keys as the parameter says.
func (t *table) nextKeysSQL() string {
	return "SELECT " + t.key.toModel("s."+t.key.name) +
		" FROM (SELECT " + t.nextKeyExpr() + " AS " + t.key.name + " FROM generate_series(1, $1::bigint)) AS s"
}

// nextKeys takes keys within the transaction that it has not chosen itself. One that
// another row has already shows when it is inserted. What it takes may not be enough at
// once, and so no commit travels along.
func (t *transaction) nextKeys(ctx context.Context, op *core.Op, table *table, n int) ([]core.Value, error) {
	t.moreFollows = true
	defer func() { t.moreFollows = false }()
	mine := t.explicitKeys[table]
	keys, err := table.collectKeys(n, func(missing int) (more []core.Value, err error) {
		for try := 0; ; try++ {
			n := missing << max(try-1, 0) // more, should all be of a block that it chose
			err = t.run(ctx, op, call{sql: table.nextKeysSQL(), args: []any{int64(n)}, read: func(rows pgx.Rows) (err error) {
				more, err = scanKeys(rows, table)
				return err
			}})
			taken := len(more)
			more = slices.DeleteFunc(more, mine.has)
			if err != nil || len(more) == taken || len(more) > 0 {
				return more[:min(missing, len(more))], err
			}
		}
	})
	addKeys(&t.generatedKeys, table, keys...)
	return keys, err
}

// freshKeys takes keys that no row has, although somebody else may have added rows
// without asking the sequence. It runs before the transaction begins and is not
// serializable, because looking for keys that are not there would conflict with
// everybody who adds some.
func (t *transaction) unusedKeys(ctx context.Context, op *core.Op, table *table) ([]core.Value, error) {
	ctx, cancel := t.backend.withTimeout(ctx)
	defer cancel()
	if err := t.acquire(ctx); err != nil {
		return nil, err
	}
	sql := fmt.Sprintf("%s WHERE NOT EXISTS (SELECT FROM %s AS t WHERE t.%s = s.%[3]s)", table.nextKeysSQL(), table.from, table.key.name)
	keys, err := table.collectKeys(op.N, func(missing int) (more []core.Value, err error) {
		var batch pgx.Batch
		batch.Queue("BEGIN ISOLATION LEVEL READ COMMITTED")
		batch.Queue(sql, int64(missing)).Query(func(rows pgx.Rows) error {
			more, err = scanKeys(rows, table)
			return err
		})
		batch.Queue("COMMIT")
		err = t.conn.SendBatch(ctx, &batch).Close()
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

// fruitless is how many times in a row the default may give nothing but keys that are
// taken: those of a sequence that has just been moved on are not.
const maxEmptyTries = 3

// gather calls take until there are n different keys.
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
			return nil, fmt.Errorf("postgres: %s: the default of the key gives no key that is free", t.resource)
		}
	}
	if t.sequence != nil && n > 0 {
		t.sequence.noteValue(keys[n-1].Int())
	}
	return keys, nil
}

func scanKeys(rows pgx.Rows, t *table) ([]core.Value, error) {
	recs, err := records(rows, t, []*column{t.key}, 0)
	keys := make([]core.Value, len(recs))
	for i, rec := range recs {
		keys[i] = rec.Key()
	}
	return keys, err
}
