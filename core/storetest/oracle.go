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
	model *core.Model
	now   []kit.Table  // by index of the resource
	begun []kit.Table  // when the transaction began
	put   []kit.Table  // what was inserted or updated in it
	aimed []kit.KeySet // what relations were set to in it
	used  []kit.KeySet // keys that records had or that were handed out
}

func newOracle(m *core.Model) *oracle {
	o := &oracle{model: m, now: tables(m)}
	for range o.now {
		o.used = append(o.used, make(kit.KeySet))
	}
	return o
}

func tables(m *core.Model) []kit.Table {
	all := make([]kit.Table, len(m.Resources()))
	for i := range all {
		all[i] = make(kit.Table)
	}
	return all
}

func (o *oracle) begin() {
	o.begun, o.put, o.aimed = make([]kit.Table, len(o.now)), tables(o.model), make([]kit.KeySet, len(o.now))
	for i, all := range o.now {
		o.begun[i], o.aimed[i] = maps.Clone(all), make(kit.KeySet)
	}
}

func (o *oracle) commit() {
	for i, put := range o.put {
		for key := range put {
			o.used[i][key] = true
		}
	}
}

func (o *oracle) rollback() { o.now = o.begun }

// handOut reports whether the backend may hand out the key, which it did.
func (o *oracle) handOut(r *core.Resource, key core.Value) bool {
	_, put := o.put[r.Index()][key]
	used := put || o.used[r.Index()][key]
	o.used[r.Index()][key] = true
	return !used
}

func (o *oracle) records(r *core.Resource) iter.Seq[core.Record] {
	return maps.Values(o.now[r.Index()])
}

func (o *oracle) read(op *core.Op) core.Result { return reference.Read(o.records(op.Resource), op) }

func (o *oracle) count(op *core.Op) int { return reference.Count(o.records(op.Resource), op) }

// owed is the errors that an operation may fail with, with whether it has to
// fail; empty if it has to succeed.
type owed map[string]bool

func (w owed) add(e *core.Error) { w[e.Public()] = true }

// maybe adds an error of which the oracle cannot know.
func (w owed) maybe(e *core.Error) { w[e.Public()] = w[e.Public()] }

// and returns the errors of both.
func (w owed) and(other owed) owed {
	both := maps.Clone(other)
	if both == nil {
		both = make(owed)
	}
	maps.Copy(both, w)
	return both
}

// String returns the errors in words, for messages.
func (w owed) String() string {
	if len(w) == 0 {
		return "no error"
	}
	return strings.Join(slices.Sorted(maps.Keys(w)), " or ")
}

// must reports whether the operation has to fail.
func (w owed) must() bool {
	for _, must := range w {
		if must {
			return true
		}
	}
	return false
}

// insert adds the records, which have their keys, or says what it may fail with.
func (o *oracle) insert(r *core.Resource, recs []core.Record, check core.Filter) owed {
	wrong := make(owed)
	all := o.now[r.Index()]
	for _, rec := range recs {
		if _, taken := all[rec.Key()]; taken {
			wrong.add(r.Key().AlreadyExists())
		}
		if !check.Match(rec) {
			wrong.add(r.Forbidden())
		}
		o.set(r, rec)
	}
	return wrong
}

// update makes the changes, which ascend by key, or says what it must fail with.
func (o *oracle) update(r *core.Resource, changes []core.Record, using, check core.Filter) ([]core.Record, owed) {
	if wrong := o.missing(r, kit.KeysOf(changes), using); len(wrong) > 0 {
		return nil, wrong
	}
	wrong := make(owed)
	after := make([]core.Record, len(changes))
	for i, change := range changes {
		after[i] = o.now[r.Index()][change.Key()].Merge(change)
		if !check.Match(after[i]) {
			wrong.add(r.Forbidden())
		}
		o.set(r, after[i])
	}
	return after, wrong
}

// delete removes the records, or says what it must fail with.
func (o *oracle) delete(r *core.Resource, keys []core.Value, using core.Filter) owed {
	wrong := o.missing(r, keys, using)
	for _, key := range keys {
		delete(o.now[r.Index()], key)
	}
	return wrong
}

// missing says what a write to hidden or absent records must fail with.
func (o *oracle) missing(r *core.Resource, keys []core.Value, using core.Filter) owed {
	wrong := make(owed)
	for _, key := range keys {
		if rec, ok := o.now[r.Index()][key]; !ok || !using.Match(rec) {
			wrong.add(r.NotFound(key))
			break // the first one
		}
	}
	return wrong
}

func (o *oracle) set(r *core.Resource, rec core.Record) {
	o.now[r.Index()][rec.Key()] = rec
	o.put[r.Index()][rec.Key()] = rec
	for _, f := range r.References() {
		o.aimed[f.Target().Index()][rec.At(f.Column())] = true
	}
}

// violations says what the commit may fail with.
func (o *oracle) violations() owed {
	if reference.CheckIntegrity(o.model, o.records) == nil {
		return nil
	}
	wrong := make(owed)
	for _, r := range o.model.Resources() {
		for _, f := range r.References() {
			for rec := range o.records(r) {
				o.dangles(f, rec, wrong)
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
					wrong.add(f.AlreadyExists())
				}
			}
		}
	}
	return wrong
}

// dangles adds what a commit owes for a relation without a target. Was the
// target deleted, or did the record come to point at nothing? If the transaction
// did both, either may be said.
func (o *oracle) dangles(f *core.Field, rec core.Record, wrong owed) {
	target, key := f.Target(), rec.At(f.Column())
	if _, there := o.now[target.Index()][key]; there || !key.IsSet() {
		return
	}
	_, was := o.begun[target.Index()][key]
	_, inserted := o.put[target.Index()][key]
	if was || inserted {
		wrong.add(f.StillReferenced())
	}
	if o.aimed[target.Index()][key] {
		wrong.add(target.NotFound(key))
	}
}
