package pgtest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/backends/postgres/pgtest"
)

func query(t *testing.T, url, sql string) string {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(context.Background()) }()
	var got string
	if err := c.QueryRow(t.Context(), sql, pgx.QueryExecModeSimpleProtocol).Scan(&got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestServerAnswers(t *testing.T) {
	if got := query(t, pgtest.URL(t), "SHOW server_version_num"); got < "13" {
		t.Errorf("version %s", got)
	}
}

func TestBouncerSharesFewServerConnections(t *testing.T) {
	seen := make(map[string]bool)
	for range 5 {
		seen[query(t, pgtest.Bouncer(t), "SELECT pg_backend_pid()::text")] = true
	}
	if len(seen) > 3 {
		t.Errorf("5 clients in a row were served by %d processes", len(seen))
	}
}

func TestSchemaIsGoneAfterItsTest(t *testing.T) {
	var name string
	const count = "SELECT count(*)::text FROM pg_namespace WHERE nspname = $$%s$$"
	t.Run("x", func(t *testing.T) {
		name = pgtest.Schema(t)
		if got := query(t, pgtest.URL(t), fmt.Sprintf(count, name)); got != "1" {
			t.Fatalf("%s schemas of that name", got)
		}
	})
	if got := query(t, pgtest.URL(t), fmt.Sprintf(count, name)); got != "0" {
		t.Errorf("%s schemas of that name are left", got)
	}
}

func TestSchemasOfOneTestDiffer(t *testing.T) {
	if a, b := pgtest.Schema(t), pgtest.Schema(t); a == b {
		t.Errorf("both are %s", a)
	}
}

func TestStoppedServerLeavesNothing(t *testing.T) {
	s, err := pgtest.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dir := directory(t, s.URL())
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is left: %v", dir, err)
	}
}

func TestLogShowsFailedStatements(t *testing.T) {
	s, err := pgtest.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Stop() }()
	c, err := pgx.Connect(t.Context(), s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(context.Background()) }()
	from := len(s.Log(0))
	if _, err := c.Exec(t.Context(), "SELECT nonsense"); err == nil {
		t.Fatal("no error")
	}
	if log := s.Log(from); !strings.Contains(log, `"nonsense" does not exist`) {
		t.Errorf("log: %q", log)
	}
}

// TestServerEndsWithItsProcess starts this test program again, as a process that starts a server, prints its directory and
// then ends in some way.
func TestServerEndsWithItsProcess(t *testing.T) {
	if how := os.Getenv("PGTEST_END"); how != "" {
		end(t, how)
	}
	for _, how := range []string{"exit", "panic", "kill"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestServerEndsWithItsProcess$")
			cmd.Env = append(os.Environ(), "PGTEST_END="+how)
			out, theirs, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			cmd.Stdout, cmd.Stderr = theirs, theirs
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			_ = theirs.Close()
			output, err := io.ReadAll(out) // until all processes with the other end have exited
			if err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			dir, _, _ := strings.Cut(string(output), "\n")
			if !strings.Contains(dir, "pgtest") {
				t.Fatalf("the process printed %s", output)
			}
			if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s is left: %v", dir, err)
			}
		})
	}
}

func end(t *testing.T, how string) {
	s, err := pgtest.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(directory(t, s.URL()))
	switch how {
	case "exit":
		os.Exit(3)
	case "kill":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	panic(how)
}

// directory returns the directory of the server's socket.
func directory(t *testing.T, connection string) string {
	t.Helper()
	u, err := url.Parse(connection)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("host")
}
