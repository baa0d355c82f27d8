package faulttest

import (
	"net/url"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/internal/servertest"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// primaryOf returns the connection string of the primary among the servers.
func primaryOf(t *testing.T, servers ...*pgtest.Server) string {
	t.Helper()
	u, err := url.Parse(servers[0].TCP())
	servertest.Must(t, err)
	var hosts []string
	for _, s := range servers {
		hosts = append(hosts, s.Address())
	}
	u.Host = strings.Join(hosts, ",")
	return u.String()
}

// awaitReplay waits until a standby has replayed the log of the primary.
func awaitReplay(t *testing.T, primary, standby *pgtest.Server) {
	t.Helper()
	p := &pair{direct: servertest.OwnPool(t, primary.URL()), behind: servertest.OwnPool(t, standby.URL())}
	p.catchUp(t)
}

// TestReplicaOfEarlierTimelineLags promotes a standby that lacks some of the log. The other standby then has a greater
// offset but nothing that the new primary writes.
func TestReplicaOfEarlierTimelineLags(t *testing.T) {
	t.Parallel()
	a := pgtest.Own(t)
	b, c := a.Standby(t), a.Standby(t)
	target := primaryOf(t, a, b) + "&target_session_attrs=read-write"
	backend, err := postgres.Open(t.Context(), target, "sweets", postgres.Options{Migrate: true, Replicas: []string{c.URL()}})
	servertest.Must(t, err)
	store, err := core.New(t.Context(), servertest.Cookies, backend)
	servertest.Must(t, err)
	defer func() { _ = store.Close() }()
	cookie := servertest.Cookies.Resource("cookie")
	insert := func(id int, kind string) error {
		_, err := store.Insert(t.Context(), cookie, servertest.Record(t, cookie, map[string]any{"id": id, "type": kind}))
		return err
	}
	servertest.Must(t, insert(1, "old"))
	awaitReplay(t, a, b)
	servertest.Must(t, b.Shutdown(t.Context(), pgtest.Fast))
	for id := range 20 {
		servertest.Must(t, insert(100+id, strings.Repeat("never replicated ", 1000)))
	}
	awaitReplay(t, a, c)
	servertest.Must(t, a.Shutdown(t.Context(), pgtest.Kill))
	servertest.Must(t, b.Resume(t.Context()))
	servertest.Must(t, b.Promote(t.Context()))
	for n := 0; ; n++ {
		if err := insert(1000, "new"); err == nil {
			break
		} else if n == 20 {
			t.Fatal(err)
		}
	}
	_, err = store.Update(t.Context(), cookie, servertest.Record(t, cookie, map[string]any{"id": 1, "type": "new"}))
	servertest.Must(t, err)
	missed, stale := 0, 0
	for range 200 {
		if _, err := store.Get(t.Context(), cookie, core.IntValue(1000)); err != nil {
			missed++
		}
		if rec, err := store.Get(t.Context(), cookie, core.IntValue(1)); err != nil || rec.Get("type").Text() != "new" {
			stale++
		}
	}
	if missed > 0 || stale > 0 {
		t.Errorf("of 200 reads, %d missed an acknowledged insert and %d an acknowledged update", missed, stale)
	}
}

// TestReplicaServesUnprivilegedRole reads as a role that cannot see the timeline of the standby's receiver.
func TestReplicaServesUnprivilegedRole(t *testing.T) {
	t.Parallel()
	p := replicated(t, servertest.Modes[0])
	for _, sql := range []string{
		`CREATE ROLE app LOGIN`, `GRANT USAGE ON SCHEMA sweets TO app`, `GRANT ALL ON ALL TABLES IN SCHEMA sweets TO app`,
		`GRANT ALL ON ALL SEQUENCES IN SCHEMA sweets TO app`,
	} {
		_, err := p.direct.Exec(t.Context(), sql)
		servertest.Must(t, err)
	}
	p.catchUp(t)
	role := func(s *pgtest.Server) string {
		return strings.Replace(s.URL(), "postgres://postgres@", "postgres://app@", 1)
	}
	p.open(t, role(p.primary), postgres.Options{Replicas: []string{role(p.standby)}})
	p.servedByStandby(t)
}

// TestReplicaFollowsPromotedStandby makes a standby follow the timeline of the new primary: it serves reads again.
func TestReplicaFollowsPromotedStandby(t *testing.T) {
	t.Parallel()
	a := pgtest.Own(t)
	b, c := a.Standby(t), a.Standby(t)
	p := &pair{primary: b, standby: c, cookie: servertest.Cookies.Resource("cookie"), direct: servertest.OwnPool(t, b.URL()), behind: servertest.OwnPool(t, c.URL())}
	p.open(t, primaryOf(t, a, b)+"&target_session_attrs=read-write", postgres.Options{Migrate: true, Replicas: []string{c.URL()}})
	change := servertest.Record(t, p.cookie, map[string]any{"id": 1, "type": "old"})
	_, err := p.store.Insert(t.Context(), p.cookie, change)
	servertest.Must(t, err)
	awaitReplay(t, a, b)
	awaitReplay(t, a, c)
	servertest.Must(t, a.Shutdown(t.Context(), pgtest.Fast))
	servertest.Must(t, b.Promote(t.Context()))
	_, err = p.behind.Exec(t.Context(), "ALTER SYSTEM SET primary_conninfo = '"+strings.ReplaceAll(b.URL(), "'", "''")+"'")
	servertest.Must(t, err)
	_, err = p.behind.Exec(t.Context(), "SELECT pg_reload_conf()")
	servertest.Must(t, err)
	for n := 0; ; n++ {
		if _, err = p.store.Update(t.Context(), p.cookie, change); err == nil {
			break
		} else if n == 20 {
			t.Fatal(err)
		}
	}
	p.catchUp(t)
	p.servedByStandby(t)
}
