package file

import (
	"errors"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/core"
)

func TestWithAnIntervalOrWithoutSyncsOnlyTheLatestTransactionsCanBeLost(t *testing.T) {
	for _, every := range []time.Duration{time.Second, NoSync} {
		synctest.Test(t, func(t *testing.T) {
			fs := newStrictFilesystem()
			opts := quiet()
			opts.SyncEvery = every
			store, b := openStore(t, fs, opts)
			possible := []string{""}
			random := newRandom(1)
			insert := func() {
				put(t, store, cookie, "type", "oat")
				possible = append(possible, text(b.store.Snapshot()))
				possibilities(random, 200, func(choose func(int) int) {
					_, found := openStore(t, fs.crash(choose), quiet())
					if got := text(found.store.Snapshot()); !slices.Contains(possible, got) {
						t.Errorf("every %v: found %s", every, got)
					}
				})
			}
			insert()
			insert()
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if every > 0 {
				possible = possible[len(possible)-1:] // the others are not possible any more
			}
			insert()
			insert()
			shut(t, store)
			_, found := openStore(t, fs.crash(func(int) int { return 0 }), quiet())
			if got := text(found.store.Snapshot()); got != possible[len(possible)-1] {
				t.Errorf("every %v: after Close found %s", every, got)
			}
		})
	}
}

func TestAFailedSyncOfAnIntervalRefusesFurtherWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fs := newStrictFilesystem()
		opts := quiet()
		opts.SyncEvery = time.Second
		store, b := openStore(t, fs, opts)
		put(t, store, jar, "id", "blue")
		fs.onChange(func(call string) error {
			if call == "sync" {
				return syscall.EIO
			}
			return nil
		})
		time.Sleep(2 * time.Second)
		synctest.Wait()
		fs.onChange(func(string) error { return nil })
		rec, _ := jar.NewRecord(map[string]any{"id": "red"})
		if _, err := store.Insert(t.Context(), jar, rec); !errors.Is(err, core.Unavailable) || !errors.Is(err, syscall.EIO) {
			t.Errorf("insert: %v", err)
		}
		if got := text(b.store.Snapshot()); got != "jar{id:blue}" {
			t.Errorf("found %s", got)
		}
		if err := store.Close(); !errors.Is(err, syscall.EIO) {
			t.Errorf("Close: %v", err)
		}
	})
}
