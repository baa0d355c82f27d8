package policytest

import (
	"errors"
	"slices"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

// guardRule is a line of the table of rules.
type guardRule struct {
	name, text string
	check      func(t *guardRun)
}

var guardRules = []guardRule{
	{
		"reads are guarded by Using",
		"Using of every Load, Select, Count, Visibility and Aggregate that reaches the backend excludes the rows that the principal may not read.",
		func(t *guardRun) {
			t.checkArrived(usingExcludes, core.Load, core.Select, core.Count, core.Visibility, core.Aggregate)
		},
	},
	{
		"updates are guarded by Using",
		"Using of every Update that reaches the backend excludes the rows that the principal may not change.",
		func(t *guardRun) { t.checkArrived(usingExcludes, core.Update) },
	},
	{
		"deletes are guarded by Using",
		"Using of every Delete that reaches the backend excludes the rows that the principal may not delete.",
		func(t *guardRun) { t.checkArrived(usingExcludes, core.Delete) },
	},
	{
		"inserts are guarded by Check",
		"Check of every Insert that reaches the backend rejects the rows that the principal may not create, if the op has any.",
		func(t *guardRun) { t.checkArrived(checkRejects, core.Insert) },
	},
	{
		"updates are guarded by Check",
		"Check of every Update that reaches the backend rejects the after images that the principal may not create, if the op has any.",
		func(t *guardRun) { t.checkArrived(checkRejects, core.Update) },
	},
	{
		"reads return all readable rows",
		"A read returns exactly the rows that the principal may read, as if there were no others. If there are none, it may be denied.",
		readsReturnReadable,
	},
	{
		"pages are full",
		"Limits and cursors count readable rows: each page except the last is full, and only the last has no cursor.",
		pagesAreFull,
	},
	{
		"writes change allowed rows only",
		"A write changes only rows that the principal may change, and results only in rows that the principal may create.",
		writesChangeAllowed,
	},
	{
		"hidden is indistinguishable from absent",
		"An operation on a hidden row has the same result as on an absent row: records, count, error code, details and text.",
		hiddenEqualsAbsent,
	},
	{
		"ids without a read lead to readable rows",
		"If ReadsAll is true for a resource, so that engines show ids of its rows without a read, the principal may read every row of it.",
		readsAllHidesNothing,
	},
	{
		"anonymous callers are unauthorized",
		"Every operation without a principal is UNAUTHORIZED and does not reach the backend.",
		anonymousIsUnauthorized,
	},
	{
		"ids are compared with their type",
		"A principal without an id does not match rows without an owner, and the id 1 does not match the id \"1\".",
		mistypedPrincipalsReadNothing,
	},
	{
		"the system is unrestricted",
		"Operations of core.System are neither restricted nor denied nor changed.",
		systemIsUnrestricted,
	},
	{
		"remembered answers belong to one principal",
		"A principal recalls the answers that it has remembered itself, and no answer of another principal under the same key.",
		answersBelongToOnePrincipal,
	},
	{
		"unknown kinds are guarded",
		"An op of a kind that core does not define counts as a write: it is denied, or Using and Check exclude the rows of others.",
		unknownKindIsGuarded,
	},
	{
		"denied kinds are denied",
		"An operation of a kind that the spec denies is FORBIDDEN or READ_ONLY, whatever is stored, and does not reach the backend.",
		deniedIsDenied,
	},
	{
		"principals are not mixed up",
		"Operations of different principals, one after the other, in each other's transactions and concurrently, are not mixed up.",
		principalsAreNotMixed,
	},
	{
		"ops are not reused",
		"A decorator does not change or reuse an op that it passed to an inner decorator, which may keep the op.",
		opsStayUnchanged,
	},
	{
		"repeated operations are guarded",
		"An operation in a repeated transaction is guarded like one in the first attempt.",
		repeatedOpsAreGuarded,
	},
	{
		"errors are returned",
		"If an inner decorator or the backend fails, the operation returns its error.",
		errorsAreReturned,
	},
	{
		"unreadable fields stay hidden",
		"A field that the principal may not read is in no result, no filter and no order.",
		unreadableFieldsStayHidden,
	},
	{
		"decisions follow related rows",
		"When a row that grants something is deleted or inserted, by the system and in the same transaction too, the next operation follows.",
		decisionsFollow,
	},
	{
		"allowed operations succeed",
		"For each principal and each kind that is not denied, some operation succeeds. A stack that denies everything proves nothing.",
		allowedSucceeds,
	},
}

// checkArrived sends all operations, and applies the check to every op of these kinds that arrives innermost, whatever
// its kind was when it was sent.
func (t *guardRun) checkArrived(check opCheck, kinds ...core.Kind) {
	some := func(g actor, all rows, op *core.Op) string {
		if !slices.Contains(kinds, op.Kind) {
			return ""
		}
		return check(g, all, op)
	}
	visit := func(g actor, at origin, a operation) { t.restore(at, a, t.perform(g, at, a, some)) }
	if slices.Contains(kinds, core.Load) {
		t.eachRead(t.actors(), visit)
	} else {
		t.eachReadInTurn(t.actors(), visit)
	}
	t.eachWrite(t.actors(), writeKinds, visit)
}

// namesUnreadable reports whether the operation names a field that the actor may not read.
func (a operation) namesUnreadable(g actor) bool {
	for _, f := range a.named {
		if !g.canReadField(f) {
			return true
		}
	}
	return false
}

func readsReturnReadable(t *guardRun) {
	t.eachRead(t.actors(), func(g actor, at origin, a operation) { t.checkRead(g, at, a) })
}

// checkRead compares the result of a read with the rows that the spec allows.
func (t *guardRun) checkRead(g actor, at origin, a operation, checks ...opCheck) {
	t.Helper()
	o := t.perform(g, at, a, checks...)
	if a.namesUnreadable(g) || g.denied(a.kind, a.res) {
		return // other rules check these
	}
	readable := g.readableBy(a, t.initial)
	if isDenial(o.err) && (g.mayBeDenied || len(readable[a.res.Index()]) == 0) || a.deniesOrderByReference(o.err) || t.mayRefuse(g, a, readable, o.err) {
		return
	}
	if o.err != nil {
		t.fail(g, at, a, "%v", o.err)
	}
	want := a.expected(readable)
	if o.count != want.count || (o.next != "") != (want.next != "") {
		t.fail(g, at, a, "counted %d, want %d; has a next page: %v, want %v", o.count, want.count, o.next != "", want.next != "")
	}
	if o.groups != want.groups {
		t.fail(g, at, a, "got the groups %s, want %s", o.groups, want.groups)
	}
	if diff := kit.Difference(g.comparable(a, o.records), g.comparable(a, want.records)); diff != "" {
		t.fail(g, at, a, "%s", diff)
	}
}

// mayRefuse reports whether the stack may refuse the operation because of a field that it names, or because of the relations
// that it follows: the principal can read no records at the other end, or a decorator does not know such operations.
func (t *guardRun) mayRefuse(g actor, a operation, readable rows, err error) bool {
	if errors.Is(err, core.SearchForbidden) && slices.ContainsFunc(a.named, t.Refuses) {
		return true
	}
	if t.stack.unaware() {
		return errors.Is(err, core.SearchForbidden) && len(a.over) > 0
	}
	return isDenial(err) && slices.ContainsFunc(a.over, func(to core.Relation) bool {
		return len(readable[to.Target().Index()]) == 0 || g.denied(core.Select, to.Target())
	})
}

// comparable returns the records with the requested fields only, without unreadable fields.
func (g actor) comparable(a operation, recs []core.Record) []core.Record {
	out := make([]core.Record, len(recs))
	for i, rec := range recs {
		out[i] = g.withoutUnreadable(rec).Project(fieldsOf(a.res, a.query.Fields))
	}
	return out
}

func fieldsOf(r *core.Resource, names []string) []*core.Field {
	var fs []*core.Field
	for _, name := range names {
		fs = append(fs, r.Field(name))
	}
	return fs
}

func pagesAreFull(t *guardRun) {
	t.eachRead(t.actors(), func(g actor, at origin, a operation) {
		if a.kind != core.Select || a.query.Limit == 0 || a.namesUnreadable(g) || g.denied(core.Select, a.res) {
			return
		}
		t.readAllPages(g, at, a)
	})
}

func (t *guardRun) readAllPages(g actor, at origin, a operation) {
	t.Helper()
	whole := a
	whole.query.Limit = 0
	readable := g.readableBy(a, t.initial)
	want := whole.expected(readable).records
	for {
		o := t.perform(g, at, a)
		if o.err != nil {
			if isDenial(o.err) && len(want) == 0 || a.deniesOrderByReference(o.err) || t.mayRefuse(g, a, readable, o.err) {
				return
			}
			t.fail(g, at, a, "%v", o.err)
		}
		n := min(a.query.Limit, len(want))
		if diff := kit.Difference(g.comparable(a, o.records), g.comparable(a, want[:n])); diff != "" {
			t.fail(g, at, a, "%s", diff)
		}
		if want = want[n:]; (o.next == "") != (len(want) == 0) {
			t.fail(g, at, a, "has a next page: %v, with %d records left", o.next != "", len(want))
		}
		if o.next == "" {
			return
		}
		a.query.After = o.next
	}
}

func systemIsUnrestricted(t *guardRun) {
	if t.IgnoresPrincipal {
		return // the system is one of the actors
	}
	all := []actor{t.actor(systemPrincipal)}
	t.eachReadInTurn(all, func(g actor, at origin, a operation) { t.checkRead(g, at, a) })
	t.eachWrite(all, writeKinds, func(g actor, at origin, a operation) {
		if g.denied(a.kind, a.res) || t.writesDeleted(a) {
			return
		}
		o := t.perform(g, at, a)
		if isDenial(o.err) || t.deniesExistingRow(a, o.err) {
			t.fail(g, at, a, "%v", o.err)
		}
		if a.kind == core.Insert && o.err == nil {
			for i, rec := range a.records {
				got := o.records[i].With(a.res.Key().Column(), rec.Key())
				if rec = expectedInsert(rec, got).With(a.res.Key().Column(), rec.Key()); !got.Equal(rec) {
					t.fail(g, at, a, "the inserted record is %v", got)
				}
			}
		}
		t.restore(at, a, o)
	})
}

// expectedInsert returns the row that an insert of the record makes. The value of a default function, which may be a time,
// and the number that the store gives a record are taken from the made row.
func expectedInsert(rec, made core.Record) core.Record {
	row := kit.WithDefaults(rec)
	for i, f := range rec.Resource().Columns() {
		if rec.At(i).IsAbsent() && f.HasDefaultFunc() || !rec.At(i).IsSet() && f.NumberedBy() != nil {
			row = row.With(i, made.At(i))
		}
	}
	return row
}

// deniesExistingRow reports whether the error says that a row of the operation, which exists, does not exist.
func (t *guardRun) deniesExistingRow(a operation, err error) bool {
	e := core.AsError(err)
	return errors.Is(err, core.NotFound) && e.Resource == a.res.APIName() && slices.Contains(a.keys, e.Key) &&
		slices.ContainsFunc(t.initial[a.res.Index()], func(row core.Record) bool {
			return row.Key() == e.Key && t.isDeleted(row) == (a.kind == core.Restore)
		})
}

func allowedSucceeds(t *guardRun) {
	t.Thin = 1 // there may be only one that succeeds
	done := make(map[*core.Principal]map[core.Kind]bool)
	for _, g := range t.actors() {
		done[g.principal] = make(map[core.Kind]bool)
	}
	try := func(g actor, at origin, a operation) {
		if done[g.principal][a.kind] || g.denied(a.kind, a.res) {
			return
		}
		o := t.perform(g, at, a)
		done[g.principal][a.kind] = o.err == nil && (a.kind != core.NextID || len(o.ids) == a.n)
		t.restore(at, a, o)
	}
	t.eachRead(t.actors(), try)
	t.eachWrite(t.actors(), writeKinds, try)
	for _, g := range t.actors() {
		for _, kind := range []core.Kind{core.Load, core.Select, core.Count, core.Aggregate, core.Insert, core.Update, core.Delete, core.NextID, core.Restore} {
			if !done[g.principal][kind] && t.someAllowed(g, kind) {
				t.Fatalf("no %[2]v of %[1]s succeeds; the stack denies too much, or Denies must return true for the kind", g, kind)
			}
		}
	}
}

// someAllowed reports whether the spec allows the actor some operation of the kind.
func (t *guardRun) someAllowed(g actor, kind core.Kind) bool {
	for i, r := range t.Model.Resources() {
		if g.denied(kind, r) || kind == core.NextID && !generatesKeys(r) {
			continue
		}
		if kind == core.NextID {
			return true
		}
		for _, row := range t.initial[i] {
			if kind == core.Restore && g.canRestore(row) || kind == core.Insert && g.canResultIn(kind, row) ||
				kind != core.Insert && kind != core.Restore && g.mayMatch(kind, row) && g.canResultIn(kind, row) {
				return true
			}
		}
	}
	return false
}
