//go:build ha

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/cookbook/internal/recipetest"
)

// fault is one that happens to a cluster. Its function returns when the fault is over; the cluster may still recover.
type fault struct {
	name   string
	strike func(ctx context.Context, f *fixture) error
}

var faults = []fault{
	{"switchover", func(ctx context.Context, f *fixture) error { return f.cluster.Switchover(ctx) }},
	{"server of the primary killed", func(ctx context.Context, f *fixture) error {
		return f.on(ctx, "leader", "kill-server")
	}},
	{"node of the primary killed", func(ctx context.Context, f *fixture) error {
		return f.during(ctx, "leader", "kill", "start", f.roleMoves)
	}},
	{"node of the synchronous standby killed", func(ctx context.Context, f *fixture) error {
		return f.during(ctx, "sync_standby", "kill", "start", f.roleMoves)
	}},
	{"node of the synchronous standby frozen", func(ctx context.Context, f *fixture) error {
		return f.during(ctx, "sync_standby", "freeze", "thaw", f.roleMoves)
	}},
	{"node of the other standby killed", func(ctx context.Context, f *fixture) error {
		return f.during(ctx, "replica", "kill", "start", f.writes)
	}},
	{"both standbys lag", lag},
	{"etcd gone for 20 s", func(ctx context.Context, f *fixture) error {
		if err := f.cluster.Configure(ctx, map[string]any{"failsafe_mode": false}); err != nil {
			return err
		}
		return f.withoutEtcd(ctx)
	}},
	{"etcd gone for 20 s, failsafe_mode", func(ctx context.Context, f *fixture) error {
		if err := f.cluster.Configure(ctx, map[string]any{"failsafe_mode": true}); err != nil {
			return err
		}
		return f.withoutEtcd(ctx)
	}},
}

// mistakes are what README.md advises against. They prove that the records of the clients show it.
var mistakes = []struct {
	fault

	config map[string]any
	ways   []way
	wrong  func(lost, doubled, back int) bool
}{
	{
		fault{"asynchronous, primary cut off and killed", func(ctx context.Context, f *fixture) error {
			return f.withoutReplicas(ctx, func() error { return f.on(ctx, "leader", "kill") })
		}}, map[string]any{"synchronous_mode": false, "failsafe_mode": false, "maximum_lag_on_failover": 64 << 20}, ways, func(lost, _, back int) bool { return lost > 0 && back > 0 },
	},
	{
		fault{"writes repeated without a key", func(ctx context.Context, f *fixture) error {
			return f.during(ctx, "sync_standby", "freeze", "thaw", f.roleMoves)
		}}, map[string]any{"failsafe_mode": true}, []way{blindly}, func(_, doubled, _ int) bool { return doubled > 0 },
	},
}

// fixture is a cluster with programs on it and clients of the programs.
type fixture struct {
	*clients

	cluster *pgtest.Patroni
}

// recoveryTimeout limits a fault with the recovery of the cluster.
const recoveryTimeout = 5 * time.Minute

// TestSoak lets each fault happen three times to a cluster with the configuration that README.md shows, while clients write and
// read. No acknowledged order may be lost, none may be stored twice, and no read may show less than was acknowledged before.
func TestSoak(t *testing.T) {
	f := start(t)
	rounds := 3
	if n, err := strconv.Atoi(os.Getenv("LARDER_ROUNDS")); err == nil {
		rounds = n
	}
	t.Logf("note: %s", header)
	for _, fault := range faults {
		t.Run(fault.name, func(t *testing.T) {
			for range rounds {
				r := f.round(t, fault, ways)
				if r.lost > 0 || r.doubled > 0 || r.back > 0 {
					t.Errorf("%d acknowledged orders are lost, %d are stored twice, %d reads went back", r.lost, r.doubled, r.back)
				}
			}
		})
	}
	for _, m := range mistakes {
		t.Run(m.name, func(t *testing.T) {
			configure(t, f, m.config)
			defer configure(t, f, map[string]any{"synchronous_mode": true, "maximum_lag_on_failover": 1 << 20})
			if r := f.round(t, m.fault, m.ways); !m.wrong(r.lost, r.doubled, r.back) {
				t.Errorf("%d lost, %d doubled, %d reads went back: the records of the clients do not show the mistake", r.lost, r.doubled, r.back)
			}
		})
	}
}

func configure(t *testing.T, f *fixture, changes map[string]any) {
	t.Helper()
	if err := f.cluster.Configure(t.Context(), changes); err != nil {
		t.Fatal(err)
	}
	if err := f.cluster.AwaitComplete(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func start(t *testing.T) *fixture {
	t.Helper()
	var dynamic string
	for _, block := range recipetest.Blocks(t, "README.md") {
		if block.Language == "yaml" {
			dynamic = block.Text
		}
	}
	f := &fixture{cluster: pgtest.StartPatroni(t, dynamic)}
	execute(t, f.cluster.URL(), "CREATE ROLE app LOGIN PASSWORD 'app'; GRANT pg_monitor TO app; GRANT CREATE ON DATABASE postgres TO app")
	all := asApp(t, f.cluster.URL())
	var single []string
	for _, one := range f.cluster.URLs() {
		single = append(single, asApp(t, one))
	}
	replicas := strings.Join(single, " ")
	// Some pauses are longer than this limit, so that commits end with OUTCOME_UNKNOWN.
	const limit = "15s"
	f.clients = newClients(t,
		recipetest.Start(t, "-timeout", limit, "-url", all).Base,
		recipetest.Start(t, "-timeout", limit, "-url", all, "-replicas", replicas).Base,
		recipetest.Start(t, "-timeout", limit, "-url", all, "-replicas", replicas, "-max-lag", greatestLag.String()).Base)
	return f
}

// asApp returns the connection string of the role of the program.
func asApp(t *testing.T, connection string) string {
	t.Helper()
	before, rest, _ := strings.Cut(connection, "://")
	_, rest, found := strings.Cut(rest, "@")
	if !found {
		t.Fatalf("no user in a connection string")
	}
	return before + "://app:app@" + rest + "&connect_timeout=3&pool_max_conns=12"
}

func execute(t *testing.T, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url+"&target_session_attrs=read-write")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

// round lets the fault happen once, and returns the records of the clients.
func (f *fixture) round(t *testing.T, fault fault, ways []way) *round {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), recoveryTimeout)
	defer cancel()
	if err := f.cluster.AwaitComplete(ctx); err != nil {
		t.Fatal(err)
	}
	r := f.begin(ctx, ways)
	r.await(ctx, calm)
	if err := fault.strike(ctx, f); err != nil {
		t.Error(err)
	}
	if err := f.cluster.AwaitComplete(ctx); err != nil {
		t.Error(err)
	}
	r.await(ctx, calm)
	r.end()
	if err := ctx.Err(); err != nil {
		t.Errorf("the clients did not go on: %v", err)
	}
	r.compare(items(t, f.cluster.URL()))
	t.Logf("note: %s", r.row(fault.name))
	for _, problem := range r.problems() {
		t.Error(problem)
	}
	return r
}

// on gives an order for the node of a role.
func (f *fixture) on(ctx context.Context, role, order string) error {
	nodes, err := f.cluster.Role(ctx, role)
	if err != nil || len(nodes) == 0 {
		return fmt.Errorf("no %s: %w", role, err)
	}
	return f.cluster.Do(ctx, order, nodes[0])
}

// during gives an order for the node of a role, waits, and gives an order that repairs the node.
func (f *fixture) during(ctx context.Context, role, order, repair string, wait func(ctx context.Context, role, node string) error) error {
	nodes, err := f.cluster.Role(ctx, role)
	if err != nil || len(nodes) == 0 {
		return fmt.Errorf("no %s: %w", role, err)
	}
	if err := f.cluster.Do(ctx, order, nodes[0]); err != nil {
		return err
	}
	failed := wait(ctx, role, nodes[0])
	if err := f.cluster.Do(context.WithoutCancel(ctx), repair, nodes[0]); err != nil {
		return err
	}
	return failed
}

// roleMoves waits until another node has the role and writes succeed.
func (f *fixture) roleMoves(ctx context.Context, role, node string) error {
	for {
		nodes, err := f.cluster.Role(ctx, role)
		if err == nil && len(nodes) > 0 && !slices.Contains(nodes, node) {
			return f.writes(ctx, role, node)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s stays the %s: %w", node, role, ctx.Err())
		case <-time.After(100 * time.Millisecond): // between two questions
		}
	}
}

// writes waits until each writer has some acknowledged writes more.
func (f *fixture) writes(ctx context.Context, _, _ string) error {
	f.current.await(ctx, calm)
	return ctx.Err()
}

// lag stops both standbys from replaying the log, and so from showing new writes.
func lag(ctx context.Context, f *fixture) error {
	for _, sql := range []string{"SELECT pg_wal_replay_pause()", "SELECT pg_wal_replay_resume()"} {
		for _, url := range f.cluster.URLs() {
			conn, err := pgx.Connect(ctx, url+"&target_session_attrs=standby")
			if err != nil {
				continue // the primary
			}
			_, err = conn.Exec(ctx, sql)
			if err := errors.Join(err, conn.Close(ctx)); err != nil {
				return err
			}
		}
		f.current.await(ctx, calm)
	}
	return nil
}

// withoutReplicas lets the primary go on without its standbys for some writes, and calls a function before they return.
func (f *fixture) withoutReplicas(ctx context.Context, then func() error) error {
	replicas, err := f.cluster.Role(ctx, "replica")
	if err != nil {
		return err
	}
	leader, err := f.cluster.Role(ctx, "leader")
	if err != nil {
		return err
	}
	for _, node := range replicas {
		if err := f.cluster.Do(ctx, "kill", node); err != nil {
			return err
		}
	}
	f.current.await(ctx, calm)
	failed := then()
	for _, node := range replicas {
		if err := f.cluster.Do(ctx, "start", node); err != nil {
			return err
		}
	}
	if failed != nil {
		return failed
	}
	if err := f.roleMoves(ctx, "leader", leader[0]); err != nil {
		return err
	}
	return f.cluster.Do(ctx, "start", leader[0])
}

func (f *fixture) withoutEtcd(ctx context.Context) error {
	if err := f.cluster.Do(ctx, "kill", "etcd"); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
	case <-time.After(20 * time.Second): // the length of the fault
	}
	return f.cluster.Do(context.WithoutCancel(ctx), "start", "etcd")
}
