package reference

import (
	"cmp"

	"github.com/larder-go/larder/core"
)

// Insert performs an Insert on the records of the op's resource, by key: it adds the records of the op and returns them.
// Absent keys come from the sequence of the resource, which also learns the chosen keys; the backend must call
// [Sequence.End] at the end of the transaction. Absent columns become null.
//
// After an error the map is in an undefined state, and the transaction must be rolled back. Errors: those of
// [core.BackendTx.Insert].
func Insert(records map[core.Value]core.Record, op *core.Op, keys *Sequence) ([]core.Record, error) {
	r := op.Resource
	for _, rec := range op.Records {
		keys.Choose(rec.Key())
	}
	out := make([]core.Record, len(op.Records))
	for i, rec := range op.Records {
		values := make([]core.Value, rec.Len())
		for c, f := range r.Columns() {
			if values[c] = rec.At(c); values[c].IsAbsent() && f.Parts() == nil {
				values[c] = core.Null
			}
		}
		if rec.Key().IsAbsent() {
			next, err := keys.Next(r, 1)
			if err != nil {
				return nil, err
			}
			values[r.Key().Column()] = next[0]
		}
		rec = r.RecordOf(values)
		if _, exists := records[rec.Key()]; exists {
			return nil, r.Key().AlreadyExistsWith(rec.Key())
		}
		if ok, err := op.Check.Match(rec, nil); err != nil || !ok {
			return nil, cmp.Or(err, error(r.Forbidden()))
		}
		records[rec.Key()], out[i] = rec, rec
	}
	return out, nil
}

// Update performs an Update on the records of the op's resource, by key, and returns the changed records. all returns the
// records of every resource, for conditions on related records.
//
// After an error the map is in an undefined state, and the transaction must be rolled back. Errors: those of
// [core.BackendTx.Update].
func Update(records map[core.Value]core.Record, all Records, op *core.Op) ([]core.Record, error) {
	if err := checkKeys(records, all, op); err != nil {
		return nil, err
	}
	out := make([]core.Record, len(op.Records))
	for i, patch := range op.Records {
		rec := op.AfterImage(i, records[patch.Key()])
		if ok, err := op.Check.Match(rec, nil); err != nil || !ok {
			return nil, cmp.Or(err, error(op.Resource.Forbidden()))
		}
		records[rec.Key()], out[i] = rec, rec
	}
	return out, nil
}

// Delete performs a Delete on the records of the op's resource, by key. all returns the records of every resource, for
// conditions on related records.
//
// Errors: as for [core.BackendTx.Delete]; the map is unchanged then.
func Delete(records map[core.Value]core.Record, all Records, op *core.Op) error {
	if err := checkKeys(records, all, op); err != nil {
		return err
	}
	for _, key := range op.Keys {
		delete(records, key)
	}
	return nil
}

// checkKeys returns the error for the first key whose record does not exist or does not match Using.
func checkKeys(records map[core.Value]core.Record, all Records, op *core.Op) error {
	for _, key := range op.Keys {
		rec, exists := records[key]
		if !exists {
			return op.Resource.NotFound(key)
		}
		if ok, err := op.Using.Match(rec, all.Related); err != nil || !ok {
			return cmp.Or(err, error(op.Resource.NotFound(key)))
		}
	}
	return nil
}
