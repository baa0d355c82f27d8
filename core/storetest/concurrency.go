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
		"Concurrent transactions that read a number and write its successor add up.",
		noIncrementIsLost,
	},
	{
		"concurrently generated keys differ",
		"Concurrent calls for keys never get the same key.",
		concurrentKeysDiffer,
	},
	{
		"readers see whole transactions",
		"A read-only transaction sees all writes of another one or none, in all of its reads.",
		readersSeeWholeTransactions,
	},
	{
		"one of several concurrent inserts succeeds",
		"Of several transactions that insert the same key concurrently one succeeds, and the others get a CONFLICT.",
		oneInsertSucceeds,
	},
	{
		"one of several equal unique values succeeds",
		"Of several transactions that write the same unique value concurrently one succeeds, and the others get a CONFLICT.",
		oneUniqueWriteSucceeds,
	},
	{
		"no reference loses its target",
		"If transactions insert records that reference a target while another one deletes it, either they fail or the delete does.",
		noTargetIsMissing,
	},
	{
		"concurrent swaps keep all values",
		"Transactions that swap unique values concurrently neither lose nor duplicate a value.",
		swapsKeepValues,
	},
}

// concurrently runs fn n times concurrently. It ends the test if a call fails.
func concurrently(t *kit.Fixture, n int, fn func(i int) error) {
	t.Helper()
	errs := make(chan error, n)
	for i := range n {
		go func() {
			done := false
			defer func() {
				if !done { // fn called Fatal or panicked
					errs <- errors.New("the function ended early")
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
				got[i] = append(got[i], kit.KeysOf(recs)...) // also keys of attempts that fail later
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
		t.Fatalf("afterwards: %v", err)
	}
}

// transfer moves 1 from one account to another.
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

// checkTotal adds up the accounts in two reads and compares the sum with total.
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
		return fmt.Errorf("the sum is %d too high", -total)
	}
	return nil
}

// checkOneSucceeds runs several calls concurrently. One must succeed, and the others must fail with the error.
func checkOneSucceeds(t *kit.Fixture, conflict *core.Error, try func(tx *kit.Client, i int) error) {
	t.Helper()
	var succeeded atomic.Int64
	concurrently(t, 6, func(i int) error {
		err := t.RetryTx(func(tx *kit.Client) error { return try(tx, i) })
		if err == nil {
			succeeded.Add(1)
			return nil
		}
		if got := kit.PublicText(err); got != conflict.Public() {
			return fmt.Errorf("got %s, want %s", got, conflict.Public())
		}
		return nil
	})
	kit.Equal(t.Client, "successful calls", succeeded.Load(), 1)
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
			if errors.Is(err, core.NotFound) && i > 0 || errors.Is(err, core.StillReferenced) && i == 0 {
				return nil
			}
			return err
		})
		inside, jars := t.Count("cookie", core.Eq("jar", round)), len(t.Load("jar", round))
		if jars == 0 && inside > 0 || jars == 1 && inside == 0 {
			t.Fatalf("%d cookies reference a jar that exists %d times", inside, jars)
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
