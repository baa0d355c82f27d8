package policytest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

func anonymousIsUnauthorized(t *guardRun) {
	if t.IgnoresPrincipal {
		return // the anonymous caller is one of the actors
	}
	anonymous := []actor{t.actor(nil)}
	ctx, _ := t.newProbe(t.ctx, nil)
	if err := t.store.Tx(ctx, func(context.Context, *core.Transaction) error { return nil }); !errors.Is(err, core.Unauthorized) {
		t.Fatalf("anonymous caller, a transaction without operations: %s, want %s", kit.FullText(err), core.Unauthorized)
	}
	for _, r := range t.Model.Resources() {
		_, errLoad := t.store.Load(ctx, r, nil)
		_, errInsert := t.store.Insert(ctx, r)
		for kind, err := range map[core.Kind]error{core.Load: errLoad, core.Insert: errInsert, core.Delete: t.store.Delete(ctx, r)} {
			if !t.isUnauthorized(err, kind, r) {
				t.Fatalf("anonymous caller, a %s of no %s: %s, want %s", kind, r, kit.FullText(err), core.Unauthorized)
			}
		}
	}
	visit := func(g actor, at origin, a operation) {
		o, arrived := t.execute(at, g, a)
		if !t.isUnauthorized(o.err, a.kind, a.res) {
			t.fail(g, at, a, "%s, want %s", kit.FullText(o.err), core.Unauthorized)
		}
		if len(arrived) > 0 {
			t.fail(g, at, a, "%v reaches the backend", arrived[0].Kind)
		}
		t.restore(at, a, o)
	}
	t.eachRead(anonymous, visit)
	t.eachWrite(anonymous, writeKinds, visit)
	t.eachUnknownKind(anonymous[0], func(at origin, a operation, err error, arrived []*core.Op) {
		if !t.isUnauthorized(err, unknownKind, a.res) || len(arrived) > 0 {
			t.fail(anonymous[0], at, a, "sent as an unknown kind: %s, want %s", kit.FullText(err), core.Unauthorized)
		}
	})
}

// isUnauthorized reports whether the error asks an anonymous caller to authenticate. Where the spec denies the operation
// to anonymous callers anyway, any denial will do.
func (t *guardRun) isUnauthorized(err error, kind core.Kind, r *core.Resource) bool {
	return errors.Is(err, core.Unauthorized) || isDenial(err) && t.Denies(nil, kind, r)
}

func mistypedPrincipalsReadNothing(t *guardRun) {
	t.eachReadInTurn(t.mistypedActors(), func(g actor, at origin, a operation) { t.checkRead(g, at, a, usingExcludes) })
	t.eachWrite(t.mistypedActors(), writeKinds, func(g actor, at origin, a operation) {
		o := t.perform(g, at, a, usingExcludes, checkRejects)
		if at.commits && o.err == nil {
			t.checkStored(g, at, a)
		}
		t.restore(at, a, o)
	})
}

func unknownKindIsGuarded(t *guardRun) {
	for _, g := range t.actors() {
		t.eachUnknownKind(g, func(at origin, a operation, _ error, arrived []*core.Op) {
			for _, op := range arrived {
				if t.Exempt(op) {
					continue
				}
				if g.denied(unknownKind, op.Resource) {
					t.fail(g, at, a, "%v reaches the backend although it is denied", op.Kind)
				}
				for _, check := range []opCheck{usingExcludes, checkRejects, principalUnchanged} {
					if wrong := check(g, t.initial, op); wrong != "" {
						t.fail(g, at, a, "%s", wrong)
					}
				}
			}
		})
	}
}

// eachUnknownKind sends one operation of each kind. The entry decorator turns it into an op of an unknown kind.
func (t *guardRun) eachUnknownKind(g actor, visit func(at origin, a operation, err error, arrived []*core.Op)) {
	t.eachKind(g, func(p *probe) { p.unknownKind = true }, visit)
}

// eachKind sends one operation of each kind. prepare sets up its probe.
func (t *guardRun) eachKind(g actor, prepare func(p *probe), visit func(at origin, a operation, err error, arrived []*core.Op)) {
	for _, r := range t.Model.Resources() {
		all := t.operations.reads(r)[:3] // a Load, a Select and a Count
		for _, kind := range writeKinds {
			if some := t.operations.writes(r, []core.Kind{kind}); len(some) > 0 {
				all = append(all, some[0])
			}
		}
		for _, a := range all {
			for _, at := range origins {
				if at.readOnly {
					continue
				}
				var p probe
				err := at.run(t.scenario, g.principal, func(ctx context.Context, s core.Querier) error {
					ctx, sent := t.newProbe(ctx, g.principal)
					prepare(sent)
					o := a.run(ctx, s)
					p.arrived = sent.ops()
					return o.err
				})
				visit(at, a, err, p.arrived)
			}
		}
	}
}

func deniedIsDenied(t *guardRun) {
	visit := func(g actor, at origin, a operation) {
		if g.anonymous() || !g.denied(a.kind, a.res) || a.kind == core.Restore && len(a.keys) == 0 { // that only asks, see core.Op.Asks
			return
		}
		o, arrived := t.execute(at, g, a)
		if !errors.Is(o.err, core.Forbidden) && !errors.Is(o.err, core.ReadOnly) {
			t.fail(g, at, a, "%s, want %s or %s", kit.FullText(o.err), core.Forbidden, core.ReadOnly)
		}
		for _, op := range arrived {
			if !t.Exempt(op) && op.Kind == a.kind {
				t.fail(g, at, a, "%v reaches the backend", op.Kind)
			}
		}
		t.restore(at, a, o)
	}
	t.eachRead(t.actors(), visit)
	t.eachWrite(t.actors(), writeKinds, visit)
}

// principalsAreNotMixed sends operations for all principals in turn, and then concurrently.
func principalsAreNotMixed(t *guardRun) {
	visit := func(g actor, at origin, a operation) { t.restore(at, a, t.perform(g, at, a, principalUnchanged)) }
	t.eachReadInTurn(t.actors(), visit)
	t.eachWrite(t.actors(), writeKinds, visit)
	var all sync.WaitGroup
	wrong := make(chan string, len(t.actors()))
	for _, g := range t.actors() {
		all.Go(func() {
			for range concurrentRounds {
				if w := t.readConcurrently(g); w != "" {
					wrong <- fmt.Sprintf("%s, with concurrent readers: %s", g, w)
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

const concurrentRounds = 10

func (t *guardRun) readConcurrently(g actor) string {
	for _, r := range t.Model.Resources() {
		for _, a := range t.operations.reads(r)[:3] { // a Load, a Select and a Count
			if wrong := t.readOne(g, a); wrong != "" {
				return wrong
			}
		}
	}
	return ""
}

func (t *guardRun) readOne(g actor, a operation) string {
	o, arrived := t.execute(origins[0], g, a)
	for _, op := range arrived {
		for _, check := range []opCheck{principalUnchanged, usingExcludes} {
			if w := check(g, t.initial, op); w != "" && !t.Exempt(op) {
				return w
			}
		}
	}
	if o.err != nil {
		return "" // other rules check errors
	}
	want := a.expected(g.readable(t.initial))
	if o.count != want.count {
		return fmt.Sprintf("%v: counted %d, want %d", a, o.count, want.count)
	}
	return kit.Difference(g.comparable(a, o.records), g.comparable(a, want.records))
}

func unreadableFieldsStayHidden(t *guardRun) {
	visit := func(g actor, at origin, a operation) {
		if t.readsAllFields(g, a.res) {
			return
		}
		o := t.perform(g, at, a, namedFieldsReadable)
		for _, rec := range o.records {
			for c, f := range a.res.Columns() {
				if !g.canReadField(f) && rec.At(c).IsSet() {
					t.fail(g, at, a, "%v has a value of %v, which the principal may not read", rec, f)
				}
			}
		}
		t.restore(at, a, o)
	}
	t.eachRead(t.actors(), visit)
	t.eachWrite(t.actors(), writeKinds, visit)
}
