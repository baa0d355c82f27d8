package faulttest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/internal/servertest"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// TestThawedPrimaryServesNoReads freezes the primary with open connections, promotes the standby, and lets the former primary go
// on as if nothing had happened.
func TestThawedPrimaryServesNoReads(t *testing.T) {
	t.Parallel()
	a := pgtest.Own(t)
	b := a.Standby(t)
	r := relayTo(t, a)
	both := strings.Replace(a.TCP(), a.Address(), r.listener.Addr().String()+","+b.Address(), 1) + "&connect_timeout=1"
	store := open(t, both, postgres.Options{CallTimeout: time.Second})
	counter := ledger.Resource("counter")
	value := func(n int) core.Record { return servertest.Record(t, counter, map[string]any{"id": 1, "n": n}) }
	servertest.Must(t, errOf(store.Insert(t.Context(), counter, value(1))))
	awaitReplay(t, a, b)

	// A transaction keeps its connection to the former primary.
	reads, goOn, ended := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		ended <- store.TxWith(t.Context(), core.TxOptions{ReadOnly: true}, func(ctx context.Context, tx *core.Transaction) error {
			_, err := tx.Get(ctx, counter, core.IntValue(1))
			close(reads)
			<-goOn
			return err
		})
	}()
	<-reads
	r.freeze()
	servertest.Must(t, b.Promote(t.Context()))
	for n := 0; ; n++ {
		_, err := store.Update(t.Context(), counter, value(2))
		if err == nil {
			break
		}
		if n == 30 {
			t.Fatal(err)
		}
	}
	r.thaw()
	close(goOn)
	servertest.Must(t, <-ended)
	for range 20 {
		rec, err := store.Get(t.Context(), counter, core.IntValue(1))
		servertest.Must(t, err)
		if n := rec.Get("n").Int(); n != 2 {
			t.Fatalf("a read shows %d after 2 was acknowledged", n)
		}
	}
}
