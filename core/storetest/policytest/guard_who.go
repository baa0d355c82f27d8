package policytest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

func nobodyIsRefused(t *guardTrial) {
	if t.IgnoresPrincipal {
		return // it is one of the guests
	}
	nobody := []guest{t.guest(nil)}
	ctx, _ := t.send(t.ctx, nil)
	if err := t.store.Tx(ctx, func(context.Context, *core.Transaction) error { return nil }); !errors.Is(err, core.Unauthorized) {
		t.Fatalf("nobody, a transaction without operations: %s, want %s", kit.FullText(err), core.Unauthorized)
	}
	for _, r := range t.Model.Resources() {
		_, errLoad := t.store.Load(ctx, r, nil)
		_, errInsert := t.store.Insert(ctx, r)
		for kind, err := range map[core.Kind]error{core.Load: errLoad, core.Insert: errInsert, core.Delete: t.store.Delete(ctx, r)} {
			if !t.turnsAway(err, kind, r) {
				t.Fatalf("nobody, a %s on no %s: %s, want %s", kind, r, kit.FullText(err), core.Unauthorized)
			}
		}
	}
	look := func(g guest, at place, a attempt) {
		o, arrived := t.try(at, g, a)
		if !t.turnsAway(o.err, a.kind, a.res) {
			t.wrong(g, at, a, "%s, want %s", kit.FullText(o.err), core.Unauthorized)
		}
		if len(arrived) > 0 {
			t.wrong(g, at, a, "%v reaches the backend", arrived[0].Kind)
		}
		t.undo(at, a, o)
	}
	t.eachRead(nobody, look)
	t.eachWrite(nobody, writeKinds, look)
	t.eachUnknown(nobody[0], func(at place, a attempt, err error, arrived []*core.Op) {
		if !t.turnsAway(err, unknownKind, a.res) || len(arrived) > 0 {
			t.wrong(nobody[0], at, a, "sent as a kind that nobody knows: %s, want %s", kit.FullText(err), core.Unauthorized)
		}
	})
}

// turnsAway reports whether the error tells nobody to say who it is; or that this
// is refused to everybody, if it is.
func (t *guardTrial) turnsAway(err error, kind core.Kind, r *core.Resource) bool {
	return errors.Is(err, core.Unauthorized) || refusal(err) && t.Denies(nil, kind, r)
}

// strangersMeetNothing sends reads and writes for those who are nearly principals.
func strangersMeetNothing(t *guardTrial) {
	t.someReads(t.strangers(), func(g guest, at place, a attempt) { t.readsExactly(g, at, a, usingHides) })
	t.eachWrite(t.strangers(), writeKinds, func(g guest, at place, a attempt) {
		o := t.do(g, at, a, usingHides, checkHolds)
		if at.keeps && o.err == nil {
			t.touches(g, at, a)
		}
		t.undo(at, a, o)
	})
}

func unknownIsGuarded(t *guardTrial) {
	for _, g := range t.guests() {
		t.eachUnknown(g, func(at place, a attempt, _ error, arrived []*core.Op) {
			for _, op := range arrived {
				if t.Exempt(op) {
					continue
				}
				if g.refused(unknownKind, op.Resource) {
					t.wrong(g, at, a, "%v reaches the backend, and is refused", op.Kind)
				}
				for _, judge := range []judgment{usingHides, checkHolds, principalStays} {
					if wrong := judge(g, t.begin, op); wrong != "" {
						t.wrong(g, at, a, "%s", wrong)
					}
				}
			}
		})
	}
}

// eachUnknown sends one op of each kind, which the gate makes one of a kind that
// does not exist.
func (t *guardTrial) eachUnknown(g guest, look func(at place, a attempt, err error, arrived []*core.Op)) {
	t.eachKind(g, func(p *probe) { p.unknown = true }, look)
}

// eachKind sends one op of each kind; know says what is special about it.
func (t *guardTrial) eachKind(g guest, know func(p *probe), look func(at place, a attempt, err error, arrived []*core.Op)) {
	for _, r := range t.Model.Resources() {
		all := t.made.reads(r)[:3] // one of each kind
		for _, kind := range writeKinds {
			if some := t.made.writes(r, []core.Kind{kind}); len(some) > 0 {
				all = append(all, some[0])
			}
		}
		for _, a := range all {
			for _, at := range places {
				if at.readOnly {
					continue
				}
				var p probe
				err := at.run(t.theatre, g.who, func(ctx context.Context, s core.Querier) error {
					ctx, sent := t.send(ctx, g.who)
					know(sent)
					o := a.run(ctx, s)
					p.arrived = sent.ops()
					return o.err
				})
				look(at, a, err, p.arrived)
			}
		}
	}
}

func refusedIsRefused(t *guardTrial) {
	look := func(g guest, at place, a attempt) {
		if g.nobody() || !g.refused(a.kind, a.res) {
			return
		}
		o, arrived := t.try(at, g, a)
		if !errors.Is(o.err, core.Forbidden) && !errors.Is(o.err, core.ReadOnly) {
			t.wrong(g, at, a, "%s, want %s or %s", kit.FullText(o.err), core.Forbidden, core.ReadOnly)
		}
		for _, op := range arrived {
			if !t.Exempt(op) && op.Kind == a.kind {
				t.wrong(g, at, a, "%v reaches the backend", op.Kind)
			}
		}
		t.undo(at, a, o)
	}
	t.eachRead(t.guests(), look)
	t.eachWrite(t.guests(), writeKinds, look)
}

// opsAreTheirs sends for all principals in turn, and then at once.
func opsAreTheirs(t *guardTrial) {
	look := func(g guest, at place, a attempt) { t.undo(at, a, t.do(g, at, a, principalStays)) }
	t.someReads(t.guests(), look)
	t.eachWrite(t.guests(), writeKinds, look)
	var all sync.WaitGroup
	wrong := make(chan string, len(t.guests()))
	for _, g := range t.guests() {
		all.Go(func() {
			for range crowdRounds {
				if w := t.readAtOnce(g); w != "" {
					wrong <- fmt.Sprintf("%s, while others read too: %s", g, w)
					return
				}
			}
		})
	}
	all.Wait()
	close(wrong)
	for w := range wrong {
		t.Fatalf("%s", w)
	}
}

const crowdRounds = 10

func (t *guardTrial) readAtOnce(g guest) string {
	for _, r := range t.Model.Resources() {
		for _, a := range t.made.reads(r)[:3] { // one of each kind
			if wrong := t.readOne(g, a); wrong != "" {
				return wrong
			}
		}
	}
	return ""
}

func (t *guardTrial) readOne(g guest, a attempt) string {
	o, arrived := t.try(places[0], g, a)
	for _, op := range arrived {
		for _, judge := range []judgment{principalStays, usingHides} {
			if w := judge(g, t.begin, op); w != "" && !t.Exempt(op) {
				return w
			}
		}
	}
	if o.err != nil {
		return "" // other rules look at errors
	}
	due := a.due(g.seen(t.begin[a.res.Index()]))
	if o.count != due.count {
		return fmt.Sprintf("%v: counted %d, want %d", a, o.count, due.count)
	}
	return kit.Difference(g.legible(a, o.records), g.legible(a, due.records))
}

func unreadStaysUnknown(t *guardTrial) {
	look := func(g guest, at place, a attempt) {
		if t.allRead(g, a.res) {
			return
		}
		o := t.do(g, at, a, fieldsStay)
		for _, rec := range o.records {
			for c, f := range a.res.Columns() {
				if !g.reads(f) && rec.At(c).IsSet() {
					t.wrong(g, at, a, "%v comes with %v, which is not read", rec, f)
				}
			}
		}
		t.undo(at, a, o)
	}
	t.eachRead(t.guests(), look)
	t.eachWrite(t.guests(), writeKinds, look)
}
