package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

var numberRules = []rule{
	{
		"records are numbered in their group",
		"New records of a group get the numbers 1, 2, 3 and so on; records without a group are a group.",
		numberedInGroup,
	},
	{
		"records are numbered by a reference of several fields",
		"A group may be a relation to a key of several fields, with fields of its own or shared ones, and the number unique in it.",
		numberedByTuple,
	},
	{
		"numbers are not used again",
		"A number is not given again after its record was deleted, in the same transaction or later.",
		numbersNotReused,
	},
	{
		"a rollback returns the numbers",
		"An insert that is rolled back leaves no gap.",
		rollbackReturnsNumbers,
	},
	{
		"a record keeps its number in another group",
		"A record that moves keeps its number, and the new group continues after it.",
		movedKeepsNumber,
	},
	{
		"a record can take a new number",
		"An update that sets the number to null gives the record the next number of the group that it is in afterwards.",
		takesNewNumber,
	},
	{
		"a group continues after the highest number",
		"The counter of a group continues after numbers that programs set, and after those of records from before the counter.",
		continuesAfterHighest,
	},
	{
		"concurrent inserts leave no gap",
		"Records that are inserted concurrently into one group get consecutive numbers, each once, without an error.",
		concurrentNumbers,
	},
}

var durableNumberRules = []rule{{
	"numbers are not used again after a restart",
	"The counters survive a restart, also after the record with the highest number was deleted.",
	numbersSurviveRestart,
}}

// numbered is a model with numbered tickets.
func numbered() *core.Model {
	return core.MustModel("storetest numbers",
		core.ResourceSpec{Name: "project", Fields: []core.FieldSpec{{Name: "code", Type: core.Text, Key: true}, {Name: "size", Type: core.Int}}},
		core.ResourceSpec{Name: "ticket", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "project", ToOne: "project"},
			{Name: "year", Type: core.Int, Indexed: true},
			{Name: "number", Type: core.Int, NumberedBy: "project"},
			{Name: "invoice", Type: core.Int, NumberedBy: "year"},
		}},
		core.ResourceSpec{Name: "phase", Fields: []core.FieldSpec{{Name: "project", ToOne: "project", Key: true}, {Name: "year", Type: core.Int, Key: true}}},
		core.ResourceSpec{Name: "task", Unique: [][]string{{"phase", "number"}}, Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "project", ToOne: "project"},
			{Name: "year", Type: core.Int},
			{Name: "phase", ToOne: "phase", Via: []string{"project", "year"}},
			{Name: "end", ToOne: "phase"},
			{Name: "number", Type: core.Int, NumberedBy: "phase"},
			{Name: "last", Type: core.Int, NumberedBy: "end"},
		}},
	)
}

// withProjects returns a fixture with numbered tickets and the projects a and b.
func withProjects(t *kit.Fixture) *kit.Fixture {
	n := t.OnModel(numbered())
	n.Insert("project", kit.Fields{"code": "a"}, kit.Fields{"code": "b"})
	return n
}

// numbersOf checks the numbers of the tickets by project, and of the invoices.
func numbersOf(t *kit.Client, label string, recs []core.Record, want string) {
	t.Helper()
	var got []string
	for _, rec := range recs {
		got = append(got, fmt.Sprintf("%v:%v/%v", rec.Get("project").Text(), rec.Get("number").Int(), rec.Get("invoice").Int()))
	}
	kit.Equal(t, label, fmt.Sprint(got), want)
}

func numberedInGroup(t *kit.Fixture) {
	t = withProjects(t)
	in := func(project any, year any) kit.Fields { return kit.Fields{"project": project, "year": year} }
	recs := t.Insert("ticket", in("a", 2026), in("b", 2026), in("a", 2027), in(nil, nil), in("a", nil), kit.Fields{})
	numbersOf(t.Client, "insert", recs, "[a:1/1 b:1/2 a:2/1 :1/1 a:3/2 :2/3]")
	t.Tx(func(tx *kit.Client) {
		tx.Get("project", "a")
		numbersOf(tx, "first insert of a transaction", tx.Insert("ticket", in("a", 2026)), "[a:4/3]")
		numbersOf(tx, "second insert", tx.Insert("ticket", in("a", 2027), in("b", 2027)), "[a:5/2 b:2/3]")
	})
	numbersOf(t.Client, "stored", t.All("ticket"), "[a:1/1 b:1/2 a:2/1 :1/1 a:3/2 :2/3 a:4/3 a:5/2 b:2/3]")
	t.Update("ticket", kit.Fields{"id": recs[0].Key(), "project": "a", "year": 2026})
	numbersOf(t.Client, "updated without a change", t.Load("ticket", recs[0].Key()), "[a:1/1]")
}

func numberedByTuple(t *kit.Fixture) {
	t = withProjects(t)
	t.Insert("phase", kit.Fields{"project": "a", "year": 1}, kit.Fields{"project": "a", "year": 2}, kit.Fields{"project": "b", "year": 1})
	recs := t.Insert("task",
		kit.Fields{"phase": "a,1", "end": "b,1"}, kit.Fields{"project": "a", "year": 2, "end": "b,1"}, kit.Fields{"project": "a", "year": 1, "end": "a,1"},
		kit.Fields{"project": "a"}, kit.Fields{"project": "b", "year": 1}, kit.Fields{"year": 3})
	numbers := func() (got []string) {
		for _, rec := range t.All("task") {
			got = append(got, fmt.Sprintf("%v:%v %v:%v", rec.Get("phase"), rec.Get("number"), rec.Get("end"), rec.Get("last")))
		}
		return got
	}
	kit.Equal(t.Client, "numbers", fmt.Sprint(numbers()), "[a,1:1 b,1:1 a,2:1 b,1:2 a,1:2 a,1:1 null:1 null:1 b,1:1 null:2 null:2 null:3]")
	t.Update("task", kit.Fields{"id": recs[2].Key(), "year": 2})
	kit.Equal(t.Client, "the number of a task in another phase", t.Insert("task", kit.Fields{"phase": "a,2"})[0].Get("number"), core.IntValue(3))
	unique := t.Resource("task").Indexes()[0]
	_, err := t.TryUpdate("task", kit.Fields{"id": recs[1].Key(), "number": 2})
	t.Fails("update to a taken number", err, unique.AlreadyExists())
	_, err = t.TryInsert("task", kit.Fields{"phase": "a,2", "number": 3})
	t.Fails("insert of a taken number", err, unique.AlreadyExists())
	t.Update("task", kit.Fields{"id": recs[3].Key(), "number": 2})
	t.Delete("task", recs[0].Key(), recs[2].Key())
	kit.Equal(t.Client, "the number after a delete", t.Insert("task", kit.Fields{"phase": "a,1"})[0].Get("number"), core.IntValue(3))
}

func numbersNotReused(t *kit.Fixture) {
	t = withProjects(t)
	in := kit.Fields{"project": "a", "year": 1}
	for range 3 {
		t.Delete("ticket", t.Insert("ticket", in)[0].Key())
	}
	t.Tx(func(tx *kit.Client) { tx.Delete("ticket", tx.Insert("ticket", in)[0].Key()) })
	numbersOf(t.Client, "after four deletes", t.Insert("ticket", in), "[a:5/5]")
}

func rollbackReturnsNumbers(t *kit.Fixture) {
	t = withProjects(t)
	in := kit.Fields{"project": "a"}
	t.Insert("ticket", in)
	for range 2 {
		err := t.TryTx(core.TxOptions{}, func(tx *kit.Client) error {
			tx.Insert("ticket", in, in)
			return kit.ErrRollback
		})
		if !errors.Is(err, kit.ErrRollback) {
			t.Fatalf("transaction: %v", err)
		}
		_, err = t.TryInsert("ticket", in, kit.Fields{"project": "none"})
		t.FailsAs("insert into a missing project", err, core.NotFound)
	}
	numbersOf(t.Client, "after rollbacks", t.Insert("ticket", in), "[a:2/2]")
}

func movedKeepsNumber(t *kit.Fixture) {
	t = withProjects(t)
	a, b := kit.Fields{"project": "a"}, kit.Fields{"project": "b"}
	recs := t.Insert("ticket", a, a, a, b)
	moved := t.Update("ticket", kit.Fields{"id": recs[2].Key(), "project": "b"}, kit.Fields{"id": recs[0].Key(), "year": 5})
	numbersOf(t.Client, "moved", moved, "[a:1/1 b:3/3]")
	numbersOf(t.Client, "inserted", t.Insert("ticket", a, b), "[a:4/5 b:4/6]")
	numbersOf(t.Client, "inserted in the year", t.Insert("ticket", kit.Fields{"project": "a", "year": 5}), "[a:5/2]")
	t.Tx(func(tx *kit.Client) {
		tx.Update("ticket", kit.Fields{"id": recs[1].Key(), "project": nil})
		numbersOf(tx, "inserted without a project", tx.Insert("ticket", kit.Fields{"year": 6}), "[:3/1]")
	})
}

func takesNewNumber(t *kit.Fixture) {
	t = withProjects(t)
	a, b := kit.Fields{"project": "a", "year": 1}, kit.Fields{"project": "b", "year": 1}
	recs := t.Insert("ticket", a, a, a, b)
	moved := t.Update("ticket",
		kit.Fields{"id": recs[0].Key(), "project": "b", "number": nil}, kit.Fields{"id": recs[1].Key(), "number": nil},
		kit.Fields{"id": recs[2].Key(), "project": "b", "number": nil, "year": 2})
	numbersOf(t.Client, "moved", moved, "[b:2/1 a:4/2 b:3/3]")
	numbersOf(t.Client, "inserted", t.Insert("ticket", a, b), "[a:5/5 b:4/6]")
	_, err := t.TryUpdate("ticket", kit.Fields{"id": 99, "number": nil})
	t.Fails("update of a missing record", err, t.Resource("ticket").NotFound(core.IntValue(99)))
	err = t.TryTx(core.TxOptions{}, func(tx *kit.Client) error {
		tx.Update("ticket", kit.Fields{"id": recs[3].Key(), "project": "a", "number": nil}, kit.Fields{"id": recs[1].Key(), "number": 20})
		return kit.ErrRollback
	})
	if !errors.Is(err, kit.ErrRollback) {
		t.Fatalf("transaction: %v", err)
	}
	numbersOf(t.Client, "inserted after a rollback", t.Insert("ticket", a), "[a:6/7]")
	t.Insert("phase", kit.Fields{"project": "a", "year": 1}, kit.Fields{"project": "a", "year": 2})
	tasks := t.Insert("task", kit.Fields{"phase": "a,1"}, kit.Fields{"phase": "a,2"}, kit.Fields{"phase": "a,2"})
	kit.Equal(t.Client, "in another phase", t.Update("task", kit.Fields{"id": tasks[0].Key(), "year": 2, "number": nil})[0].Get("number"), core.IntValue(3))
}

func continuesAfterHighest(t *kit.Fixture) {
	t = withProjects(t)
	ticket := t.Resource("ticket")
	tx, err := t.Backend.Begin(t.Ctx, core.BackendTxOptions{})
	if err != nil {
		t.Fatalf("begin: %v", err)
	}
	_, err = tx.Insert(t.Ctx, &core.Op{Kind: core.Insert, Resource: ticket, Records: []core.Record{
		t.Full("ticket", kit.Fields{"id": 1, "project": "a", "number": 3}), t.Full("ticket", kit.Fields{"id": 2, "project": "a", "number": 7}),
		t.Full("ticket", kit.Fields{"id": 3, "project": "a"}), t.Full("ticket", kit.Fields{"id": 4, "project": "b", "number": 9}),
	}})
	if err = errors.Join(err, tx.Commit(t.Ctx)); err != nil {
		t.Fatalf("insert past the store: %v", err)
	}
	in := kit.Fields{"project": "a", "year": 1}
	numbersOf(t.Client, "after records without a counter", t.Insert("ticket", in), "[a:8/1]")
	numbersOf(t.Client, "chosen", t.Insert("ticket", kit.Fields{"project": "a", "year": 1, "number": 20}, in), "[a:20/2 a:21/3]")
	recs := t.Insert("ticket", kit.Fields{"project": "a", "year": 1, "number": 2})
	numbersOf(t.Client, "chosen below", append(recs, t.Insert("ticket", in)...), "[a:2/4 a:22/5]")
	t.Update("ticket", kit.Fields{"id": recs[0].Key(), "number": 30})
	numbersOf(t.Client, "after a change", t.Insert("ticket", in), "[a:31/6]")
}

func concurrentNumbers(t *kit.Fixture) {
	const clients, rounds = 8, 4
	t = withProjects(t)
	in := kit.Fields{"project": "a"}
	numbers := make([][]core.Value, clients)
	concurrently(t, clients, func(i int) error {
		for round := range rounds {
			insert := func(c *kit.Client) error {
				recs, err := c.TryInsert("ticket", in)
				if err == nil {
					numbers[i] = append(numbers[i][:round], recs[0].Get("number"))
				}
				return err
			}
			var err error
			if (i+round)%2 == 0 {
				err = insert(t.Client)
			} else {
				// The first attempt has read before it needs the lock, the second one begins with the lock.
				err = t.TryTx(core.TxOptions{Attempts: 2}, func(tx *kit.Client) error {
					if _, err := tx.TryGet("project", "a"); err != nil {
						return err
					}
					return insert(tx)
				})
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	want := make([]core.Value, clients*rounds)
	for i := range want {
		want[i] = core.IntValue(int64(i + 1))
	}
	if got := core.SortKeys(slices.Concat(numbers...)); !slices.Equal(got, want) {
		t.Fatalf("got the numbers %v", got)
	}
	page := t.Find("ticket", core.Query{Order: []string{"number"}})
	for i, rec := range page {
		kit.Equal(t.Client, "stored number", rec.Get("number"), want[i])
	}
}

func numbersSurviveRestart(t *kit.Fixture) {
	t = withProjects(t)
	in := kit.Fields{"project": "a"}
	recs := t.Insert("ticket", in, in, in)
	t.Delete("ticket", recs[1].Key(), recs[2].Key())
	t.Tx(func(tx *kit.Client) { tx.Delete("ticket", tx.Insert("ticket", in)[0].Key()) })
	for next := range int64(3) {
		t.Reopen()
		kit.Equal(t.Client, "number after a restart", t.Insert("ticket", in)[0].Get("number").Int(), 5+next)
	}
}

var answerRules = []rule{
	{
		"an answer is remembered for its principal",
		"A later transaction of the principal recalls an answer under its key; other keys and other principals find nothing.",
		rememberedForPrincipal,
	},
	{
		"an answer is remembered with its transaction",
		"A transaction that is rolled back leaves no answer, and one that commits leaves its answer and its records.",
		rememberedWithTransaction,
	},
	{
		"an answer expires",
		"An expired answer is not recalled, its key can be used again, and Forget deletes expired answers and no others.",
		answersExpire,
	},
	{
		"transactions with one key run one after another",
		"Of concurrent transactions with one key exactly one finds no answer, and no transaction fails.",
		oneFindsNoAnswer,
	},
}

var durableAnswerRules = []rule{{
	"an answer is remembered after a restart",
	"Answers survive a restart until they expire.",
	answersSurviveRestart,
}}

// remembering returns a fixture whose model remembers answers, with the user 1.
func remembering(t *kit.Fixture) *kit.Fixture {
	return t.OnModel(core.MustModel("storetest answers",
		core.ResourceSpec{Name: "word", Fields: []core.FieldSpec{{Name: "id", Type: core.Text, Key: true}}},
		core.ResourceSpec{Name: core.AnswersName},
	))
}

// asUser returns the context of a principal.
func asUser(t *kit.Fixture, id core.Value) context.Context {
	return core.WithPrincipal(t.Ctx, &core.Principal{ID: id})
}

var userOne = core.IntValue(1)

// recall returns the answer under the key; "-" if there is none.
func recall(t *kit.Fixture, user core.Value, key string) (text string) {
	t.Helper()
	err := t.Store.Tx(asUser(t, user), func(ctx context.Context, tx *core.Transaction) error {
		found, ok, err := tx.Recall(ctx, key)
		if text = found; !ok {
			text = "-"
		}
		return err
	})
	if err != nil {
		t.Fatalf("recall %q: %v", key, err)
	}
	return text
}

// remember runs a transaction that inserts a word with the name of the answer, and remembers the answer unless there is one.
func remember(t *kit.Fixture, user core.Value, key, answer string, lifetime time.Duration, then error) error {
	t.Helper()
	return t.Store.Tx(asUser(t, user), func(ctx context.Context, tx *core.Transaction) error {
		if _, found, err := tx.Recall(ctx, key); err != nil || found {
			return err
		}
		r := t.Resource("word")
		if _, err := tx.Insert(ctx, r, r.RecordOf([]core.Value{core.TextValue(answer)})); err != nil {
			return err
		}
		return errors.Join(tx.Remember(ctx, key, answer, time.Now().Add(lifetime)), then)
	})
}

func mustRemember(t *kit.Fixture, user core.Value, key, answer string, lifetime time.Duration) {
	t.Helper()
	if err := remember(t, user, key, answer, lifetime, nil); err != nil {
		t.Fatalf("remember %q: %v", key, err)
	}
}

func rememberedForPrincipal(t *kit.Fixture) {
	t = remembering(t)
	mustRemember(t, userOne, "k", "first", time.Hour)
	mustRemember(t, userOne, "K", "second", time.Hour)
	kit.Equal(t.Client, "the answer", recall(t, userOne, "k"), "first")
	kit.Equal(t.Client, "the answer under another key", recall(t, userOne, "K"), "second")
	kit.Equal(t.Client, "an unused key", recall(t, userOne, "k "), "-")
	for _, other := range []core.Value{core.IntValue(11), core.TextValue("1"), core.TextValue("1 k"), core.FloatValue(1)} {
		kit.Equal(t.Client, "the key of the principal "+other.String(), recall(t, other, "k"), "-")
	}
	mustRemember(t, core.TextValue("1"), "k", "third", time.Hour)
	kit.Equal(t.Client, "the answer beside that of another principal", recall(t, userOne, "k"), "first")
	for _, ctx := range []context.Context{t.Ctx, core.System(t.Ctx), asUser(t, core.Null)} {
		err := t.Store.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
			_, _, err := tx.Recall(ctx, "k")
			return err
		})
		t.FailsAs("recall without a principal", err, core.ServerError)
	}
}

func rememberedWithTransaction(t *kit.Fixture) {
	t = remembering(t)
	if err := remember(t, userOne, "k", "lost", time.Hour, kit.ErrRollback); !errors.Is(err, kit.ErrRollback) {
		t.Fatalf("rolled back: %v", err)
	}
	kit.Equal(t.Client, "after a rollback", recall(t, userOne, "k"), "-")
	mustRemember(t, userOne, "k", "kept", time.Hour)
	mustRemember(t, userOne, "k", "repeated", time.Hour)
	kit.Equal(t.Client, "after a commit", recall(t, userOne, "k"), "kept")
	t.SameKeys("words", t.All("word"), "kept")
	err := t.Store.TxWith(asUser(t, userOne), core.TxOptions{ReadOnly: true}, func(ctx context.Context, tx *core.Transaction) error {
		if text, _, err := tx.Recall(ctx, "k"); err != nil || text != "kept" {
			return fmt.Errorf("recalled %q in a read-only transaction: %w", text, err)
		}
		return tx.Remember(ctx, "other", "x", time.Now().Add(time.Hour))
	})
	t.Fails("remember in a read-only transaction", err, &core.Error{Code: core.ReadOnly})
}

func answersExpire(t *kit.Fixture) {
	t = remembering(t)
	for i := range 5 {
		mustRemember(t, userOne, fmt.Sprint("old ", i), fmt.Sprint("old ", i), -time.Duration(i+1)*time.Second)
	}
	mustRemember(t, userOne, "new", "new", time.Hour)
	kit.Equal(t.Client, "an expired answer", recall(t, userOne, "old 0"), "-")
	mustRemember(t, userOne, "old 1", "again", time.Hour)
	kit.Equal(t.Client, "a key after its expiry", recall(t, userOne, "old 1"), "again")
	for _, want := range []int{2, 1, 0} { // the key old 0 was recalled, which deletes it too
		deleted, err := t.Store.Forget(t.Ctx, 2)
		if err != nil {
			t.Fatalf("forget: %v", err)
		}
		kit.Equal(t.Client, "deleted answers", deleted, want)
	}
	kit.Equal(t.Client, "an answer that has not expired", recall(t, userOne, "new"), "new")
	kit.Equal(t.Client, "an answer that has not expired", recall(t, userOne, "old 1"), "again")
}

func oneFindsNoAnswer(t *kit.Fixture) {
	const clients = 20
	t = remembering(t)
	var committed atomic.Int64
	concurrently(t, clients, func(i int) error {
		first := false
		err := t.Store.Tx(asUser(t, userOne), func(ctx context.Context, tx *core.Transaction) error {
			_, found, err := tx.Recall(ctx, "k")
			if first = !found; err != nil || found {
				return err
			}
			r := t.Resource("word")
			if _, err := tx.Insert(ctx, r, r.RecordOf([]core.Value{core.TextValue(strconv.Itoa(i))})); err != nil {
				return err
			}
			return tx.Remember(ctx, "k", strconv.Itoa(i), time.Now().Add(time.Hour))
		})
		if err == nil && first {
			committed.Add(1)
		}
		return err
	})
	kit.Equal(t.Client, "transactions that found no answer", committed.Load(), 1)
	t.SameKeys("words", t.All("word"), recall(t, userOne, "k"))
}

func answersSurviveRestart(t *kit.Fixture) {
	t = remembering(t)
	mustRemember(t, userOne, "k", "kept", time.Hour)
	mustRemember(t, userOne, "old", "old", -time.Second)
	t.Reopen()
	kit.Equal(t.Client, "an answer", recall(t, userOne, "k"), "kept")
	kit.Equal(t.Client, "an expired answer", recall(t, userOne, "old"), "-")
}
