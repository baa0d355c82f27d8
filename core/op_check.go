package core

import "errors"

// check rejects an op that a decorator has made unfit for a backend: of another store or model, without the parts of
// its kind, or with values of wrong types. Ops of a session pass.
func (op *Op) check(s *Store) error {
	var reason error
	switch r := op.Resource; {
	case op.origin != s || op.Kind == Tx && (op.attempt == nil || op.Tx == nil):
		reason = errForeignOp
	case op.Kind == Tx && r == nil:
	case r == nil || r.model != s.model:
		reason = errForeignResource
	default:
		reason = op.checkParts()
	}
	if reason != nil {
		return &Error{Code: ServerError, Cause: reason}
	}
	return nil
}

var (
	errForeignResource = errors.New("resource is nil or belongs to another model")
	errForeignOp       = errors.New("op was not made by this store; copy the incoming op or use its Derive")
	errOpKeys          = errors.New("op keys must have the key's type and ascend without duplicates")
	errOpRecords       = errors.New("op records must belong to the op's resource and have the types of its columns")
	errOpFields        = errors.New("op fields must be stored fields of the op's resource")
	errOpChanges       = errors.New("records of an update must have the keys of the op, in the same order")
	errOpOrder         = errors.New("op order must name stored fields of the op's resource and end with the key")
	errOpNumber        = errors.New("op Limit and N must not be negative")
)

func (op *Op) checkParts() error {
	switch {
	case op.Limit < 0 || op.N < 0:
		return errOpNumber
	case !op.keysAscend():
		return errOpKeys
	case !op.recordsFit():
		return errOpRecords
	case !op.fieldsFit():
		return errOpFields
	case op.Kind == Update && !op.recordsFollowKeys():
		return errOpChanges
	case op.Kind == Select && !op.orderIsTotal():
		return errOpOrder
	}
	return nil
}

func (op *Op) keysAscend() bool {
	for i, key := range op.Keys {
		if !op.Resource.key.accepts(key) || i > 0 && Compare(op.Keys[i-1], key) >= 0 {
			return false
		}
	}
	return true
}

func (op *Op) recordsFit() bool {
	for _, rec := range op.Records {
		if rec.resource != op.Resource {
			return false
		}
		for i, f := range op.Resource.columns {
			if v := rec.values[i]; v.IsSet() && !f.accepts(v) {
				return false
			}
		}
	}
	return true
}

func (op *Op) fieldsFit() bool {
	return op.areStored(op.Fields) && op.areStored(op.Reset)
}

func (op *Op) areStored(fields []*Field) bool {
	for _, f := range fields {
		if f == nil || f.resource != op.Resource || !f.Stored() {
			return false
		}
	}
	return true
}

func (op *Op) recordsFollowKeys() bool {
	if len(op.Records) != len(op.Keys) {
		return false
	}
	for i, rec := range op.Records {
		if rec.Key() != op.Keys[i] {
			return false
		}
	}
	return true
}

func (op *Op) orderIsTotal() bool {
	n := len(op.Order)
	for _, o := range op.Order {
		r := op.Resource
		for _, hop := range o.Path {
			if hop.Relation.Stored == nil || hop.Relation.Source() != r || hop.Relation.Many() || hop.Guard.n != nil && hop.Relation.Target().checkBound(hop.Guard) != nil {
				return false
			}
			r = hop.Relation.Target()
		}
		if o.Field == nil || o.Field.resource != r || !o.Field.Stored() {
			return false
		}
	}
	return n > 0 && op.Order[n-1].Path == nil && op.Order[n-1].Field == op.Resource.key && (op.After == nil || len(op.After) == n)
}
