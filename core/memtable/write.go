package memtable

import (
	"context"

	"github.com/larder-go/larder/core"
)

// Insert adds records.
func (t *transaction) Insert(ctx context.Context, op *core.Op) ([]core.Record, error) {
	if err := t.open(ctx); err != nil {
		return nil, err
	}
	records, err := t.complete(op)
	if err != nil {
		return nil, err
	}
	table := t.writable(op.Resource)
	for _, rec := range records {
		if !op.Check.Match(rec) {
			return nil, op.Resource.Forbidden()
		}
		if _, taken := table.get(rec.Key()); taken {
			return nil, op.Resource.Key().Taken()
		}
		t.store.sequences[op.Resource.Index()].follow(rec.Key())
		t.put(table, core.Record{}, rec)
	}
	return records, nil
}

// complete returns the records of an Insert as they will be stored: absent keys
// handed out, other absent columns null.
func (t *transaction) complete(op *core.Op) ([]core.Record, error) {
	records := make([]core.Record, len(op.Records))
	column := op.Resource.Key().Column()
	for i, rec := range op.Records {
		values := make([]core.Value, rec.Len())
		for c := range values {
			if values[c] = rec.At(c); values[c].IsAbsent() {
				values[c] = core.Null
			}
		}
		if rec.Key().IsAbsent() {
			keys, err := t.store.nextKeys(op.Resource, 1)
			if err != nil {
				return nil, err
			}
			values[column] = keys[0]
		}
		records[i] = op.Resource.RecordOf(values)
	}
	return records, nil
}

// Update puts changed records in the place of others.
func (t *transaction) Update(ctx context.Context, op *core.Op) ([]core.Record, error) {
	before, err := t.before(ctx, op)
	if err != nil {
		return nil, err
	}
	records := make([]core.Record, len(before))
	for i, old := range before {
		records[i] = old.Merge(op.Records[i])
		if !op.Check.Match(records[i]) {
			return nil, op.Resource.Forbidden()
		}
	}
	table := t.writable(op.Resource)
	for i, rec := range records {
		t.put(table, before[i], rec)
	}
	return records, nil
}

// Delete removes records.
func (t *transaction) Delete(ctx context.Context, op *core.Op) error {
	before, err := t.before(ctx, op)
	if err != nil {
		return err
	}
	table := t.writable(op.Resource)
	for _, old := range before {
		t.remove(table, old)
	}
	return nil
}

// before returns the records that an Update or Delete is about.
func (t *transaction) before(ctx context.Context, op *core.Op) ([]core.Record, error) {
	if err := t.open(ctx); err != nil {
		return nil, err
	}
	table := t.table(op.Resource)
	records := make([]core.Record, len(op.Keys))
	for i, key := range op.Keys {
		rec, ok := table.get(key)
		if !ok || !op.Using.Match(rec) {
			return nil, op.Resource.NotFound(key)
		}
		records[i] = rec
	}
	return records, nil
}
