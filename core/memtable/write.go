package memtable

import (
	"cmp"
	"context"

	"github.com/larder-go/larder/core"
)

// Insert adds records. Records with explicit keys come first, so that the sequence does not generate one of these keys.
//
// Errors: [core.Forbidden] if a record does not match op.Check; [core.AlreadyExists]; the context's; errors of NextIDs.
func (t *transaction) Insert(ctx context.Context, op *core.Op) ([]core.Record, error) {
	if err := t.begin(ctx); err != nil {
		return nil, err
	}
	records := make([]core.Record, len(op.Records))
	missing := 0
	for i, rec := range op.Records {
		if !rec.Key().IsSet() {
			missing++
			continue
		}
		records[i] = completeRecord(rec, rec.Key())
		if err := t.insertRecord(op, records[i]); err != nil {
			return nil, err
		}
		t.noteExplicitKey(op.Resource, rec.Key())
	}
	if missing == 0 {
		return records, nil
	}
	keys, err := t.nextKeys(op.Resource, missing)
	if err != nil {
		return nil, err
	}
	for i, rec := range op.Records {
		if rec.Key().IsSet() {
			continue
		}
		records[i], keys = completeRecord(rec, keys[0]), keys[1:]
		if err := t.insertRecord(op, records[i]); err != nil {
			return nil, err
		}
	}
	return records, nil
}

// completeRecord returns the record in its stored form: with the key, and with null in absent columns that are not derived.
func completeRecord(rec core.Record, key core.Value) core.Record {
	r := rec.Resource()
	values := make([]core.Value, rec.Len())
	for i, f := range r.Columns() {
		if values[i] = rec.At(i); values[i].IsAbsent() && f.Parts() == nil {
			values[i] = core.Null
		}
	}
	values[r.Key().Column()] = key
	return r.RecordOf(values)
}

// insertRecord adds one record unless its key exists.
func (t *transaction) insertRecord(op *core.Op, rec core.Record) error {
	r := op.Resource
	if err := check(op, rec); err != nil {
		return err
	}
	table := t.writable(r)
	if _, exists := table.get(rec.Key()); exists {
		return r.Key().AlreadyExistsWith(rec.Key())
	}
	t.put(table, core.Record{}, rec)
	return nil
}

// check returns an error if the after image does not match the op's Check, which concerns one record only.
func check(op *core.Op, rec core.Record) error {
	if is, err := op.Check.Match(rec, nil); err != nil || !is {
		return cmp.Or(err, error(op.Resource.Forbidden()))
	}
	return nil
}

// Update replaces records by their merge with the given columns.
//
// Errors: [core.NotFound] for a key without a record that matches op.Using; [core.Forbidden] if a changed record does
// not match op.Check; the context's.
func (t *transaction) Update(ctx context.Context, op *core.Op) ([]core.Record, error) {
	before, err := t.beforeImages(ctx, op)
	if err != nil {
		return nil, err
	}
	records := make([]core.Record, len(before))
	for i, old := range before {
		records[i] = op.AfterImage(i, old)
		if err := check(op, records[i]); err != nil {
			return nil, err
		}
	}
	table := t.writable(op.Resource)
	for i, rec := range records {
		t.put(table, before[i], rec)
	}
	return records, nil
}

// Delete removes records.
//
// Errors: [core.NotFound] for a key without a record that matches op.Using; the context's.
func (t *transaction) Delete(ctx context.Context, op *core.Op) error {
	before, err := t.beforeImages(ctx, op)
	if err != nil {
		return err
	}
	table := t.writable(op.Resource)
	for _, old := range before {
		t.remove(table, old)
	}
	return nil
}

// beforeImages returns the stored records that an Update or Delete names.
func (t *transaction) beforeImages(ctx context.Context, op *core.Op) ([]core.Record, error) {
	if err := t.begin(ctx); err != nil {
		return nil, err
	}
	table, reader := t.table(op.Resource), relatedFor(ctx, t.current.tables, op).reader()
	records := make([]core.Record, len(op.Keys))
	for i, key := range op.Keys {
		rec, ok := table.get(key)
		if !ok {
			return nil, op.Resource.NotFound(key)
		}
		if is, err := op.Using.Match(rec, reader); err != nil || !is {
			return nil, cmp.Or(err, error(op.Resource.NotFound(key)))
		}
		records[i] = rec
	}
	return records, nil
}
