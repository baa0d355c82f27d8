package core

import (
	"errors"
	"math"
)

// The functions of this file are the reference of what backends do to records that
// are kept in a map by their key. After an error the map is of no use, as the
// transaction can only be rolled back.

// InsertInto answers an Insert: it adds the records of the op. Absent keys come from
// the sequence of the op's resource, which is told of the keys that are given; the
// backend calls [Sequence.Settle] when the transaction ends. Absent columns become
// null.
//
// Errors: those of [BackendTx].Insert.
func InsertInto(records map[Value]Record, op *Op, keys *Sequence) ([]Record, error) {
	r := op.Resource
	for _, rec := range op.Records {
		keys.Choose(rec.Key())
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
			return nil, r.key.AlreadyExistsWith(rec.Key())
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

// Sequence generates the keys of one resource, none of them twice: whole numbers from
// 1, or random UUIDs. A key that it generated is not taken back by a rollback. A key
// that the open transaction chose itself is never generated, and moves the sequence
// when the transaction commits. The zero Sequence is ready for use, by one transaction
// and one goroutine at a time.
type Sequence struct {
	last   int64
	chosen map[int64]struct{} // by the open transaction, beyond last
}

// Next returns the next n keys of the resource.
//
// Errors: [Resource.NoNextKey] where nothing generates keys.
func (s *Sequence) Next(r *Resource, n int) ([]Value, error) {
	switch {
	case DefaultKeySource(r).Assigned:
		return nil, r.NoNextKey()
	case r.key.typ == Int && int64(n+len(s.chosen)) > math.MaxInt64-s.last:
		return nil, errors.New("core: the numbers for keys of " + r.name + " are used up")
	}
	keys := make([]Value, n)
	for i := range keys {
		if keys[i] = NewUUID(); r.key.typ == Int {
			keys[i] = s.next()
		}
	}
	return keys, nil
}

func (s *Sequence) next() Value {
	for {
		s.last++
		if _, taken := s.chosen[s.last]; !taken {
			return IntValue(s.last)
		}
	}
}

// Choose tells the sequence of a key that the open transaction gives to a record.
func (s *Sequence) Choose(key Value) {
	if key.Int() <= s.last {
		return
	}
	if s.chosen == nil {
		s.chosen = make(map[int64]struct{})
	}
	s.chosen[key.Int()] = struct{}{}
}

// Settle ends the transaction for the sequence: the keys that a committed transaction
// chose are not generated any more, those of another one may be.
func (s *Sequence) Settle(committed bool) {
	if committed {
		for key := range s.chosen {
			s.last = max(s.last, key)
		}
	}
	s.chosen = nil
}
