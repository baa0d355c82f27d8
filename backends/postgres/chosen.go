package postgres

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/core"
)

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
