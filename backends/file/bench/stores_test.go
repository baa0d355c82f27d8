package bench

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"io"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
	_ "modernc.org/sqlite"

	"github.com/larder-go/larder/backends/file"
	"github.com/larder-go/larder/core"
)

// content is the value of every record: 100 bytes.
const content = "muffins, shortbread, oat cookies, brandy snaps, macaroons, ginger nuts, florentines, and an amaretti"

var cookies = core.MustModel("cookies", core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
	{Name: "id", Type: core.Int, Key: true},
	{Name: "type", Type: core.Text},
}})

// commit inserts one record with a new key in a transaction of its own, which is on disk when commit returns. It is
// safe for concurrent use.
type commit func() error

// store is a store to be measured.
type store struct {
	name string
	open func(tb testing.TB) commit
}

var stores = []store{
	{"larder", openLarder},
	{"bbolt", openBbolt},
	{"bbolt-batch", openBboltBatch},
	{"sqlite-wal", func(tb testing.TB) commit { return openSQLite(tb, "WAL") }},
	{"sqlite-rollback", func(tb testing.TB) commit { return openSQLite(tb, "DELETE") }},
}

func openLarder(tb testing.TB) commit {
	tb.Helper()
	ctx := context.Background()
	backend := file.New(filepath.Join(tb.TempDir(), "cookies.db"), file.Options{Logger: slog.New(slog.DiscardHandler)})
	store, err := core.New(ctx, cookies, backend)
	if err != nil {
		tb.Fatal(err)
	}
	closeLater(tb, store)
	cookie := cookies.Resource("cookie")
	rec, err := cookie.NewRecord(map[string]any{"type": content})
	if err != nil {
		tb.Fatal(err)
	}
	return func() error {
		_, err := store.Insert(ctx, cookie, rec)
		return err
	}
}

func closeLater(tb testing.TB, c io.Closer) {
	tb.Helper()
	tb.Cleanup(func() {
		if err := c.Close(); err != nil {
			tb.Error(err)
		}
	})
}

var bucket = []byte("cookie")

func openBolt(tb testing.TB) *bolt.DB {
	tb.Helper()
	db, err := bolt.Open(filepath.Join(tb.TempDir(), "cookies.bolt"), 0o600, nil)
	if err != nil {
		tb.Fatal(err)
	}
	closeLater(tb, db)
	err = db.Update(func(tx *bolt.Tx) error {
		_, err := tx.CreateBucket(bucket)
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return db
}

// putNext stores the record as JSON by its key, as a program with bbolt would.
func putNext(tx *bolt.Tx) error {
	b := tx.Bucket(bucket)
	id, err := b.NextSequence()
	if err != nil {
		return err
	}
	value, err := json.Marshal(struct {
		ID   uint64 `json:"id"`
		Type string `json:"type"`
	}{id, content})
	if err != nil {
		return err
	}
	return b.Put(binary.BigEndian.AppendUint64(nil, id), value)
}

func openBbolt(tb testing.TB) commit {
	tb.Helper()
	db := openBolt(tb)
	return func() error { return db.Update(putNext) }
}

// openBboltBatch is bbolt's own way to share a sync. A batch starts when all committers of the benchmark are in it, and
// waits at most 1 ms for the last ones, instead of the default of 10 ms.
func openBboltBatch(tb testing.TB) commit {
	tb.Helper()
	db := openBolt(tb)
	db.MaxBatchDelay, db.MaxBatchSize = time.Millisecond, committers
	return func() error { return db.Batch(putNext) }
}

func openSQLite(tb testing.TB, journal string) commit {
	tb.Helper()
	dsn := "file:" + filepath.Join(tb.TempDir(), "cookies.sqlite") +
		"?_pragma=busy_timeout(60000)&_pragma=journal_mode(" + journal + ")&_pragma=synchronous(FULL)&_txlock=immediate"
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		tb.Fatal(err)
	}
	closeLater(tb, db)
	db.SetMaxOpenConns(1) // writers exclude each other anyway, and would only sleep and retry
	var mode string
	var sync int
	if err := db.QueryRow("PRAGMA journal_mode").Scan(&mode); err != nil {
		tb.Fatal(err)
	}
	if err := db.QueryRow("PRAGMA synchronous").Scan(&sync); err != nil || sync != 2 {
		tb.Fatal(sync, err)
	}
	tb.Logf("journal mode %s, synchronous %d", mode, sync)
	if _, err := db.Exec("CREATE TABLE cookie (id INTEGER PRIMARY KEY, type TEXT)"); err != nil {
		tb.Fatal(err)
	}
	insert, err := db.Prepare("INSERT INTO cookie (type) VALUES (?)")
	if err != nil {
		tb.Fatal(err)
	}
	closeLater(tb, insert)
	return func() error {
		_, err := insert.Exec(content)
		return err
	}
}
