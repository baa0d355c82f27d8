package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/larder-go/larder/core"
)

var concurrencyRules = []row{
	{
		"no increment is lost",
		"Transactions that read a number and write the next one at the same time add up.",
		noIncrementIsLost,
	},
	{
		"ids handed out at the same time differ",
		"No two of those who ask for keys at the same time get the same one.",
		concurrentIDsDiffer,
	},
	{
		"readers see whole transactions",
		"A read-only transaction sees all of another one's writes or none, in all of its reads.",
		readersSeeWholes,
	},
	{
		"one of those who insert the same key wins",
		"Of those who insert the same key at the same time one succeeds, the others get a CONFLICT.",
		oneInsertWins,
	},
	{
		"one of those who take a unique value wins",
		"Of those who write the same unique value at the same time one succeeds, the others get a CONFLICT.",
		oneValueWins,
	},
	{
		"no relation loses its target",
		"If some insert records that point at a target while another deletes it, either they fail or the delete does.",
		noTargetIsLost,
	},
	{
		"swaps tear nothing",
		"Transactions that swap unique values at the same time lose and double none.",
		swapsTearNothing,
	},
}

// manyAttempts is for transactions that are meant to meet each other.
const manyAttempts = 200

// together runs fn n times at once, and ends the test if one of them fails.
func together(t *trial, n int, fn func(i int) error) {
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

// each is [trial.tryTx] with attempts enough.
func (t *trial) each(fn func(tx *client) error) error {
	return t.tryTx(core.TxOptions{Attempts: manyAttempts}, fn)
}

func noIncrementIsLost(t *trial) {
	const clients, rounds = 8, 6
	t.insert("order", fields{"id": 1, "value": 0})
	together(t, clients, func(int) error {
		for range rounds {
			err := t.each(func(tx *client) error {
				rec, err := tx.tryGet("order", 1)
				if err != nil {
					return err
				}
				_, err = tx.tryUpdate("order", fields{"id": 1, "value": rec.Get("value").Int() + 1})
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	equal(t.client, "sum", t.get("order", 1).Get("value").Int(), int64(clients*rounds))
}

func concurrentIDsDiffer(t *trial) {
	const clients, rounds = 8, 5
	got := make([][]core.Value, clients)
	together(t, clients, func(i int) error {
		for range rounds {
			err := t.each(func(tx *client) error {
				keys, err := tx.querier.NextIDs(tx.ctx, tx.res("order"), 2)
				got[i] = append(got[i], keys...)
				return err
			})
			if err != nil {
				return err
			}
			err = t.each(func(tx *client) error {
				recs, err := tx.tryInsert("order", nil, nil)
				got[i] = append(got[i], keysIn(recs)...) // also of attempts that failed later
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	make(fresh).add(t.client, slices.Concat(got...)...)
	equal(t.client, "count", t.count("order", core.All()), clients*rounds*2)
}

func readersSeeWholes(t *trial) {
	const accounts, total = 4, 400
	for i := range accounts {
		t.insert("order", fields{"id": i, "group": i % 2, "value": total / accounts})
	}
	var left atomic.Int64
	left.Store(40)
	together(t, 4, func(i int) error {
		for left.Add(-1) >= 0 {
			if i < 2 {
				if err := t.each(func(tx *client) error { return transfer(tx, i, i+1) }); err != nil {
					return err
				}
				continue
			}
			err := t.tryTx(core.TxOptions{ReadOnly: true, Attempts: manyAttempts}, func(tx *client) error {
				return addsUp(tx, total)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err := addsUp(t.client, total); err != nil {
		t.Fatalf("in the end: %v", err)
	}
}

// transfer moves one from an account to another.
func transfer(tx *client, from, to int) error {
	recs, err := tx.pair("order", from, to)
	if err != nil {
		return err
	}
	if _, err = tx.tryUpdate("order", fields{"id": from, "value": recs[0].Get("value").Int() - 1}); err != nil {
		return err
	}
	_, err = tx.tryUpdate("order", fields{"id": to, "value": recs[1].Get("value").Int() + 1})
	return err
}

// pair loads two records, of which the first has the lower key.
func (c *client) pair(resource string, low, high int) ([]core.Record, error) {
	recs, err := c.querier.Load(c.ctx, c.res(resource), c.keys(resource, []any{low, high}))
	if err == nil && len(recs) != 2 {
		err = fmt.Errorf("%d of the two records %d and %d are there", len(recs), low, high)
	}
	return recs, err
}

// addsUp looks at the accounts in two reads.
func addsUp(tx *client, total int64) error {
	for group := range 2 {
		page, err := tx.querier.Select(tx.ctx, tx.res("order"), core.Query{Where: core.Eq("group", group)})
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
func oneWins(t *trial, lost *core.Error, try func(tx *client, i int) error) {
	t.Helper()
	var won atomic.Int64
	together(t, 6, func(i int) error {
		err := t.each(func(tx *client) error { return try(tx, i) })
		if err == nil {
			won.Add(1)
			return nil
		}
		if got := publicly(err); got != lost.Public() {
			return fmt.Errorf("got %s, want %s", got, lost.Public())
		}
		return nil
	})
	equal(t.client, "winners", won.Load(), 1)
}

func oneInsertWins(t *trial) {
	oneWins(t, t.res("order").Key().AlreadyExists(), func(tx *client, i int) error {
		_, err := tx.tryInsert("order", fields{"id": 1, "value": i})
		return err
	})
	equal(t.client, "count", t.count("order", core.All()), 1)
}

func oneValueWins(t *trial) {
	for i := range 6 {
		t.insert("jar", fields{"id": i})
	}
	for _, label := range []string{"the first", "the second", "the third"} {
		oneWins(t, t.res("jar").Field("label").AlreadyExists(), func(tx *client, i int) error {
			_, err := tx.tryUpdate("jar", fields{"id": i, "label": label})
			return err
		})
		equal(t.client, "count", t.count("jar", core.Eq("label", label)), 1)
	}
}

func noTargetIsLost(t *trial) {
	for round := range 5 {
		t.insert("jar", fields{"id": round})
		together(t, 4, func(i int) error {
			err := t.each(func(tx *client) error {
				if i == 0 {
					return tx.tryDelete("jar", round)
				}
				_, err := tx.tryInsert("cookie", fields{"kind": "new", "jar": round})
				return err
			})
			if errors.Is(err, core.NotFound) && i > 0 || errors.Is(err, core.FieldUpdateForbidden) && i == 0 {
				return nil
			}
			return err
		})
		inside, jars := t.count("cookie", core.Eq("jar", round)), len(t.load("jar", round))
		if jars == 0 && inside > 0 || jars == 1 && inside == 0 {
			t.Fatalf("%d cookies are in %d jars", inside, jars)
		}
	}
}

func swapsTearNothing(t *trial) {
	const n = 6
	for i := range n {
		t.insert("jar", fields{"id": i, "label": string(rune('a' + i))})
	}
	together(t, n, func(i int) error {
		for round := range 4 {
			err := t.each(func(tx *client) error { return swapLabels(tx, i, (i+1+round)%n) })
			if err != nil {
				return err
			}
		}
		return nil
	})
	for i := range n {
		equal(t.client, "jars with one label", t.count("jar", core.Eq("label", string(rune('a'+i)))), 1)
	}
}

func swapLabels(tx *client, a, b int) error {
	recs, err := tx.pair("jar", min(a, b), max(a, b))
	if err != nil {
		return err
	}
	if _, err := tx.tryUpdate("jar", fields{"id": recs[0].Key(), "label": recs[1].Get("label")}); err != nil {
		return err
	}
	_, err = tx.tryUpdate("jar", fields{"id": recs[1].Key(), "label": recs[0].Get("label")})
	return err
}
