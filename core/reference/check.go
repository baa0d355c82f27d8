package reference

import (
	"iter"

	"github.com/larder-go/larder/core"
)

// CheckIntegrity checks that the records of a store keep the integrity rules. records must return all records of a
// resource.
//
// Errors: [core.NotFound] for a to-one relation without a target; [core.AlreadyExists] for a unique value that two
// records hold, and for values of a unique index.
func CheckIntegrity(m *core.Model, records Records) error {
	empty := func(*core.Resource) iter.Seq[core.Record] { return func(func(core.Record) bool) {} }
	return CheckCommit(m, empty, records)
}

// CheckCommit checks the integrity rules at a commit. before and after must return all records of a resource, before
// and after the transaction.
//
// Errors: [core.Field.StillReferenced] for a to-one relation to a record that the transaction has deleted; otherwise
// as for [CheckIntegrity] of the records after the transaction.
func CheckCommit(m *core.Model, before, after Records) error {
	old, current := keySets(m, before), keySets(m, after)
	for _, r := range m.Resources() {
		for _, f := range r.References() {
			for rec := range after(r) {
				switch v := rec.At(f.Column()); {
				case !v.IsSet() || f.Keeps() || current[f.Target().Index()][v]:
				case old[f.Target().Index()][v]:
					return f.StillReferenced()
				default:
					return f.Target().NotFound(v)
				}
			}
		}
		for _, f := range r.Uniques() {
			if v := repeated(func(rec core.Record) core.Value { return rec.At(f.Column()) }, after(r)); v.IsSet() {
				return f.AlreadyExistsWith(v)
			}
		}
		for _, x := range r.Indexes() {
			if v := repeated(x.Claim, after(r)); x.Unique && v.IsSet() {
				return x.AlreadyExistsWith(v)
			}
		}
	}
	return nil
}

// keySets returns the keys of the records of each resource, by the index of the resource.
func keySets(m *core.Model, records Records) []map[core.Value]bool {
	keys := make([]map[core.Value]bool, len(m.Resources()))
	for i, r := range m.Resources() {
		keys[i] = make(map[core.Value]bool)
		for rec := range records(r) {
			keys[i][rec.Key()] = true
		}
	}
	return keys
}

// repeated returns a value that the function returns for two of the records; absent if there is none.
func repeated(value func(core.Record) core.Value, records iter.Seq[core.Record]) core.Value {
	found := make(map[core.Value]bool)
	for rec := range records {
		v := value(rec)
		if found[v] {
			return v
		}
		found[v] = v.IsSet()
	}
	return core.Value{}
}
