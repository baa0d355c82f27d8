package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

var concurrencyRules = []rule{
	{
		"no increment is lost",
		"Transactions that read a number and write the next one at the same time add up.",
		noIncrementIsLost,
	},
	{
		"ids handed out at the same time differ",
		"No two of those who ask for keys at the same time get the same one.",
		concurrentKeysDiffer,
	},
	{
		"readers see whole transactions",
		"A read-only transaction sees all of another one's writes or none, in all of its reads.",
		readersSeeWholeTransactions,
	},
	{
		"one of those who insert the same key wins",
		"Of those who insert the same key at the same time one succeeds, the others get a CONFLICT.",
		oneInsertSucceeds,
	},
	{
		"one of those who take a unique value wins",
		"Of those who write the same unique value at the same time one succeeds, the others get a CONFLICT.",
		oneUniqueWriteSucceeds,
	},
	{
		"no relation loses its target",
		"If some insert records that point at a target while another deletes it, either they fail or the delete does.",
		noTargetIsMissing,
	},
	{
		"swaps tear nothing",
		"Transactions that swap unique values at the same time lose and double none.",
		swapsKeepValues,
	},
}

// together runs fn n times at once, and ends the test if one of them fails.
func concurrently(t *kit.Fixture, n int, fn func(i int) error) {
	t.Helper()
	errs := make(chan error, n)
	for i := range n {
		go func() {
			done := false
			defer func() {
				if !done { // Fatal was called, or fn panics
					errs <- errors.New("ended early")
				}
			}()
			err := fn(i)
			done = true
			errs <- err
		}()
	}
	var all []error
	for range n {
		all = append(all, <-errs)
	}
	if err := errors.Join(all...); err != nil {
		t.Fatalf("%v", err)
	}
}

func noIncrementIsLost(t *kit.Fixture) {
	const clients, rounds = 8, 6
	t.Insert("order", kit.Fields{"id": 1, "value": 0})
	concurrently(t, clients, func(int) error {
		for range rounds {
			err := t.RetryTx(func(tx *kit.Client) error {
				rec, err := tx.TryGet("order", 1)
				if err != nil {
					return err
				}
				_, err = tx.TryUpdate("order", kit.Fields{"id": 1, "value": rec.Get("value").Int() + 1})
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	kit.Equal(t.Client, "sum", t.Get("order", 1).Get("value").Int(), int64(clients*rounds))
}

func concurrentKeysDiffer(t *kit.Fixture) {
	const clients, rounds = 8, 5
	got := make([][]core.Value, clients)
	concurrently(t, clients, func(i int) error {
		for range rounds {
			err := t.RetryTx(func(tx *kit.Client) error {
				keys, err := tx.Querier.NextIDs(tx.Ctx, tx.Resource("order"), 2)
				got[i] = append(got[i], keys...)
				return err
			})
			if err != nil {
				return err
			}
			err = t.RetryTx(func(tx *kit.Client) error {
				recs, err := tx.TryInsert("order", nil, nil)
				got[i] = append(got[i], kit.KeysOf(recs)...) // also of attempts that failed later
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	make(kit.ValueSet).AddDistinct(t.Client, slices.Concat(got...)...)
	kit.Equal(t.Client, "count", t.Count("order", core.All()), clients*rounds*2)
}

func readersSeeWholeTransactions(t *kit.Fixture) {
	const accounts, total = 4, 400
	for i := range accounts {
		t.Insert("order", kit.Fields{"id": i, "group": i % 2, "value": total / accounts})
	}
	var left atomic.Int64
	left.Store(40)
	concurrently(t, 4, func(i int) error {
		for left.Add(-1) >= 0 {
			if i < 2 {
				if err := t.RetryTx(func(tx *kit.Client) error { return transfer(tx, i, i+1) }); err != nil {
					return err
				}
				continue
			}
			err := t.TryTx(core.TxOptions{ReadOnly: true, Attempts: kit.ManyAttempts}, func(tx *kit.Client) error {
				return checkTotal(tx, total)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err := checkTotal(t.Client, total); err != nil {
		t.Fatalf("in the end: %v", err)
	}
}

// transfer moves one from an account to another.
func transfer(tx *kit.Client, from, to int) error {
	recs, err := tx.Pair("order", from, to)
	if err != nil {
		return err
	}
	if _, err = tx.TryUpdate("order", kit.Fields{"id": from, "value": recs[0].Get("value").Int() - 1}); err != nil {
		return err
	}
	_, err = tx.TryUpdate("order", kit.Fields{"id": to, "value": recs[1].Get("value").Int() + 1})
	return err
}

// addsUp looks at the accounts in two reads.
func checkTotal(tx *kit.Client, total int64) error {
	for group := range 2 {
		page, err := tx.Querier.Select(tx.Ctx, tx.Resource("order"), core.Query{Where: core.Eq("group", group)})
		if err != nil {
			return err
		}
		for _, rec := range page.Records {
			total -= rec.Get("value").Int()
		}
	}
	if total != 0 {
		return fmt.Errorf("the sum that was read is %d off", -total)
	}
	return nil
}

// oneWins runs n tries at once, of which one succeeds and the others fail with
// the error.
func checkOneSucceeds(t *kit.Fixture, lost *core.Error, try func(tx *kit.Client, i int) error) {
	t.Helper()
	var won atomic.Int64
	concurrently(t, 6, func(i int) error {
		err := t.RetryTx(func(tx *kit.Client) error { return try(tx, i) })
		if err == nil {
			won.Add(1)
			return nil
		}
		if got := kit.PublicText(err); got != lost.Public() {
			return fmt.Errorf("got %s, want %s", got, lost.Public())
		}
		return nil
	})
	kit.Equal(t.Client, "winners", won.Load(), 1)
}

func oneInsertSucceeds(t *kit.Fixture) {
	checkOneSucceeds(t, t.Resource("order").Key().AlreadyExists(), func(tx *kit.Client, i int) error {
		_, err := tx.TryInsert("order", kit.Fields{"id": 1, "value": i})
		return err
	})
	kit.Equal(t.Client, "count", t.Count("order", core.All()), 1)
}

func oneUniqueWriteSucceeds(t *kit.Fixture) {
	for i := range 6 {
		t.Insert("jar", kit.Fields{"id": i})
	}
	for _, label := range []string{"the first", "the second", "the third"} {
		checkOneSucceeds(t, t.Resource("jar").Field("label").AlreadyExists(), func(tx *kit.Client, i int) error {
			_, err := tx.TryUpdate("jar", kit.Fields{"id": i, "label": label})
			return err
		})
		kit.Equal(t.Client, "count", t.Count("jar", core.Eq("label", label)), 1)
	}
}

func noTargetIsMissing(t *kit.Fixture) {
	for round := range 5 {
		t.Insert("jar", kit.Fields{"id": round})
		concurrently(t, 4, func(i int) error {
			err := t.RetryTx(func(tx *kit.Client) error {
				if i == 0 {
					return tx.TryDelete("jar", round)
				}
				_, err := tx.TryInsert("cookie", kit.Fields{"kind": "new", "jar": round})
				return err
			})
			if errors.Is(err, core.NotFound) && i > 0 || errors.Is(err, core.FieldUpdateForbidden) && i == 0 {
				return nil
			}
			return err
		})
		inside, jars := t.Count("cookie", core.Eq("jar", round)), len(t.Load("jar", round))
		if jars == 0 && inside > 0 || jars == 1 && inside == 0 {
			t.Fatalf("%d cookies are in %d jars", inside, jars)
		}
	}
}

func swapsKeepValues(t *kit.Fixture) {
	const n = 6
	for i := range n {
		t.Insert("jar", kit.Fields{"id": i, "label": string(rune('a' + i))})
	}
	concurrently(t, n, func(i int) error {
		for round := range 4 {
			err := t.RetryTx(func(tx *kit.Client) error { return swapLabels(tx, i, (i+1+round)%n) })
			if err != nil {
				return err
			}
		}
		return nil
	})
	for i := range n {
		kit.Equal(t.Client, "jars with one label", t.Count("jar", core.Eq("label", string(rune('a'+i)))), 1)
	}
}

func swapLabels(tx *kit.Client, a, b int) error {
	recs, err := tx.Pair("jar", min(a, b), max(a, b))
	if err != nil {
		return err
	}
	if _, err := tx.TryUpdate("jar", kit.Fields{"id": recs[0].Key(), "label": recs[1].Get("label")}); err != nil {
		return err
	}
	_, err = tx.TryUpdate("jar", kit.Fields{"id": recs[1].Key(), "label": recs[0].Get("label")})
	return err
}
