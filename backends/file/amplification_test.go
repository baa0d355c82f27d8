package file

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
)

// update updates a cookie.
func update(tb testing.TB, store *core.Store, fields ...any) {
	tb.Helper()
	named := make(map[string]any)
	for i := 0; i < len(fields); i += 2 {
		named[fields[i].(string)] = fields[i+1]
	}
	rec, err := cookie.NewRecord(named)
	if err == nil {
		_, err = store.Update(context.Background(), cookie, rec)
	}
	if err != nil {
		tb.Fatal(err)
	}
}

// The cost of an update on disk depends on the changed columns, not on the record.
func TestAnUpdateWritesTheColumnsThatItChanges(t *testing.T) {
	const updates, large, perUpdate = 500, 1 << 20, 120
	fs := newStrictFilesystem()
	store, b := openStore(t, fs, quiet())
	put(t, store, jar, "id", "blue")
	put(t, store, cookie, "type", strings.Repeat("x", large))
	before := fs.appended
	for i := range updates {
		update(t, store, "id", 1, "jar", []any{"blue", nil}[i%2])
	}
	b.background.Wait()
	if n := fs.appended - before; n > updates*perUpdate || fs.compacted > large {
		t.Errorf("%d updates append %d bytes, and compaction writes %d", updates, n, fs.compacted)
	}
	want := text(b.store.Snapshot())
	shut(t, store)
	store, b = openStore(t, fs, quiet())
	if text(b.store.Snapshot()) != want {
		t.Error("found something else")
	}
	shut(t, store)
}

// A compaction writes no more bytes than were appended since the one before.
func TestCompactionWritesNoMoreThanWasAppended(t *testing.T) {
	const size = 64 << 10
	for name, step := range map[string]func(t *testing.T, store *core.Store, i int){
		"replaced values": func(t *testing.T, store *core.Store, i int) {
			update(t, store, "id", 1+i%5, "type", strings.Repeat(string(rune('a'+i%26)), size))
		},
		"inserted and deleted": func(t *testing.T, store *core.Store, _ int) {
			key := put(t, store, cookie, "type", strings.Repeat("x", size)).Key()
			if err := store.Delete(t.Context(), cookie, key); err != nil {
				t.Fatal(err)
			}
		},
		"escaped values": func(t *testing.T, store *core.Store, i int) {
			update(t, store, "id", 1, "type", strings.Repeat(string(rune('\x01'+i%8)), size/6))
		},
		"small transactions": func(t *testing.T, store *core.Store, _ int) {
			for range 80 {
				put(t, store, cookie)
			}
		},
	} {
		for _, ratio := range []float64{0, 0.1} {
			fs := newStrictFilesystem()
			opts := quiet()
			opts.CompactRatio = ratio
			store, b := openStore(t, fs, opts)
			for range 5 {
				put(t, store, cookie)
			}
			before := fs.compacted
			for i := range 200 {
				step(t, store, i)
				b.background.Wait()
			}
			if written := fs.compacted - before; written > fs.appended || written == 0 {
				t.Errorf("%s, ratio %v: %d bytes are appended, compaction writes %d", name, ratio, fs.appended, written)
			}
			shut(t, store)
		}
	}
}

// A file of the first version goes on as one until it is compacted.
func TestAFileOfTheFirstVersionIsOpened(t *testing.T) {
	const head = `{"larder":"journal","version":1,"model":"cookies","resources":[` +
		`{"name":"cookie","fields":[{"name":"id","type":"int","key":true},{"name":"type","type":"text"},{"name":"jar","type":"text","to":"jar"}]},` +
		`{"name":"jar","fields":[{"name":"id","type":"text","key":true}]}]`
	fs := filesystemWith(withChecksums([]byte(head + "\n" + `{"n":1,"synced":0,"seq":{}` + "\n" +
		`{"n":2,"synced":0,"put":{"cookie":[{"id":1,"type":"muffin","jar":"blue"}],"jar":[{"id":"blue"}]}` + "\n")))
	store, b := openStore(t, fs, quiet())
	update(t, store, "id", 1, "type", "oat")
	if last := lastLine(fs); !strings.Contains(last, `"put":{"cookie":[{"id":1,"type":"oat","jar":"blue"}]}`) {
		t.Errorf("a line that programs of the first version cannot read: %s", last)
	}
	if err := b.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	update(t, store, "id", 1, "jar", nil)
	if last := lastLine(fs); !strings.Contains(last, `"set":{"cookie":[{"id":1,"jar":null}]}`) {
		t.Errorf("after the compaction all of the record is written: %s", last)
	}
	var header struct{ Version int }
	first, _, _ := strings.Cut(string(fs.names[path].data), "\n")
	if err := json.Unmarshal([]byte(first), &header); err != nil || header.Version != 2 {
		t.Errorf("compacted to version %d, %v", header.Version, err)
	}
	shut(t, store)
	store, b = openStore(t, fs, quiet())
	if found := text(b.store.Snapshot()); found != "cookie{id:1 type:oat jar:null}jar{id:blue}" {
		t.Errorf("found %s", found)
	}
	shut(t, store)
}

func lastLine(fs *strictFilesystem) string {
	lines := strings.Split(strings.TrimSuffix(string(fs.names[path].data), "\n"), "\n")
	return lines[len(lines)-1]
}
