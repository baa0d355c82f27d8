package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/core"
)

// syncSettings are the kinds of sync intervals.
var syncSettings = []time.Duration{0, time.Second, NoSync}

// undetectedFlips returns the bytes before the last line at which damage goes unnoticed.
func undetectedFlips(data []byte) (unnoticed []int) {
	last := bytes.LastIndexByte(data[:len(data)-1], '\n') + 1
	for at := range last {
		damaged := bytes.Clone(data)
		damaged[at] ^= 1
		if newBackend(filesystemWith(damaged), path, quiet()).Bind(context.Background(), cookies) == nil {
			unnoticed = append(unnoticed, at)
		}
	}
	return unnoticed
}

// Holds for every sync interval, after Close or after an idle interval.
func TestDamageIsDetectedAfterCloseOrIdle(t *testing.T) {
	for _, every := range syncSettings {
		synctest.Test(t, func(t *testing.T) {
			fs := newStrictFilesystem()
			opts := quiet()
			opts.SyncEvery = every
			store, _ := openStore(t, fs, opts)
			for i := range 5 {
				put(t, store, jar, "id", fmt.Sprint("jar ", i))
			}
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if unnoticed := undetectedFlips(fs.names[path].data); every > 0 && len(unnoticed) > 0 {
				t.Errorf("synced every %v, idle: damage unnoticed at %v", every, unnoticed)
			}
			put(t, store, jar, "id", "the last one")
			shut(t, store)
			data := bytes.Clone(fs.names[path].data)
			if unnoticed := undetectedFlips(data); len(unnoticed) > 0 {
				t.Errorf("synced every %v, closed: damage unnoticed at %v", every, unnoticed)
			}
			left := fs.crash(func(int) int { return 0 }).names[path].data
			if !bytes.Equal(left, data) {
				t.Errorf("synced every %v: a part of the file is not on disk", every)
			}
			damaged := bytes.Clone(data)
			damaged[len(damaged)-4] ^= 1 // the last line is a sync marker
			if _, b := openStore(t, filesystemWith(damaged), quiet()); b.size() != 6 {
				t.Errorf("synced every %v: %d records after damage to the last line", every, b.size())
			}
			for range 2 {
				store, _ = openStore(t, fs, opts)
				shut(t, store)
			}
			if !bytes.Equal(fs.names[path].data, data) {
				t.Errorf("synced every %v: opened and closed, the file has become\n%s", every, fs.names[path].data)
			}
		})
	}
}

func TestDamageAfterKillIsDetectedOnceOpened(t *testing.T) {
	for _, every := range syncSettings {
		fs := newStrictFilesystem()
		opts := quiet()
		opts.SyncEvery = every
		store, _ := openStore(t, fs, opts)
		for i := range 5 {
			put(t, store, jar, "id", fmt.Sprint("jar ", i))
		}
		left := fs.kill()
		openStore(t, left, quiet())
		if unnoticed := undetectedFlips(left.names[path].data); len(unnoticed) > 0 {
			t.Errorf("synced every %v: damage unnoticed at %v", every, unnoticed)
		}
	}
}

// Only the sync marker cannot be written.
func TestFullDiskAllowsOpenAndClose(t *testing.T) {
	fs := newStrictFilesystem()
	opts := quiet()
	opts.SyncEvery = NoSync
	store, _ := openStore(t, fs, opts)
	put(t, store, jar, "id", "blue")
	left := fs.kill()
	writes := 0
	left.onChange(func(call string) error {
		if call == "write" {
			writes++
		}
		if call == "write" && writes > 1 { // the first one rewrites the unsynced part
			return syscall.ENOSPC
		}
		return nil
	})
	store, b := openStore(t, left, quiet())
	if found := text(b.store.Snapshot()); found != "jar{id:blue}" || !bytes.HasSuffix(left.names[path].data, []byte("\n")) {
		t.Errorf("found %s in %s", found, left.names[path].data)
	}
	rec, _ := jar.NewRecord(map[string]any{"id": "red"})
	if _, err := store.Insert(t.Context(), jar, rec); !errors.Is(err, core.Unavailable) {
		t.Error(err)
	}
	shut(t, store)
}

func TestCloseMarksFileWrittenDuringCompaction(t *testing.T) {
	fs := newStrictFilesystem()
	store, b := openStore(t, fs, quiet())
	put(t, store, jar, "id", "blue")
	fs.onChange(func(call string) error {
		if call == "sync" { // after the snapshot is written
			fs.onChange(func(string) error { return nil })
			put(t, store, jar, "id", "red")
		}
		return nil
	})
	if err := b.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	shut(t, store)
	data := fs.names[path].data
	data[len(data)-4] ^= 1
	if _, b := openStore(t, filesystemWith(data), quiet()); b.size() != 2 {
		t.Errorf("%d records after damage to the last line", b.size())
	}
}

// Keys are reserved without the write lock. The race detector checks it.
func TestReservationDuringSyncMarker(t *testing.T) {
	fs := newStrictFilesystem()
	store, _ := openStore(t, fs, quiet())
	shut(t, store)
	store, b := openStore(t, fs, quiet())
	j := b.journal
	ended := make(chan error)
	j.writeLock <- struct{}{} // so that only mu orders the two goroutines
	go func() {
		_, err := j.Reserve(cookie, 1)
		ended <- err
	}()
	err := j.writeSyncMarker(make([]int64, len(cookies.Resources())))
	<-j.writeLock
	if err := errors.Join(err, <-ended); err != nil {
		t.Error(err)
	}
	shut(t, store)
	store, _ = openStore(t, fs, quiet())
	shut(t, store)
}

func TestDelayedSyncLosesOnlyLatestTransactions(t *testing.T) {
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
				possible = possible[len(possible)-1:] // the earlier ones are impossible now
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

func TestFailedDelayedSyncRejectsWrites(t *testing.T) {
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
