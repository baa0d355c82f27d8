package core

import (
	"errors"
	"math"
)

// The functions of this file are the reference of what backends do to records that
// are kept in a map by their key. After an error the map is of no use, as the
// transaction can only be rolled back.

// InsertInto answers an Insert: it adds the records of the op. Absent keys come from
// the sequence of the op's resource, which goes on behind those that are given, and
// absent columns become null.
//
// Errors: those of [BackendTx].Insert.
func InsertInto(records map[Value]Record, op *Op, keys *Sequence) ([]Record, error) {
	r := op.Resource
	for _, rec := range op.Records {
		keys.Follow(rec.Key())
	}
	out := make([]Record, len(op.Records))
	for i, rec := range op.Records {
		values := make([]Value, len(rec.values))
		for c, v := range rec.values {
			if values[c] = v; v.IsAbsent() {
				values[c] = Null
			}
		}
		if rec.Key().IsAbsent() {
			next, err := keys.Next(r, 1)
			if err != nil {
				return nil, err
			}
			values[r.key.column] = next[0]
		}
		rec = Record{r, values}
		if _, taken := records[rec.Key()]; taken {
			return nil, r.key.Taken()
		}
		if !op.Check.Match(rec) {
			return nil, r.Forbidden()
		}
		records[rec.Key()], out[i] = rec, rec
	}
	return out, nil
}

// UpdateIn answers an Update: it changes the records that the op names.
//
// Errors: those of [BackendTx].Update.
func UpdateIn(records map[Value]Record, op *Op) ([]Record, error) {
	if err := reaches(records, op); err != nil {
		return nil, err
	}
	out := make([]Record, len(op.Records))
	for i, patch := range op.Records {
		rec := records[patch.Key()].Merge(patch)
		if !op.Check.Match(rec) {
			return nil, op.Resource.Forbidden()
		}
		records[rec.Key()], out[i] = rec, rec
	}
	return out, nil
}

// DeleteFrom answers a Delete: it removes the records that the op names.
//
// Errors: those of [BackendTx].Delete.
func DeleteFrom(records map[Value]Record, op *Op) error {
	if err := reaches(records, op); err != nil {
		return err
	}
	for _, key := range op.Keys {
		delete(records, key)
	}
	return nil
}

// reaches answers for the first of the keys that is not there or hidden.
func reaches(records map[Value]Record, op *Op) error {
	for _, key := range op.Keys {
		if rec, there := records[key]; !there || !op.Using.Match(rec) {
			return op.Resource.NotFound(key)
		}
	}
	return nil
}

// Sequence hands out the keys of one resource, none of them twice: whole numbers from
// 1, beyond all that it was told of, or random UUIDs. It belongs to no transaction: a
// rollback does not take it back. The zero Sequence is ready for use, by one goroutine
// at a time.
type Sequence struct{ last int64 }

// Next returns the next n keys of the resource.
//
// Errors: [BadRequest] for a resource whose key is a text.
func (s *Sequence) Next(r *Resource, n int) ([]Value, error) {
	switch {
	case r.key.typ == Text:
		return nil, &Error{Code: BadRequest, Message: "the keys of " + r.external + " are texts, of which none is next"}
	case r.key.typ == Int && int64(n) > math.MaxInt64-s.last:
		return nil, errors.New("core: the numbers for keys of " + r.name + " are used up")
	}
	keys := make([]Value, n)
	for i := range keys {
		if keys[i] = NewUUID(); r.key.typ == Int {
			s.last++
			keys[i] = IntValue(s.last)
		}
	}
	return keys, nil
}

// Follow makes the sequence go on behind a key that was chosen elsewhere.
func (s *Sequence) Follow(key Value) { s.last = max(s.last, key.Int()) }
