package pgtest_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/larder-go/larder/backends/postgres/pgtest"
)

// execute executes statements on a server.
func execute(t *testing.T, url, sql string) {
	t.Helper()
	c, err := pgconn.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(context.Background()) }()
	if _, err := c.Exec(t.Context(), sql).ReadAll(); err != nil {
		t.Fatal(err)
	}
}

func TestAcknowledgedCommitSurvivesShutdown(t *testing.T) {
	t.Parallel()
	s := pgtest.Own(t)
	execute(t, s.URL(), "CREATE TABLE x (way text)")
	for _, how := range []pgtest.Shutdown{pgtest.Fast, pgtest.Immediate, pgtest.Kill} {
		execute(t, s.URL(), "INSERT INTO x VALUES ('"+string(how)+"')")
		if err := s.Shutdown(t.Context(), how); err != nil {
			t.Fatal(err)
		}
		if c, err := pgconn.Connect(t.Context(), s.TCP()); err == nil {
			_ = c.Close(t.Context())
			t.Errorf("%s: the server still answers", how)
		}
		if err := s.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := query(t, s.TCP(), "SELECT string_agg(way, ' ') FROM x"); got != "INT QUIT KILL" {
		t.Errorf("stored: %s", got)
	}
}

func TestKilledServerLeavesNoSession(t *testing.T) {
	t.Parallel()
	s := pgtest.Own(t)
	c, err := pgconn.Connect(t.Context(), s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(context.Background()) }()
	failed := make(chan error, 1)
	go func() { _, err := c.Exec(t.Context(), "SELECT pg_sleep(3600)").ReadAll(); failed <- err }()
	for query(t, s.URL(), "SELECT count(*)::text FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == "0" {
	}
	if err := s.Shutdown(t.Context(), pgtest.Kill); err != nil {
		t.Fatal(err)
	}
	if err := <-failed; err == nil {
		t.Error("the statement was executed")
	}
	if err := s.Resume(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestPromotedStandbyHasAcknowledgedCommits(t *testing.T) {
	t.Parallel()
	primary := pgtest.Own(t)
	execute(t, primary.URL(), "CREATE TABLE x (n int)")
	standby := primary.Standby(t)
	if err := primary.Follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	execute(t, primary.TCP(), "INSERT INTO x VALUES (42)")
	if got := query(t, standby.TCP(), "SELECT pg_is_in_recovery()::text"); got != "true" {
		t.Errorf("in recovery: %s", got)
	}
	if err := primary.Shutdown(t.Context(), pgtest.Kill); err != nil {
		t.Fatal(err)
	}
	if err := standby.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := query(t, standby.TCP(), "INSERT INTO x SELECT n + 1 FROM x RETURNING n::text"); got != "43" {
		t.Errorf("got %s", got)
	}
}

func TestOwnServerVerifiesPasswordByTCP(t *testing.T) {
	t.Parallel()
	s := pgtest.Own(t, "work_mem=123kB")
	if got := query(t, s.TCP(), "SHOW work_mem"); got != "123kB" {
		t.Errorf("work_mem is %s", got)
	}
	_, err := pgconn.Connect(t.Context(), strings.Replace(s.TCP(), "//postgres:", "//postgres:not", 1))
	refused, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || refused.Code != "28P01" {
		t.Errorf("another password: %v", err)
	}
}

func TestBouncerOfOwnServer(t *testing.T) {
	t.Parallel()
	s := pgtest.Own(t, "work_mem=123kB")
	if got := query(t, s.Bouncer(t), "SHOW work_mem"); got != "123kB" {
		t.Errorf("work_mem is %s", got)
	}
}

func TestOwnServerEndsWithItsTest(t *testing.T) {
	t.Parallel()
	var dirs []string
	t.Run("x", func(t *testing.T) {
		s := pgtest.Own(t)
		dirs = append(dirs, directory(t, s.URL()), directory(t, s.Standby(t).URL()))
		if err := s.Shutdown(t.Context(), pgtest.Kill); err != nil {
			t.Fatal(err)
		}
	})
	for _, dir := range dirs {
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is left: %v", dir, err)
		}
	}
}
