package storetest

import (
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/reference"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

// oracle predicts the results of a backend. It holds records in maps and uses the reference functions of core, so that
// it is simple rather than fast.
type oracle struct {
	model    *core.Model
	current  []kit.RecordMap // by resource index
	before   []kit.RecordMap // before the transaction
	written  []kit.RecordMap // records inserted or updated in the transaction
	targets  []kit.ValueSet  // keys that references were set to in the transaction
	usedKeys []kit.ValueSet  // keys of records and generated keys
}

func newOracle(m *core.Model) *oracle {
	o := &oracle{model: m, current: newRecordMaps(m)}
	for range o.current {
		o.usedKeys = append(o.usedKeys, make(kit.ValueSet))
	}
	return o
}

func newRecordMaps(m *core.Model) []kit.RecordMap {
	all := make([]kit.RecordMap, len(m.Resources()))
	for i := range all {
		all[i] = make(kit.RecordMap)
	}
	return all
}

func (o *oracle) begin() {
	o.before, o.written, o.targets = make([]kit.RecordMap, len(o.current)), newRecordMaps(o.model), make([]kit.ValueSet, len(o.current))
	for i, all := range o.current {
		o.before[i], o.targets[i] = maps.Clone(all), make(kit.ValueSet)
	}
}

func (o *oracle) commit() {
	for i, put := range o.written {
		for key := range put {
			o.usedKeys[i][key] = true
		}
	}
}

func (o *oracle) rollback() { o.current = o.before }

// generated notes a key that the backend has generated, and reports whether the key is new.
func (o *oracle) generated(r *core.Resource, key core.Value) bool {
	_, put := o.written[r.Index()][key]
	used := put || o.usedKeys[r.Index()][key]
	o.usedKeys[r.Index()][key] = true
	return !used
}

func (o *oracle) records(r *core.Resource) iter.Seq[core.Record] {
	return maps.Values(o.current[r.Index()])
}

func (o *oracle) read(op *core.Op) core.Result { return kit.Certain(reference.Read(o.records, op)) }

func (o *oracle) aggregate(op *core.Op) core.Result {
	return kit.Certain(reference.Aggregate(o.records, op))
}

func (o *oracle) count(op *core.Op) int { return kit.Certain(reference.Count(o.records, op)) }

func (o *oracle) matches(f core.Filter, rec core.Record) bool {
	return kit.Matches(f, rec, o.records)
}

// expectedErrors are the errors that an operation may fail with, as public texts. The value is true for an error that
// makes it necessary to fail. If there are none, the operation must succeed.
type expectedErrors map[string]bool

// require adds an error; the operation must fail.
func (w expectedErrors) require(e *core.Error) { w[e.Public()] = true }

// permit adds an error that the oracle cannot predict; the operation may fail with it.
func (w expectedErrors) permit(e *core.Error) { w[e.Public()] = w[e.Public()] }

// union returns the errors of both.
func (w expectedErrors) union(other expectedErrors) expectedErrors {
	both := maps.Clone(other)
	if both == nil {
		both = make(expectedErrors)
	}
	maps.Copy(both, w)
	return both
}

// String returns the errors for messages.
func (w expectedErrors) String() string {
	if len(w) == 0 {
		return "no error"
	}
	return strings.Join(slices.Sorted(maps.Keys(w)), " or ")
}

// required reports whether the operation must fail.
func (w expectedErrors) required() bool {
	for _, must := range w {
		if must {
			return true
		}
	}
	return false
}

// insert adds the records, which have keys, and returns the expected errors.
func (o *oracle) insert(r *core.Resource, recs []core.Record, check core.Filter) expectedErrors {
	expected := make(expectedErrors)
	all := o.current[r.Index()]
	for _, rec := range recs {
		if _, taken := all[rec.Key()]; taken {
			expected.require(r.Key().AlreadyExists())
		}
		o.set(r, rec)
	}
	o.check(r, recs, check, expected)
	return expected
}

// update applies the changes, which ascend by key, and returns the expected errors.
func (o *oracle) update(r *core.Resource, changes []core.Record, using, check core.Filter) ([]core.Record, expectedErrors) {
	if expected := o.missing(r, kit.KeysOf(changes), using); len(expected) > 0 {
		return nil, expected
	}
	expected := make(expectedErrors)
	after := make([]core.Record, len(changes))
	for i, change := range changes {
		after[i] = o.current[r.Index()][change.Key()].Merge(change)
		o.set(r, after[i])
	}
	o.check(r, after, check, expected)
	return after, expected
}

// check adds the expected error of a write whose after images do not match the check. A condition on related records sees
// all after images of the write.
func (o *oracle) check(r *core.Resource, after []core.Record, check core.Filter, expected expectedErrors) {
	for _, rec := range after {
		if !o.matches(check, rec) {
			expected.require(r.Forbidden())
		}
	}
}

// delete removes the records and returns the expected errors.
func (o *oracle) delete(r *core.Resource, keys []core.Value, using core.Filter) expectedErrors {
	expected := o.missing(r, keys, using)
	for _, key := range keys {
		delete(o.current[r.Index()], key)
	}
	return expected
}

// missing returns the expected error of a write to hidden or absent records.
func (o *oracle) missing(r *core.Resource, keys []core.Value, using core.Filter) expectedErrors {
	expected := make(expectedErrors)
	for _, key := range keys {
		if rec, ok := o.current[r.Index()][key]; !ok || !o.matches(using, rec) {
			expected.require(r.NotFound(key))
			if o.wasVisible(r, key, using) {
				expected.permit(&core.Error{Code: core.Unauthorized})
			}
			break // only the first missing key
		}
	}
	return expected
}

// wasVisible reports whether the record matched the guard before the transaction. The store may look it up after a rollback,
// and deny the write to a caller that can read the record then.
func (o *oracle) wasVisible(r *core.Resource, key core.Value, using core.Filter) bool {
	before := func(r *core.Resource) iter.Seq[core.Record] { return maps.Values(o.before[r.Index()]) }
	rec, existed := o.before[r.Index()][key]
	return existed && kit.Matches(using, rec, before)
}

func (o *oracle) set(r *core.Resource, rec core.Record) {
	o.current[r.Index()][rec.Key()] = rec
	o.written[r.Index()][rec.Key()] = rec
	for _, f := range r.References() {
		o.targets[f.Target().Index()][rec.At(f.Column())] = true
	}
}

// violations returns the errors that the commit may fail with.
func (o *oracle) violations() expectedErrors {
	if reference.CheckIntegrity(o.model, o.records) == nil {
		return nil
	}
	expected := make(expectedErrors)
	for _, r := range o.model.Resources() {
		for _, f := range r.References() {
			for rec := range o.records(r) {
				o.addDangling(f, rec, expected)
			}
		}
		for _, f := range r.Uniques() {
			if o.repeats(r, func(rec core.Record) core.Value { return rec.At(f.Column()) }) {
				expected.require(f.AlreadyExists())
			}
		}
		for _, x := range r.Indexes() {
			if x.Unique && o.repeats(r, x.Claim) {
				expected.require(x.AlreadyExists())
			}
		}
	}
	return expected
}

// repeats reports whether the function returns the same value for two records.
func (o *oracle) repeats(r *core.Resource, value func(core.Record) core.Value) bool {
	found := make(kit.ValueSet)
	for rec := range o.records(r) {
		v := value(rec)
		if found[v] {
			return true
		}
		found[v] = v.IsSet()
	}
	return false
}

// addDangling adds the expected errors for a reference without a target: one if the target was deleted, one if the
// reference was set. If the transaction did both, either is correct.
func (o *oracle) addDangling(f *core.Field, rec core.Record, expected expectedErrors) {
	target, key := f.Target(), rec.At(f.Column())
	if _, there := o.current[target.Index()][key]; there || !key.IsSet() || f.Keeps() {
		return
	}
	_, was := o.before[target.Index()][key]
	_, inserted := o.written[target.Index()][key]
	if was || inserted {
		expected.require(f.StillReferenced())
	}
	if o.targets[target.Index()][key] {
		expected.require(target.NotFound(key))
	}
}
