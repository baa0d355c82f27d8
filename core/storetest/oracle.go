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

// oracle says what a backend owes: maps, and the reference functions of core. It
// is obviously right rather than fast.
type oracle struct {
	model    *core.Model
	current  []kit.RecordMap // by index of the resource
	before   []kit.RecordMap // when the transaction began
	written  []kit.RecordMap // what was inserted or updated in it
	targets  []kit.ValueSet  // what relations were set to in it
	usedKeys []kit.ValueSet  // keys that records had or that were handed out
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

// handOut reports whether the backend may hand out the key, which it did.
func (o *oracle) generated(r *core.Resource, key core.Value) bool {
	_, put := o.written[r.Index()][key]
	used := put || o.usedKeys[r.Index()][key]
	o.usedKeys[r.Index()][key] = true
	return !used
}

func (o *oracle) records(r *core.Resource) iter.Seq[core.Record] {
	return maps.Values(o.current[r.Index()])
}

func (o *oracle) read(op *core.Op) core.Result { return reference.Read(o.records(op.Resource), op) }

func (o *oracle) count(op *core.Op) int { return reference.Count(o.records(op.Resource), op) }

// owed is the errors that an operation may fail with, with whether it has to
// fail; empty if it has to succeed.
type expectedErrors map[string]bool

func (w expectedErrors) require(e *core.Error) { w[e.Public()] = true }

// maybe adds an error of which the oracle cannot know.
func (w expectedErrors) permit(e *core.Error) { w[e.Public()] = w[e.Public()] }

// and returns the errors of both.
func (w expectedErrors) union(other expectedErrors) expectedErrors {
	both := maps.Clone(other)
	if both == nil {
		both = make(expectedErrors)
	}
	maps.Copy(both, w)
	return both
}

// String returns the errors in words, for messages.
func (w expectedErrors) String() string {
	if len(w) == 0 {
		return "no error"
	}
	return strings.Join(slices.Sorted(maps.Keys(w)), " or ")
}

// must reports whether the operation has to fail.
func (w expectedErrors) required() bool {
	for _, must := range w {
		if must {
			return true
		}
	}
	return false
}

// insert adds the records, which have their keys, or says what it may fail with.
func (o *oracle) insert(r *core.Resource, recs []core.Record, check core.Filter) expectedErrors {
	wrong := make(expectedErrors)
	all := o.current[r.Index()]
	for _, rec := range recs {
		if _, taken := all[rec.Key()]; taken {
			wrong.require(r.Key().AlreadyExists())
		}
		if !check.Match(rec) {
			wrong.require(r.Forbidden())
		}
		o.set(r, rec)
	}
	return wrong
}

// update makes the changes, which ascend by key, or says what it must fail with.
func (o *oracle) update(r *core.Resource, changes []core.Record, using, check core.Filter) ([]core.Record, expectedErrors) {
	if wrong := o.missing(r, kit.KeysOf(changes), using); len(wrong) > 0 {
		return nil, wrong
	}
	wrong := make(expectedErrors)
	after := make([]core.Record, len(changes))
	for i, change := range changes {
		after[i] = o.current[r.Index()][change.Key()].Merge(change)
		if !check.Match(after[i]) {
			wrong.require(r.Forbidden())
		}
		o.set(r, after[i])
	}
	return after, wrong
}

// delete removes the records, or says what it must fail with.
func (o *oracle) delete(r *core.Resource, keys []core.Value, using core.Filter) expectedErrors {
	wrong := o.missing(r, keys, using)
	for _, key := range keys {
		delete(o.current[r.Index()], key)
	}
	return wrong
}

// missing says what a write to hidden or absent records must fail with.
func (o *oracle) missing(r *core.Resource, keys []core.Value, using core.Filter) expectedErrors {
	wrong := make(expectedErrors)
	for _, key := range keys {
		if rec, ok := o.current[r.Index()][key]; !ok || !using.Match(rec) {
			wrong.require(r.NotFound(key))
			break // the first one
		}
	}
	return wrong
}

func (o *oracle) set(r *core.Resource, rec core.Record) {
	o.current[r.Index()][rec.Key()] = rec
	o.written[r.Index()][rec.Key()] = rec
	for _, f := range r.References() {
		o.targets[f.Target().Index()][rec.At(f.Column())] = true
	}
}

// violations says what the commit may fail with.
func (o *oracle) violations() expectedErrors {
	if reference.CheckIntegrity(o.model, o.records) == nil {
		return nil
	}
	wrong := make(expectedErrors)
	for _, r := range o.model.Resources() {
		for _, f := range r.References() {
			for rec := range o.records(r) {
				o.addDangling(f, rec, wrong)
			}
		}
		for _, f := range r.Uniques() {
			holders := make(map[core.Value]int)
			for rec := range o.records(r) {
				if v := rec.At(f.Column()); v.IsSet() {
					holders[v]++
				}
			}
			for _, n := range holders {
				if n > 1 {
					wrong.require(f.AlreadyExists())
				}
			}
		}
	}
	return wrong
}

// dangles adds what a commit owes for a relation without a target. Was the
// target deleted, or did the record come to point at nothing? If the transaction
// did both, either may be said.
func (o *oracle) addDangling(f *core.Field, rec core.Record, wrong expectedErrors) {
	target, key := f.Target(), rec.At(f.Column())
	if _, there := o.current[target.Index()][key]; there || !key.IsSet() {
		return
	}
	_, was := o.before[target.Index()][key]
	_, inserted := o.written[target.Index()][key]
	if was || inserted {
		wrong.require(f.StillReferenced())
	}
	if o.targets[target.Index()][key] {
		wrong.require(target.NotFound(key))
	}
}
