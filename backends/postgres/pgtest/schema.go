package pgtest

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/larder-go/larder/backends/postgres/internal/pgsql"
)

// shared starts the private server of this process.
var shared = sync.OnceValues(func() (*Server, error) { return Start(context.Background()) })

// URL returns the connection string of the server for the tests of this process. It starts the server if necessary. The
// test fails if that fails.
func URL(tb testing.TB) string {
	tb.Helper()
	if url := os.Getenv("DATABASE_URL"); url != "" {
		return url
	}
	s, err := shared()
	if err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	return s.URL()
}

var schemas atomic.Int64

// Schema makes an empty schema on the server of [URL] and returns its name. The schema and its contents are dropped
// after the test. The name contains capitals, blanks and quotes, as names may. If the test fails, its output shows the
// server's log since the call, including that of concurrent tests.
func Schema(tb testing.TB) string {
	tb.Helper()
	url := URL(tb)
	showLog(tb)
	name := fmt.Sprintf(`Test "%d" of %d %.24s`, schemas.Add(1), os.Getpid(), ascii(tb.Name()))
	run(tb, url, "CREATE SCHEMA "+pgsql.Name(name))
	tb.Cleanup(func() {
		run(tb, url, "SET client_min_messages = warning; DROP SCHEMA "+pgsql.Name(name)+" CASCADE")
	})
	return name
}

// showLog adds the log of the private server to the output of the test if it fails.
func showLog(tb testing.TB) {
	if os.Getenv("DATABASE_URL") != "" {
		return
	}
	s, err := shared()
	if err != nil {
		return
	}
	from := len(s.Log(0))
	tb.Cleanup(func() {
		if !tb.Failed() {
			return
		}
		tb.Logf("server log:\n%s", lastBytes(s.Log(from)))
	})
}

// lastBytes returns the end of a log.
func lastBytes(log string) string {
	const most = 8 << 10
	return log[max(0, len(log)-most):]
}

// admin is the connection for creating and dropping schemas.
var admin struct {
	sync.Mutex
	conn *pgconn.PgConn
}

// run executes statements on the admin connection.
func run(tb testing.TB, url, sql string) {
	tb.Helper()
	admin.Lock()
	defer admin.Unlock()
	ctx := context.Background() // the context of the test has ended during its cleanup
	if admin.conn == nil || admin.conn.IsClosed() {
		var err error
		if admin.conn, err = pgconn.Connect(ctx, url); err != nil {
			tb.Fatalf("pgtest: %v", err)
		}
	}
	if _, err := admin.conn.Exec(ctx, sql).ReadAll(); err != nil {
		tb.Fatalf("pgtest: %s: %v", sql, err)
	}
}

func ascii(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '_'
		}
		return r
	}, s)
}
