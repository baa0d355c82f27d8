package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/cookbook/internal/recipetest"
)

func TestMain(m *testing.M) { recipetest.Main(m) }

func TestReadmeShowsCodeOfTheProgram(t *testing.T) { recipetest.Shown(t, "README.md") }

func TestReadme(t *testing.T) {
	recipetest.Walkthrough(t, "README.md", "-url", pgtest.URL(t), "-replicas", "", "-schema", pgtest.Schema(t))
}

func TestMistakesAreErrors(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no connection string":  {nil, "-url: the connection string is missing"},
		"unreachable servers":   {[]string{"-url", "postgres://app@127.0.0.1:1,127.0.0.1:2/shop"}, "-url: "},
		"bad string of replica": {[]string{"-url", pgtest.URL(t), "-replicas", "db1 db2"}, "Options.Replicas: replica 1"},
	} {
		t.Run(name, func(t *testing.T) {
			if code, said := recipetest.Fail(t, c.args...); code != 1 || !strings.Contains(said, c.want) {
				t.Errorf("exit code %d: %s, want %q", code, said, c.want)
			}
		})
	}
}

// TestPromotedStandbyHasEachOrderOnce kills the primary while clients create orders in all ways, and promotes its synchronous
// standby.
func TestPromotedStandbyHasEachOrderOnce(t *testing.T) {
	t.Parallel()
	primary := pgtest.Own(t)
	standby := primary.Standby(t)
	if err := primary.Follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	both := strings.Replace(primary.TCP(), primary.Address(), primary.Address()+","+standby.Address(), 1)
	program := recipetest.Start(t, "-url", both, "-replicas", primary.TCP()+" "+standby.TCP())
	failed := make(chan struct{}, len(ways))
	c := client{base: program.Base, user: "alice", http: new(http.Client), onFailure: func(string) {
		select {
		case failed <- struct{}{}:
		default:
		}
	}}

	const orders = 15 // of each way, half of them before the failure
	created, broken := make(chan error), make(chan struct{})
	for i, way := range ways {
		go func() {
			for n := range orders {
				if n == orders/2 {
					created <- nil
					<-broken
				}
				if err := way(t.Context(), c, fmt.Sprint(i, "-", n), randomID()); err != nil {
					created <- fmt.Errorf("way %d, order %d: %w", i, n, err)
					return
				}
			}
			created <- nil
		}()
	}
	await := func() {
		t.Helper()
		for range ways {
			if err := <-created; err != nil {
				t.Fatal(err)
			}
		}
	}
	await()
	if err := primary.Shutdown(t.Context(), pgtest.Kill); err != nil {
		t.Fatal(err)
	}
	close(broken)
	for range cap(failed) {
		<-failed
	}
	if err := standby.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	await()
	stored := items(t, standby.TCP())
	for i := range ways {
		for n := range orders {
			if item := fmt.Sprint(i, "-", n); stored[item] != 1 {
				t.Errorf("order %s is stored %d times", item, stored[item])
			}
		}
	}
}

// randomID returns a random UUID.
func randomID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// items returns the number of orders of each item, from the primary among the servers.
func items(t *testing.T, url string) map[string]int {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url+"&target_session_attrs=read-write")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	rows, err := conn.Query(t.Context(), `SELECT item, count(*)::int FROM orders."order" GROUP BY item`)
	if err != nil {
		t.Fatal(err)
	}
	stored := make(map[string]int)
	var item string
	var n int
	if _, err := pgx.ForEachRow(rows, []any{&item, &n}, func() error { stored[item] = n; return nil }); err != nil {
		t.Fatal(err)
	}
	return stored
}
