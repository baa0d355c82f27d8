package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/core"
)

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
