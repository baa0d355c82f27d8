package audit_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/larder-go/larder/backends/file"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/audit"
	"github.com/larder-go/larder/decorators/internal/costtest"
)

// BenchmarkUpdate compares an update of one field of a record with twenty fields with the same written by hand: a transaction that
// reads the record, changes it and inserts the entry. It reports the time that each adds to an update.
func BenchmarkUpdate(b *testing.B) {
	for _, name := range []string{"memory", "postgres"} {
		b.Run(name, func(b *testing.B) {
			bare := open(b, backends[name](b, wide()))
			audited := open(b, backends[name](b, wide()), trail(audit.Options{}))
			insertWide(b, bare)
			insertWide(b, audited)
			ctx := core.WithRequestID(core.WithPrincipal(b.Context(), &core.Principal{ID: core.IntValue(4711)}), "4XQZJ7M2KWP5TBNRH3VDYFGLC6")
			plain := updater(ctx, b, bare, updateOnly)
			costtest.Against(b, plain, updater(ctx, b, bare, updateByHand), plain, updater(ctx, b, audited, updateOnly))
		})
	}
}

// updater returns a function that changes one field of a record.
func updater(ctx context.Context, b *testing.B, store *core.Store, update func(context.Context, *core.Store, core.Record) error) func() {
	b.Helper()
	issue, n := store.Model().Resource("issue"), 0
	states := []core.Value{core.TextValue("open"), core.TextValue("in progress")}
	return func() {
		n++
		if err := update(ctx, store, issue.Patch(core.IntValue(1)).Set(issue.Field("state"), states[n%2])); err != nil {
			b.Fatal(err)
		}
	}
}

func updateOnly(ctx context.Context, store *core.Store, change core.Record) error {
	_, err := store.Update(ctx, change.Resource(), change)
	return err
}

func updateByHand(ctx context.Context, store *core.Store, change core.Record) error {
	return store.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
		before, err := tx.Get(ctx, change.Resource(), change.Key())
		if err != nil {
			return err
		}
		after, err := tx.Update(ctx, change.Resource(), change)
		if err != nil || before.Equal(after[0]) {
			return err
		}
		old, now := make(map[string]any), make(map[string]any)
		for i, f := range change.Resource().Columns() {
			if b, a := before.At(i), after[0].At(i); b != a {
				old[f.APIName()], now[f.APIName()] = b.Any(), a.Any()
			}
		}
		entry := tx.Model().Resource("entry")
		rec, err := entry.NewRecord(map[string]any{
			"at": tx.Now(), "kind": audit.Updated, "record": "issue/" + change.Key().String(), "by": core.PrincipalOf(ctx).ID.String(),
			"request": core.RequestIDOf(ctx), "before": old, "after": now, "issue": change.Key().Any(),
		})
		if err != nil {
			return err
		}
		_, err = tx.Final().Insert(ctx, entry, rec)
		return err
	})
}

// BenchmarkBytes reports the bytes that an update of one field adds to the heap of the memory backend, and to a file: the change and
// its entry.
func BenchmarkBytes(b *testing.B) {
	const rounds = 50
	b.Run("memory", func(b *testing.B) {
		for b.Loop() {
			store := open(b, backends["memory"](b, wide()), trail(audit.Options{}))
			insertWide(b, store)
			before := heap()
			changeStates(b, store, rounds)
			b.ReportMetric((heap()-before)/(rounds*wideRecords), "B/entry")
			runtime.KeepAlive(store)
		}
	})
	b.Run("file", func(b *testing.B) {
		for b.Loop() {
			path := filepath.Join(b.TempDir(), "audit.db")
			store := open(b, file.New(path, file.Options{}), trail(audit.Options{}))
			insertWide(b, store)
			before := fileSize(b, path)
			changeStates(b, store, rounds)
			b.ReportMetric((fileSize(b, path)-before)/(rounds*wideRecords), "B/update")
		}
	})
}

// heap returns the bytes in use.
func heap() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

func fileSize(b *testing.B, path string) float64 {
	b.Helper()
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	return float64(info.Size())
}
