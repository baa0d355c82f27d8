package core

import (
	"context"
	"errors"
)

// A page that continues after a cursor with values that are cut needs the record that
// the cursor was made of.

// selectInTx reads the page and what it continues after in one transaction.
func (s session) selectInTx(ctx context.Context, r *Resource, q Query) (page Page, err error) {
	err = s.store.TxWith(ctx, TxOptions{ReadOnly: true}, func(ctx context.Context, tx *Transaction) (err error) {
		page, err = tx.Select(ctx, r, q)
		return err
	})
	return page, err
}

// findMark returns the position of the mark: of its record, if that is still there and
// visible, and as it was.
func (s session) findMark(ctx context.Context, op *Op, at mark) ([]Value, error) {
	s.final = false
	rec, err := s.marked(ctx, op, at)
	if err != nil && !hides(err) {
		return nil, err
	}
	return at.position(op.Order, rec)
}

// hides reports whether a policy lets the principal read nothing of what was asked for.
func hides(err error) bool {
	return errors.Is(err, Forbidden) || errors.Is(err, Unauthorized) || errors.Is(err, UnknownField)
}

// marked returns the record that the mark was made of, with the fields that the op
// sorts by; the zero Record if there is none.
func (s session) marked(ctx context.Context, op *Op, at mark) (Record, error) {
	names := make([]string, len(op.Order))
	for i, o := range op.Order {
		names[i] = o.Field.name
	}
	key := at[len(at)-1]
	if key.hash != "" {
		return s.markedByBeginning(ctx, op, at, names)
	}
	records, err := s.Load(ctx, op.Resource, []Value{key.value}, names...)
	if err != nil || len(records) == 0 || !at.of(op.Order, records[0]) {
		return Record{}, err
	}
	return records[0], nil
}

// markedPageSize is how many records [session.markedByBeginning] reads at a time.
const markedPageSize = 256

// markedByBeginning looks for the record among those whose keys begin like its own.
func (s session) markedByBeginning(ctx context.Context, op *Op, at mark, names []string) (Record, error) {
	key := op.Resource.key
	begins := Prefix(key.name, at[len(at)-1].value.str)
	q := Query{Where: begins, Fields: names, Limit: markedPageSize}
	for {
		page, err := s.Select(ctx, op.Resource, q)
		if err != nil {
			return Record{}, err
		}
		for _, rec := range page.Records {
			if at.of(op.Order, rec) {
				return rec, nil
			}
		}
		if page.Next == "" {
			return Record{}, nil
		}
		q.Where = And(begins, Gt(key.name, page.Records[len(page.Records)-1].Key()))
	}
}
