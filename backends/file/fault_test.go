package file

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"testing"

	"github.com/larder-go/larder/core"
)

// Each write, sync, rename and truncation fails in turn, alone or with all later calls.
func TestFailedFileSystemCallFailsTransaction(t *testing.T) {
	for _, cause := range []error{syscall.EIO, syscall.ENOSPC} {
		for _, forever := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v forever %t", cause, forever), func(t *testing.T) {
				for n := 1; ; n++ {
					f := &faulty{crasher: newQuietCrasher(t), at: n, forever: forever, cause: cause}
					if f.run(); f.calls < n {
						if n < 20 {
							t.Errorf("only %d calls", n)
						}
						return
					}
				}
			})
		}
	}
}

// newQuietCrasher returns a crasher that simulates no crashes by itself.
func newQuietCrasher(tb testing.TB) *crasher {
	c := &crasher{tb: tb, fs: newStrictFilesystem(), random: newRandom(3), opts: quiet(), allowed: []string{""}}
	c.open()
	return c
}

// faulty runs a program in which the n-th call of the file system fails.
type faulty struct {
	*crasher

	at       int
	forever  bool
	cause    error
	calls    int
	failed   bool // a call has failed
	readOnly bool // the backend rejects writes
}

func (f *faulty) before(string) error {
	f.calls++
	if f.calls == f.at || f.forever && f.calls > f.at {
		f.failed = true
		return f.cause
	}
	return nil
}

func (f *faulty) run() {
	f.fs.onChange(f.before)
	for i := range 12 {
		if i%4 == 2 {
			f.compact()
			continue
		}
		f.insert(i)
	}
	_ = f.store.Close()
	f.fs.onChange(func(string) error { return nil })
	f.last = fmt.Sprintf("call %d", f.at)
	_ = f.crashEveryWay("the end")
	f.checkNextProcess(f.fs, "the end")
}

func (f *faulty) compact() {
	if err := f.backend.Compact(context.Background()); err != nil && !errors.Is(err, f.cause) {
		f.tb.Fatal(err)
	}
	f.readOnly = f.backend.journal.Failed() != nil
}

func (f *faulty) insert(i int) {
	before := text(f.backend.store.Snapshot())
	var after string
	err := f.store.Tx(context.Background(), func(_ context.Context, tx *core.Transaction) error {
		if err := f.add(tx, map[string]any{"type": f.anyText()}); err != nil {
			return err
		}
		after = contentOf(f.tb, tx)
		return nil
	})
	now := text(f.backend.store.Snapshot())
	switch {
	case err == nil && (f.readOnly || now != after):
		f.tb.Fatalf("call %d: insert %d succeeded: %t, %s", f.at, i, f.readOnly, now)
	case err == nil:
		f.allowed = []string{after}
		return
	case !f.failed || !errors.Is(err, core.Unavailable) && !errors.Is(err, core.OutcomeUnknown) || now != before:
		f.tb.Fatalf("call %d: insert %d: %v, %s", f.at, i, err, now)
	case f.readOnly && (!errors.Is(err, errWritesRejected) || errors.Is(err, core.ErrCommitUnknown)):
		f.tb.Fatalf("call %d: insert %d after the failure: %v", f.at, i, err)
	case errors.Is(err, core.ErrCommitUnknown) != errors.Is(err, core.OutcomeUnknown):
		f.tb.Fatalf("call %d: insert %d: %v has another code than its cause", f.at, i, err)
	case errors.Is(err, core.ErrCommitUnknown) && !slices.Contains(f.allowed, after):
		f.allowed = append(f.allowed, after)
	}
	f.readOnly = true
}
