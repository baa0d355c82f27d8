package core

import (
	"iter"
	"slices"
)

// The functions of this file are the reference of what backends do, obviously
// right rather than fast: a backend that has nothing better can be built from
// them, and the conformance kit compares every other one with them.

// ReadFrom answers a Load or a Select from all records of the op's resource, in
// whatever order they come.
func ReadFrom(records iter.Seq[Record], op *Op) Result {
	var found []Record
	for rec := range records {
		if selects(op, rec) {
			found = append(found, rec)
		}
	}
	order := op.Order
	if op.Kind == Load {
		order = op.Resource.byKey
	}
	slices.SortFunc(found, func(a, b Record) int { return CompareRecords(order, a, b) })
	var res Result
	if op.Limit > 0 && len(found) > op.Limit {
		res.Count = len(found)
		found = found[:op.Limit]
	}
	for _, rec := range found {
		res.Records = append(res.Records, rec.Project(op.Fields))
	}
	return res
}

// CountIn answers a Count from all records of the op's resource.
func CountIn(records iter.Seq[Record], op *Op) (n int) {
	for rec := range records {
		if selects(op, rec) {
			n++
		}
	}
	return n
}

func selects(op *Op, rec Record) bool {
	if !op.Using.Match(rec) {
		return false
	}
	if op.Kind == Load {
		_, found := slices.BinarySearchFunc(op.Keys, rec.Key(), Compare)
		return found
	}
	return op.Where.Match(rec) && (op.After == nil || After(op.Order, op.After, rec))
}

// CheckIntegrity looks at all records of a store, given by a function that
// returns those of one resource, and returns the error that a commit which left
// them like this owes: [NotFound] for a to-one relation without a target, or
// [AlreadyExists] for a unique value that two records hold; nil if all is well.
func CheckIntegrity(m *Model, records func(*Resource) iter.Seq[Record]) error {
	none := func(*Resource) iter.Seq[Record] { return func(func(Record) bool) {} }
	return CheckCommit(m, none, records)
}

// CheckCommit is [CheckIntegrity] for a commit that knows the records before it, too:
// a target that was there and is not any more makes the relation that still points at
// it the error, [FieldUpdateForbidden].
func CheckCommit(m *Model, before, after func(*Resource) iter.Seq[Record]) error {
	were, are := keySets(m, before), keySets(m, after)
	for _, r := range m.resources {
		for _, f := range r.toOnes {
			for rec := range after(r) {
				switch v := rec.values[f.column]; {
				case !v.IsSet() || are[f.target.index][v]:
				case were[f.target.index][v]:
					return f.StillReferenced()
				default:
					return f.target.NotFound(v)
				}
			}
		}
		for _, f := range r.uniques {
			if v := heldTwice(f, after(r)); v.IsSet() {
				return f.AlreadyExistsWith(v)
			}
		}
	}
	return nil
}

// keySets returns the keys of the records of each resource, by its index.
func keySets(m *Model, records func(*Resource) iter.Seq[Record]) []map[Value]bool {
	keys := make([]map[Value]bool, len(m.resources))
	for i, r := range m.resources {
		keys[i] = make(map[Value]bool)
		for rec := range records(r) {
			keys[i][rec.Key()] = true
		}
	}
	return keys
}

// heldTwice returns a value of the field that two of the records hold; absent if there is
// none.
func heldTwice(f *Field, records iter.Seq[Record]) Value {
	seen := make(map[Value]bool)
	for rec := range records {
		v := rec.values[f.column]
		if seen[v] {
			return v
		}
		seen[v] = v.IsSet()
	}
	return Value{}
}
