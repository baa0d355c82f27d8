package reference

import (
	"iter"

	"github.com/larder-go/larder/core"
)

// CheckIntegrity returns the error of a store whose records break the integrity rules: [core.NotFound] for a to-one
// relation without a target, [core.AlreadyExists] for a unique value that two records hold; nil if the records keep them.
// The function returns all records of a resource.
func CheckIntegrity(m *core.Model, records func(*core.Resource) iter.Seq[core.Record]) error {
	empty := func(*core.Resource) iter.Seq[core.Record] { return func(func(core.Record) bool) {} }
	return CheckCommit(m, empty, records)
}

// CheckCommit returns the error of a commit, given the records before the transaction and after it. It is
// [CheckIntegrity] of the records after it, but for one error: if the missing target of a relation existed before, the
// error is [core.Field.StillReferenced].
func CheckCommit(m *core.Model, before, after func(*core.Resource) iter.Seq[core.Record]) error {
	old, current := keySets(m, before), keySets(m, after)
	for _, r := range m.Resources() {
		for _, f := range r.References() {
			for rec := range after(r) {
				switch v := rec.At(f.Column()); {
				case !v.IsSet() || current[f.Target().Index()][v]:
				case old[f.Target().Index()][v]:
					return f.StillReferenced()
				default:
					return f.Target().NotFound(v)
				}
			}
		}
		for _, f := range r.Uniques() {
			if v := duplicate(f, after(r)); v.IsSet() {
				return f.AlreadyExistsWith(v)
			}
		}
	}
	return nil
}

// keySets returns the keys of the records of each resource, by the index of the resource.
func keySets(m *core.Model, records func(*core.Resource) iter.Seq[core.Record]) []map[core.Value]bool {
	keys := make([]map[core.Value]bool, len(m.Resources()))
	for i, r := range m.Resources() {
		keys[i] = make(map[core.Value]bool)
		for rec := range records(r) {
			keys[i][rec.Key()] = true
		}
	}
	return keys
}

// duplicate returns a value of the field that two of the records hold; absent if there is none.
func duplicate(f *core.Field, records iter.Seq[core.Record]) core.Value {
	found := make(map[core.Value]bool)
	for rec := range records {
		v := rec.At(f.Column())
		if found[v] {
			return v
		}
		found[v] = v.IsSet()
	}
	return core.Value{}
}
