package policytest

import (
	"errors"
	"slices"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

// guardRow is a line of the table of Guard.
type guardRule struct {
	name, text string
	check      func(t *guardRun)
}

var guardRules = []guardRule{
	{
		"reads meet what is seen",
		"Using of every Load, Select and Count that reaches the backend hides what the principal does not see.",
		func(t *guardRun) { t.checkArrived(usingExcludes, core.Load, core.Select, core.Count) },
	},
	{
		"updates meet what may be changed",
		"Using of every Update that reaches the backend hides what the principal may not change.",
		func(t *guardRun) { t.checkArrived(usingExcludes, core.Update) },
	},
	{
		"deletes meet what may be deleted",
		"Using of every Delete that reaches the backend hides what the principal may not delete.",
		func(t *guardRun) { t.checkArrived(usingExcludes, core.Delete) },
	},
	{
		"inserts leave what may be left",
		"Check of every Insert that reaches the backend refuses rows as the principal may not leave them, unless it has none such.",
		func(t *guardRun) { t.checkArrived(checkRejects, core.Insert) },
	},
	{
		"updates leave what may be left",
		"Check of every Update that reaches the backend refuses rows as the principal may not leave them, unless it has none such.",
		func(t *guardRun) { t.checkArrived(checkRejects, core.Update) },
	},
	{
		"reads return what is seen",
		"A read returns exactly those rows that the principal sees, as if there were no others; or it is refused where there are none.",
		readsReturnReadable,
	},
	{
		"pages are full",
		"Limits and cursors count what the principal sees: each page but the last is full, and the last one says that it is.",
		pagesAreFull,
	},
	{
		"writes touch what may be touched",
		"What is stored after a write differs in rows only that the principal might change, and might leave as they are now.",
		writesChangeAllowed,
	},
	{
		"hidden is indistinguishable from absent",
		"An operation on a row that the principal does not see ends as it does when the row is not there: records, counts, code, details and text.",
		hiddenEqualsAbsent,
	},
	{
		"nobody is refused",
		"Without a principal every operation is UNAUTHORIZED, and none reaches the backend.",
		anonymousIsUnauthorized,
	},
	{
		"an id of no type or of another is nobody's",
		"A principal without an id does not meet the rows of nobody, and the number 1 is not the text \"1\".",
		mistypedPrincipalsReadNothing,
	},
	{
		"the program meets everything",
		"Operations of core.System are neither narrowed nor refused nor changed.",
		systemIsUnrestricted,
	},
	{
		"a kind that nobody knows is guarded",
		"An op of a kind that the core does not have counts as a write: it is refused, or both its conditions hide what is foreign.",
		unknownKindIsGuarded,
	},
	{
		"what is refused is refused",
		"A kind that the principal may never do is FORBIDDEN or READ_ONLY, whatever is there, and does not reach the backend.",
		deniedIsDenied,
	},
	{
		"an op is for whoever sent it",
		"Operations of different principals, one after the other, in each other's transactions and at the same time, are not mixed up.",
		principalsAreNotMixed,
	},
	{
		"an op that was sent stays as it is",
		"A decorator does not use an op again that it has sent to inner decorators: those may keep it.",
		opsStayUnchanged,
	},
	{
		"what is repeated is guarded again",
		"An operation whose transaction is tried again after a conflict is guarded as if it were the first try.",
		repeatedOpsAreGuarded,
	},
	{
		"failures get through",
		"An operation that fails further in ends with that error: nobody is told that it went well.",
		errorsAreReturned,
	},
	{
		"fields that are not read stay unknown",
		"A field that the principal does not read is in no result, no condition and no order.",
		unreadableFieldsStayHidden,
	},
	{
		"what is allowed gets through",
		"Each principal can do each kind that is not refused to somewhere: a stack that refuses everything proves nothing.",
		allowedSucceeds,
	},
}

// judgeAll sends everything and judges what arrives of the kinds, whatever it was
// sent as.
func (t *guardRun) checkArrived(judge opCheck, kinds ...core.Kind) {
	some := func(g actor, all rows, op *core.Op) string {
		if !slices.Contains(kinds, op.Kind) {
			return ""
		}
		return judge(g, all, op)
	}
	look := func(g actor, at origin, a operation) { t.restore(at, a, t.perform(g, at, a, some)) }
	if slices.Contains(kinds, core.Load) {
		t.eachRead(t.actors(), look)
	} else {
		t.eachReadInTurn(t.actors(), look)
	}
	t.eachWrite(t.actors(), writeKinds, look)
}

// namesUnread reports whether the attempt names a field that the guest does not read.
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

// readsExactly compares a read with what is owed.
func (t *guardRun) checkRead(g actor, at origin, a operation, judges ...opCheck) {
	t.Helper()
	o := t.perform(g, at, a, judges...)
	if a.namesUnreadable(g) || g.denied(a.kind, a.res) {
		return // other rules look at these
	}
	seen := g.readableRows(t.initial[a.res.Index()])
	if isDenial(o.err) && (g.mayBeDenied || len(seen) == 0) || a.deniesOrderByReference(o.err) {
		return
	}
	if o.err != nil {
		t.fail(g, at, a, "%v", o.err)
	}
	due := a.expected(seen)
	if o.count != due.count || (o.next != "") != (due.next != "") {
		t.fail(g, at, a, "counted %d, want %d; there is more: %v, want %v", o.count, due.count, o.next != "", due.next != "")
	}
	if diff := kit.Difference(g.comparable(a, o.records), g.comparable(a, due.records)); diff != "" {
		t.fail(g, at, a, "%s", diff)
	}
}

// legible returns the records with nothing but what was asked for and is read.
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
	due := whole.expected(g.readableRows(t.initial[a.res.Index()])).records
	for {
		o := t.perform(g, at, a)
		if o.err != nil {
			if isDenial(o.err) && len(due) == 0 || a.deniesOrderByReference(o.err) {
				return
			}
			t.fail(g, at, a, "%v", o.err)
		}
		n := min(a.query.Limit, len(due))
		if diff := kit.Difference(g.comparable(a, o.records), g.comparable(a, due[:n])); diff != "" {
			t.fail(g, at, a, "%s", diff)
		}
		if due = due[n:]; (o.next == "") != (len(due) == 0) {
			t.fail(g, at, a, "there is more: %v, and %d records are left", o.next != "", len(due))
		}
		if o.next == "" {
			return
		}
		a.query.After = o.next
	}
}

func systemIsUnrestricted(t *guardRun) {
	if t.IgnoresPrincipal {
		return // it is one of the guests
	}
	all := []actor{t.actor(systemPrincipal)}
	t.eachReadInTurn(all, func(g actor, at origin, a operation) { t.checkRead(g, at, a) })
	t.eachWrite(all, writeKinds, func(g actor, at origin, a operation) {
		if g.denied(a.kind, a.res) {
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
					t.fail(g, at, a, "what came to be is %v", got)
				}
			}
		}
		t.restore(at, a, o)
	})
}

// madeOf returns the row that an insert of the record makes. What a default function
// returns is taken from what was made: it may be a time.
func expectedInsert(rec, made core.Record) core.Record {
	row := kit.WithDefaults(rec)
	for i, f := range rec.Resource().Columns() {
		if rec.At(i).IsAbsent() && f.HasDefaultFunc() {
			row = row.With(i, made.At(i))
		}
	}
	return row
}

// missesWhatIsThere reports whether the error is about a row of the attempt's that
// is there.
func (t *guardRun) deniesExistingRow(a operation, err error) bool {
	e := core.AsError(err)
	return errors.Is(err, core.NotFound) && e.Resource == a.res.APIName() && slices.Contains(a.keys, e.Key) &&
		slices.ContainsFunc(t.initial[a.res.Index()], func(row core.Record) bool { return row.Key() == e.Key })
}

func allowedSucceeds(t *guardRun) {
	t.Thin = 1 // one that works may be the only one
	done := make(map[*core.Principal]map[core.Kind]bool)
	for _, g := range t.actors() {
		done[g.principal] = make(map[core.Kind]bool)
	}
	note := func(g actor, at origin, a operation) {
		if done[g.principal][a.kind] || g.denied(a.kind, a.res) {
			return
		}
		o := t.perform(g, at, a)
		done[g.principal][a.kind] = o.err == nil && (a.kind != core.NextID || len(o.ids) == a.n)
		t.restore(at, a, o)
	}
	t.eachRead(t.actors(), note)
	t.eachWrite(t.actors(), writeKinds, note)
	for _, g := range t.actors() {
		for _, kind := range core.Kinds() {
			if kind != core.Tx && !done[g.principal][kind] && t.someAllowed(g, kind) {
				t.Fatalf("%s cannot %v anything, and Denies does not say so", g, kind)
			}
		}
	}
}

// expects reports whether the guest can do something of the kind, as far as the
// rules say.
func (t *guardRun) someAllowed(g actor, kind core.Kind) bool {
	for i, r := range t.Model.Resources() {
		if g.denied(kind, r) || kind == core.NextID && r.Key().Type() == core.Text {
			continue
		}
		if kind == core.NextID {
			return true
		}
		for _, row := range t.initial[i] {
			if kind == core.Insert && g.canResultIn(kind, row) || kind != core.Insert && g.mayMatch(kind, row) && g.canResultIn(kind, row) {
				return true
			}
		}
	}
	return false
}
