package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

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
			if _, err := tx.Insert(ctx, r, r.RecordOf([]core.Value{core.TextValue(fmt.Sprint(i))})); err != nil {
				return err
			}
			return tx.Remember(ctx, "k", fmt.Sprint(i), time.Now().Add(time.Hour))
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
