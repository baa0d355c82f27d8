package policytest

import (
	"errors"
	"slices"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

// guardRow is a line of the table of Guard.
type guardRow struct {
	name, rule string
	check      func(t *guardTrial)
}

var guardRules = []guardRow{
	{
		"reads meet what is seen",
		"Using of every Load, Select and Count that reaches the backend hides what the principal does not see.",
		func(t *guardTrial) { t.judgeAll(usingHides, core.Load, core.Select, core.Count) },
	},
	{
		"updates meet what may be changed",
		"Using of every Update that reaches the backend hides what the principal may not change.",
		func(t *guardTrial) { t.judgeAll(usingHides, core.Update) },
	},
	{
		"deletes meet what may be deleted",
		"Using of every Delete that reaches the backend hides what the principal may not delete.",
		func(t *guardTrial) { t.judgeAll(usingHides, core.Delete) },
	},
	{
		"inserts leave what may be left",
		"Check of every Insert that reaches the backend refuses rows as the principal may not leave them, unless it has none such.",
		func(t *guardTrial) { t.judgeAll(checkHolds, core.Insert) },
	},
	{
		"updates leave what may be left",
		"Check of every Update that reaches the backend refuses rows as the principal may not leave them, unless it has none such.",
		func(t *guardTrial) { t.judgeAll(checkHolds, core.Update) },
	},
	{
		"reads return what is seen",
		"A read returns exactly those rows that the principal sees, as if there were no others; or it is refused where there are none.",
		readsReturnSeen,
	},
	{
		"pages are full",
		"Limits and cursors count what the principal sees: each page but the last is full, and the last one says that it is.",
		pagesAreFull,
	},
	{
		"writes touch what may be touched",
		"What is stored after a write differs in rows only that the principal might change, and might leave as they are now.",
		writesTouch,
	},
	{
		"hidden is indistinguishable from absent",
		"An operation on a row that the principal does not see ends as it does when the row is not there: records, counts, code, details and text.",
		hiddenIsAbsent,
	},
	{
		"nobody is refused",
		"Without a principal every operation is UNAUTHORIZED, and none reaches the backend.",
		nobodyIsRefused,
	},
	{
		"an id of no type or of another is nobody's",
		"A principal without an id does not meet the rows of nobody, and the number 1 is not the text \"1\".",
		strangersMeetNothing,
	},
	{
		"the program meets everything",
		"Operations of core.System are neither narrowed nor refused nor changed.",
		programMeetsAll,
	},
	{
		"a kind that nobody knows is guarded",
		"An op of a kind that the core does not have counts as a write: it is refused, or both its conditions hide what is foreign.",
		unknownIsGuarded,
	},
	{
		"what is refused is refused",
		"A kind that the principal may never do is FORBIDDEN or READ_ONLY, whatever is there, and does not reach the backend.",
		refusedIsRefused,
	},
	{
		"an op is for whoever sent it",
		"Operations of different principals, one after the other, in each other's transactions and at the same time, are not mixed up.",
		opsAreTheirs,
	},
	{
		"an op that was sent stays as it is",
		"A decorator does not use an op again that it has sent to inner decorators: those may keep it.",
		opsStay,
	},
	{
		"what is repeated is guarded again",
		"An operation whose transaction is tried again after a conflict is guarded as if it were the first try.",
		repeatedIsGuarded,
	},
	{
		"failures get through",
		"An operation that fails further in ends with that error: nobody is told that it went well.",
		failuresGetThrough,
	},
	{
		"fields that are not read stay unknown",
		"A field that the principal does not read is in no result, no condition and no order.",
		unreadStaysUnknown,
	},
	{
		"what is allowed gets through",
		"Each principal can do each kind that is not refused to somewhere: a stack that refuses everything proves nothing.",
		allowedGetsThrough,
	},
}

// judgeAll sends everything and judges what arrives of the kinds, whatever it was
// sent as.
func (t *guardTrial) judgeAll(judge judgment, kinds ...core.Kind) {
	some := func(g guest, all rows, op *core.Op) string {
		if !slices.Contains(kinds, op.Kind) {
			return ""
		}
		return judge(g, all, op)
	}
	look := func(g guest, at place, a attempt) { t.undo(at, a, t.do(g, at, a, some)) }
	if slices.Contains(kinds, core.Load) {
		t.eachRead(t.guests(), look)
	} else {
		t.someReads(t.guests(), look)
	}
	t.eachWrite(t.guests(), writeKinds, look)
}

// namesUnread reports whether the attempt names a field that the guest does not read.
func (a attempt) namesUnread(g guest) bool {
	for _, f := range a.names {
		if !g.reads(f) {
			return true
		}
	}
	return false
}

func readsReturnSeen(t *guardTrial) {
	t.eachRead(t.guests(), func(g guest, at place, a attempt) { t.readsExactly(g, at, a) })
}

// readsExactly compares a read with what is owed.
func (t *guardTrial) readsExactly(g guest, at place, a attempt, judges ...judgment) {
	t.Helper()
	o := t.do(g, at, a, judges...)
	if a.namesUnread(g) || g.refused(a.kind, a.res) {
		return // other rules look at these
	}
	seen := g.seen(t.begin[a.res.Index()])
	if refusal(o.err) && (g.doubtful || len(seen) == 0) || a.ordersByIDs(o.err) {
		return
	}
	if o.err != nil {
		t.wrong(g, at, a, "%v", o.err)
	}
	due := a.due(seen)
	if o.count != due.count || (o.next != "") != (due.next != "") {
		t.wrong(g, at, a, "counted %d, want %d; there is more: %v, want %v", o.count, due.count, o.next != "", due.next != "")
	}
	if diff := kit.Difference(g.legible(a, o.records), g.legible(a, due.records)); diff != "" {
		t.wrong(g, at, a, "%s", diff)
	}
}

// legible returns the records with nothing but what was asked for and is read.
func (g guest) legible(a attempt, recs []core.Record) []core.Record {
	out := make([]core.Record, len(recs))
	for i, rec := range recs {
		out[i] = g.shown(rec).Project(fieldsOf(a.res, a.query.Fields))
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

func pagesAreFull(t *guardTrial) {
	t.eachRead(t.guests(), func(g guest, at place, a attempt) {
		if a.kind != core.Select || a.query.Limit == 0 || a.namesUnread(g) || g.refused(core.Select, a.res) {
			return
		}
		t.turnPages(g, at, a)
	})
}

func (t *guardTrial) turnPages(g guest, at place, a attempt) {
	t.Helper()
	whole := a
	whole.query.Limit = 0
	due := whole.due(g.seen(t.begin[a.res.Index()])).records
	for {
		o := t.do(g, at, a)
		if o.err != nil {
			if refusal(o.err) && len(due) == 0 || a.ordersByIDs(o.err) {
				return
			}
			t.wrong(g, at, a, "%v", o.err)
		}
		n := min(a.query.Limit, len(due))
		if diff := kit.Difference(g.legible(a, o.records), g.legible(a, due[:n])); diff != "" {
			t.wrong(g, at, a, "%s", diff)
		}
		if due = due[n:]; (o.next == "") != (len(due) == 0) {
			t.wrong(g, at, a, "there is more: %v, and %d records are left", o.next != "", len(due))
		}
		if o.next == "" {
			return
		}
		a.query.After = o.next
	}
}

func programMeetsAll(t *guardTrial) {
	if t.IgnoresPrincipal {
		return // it is one of the guests
	}
	all := []guest{t.guest(itself)}
	t.someReads(all, func(g guest, at place, a attempt) { t.readsExactly(g, at, a) })
	t.eachWrite(all, writeKinds, func(g guest, at place, a attempt) {
		if g.refused(a.kind, a.res) {
			return
		}
		o := t.do(g, at, a)
		if refusal(o.err) || t.missesWhatIsThere(a, o.err) {
			t.wrong(g, at, a, "%v", o.err)
		}
		if a.kind == core.Insert && o.err == nil {
			for i, rec := range a.records {
				got := o.records[i].With(a.res.Key().Column(), rec.Key())
				if rec = madeOf(rec, got).With(a.res.Key().Column(), rec.Key()); !got.Equal(rec) {
					t.wrong(g, at, a, "what came to be is %v", got)
				}
			}
		}
		t.undo(at, a, o)
	})
}

// madeOf returns the row that an insert of the record makes. What a default function
// returns is taken from what was made: it may be a time.
func madeOf(rec, made core.Record) core.Record {
	row := kit.Stored(rec)
	for i, f := range rec.Resource().Columns() {
		if rec.At(i).IsAbsent() && f.HasDefaultFunc() {
			row = row.With(i, made.At(i))
		}
	}
	return row
}

// missesWhatIsThere reports whether the error is about a row of the attempt's that
// is there.
func (t *guardTrial) missesWhatIsThere(a attempt, err error) bool {
	e := core.AsError(err)
	return errors.Is(err, core.NotFound) && e.Resource == a.res.APIName() && slices.Contains(a.keys, e.Key) &&
		slices.ContainsFunc(t.begin[a.res.Index()], func(row core.Record) bool { return row.Key() == e.Key })
}

func allowedGetsThrough(t *guardTrial) {
	t.Thin = 1 // one that works may be the only one
	done := make(map[*core.Principal]map[core.Kind]bool)
	for _, g := range t.guests() {
		done[g.who] = make(map[core.Kind]bool)
	}
	note := func(g guest, at place, a attempt) {
		if done[g.who][a.kind] || g.refused(a.kind, a.res) {
			return
		}
		o := t.do(g, at, a)
		done[g.who][a.kind] = o.err == nil && (a.kind != core.NextID || len(o.ids) == a.n)
		t.undo(at, a, o)
	}
	t.eachRead(t.guests(), note)
	t.eachWrite(t.guests(), writeKinds, note)
	for _, g := range t.guests() {
		for _, kind := range core.Kinds() {
			if kind != core.Tx && !done[g.who][kind] && t.expects(g, kind) {
				t.Fatalf("%s cannot %v anything, and Denies does not say so", g, kind)
			}
		}
	}
}

// expects reports whether the guest can do something of the kind, as far as the
// rules say.
func (t *guardTrial) expects(g guest, kind core.Kind) bool {
	for i, r := range t.Model.Resources() {
		if g.refused(kind, r) || kind == core.NextID && r.Key().Type() == core.Text {
			continue
		}
		if kind == core.NextID {
			return true
		}
		for _, row := range t.begin[i] {
			if kind == core.Insert && g.leaves(kind, row) || kind != core.Insert && g.mayReach(kind, row) && g.leaves(kind, row) {
				return true
			}
		}
	}
	return false
}
