package storetest

import (
	"context"
	"fmt"
	"strings"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

var validationRules = []rule{
	{
		"an insert reports all violations",
		"An Insert with records that break rules is VALIDATION_FAILED. The error lists every violation with the position of its record, and nothing is inserted.",
		insertReportsAll,
	},
	{
		"an update reports all violations",
		"An Update with changes that break rules is VALIDATION_FAILED. The error lists every violation with the position of its change, and nothing is changed.",
		updateReportsAll,
	},
	{
		"values within the rules are accepted",
		"Values at the bounds of their rules, null in fields that are not Required, and empty text are stored.",
		validAreAccepted,
	},
	{
		"required fields are never null",
		"A new record without a Required field and an Update to null are violations. A default is a value, and an Update may leave the field out.",
		requiredIsNeverNull,
	},
	{
		"hidden records have no violations",
		"A policy denies before rules are checked: an Update of a hidden record is OBJECT_DOES_NOT_EXIST, and an after image that does not match Check is FORBIDDEN.",
		denialsComeFirst,
	},
	{
		"transitions begin at the stored state",
		"A change of state is checked against the stored state. The same state again is accepted, and a new record has one of the first states.",
		transitionsFollowStored,
	},
	{
		"validate sees both images",
		"The function of the resource gets the record before and after an Update, also fields that the Update does not set, and its violations are reported with those of the fields.",
		validateSeesImages,
	},
	{
		"writes of decorators are checked",
		"A record that a decorator inserts beside an operation, and a value that it adds to the operation, obey the rules. Nothing of the operation is stored otherwise.",
		decoratorsAreChecked,
	},
	{
		"a violation in a transaction undoes it",
		"After a violation a transaction cannot commit, and its earlier writes are undone.",
		violationUndoesTx,
	},
}

var durableValidationRules = []rule{{
	"records older than a rule can be changed",
	"A record that breaks a rule which the model did not have when it was written can be read, and changed in other fields.",
	olderRecordsChange,
}}

// ticketResource returns the resource of the cases, with or without its rules.
func ticketResource(ruled bool) core.ResourceSpec {
	fields := []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "title", APIName: "headline", Type: core.Text},
		{Name: "size", Type: core.Int},
		{Name: "code", Type: core.Text},
		{Name: "state", Type: core.Text},
		{Name: "kind", Type: core.Text, Default: "bug"},
		{Name: "price", Type: core.Decimal},
		{Name: "begins", Type: core.Date},
		{Name: "ends", Type: core.Date},
		{Name: "owner", Type: core.Text},
	}
	r := core.ResourceSpec{Name: "ticket", Fields: fields}
	if !ruled {
		return r
	}
	fields[1].Required, fields[1].MaxLength = true, 5
	fields[2].Min, fields[2].Max = -2, 10
	fields[3].Pattern, fields[3].MinLength = "^[a-z]+$", 2
	fields[4].Transitions = map[string][]string{"": {"open"}, "open": {"held", "closed"}, "held": {"open"}}
	fields[5].Required, fields[5].OneOf = true, []any{"bug", "wish"}
	fields[6].Max = "9.99"
	r.Validate = func(_ context.Context, before, after core.Record) ([]core.Violation, error) {
		var found []core.Violation
		if b, e := after.Get("begins"), after.Get("ends"); b.IsSet() && e.IsSet() && core.Compare(b, e) > 0 {
			found = append(found, core.Violation{Path: []any{"ends"}, Rule: "not before begins", Accepted: "a later date"})
		}
		if was := before.Get("owner"); was.IsSet() && was != after.Get("owner") {
			found = append(found, core.Violation{Rule: "one owner"})
		}
		return found, nil
	}
	return r
}

func ruledModel() *core.Model {
	return core.MustModel("storetest rules", ticketResource(true), core.ResourceSpec{Name: "entry", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "text", Type: core.Text, MaxLength: 5},
	}})
}

// withTickets returns a fixture with the ticket 1, which obeys the rules.
func withTickets(t *kit.Fixture) *kit.Fixture {
	t = t.OnModel(ruledModel())
	t.Insert("ticket", kit.Fields{"id": 1, "title": "one", "size": 1, "state": "open", "owner": "ann", "begins": "2026-03-01"})
	return t
}

// violates checks that an operation failed with the violations, each as "position path rule".
func violates(t *kit.Client, label string, err error, want ...string) {
	t.Helper()
	t.FailsAs(label, err, core.ValidationFailed)
	var got []string
	for _, v := range core.AsError(err).Violations {
		path := fmt.Sprint(v.Path...)
		got = append(got, fmt.Sprint(v.Record, " ", v.Resource, ".", path, " ", v.Rule))
	}
	kit.Equal(t, label+": violations", strings.Join(got, "; "), strings.Join(want, "; "))
}

func insertReportsAll(t *kit.Fixture) {
	t = withTickets(t)
	_, err := t.TryInsert("ticket",
		kit.Fields{"id": 2, "title": "longer", "size": 11, "code": "X", "kind": "task", "price": "10"},
		kit.Fields{"id": 3, "title": "good"},
		kit.Fields{"id": 4, "size": -3},
	)
	violates(t.Client, "insert", err,
		"0 ticket.headline max_length", "0 ticket.size max", "0 ticket.code min_length", "0 ticket.code pattern", "0 ticket.kind one_of", "0 ticket.price max",
		"2 ticket.headline required", "2 ticket.size min")
	t.SameKeys("after", t.All("ticket"), 1)
}

func updateReportsAll(t *kit.Fixture) {
	t = withTickets(t)
	t.Insert("ticket", kit.Fields{"id": 2, "title": "two"}, kit.Fields{"id": 3, "title": "three"})
	before := t.All("ticket")
	_, err := t.TryUpdate("ticket",
		kit.Fields{"id": 3, "title": nil, "code": "ä"}, kit.Fields{"id": 2, "title": "2"}, kit.Fields{"id": 1, "size": 11, "state": "gone", "begins": "2026-05-01", "ends": "2026-04-01"})
	violates(t.Client, "update", err, "0 ticket.headline required", "0 ticket.code min_length", "0 ticket.code pattern",
		"2 ticket.size max", "2 ticket.state transition", "2 ticket.ends not before begins")
	t.Same("after", t.All("ticket"), before...)
}

func validAreAccepted(t *kit.Fixture) {
	t = withTickets(t)
	t.Insert("ticket",
		kit.Fields{"id": 2, "title": "", "size": -2, "code": "ab", "kind": "wish", "price": "9.990"},
		kit.Fields{"id": 3, "title": "äöü€😀", "size": 10, "code": nil, "price": nil},
		kit.Fields{"id": 4, "title": "four", "state": nil},
	)
	t.Update("ticket", kit.Fields{"id": 1, "title": "", "size": nil, "code": nil}, kit.Fields{"id": 2, "price": "-1e3"})
	_, err := t.TryUpdate("ticket", kit.Fields{"id": 3, "title": "äöü€😀x"})
	violates(t.Client, "six characters", err, "0 ticket.headline max_length")
}

func requiredIsNeverNull(t *kit.Fixture) {
	t = withTickets(t)
	_, err := t.TryInsert("ticket", kit.Fields{"id": 2}, kit.Fields{"id": 3, "title": nil}, kit.Fields{"id": 4, "title": "four", "kind": nil})
	violates(t.Client, "insert", err, "0 ticket.headline required", "1 ticket.headline required", "2 ticket.kind required")
	_, err = t.TryUpdate("ticket", kit.Fields{"id": 1, "kind": nil})
	violates(t.Client, "update", err, "0 ticket.kind required")
	_, err = t.Store.Replace(t.Ctx, t.Resource("ticket"), []*core.Field{t.Resource("ticket").Field("title")}, t.Record("ticket", kit.Fields{"id": 1, "title": nil}))
	violates(t.Client, "replacement without the field", err, "0 ticket.headline required")
	t.Update("ticket", kit.Fields{"id": 1, "size": 2})
	kit.Equal(t.Client, "default", t.Get("ticket", 1).Get("kind"), core.TextValue("bug"))
}

func denialsComeFirst(t *kit.Fixture) {
	t = withTickets(t)
	ticket := t.Resource("ticket")
	t.Insert("ticket", kit.Fields{"id": 2, "title": "two", "owner": "bob"})
	before := t.All("ticket")
	bob := t.Guarded(core.Eq("owner", "bob"))
	_, err := bob.TryUpdate("ticket", kit.Fields{"id": 1, "title": "longer"})
	t.Fails("update of a hidden record", err, ticket.NotFound(core.IntValue(1)))
	_, absent := bob.TryUpdate("ticket", kit.Fields{"id": 9, "title": "longer"})
	t.Fails("update of an absent record", absent, ticket.NotFound(core.IntValue(9)))
	_, err = bob.TryUpdate("ticket", kit.Fields{"id": 1, "state": "closed", "ends": "2026-01-01"})
	t.Fails("change of a hidden state", err, ticket.NotFound(core.IntValue(1)))
	_, err = bob.TryUpdate("ticket", kit.Fields{"id": 2, "size": 11}, kit.Fields{"id": 1, "size": 1})
	t.Fails("update of several", err, ticket.NotFound(core.IntValue(1)))
	_, err = bob.TryInsert("ticket", kit.Fields{"id": 3, "title": "longer", "owner": "ann"})
	t.Fails("insert for another owner", err, ticket.Forbidden())
	_, err = bob.TryInsert("ticket", kit.Fields{"id": 3, "title": "longer", "owner": "bob"}, kit.Fields{"id": 4, "title": "four"})
	t.Fails("insert of several", err, ticket.Forbidden())
	keyed := t.Guarded(core.Gt("id", 1))
	_, err = keyed.TryInsert("ticket", kit.Fields{"id": 1, "title": "longer"})
	t.Fails("insert of a denied key", err, ticket.Forbidden())
	_, err = keyed.TryInsert("ticket", kit.Fields{"title": "longer"})
	violates(t.Client, "insert of a permitted generated key", err, "0 ticket.headline max_length")
	_, err = bob.TryUpdate("ticket", kit.Fields{"id": 2, "size": 11, "owner": "ann"})
	t.Fails("update that gives a record away", err, ticket.Forbidden())
	_, err = bob.TryUpdate("ticket", kit.Fields{"id": 2, "size": 11})
	violates(t.Client, "update of a visible record", err, "0 ticket.size max")
	t.Same("after", t.All("ticket"), before...)
}

func transitionsFollowStored(t *kit.Fixture) {
	t = withTickets(t)
	_, err := t.TryInsert("ticket", kit.Fields{"id": 2, "title": "two", "state": "closed"})
	violates(t.Client, "insert", err, "0 ticket.state transition")
	kit.Equal(t.Client, "first states", core.AsError(err).Violations[0].Accepted, `"open"`)
	t.Update("ticket", kit.Fields{"id": 1, "state": "open"})
	t.Update("ticket", kit.Fields{"id": 1, "state": "held"})
	_, err = t.TryUpdate("ticket", kit.Fields{"id": 1, "state": "closed"})
	violates(t.Client, "held to closed", err, "0 ticket.state transition")
	kit.Equal(t.Client, "states after held", core.AsError(err).Violations[0].Accepted, `"open"`)
	_, err = t.TryUpdate("ticket", kit.Fields{"id": 1, "state": nil})
	violates(t.Client, "held to null", err, "0 ticket.state transition")
	err = t.TryTx(core.TxOptions{}, func(tx *kit.Client) error {
		tx.Update("ticket", kit.Fields{"id": 1, "state": "open"})
		tx.Update("ticket", kit.Fields{"id": 1, "state": "closed"})
		_, err := tx.TryUpdate("ticket", kit.Fields{"id": 1, "state": "open"})
		return err
	})
	violates(t.Client, "closed to open in a transaction", err, "0 ticket.state transition")
	kit.Equal(t.Client, "states after closed", core.AsError(err).Violations[0].Accepted, "no other value")
	kit.Equal(t.Client, "stored", t.Get("ticket", 1).Get("state"), core.TextValue("held"))
}

func validateSeesImages(t *kit.Fixture) {
	t = withTickets(t)
	_, err := t.TryUpdate("ticket", kit.Fields{"id": 1, "ends": "2026-02-01", "size": 11})
	violates(t.Client, "update of one of two fields", err, "0 ticket.size max", "0 ticket.ends not before begins")
	_, err = t.TryUpdate("ticket", kit.Fields{"id": 1, "owner": "bob"})
	violates(t.Client, "update that compares the images", err, "0 ticket. one owner")
	_, err = t.TryInsert("ticket", kit.Fields{"id": 2, "title": "two", "begins": "2026-02-02", "ends": "2026-02-01"})
	violates(t.Client, "insert", err, "0 ticket.ends not before begins")
	t.Update("ticket", kit.Fields{"id": 1, "ends": "2026-03-01", "owner": "ann"})
}

// entries inserts an entry with the title beside each insert of a ticket, and fills its code.
var entries = core.Decorator{
	Name: "entries", Kind: core.KindEffect, KnowsRelated: true,
	Wrap: func(m *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if op.Kind != core.Insert || op.Resource.Name() != "ticket" {
				return next(ctx, op)
			}
			return op.InTx(ctx, next, func(ctx context.Context, op *core.Op) (core.Result, error) {
				title, entry := op.Records[0].Get("title"), m.Resource("entry")
				beside := op.Derive(core.Insert, entry)
				rec, err := entry.NewRecord(map[string]any{"text": "new " + title.Text()})
				if err != nil {
					return core.Result{}, err
				}
				beside.Records = []core.Record{rec}
				if _, err := next(ctx, beside); err != nil {
					return core.Result{}, err
				}
				op.Records = []core.Record{op.Records[0].Set(op.Resource.Field("code"), title)}
				return next(ctx, op)
			})
		}, nil
	},
}

func decoratorsAreChecked(t *kit.Fixture) {
	t = t.Decorated(entries).OnModel(ruledModel())
	_, err := t.TryInsert("ticket", kit.Fields{"id": 2, "title": "two"})
	violates(t.Client, "insert beside", err, "0 entry.text max_length")
	_, err = t.TryInsert("ticket", kit.Fields{"id": 2, "title": "2"})
	violates(t.Client, "added value", err, "0 ticket.code min_length", "0 ticket.code pattern")
	t.SameKeys("tickets", t.All("ticket"))
	t.SameKeys("entries", t.All("entry"))
}

func violationUndoesTx(t *kit.Fixture) {
	t = withTickets(t)
	before := t.All("ticket")
	var first error
	err := t.TryTx(core.TxOptions{}, func(tx *kit.Client) error {
		tx.Update("ticket", kit.Fields{"id": 1, "size": 9})
		_, first = tx.TryInsert("ticket", kit.Fields{"id": 2})
		return nil
	})
	violates(t.Client, "operation", first, "0 ticket.headline required")
	t.FailsAs("transaction", err, core.ValidationFailed)
	t.Same("after", t.All("ticket"), before...)
}

func olderRecordsChange(t *kit.Fixture) {
	t = t.OnModel(core.MustModel("storetest rules", ticketResource(false)))
	t.Insert("ticket", kit.Fields{"id": 1, "size": 99, "code": "A", "state": "lost", "kind": "task", "price": "10", "begins": "2026-02-02"})
	t.WithModel(core.MustModel("storetest rules", ticketResource(true)))
	old := t.Full("ticket", kit.Fields{"id": 1, "size": 99, "code": "A", "state": "lost", "kind": "task", "price": "10", "begins": "2026-02-02"})
	t.Same("read", t.All("ticket"), old)
	t.Same("changed", t.Update("ticket", kit.Fields{"id": 1, "owner": "ann", "state": "lost"}), old.Set(t.Resource("ticket").Field("owner"), core.TextValue("ann")))
	_, err := t.TryUpdate("ticket", kit.Fields{"id": 1, "size": 98, "state": "open"})
	violates(t.Client, "changed in a field with a rule", err, "0 ticket.size max", "0 ticket.state transition")
	t.Update("ticket", kit.Fields{"id": 1, "size": 9, "title": "now"})
}
