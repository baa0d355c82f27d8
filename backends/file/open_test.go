package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
)

// put inserts a record with the fields given as name and value in turn.
func put(tb testing.TB, s core.Querier, r *core.Resource, fields ...any) core.Record {
	tb.Helper()
	m := make(map[string]any)
	for i := 0; i < len(fields); i += 2 {
		m[fields[i].(string)] = fields[i+1]
	}
	rec, err := r.NewRecord(m)
	if err != nil {
		tb.Fatal(err)
	}
	stored, err := s.Insert(context.Background(), r, rec)
	if err != nil {
		tb.Fatal(err)
	}
	return stored[0]
}

func shut(tb testing.TB, store *core.Store) {
	tb.Helper()
	if err := store.Close(); err != nil {
		tb.Fatal(err)
	}
}

func TestSecondOpenIsLockedOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cookies.db")
	checkLocked := func() {
		t.Helper()
		err := New(path, Options{}).Bind(t.Context(), cookies)
		if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), path) {
			t.Errorf("second opener: %v", err)
		}
	}
	b := New(path, Options{})
	store, err := core.New(t.Context(), cookies, b)
	if err != nil {
		t.Fatal(err)
	}
	checkLocked()
	if err := b.Compact(t.Context()); err != nil { // another file is at the path now
		t.Fatal(err)
	}
	checkLocked()
	shut(t, store)
	again, err := core.New(t.Context(), cookies, New(path, Options{}))
	if err != nil {
		t.Fatal(err)
	}
	shut(t, again)
}

func TestOpenRejectsOtherFiles(t *testing.T) {
	newer := strings.Replace(string(schemaOf(cookies).header()), `"version":2`, fmt.Sprintf(`"version":%d`, formatVersion+1), 1)
	tests := map[string]struct{ content, says string }{
		"text":               {"Dear diary", "is not a journal"},
		"JSON":               {`{"cookie": {}}` + "\n", "is not a journal"},
		"a newer version":    {newer, fmt.Sprint("version ", formatVersion+1)},
		"a broken header":    {strings.Replace(string(schemaOf(cookies).header()), "cookies", "Cookies", 1), "offset 0"},
		"a truncated header": {string(schemaOf(cookies).header()[:60]), "offset 0"},
		"a broken resource":  {string(withChecksums([]byte(`{"larder":"journal","version":1,"resources":[{"name":"r","fields":[]}]`))), "no key"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "cookies.db")
			if err := os.WriteFile(path, []byte(tt.content), 0o600); err != nil {
				t.Fatal(err)
			}
			err := New(path, Options{}).Bind(t.Context(), cookies)
			if err == nil || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), path) {
				t.Errorf("%v, want one that says %q", err, tt.says)
			}
			if now, err := os.ReadFile(path); err != nil || string(now) != tt.content {
				t.Errorf("the file is %q now, %v", now, err)
			}
		})
	}
}

func TestTornEndIsLogged(t *testing.T) {
	h := randomJournal(t, 1_000)
	offsets := h.offsets()
	last := offsets[len(offsets)-2]
	var log bytes.Buffer
	b := newBackend(filesystemWith(h.data[:last+9]), path, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err := b.Bind(t.Context(), cookies); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), fmt.Sprintf("offset=%d bytes=9 ", last)) || !strings.Contains(log.String(), "or damage") ||
		text(b.store.Snapshot()) != h.states[len(h.states)-2] {
		t.Errorf("found %s, log %s", text(b.store.Snapshot()), log.String())
	}
}

// The first line of a batch is torn. The next write takes exactly its space, so that the other lines of the batch would
// follow it.
func TestTruncatedLinesStayDeleted(t *testing.T) {
	data := appendFrame(schemaOf(cookies).header(), frame{1, 0, []byte(`"seq":{}`)})
	synced := int64(len(data))
	for i, id := range []string{"a", "b", "c"} {
		data = appendFrame(data, frame{int64(i + 2), synced, []byte(`"put":{"jar":[{"id":"` + id + `"}]}`)})
	}
	data[synced+40] ^= 1
	fs := filesystemWith(data)
	for _, want := range []string{"", "jar{id:x}"} {
		store, b := openStore(t, fs, quiet())
		if found := text(b.store.Snapshot()); found != want {
			t.Errorf("found %q, want %q", found, want)
		}
		if want == "" {
			put(t, store, jar, "id", "x")
		}
		shut(t, store)
	}
}

func TestNewFileHasInitialData(t *testing.T) {
	fs := newStrictFilesystem()
	opts := quiet()
	opts.Data = seed.Data{"jar": {"blue": {}}, "cookie": {7: {"type": "oat", "jar": "blue"}}}
	store, b := openStore(t, fs, opts)
	if got := put(t, store, cookie); got.Key().Int() != 8 {
		t.Errorf("first new key %s", got.Key())
	}
	want := text(b.store.Snapshot())
	shut(t, store)
	opts.Data = seed.Data{"jar": {"red": {}}}
	store, b = openStore(t, fs, opts)
	if got := text(b.store.Snapshot()); got != want {
		t.Errorf("found %s, want %s", got, want)
	}
	shut(t, store)

	opts.Data = seed.Data{"weed": {}}
	if err := newBackend(newStrictFilesystem(), path, opts).Bind(t.Context(), cookies); err == nil {
		t.Error("accepted data that does not fit the model")
	}
}

func TestKeyGapAfterCloseAndCrash(t *testing.T) {
	fs := newStrictFilesystem()
	store, _ := openStore(t, fs, quiet())
	put(t, store, cookie)
	shut(t, store)
	store, _ = openStore(t, fs, quiet())
	if got := put(t, store, cookie).Key().Int(); got != 2 {
		t.Errorf("after a Close the next key is %d", got)
	}
	left := fs.crash(func(int) int { return 0 })
	store, _ = openStore(t, left, quiet())
	if got := put(t, store, cookie).Key().Int(); got <= 2 || got > 2+reservedAtOnce {
		t.Errorf("after a crash the next key is %d", got)
	}
}

func TestExplicitKeyIsNotReusedAfterDelete(t *testing.T) {
	fs := newStrictFilesystem()
	store, _ := openStore(t, fs, quiet())
	put(t, store, cookie, "id", 5000)
	if err := store.Delete(t.Context(), cookie, core.IntValue(5000)); err != nil {
		t.Fatal(err)
	}
	store, _ = openStore(t, fs.kill(), quiet())
	if got := put(t, store, cookie).Key().Int(); got <= 5000 {
		t.Errorf("the next key is %d", got)
	}
}

// hookedFilesystem calls a function once after a file was opened.
type hookedFilesystem struct {
	*strictFilesystem

	afterOpen func()
}

func (m *hookedFilesystem) Open(path string, flag int, perm fs.FileMode) (handle, error) {
	h, err := m.strictFilesystem.Open(path, flag, perm)
	if meddle := m.afterOpen; err == nil && meddle != nil {
		m.afterOpen = nil
		meddle()
	}
	return h, err
}

func TestFileReplacedDuringOpenIsReopened(t *testing.T) {
	fs := newStrictFilesystem()
	store, _ := openStore(t, fs, quiet())
	shut(t, store)
	store, b := openStore(t, &hookedFilesystem{fs, func() {
		other, b := openStore(t, fs, quiet())
		put(t, other, jar, "id", "blue")
		if err := b.Compact(t.Context()); err != nil {
			t.Fatal(err)
		}
		shut(t, other)
	}}, quiet())
	if found := text(b.store.Snapshot()); found != "jar{id:blue}" {
		t.Errorf("found %q", found)
	}
	put(t, store, jar, "id", "red")
	shut(t, store)
	_, b = openStore(t, fs, quiet())
	if found := text(b.store.Snapshot()); found != "jar{id:blue}jar{id:red}" {
		t.Errorf("found %q", found)
	}
}

func TestProgressReachesEnd(t *testing.T) {
	fs := newStrictFilesystem()
	store, _ := openStore(t, fs, quiet())
	for range 30 {
		put(t, store, cookie, "type", strings.Repeat("x", 100_000))
	}
	shut(t, store)
	var reported []int64
	opts := quiet()
	opts.Progress = func(done, total int64) {
		reported = append(reported, done)
		if size := int64(len(fs.names[path].data)); total != size {
			t.Errorf("total %d of %d", total, size)
		}
	}
	store, _ = openStore(t, fs, opts)
	if len(reported) < 3 || reported[len(reported)-1] < 3_000_000 {
		t.Errorf("reported %v", reported)
	}
	shut(t, store)
}

func TestOpenEndsWithContext(t *testing.T) {
	fs := newStrictFilesystem()
	store, _ := openStore(t, fs, quiet())
	for range 30 {
		put(t, store, cookie, "type", strings.Repeat("x", 100_000))
	}
	shut(t, store)
	ctx, cancel := context.WithCancel(t.Context())
	opts := quiet()
	opts.Progress = func(int64, int64) { cancel() }
	if err := newBackend(fs, path, opts).Bind(ctx, cookies); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	store, _ = openStore(t, fs, quiet()) // the lock was released
	shut(t, store)
}

func TestClosedBackendReturnsErrClosed(t *testing.T) {
	store, b := openStore(t, newStrictFilesystem(), quiet())
	tx, err := b.Begin(t.Context(), core.BackendTxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	rec, _ := jar.NewRecord(map[string]any{"id": "blue"})
	if _, err := tx.Insert(t.Context(), &core.Op{Kind: core.Insert, Resource: jar, Records: []core.Record{rec}}); err != nil {
		t.Fatal(err)
	}
	shut(t, store)
	_, begin := b.Begin(t.Context(), core.BackendTxOptions{ReadOnly: true})
	_, ids := tx.NextIDs(t.Context(), &core.Op{Kind: core.NextID, Resource: cookie, N: 1})
	for name, err := range map[string]error{
		"Begin": begin, "NextIDs": ids, "Commit": tx.Commit(t.Context()),
		"Compact": b.Compact(t.Context()), "Backup": b.Backup(t.Context(), new(bytes.Buffer)),
	} {
		if !errors.Is(err, core.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUnboundBackendReturnsError(t *testing.T) {
	b := New(filepath.Join(t.TempDir(), "cookies.db"), quiet())
	_, begin := b.Begin(t.Context(), core.BackendTxOptions{})
	for name, err := range map[string]error{
		"Begin": begin, "Compact": b.Compact(t.Context()), "Backup": b.Backup(t.Context(), new(bytes.Buffer)),
	} {
		if !errors.Is(err, errUnbound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := b.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if err := b.Bind(t.Context(), cookies); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := b.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	if err := b.Bind(t.Context(), cookies); !errors.Is(err, errBound) {
		t.Errorf("Bind: %v", err)
	}
}

func TestErrorsNamePathAfterCompaction(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cookies.db")
	store, b := openAt(t, path)
	if err := b.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := b.journal.file.Close(); err != nil {
		t.Fatal(err)
	}
	rec, _ := jar.NewRecord(map[string]any{"id": "blue"})
	_, err := store.Insert(t.Context(), jar, rec)
	if cause := errors.Unwrap(err); err == nil || cause == nil || !strings.Contains(cause.Error(), path) || strings.Contains(cause.Error(), replacementPath(path)) {
		t.Errorf("%v: %v", err, cause)
	}
	_ = store.Close()
}
