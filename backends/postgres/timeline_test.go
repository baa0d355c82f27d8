package postgres_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
)

// either is the connection string of the superuser of whichever of the servers is the primary.
func either(t *testing.T, servers ...*pgtest.Server) string {
	t.Helper()
	u, err := url.Parse(servers[0].TCP())
	must(t, err)
	var hosts []string
	for _, s := range servers {
		hosts = append(hosts, s.Address())
	}
	u.Host = strings.Join(hosts, ",")
	return u.String()
}

// synchronised waits until a standby has replayed what the primary has written.
func synchronised(t *testing.T, primary, standby *pgtest.Server) {
	t.Helper()
	p := &pair{direct: poolOf(t, primary.URL()), behind: poolOf(t, standby.URL())}
	p.catchUp(t)
}

// TestReplicaOfAnEarlierTimelineIsBehind promotes a standby that lacks some of the log. The
// other standby then has a greater position, and nothing of what the new primary writes.
func TestReplicaOfAnEarlierTimelineIsBehind(t *testing.T) {
	t.Parallel()
	a := pgtest.Own(t)
	b, c := a.Standby(t), a.Standby(t)
	target := either(t, a, b) + "&target_session_attrs=read-write"
	backend, err := postgres.Open(t.Context(), target, "sweets", postgres.Options{Migrate: true, Replicas: []string{c.URL()}})
	must(t, err)
	store, err := core.New(t.Context(), cookies, backend)
	must(t, err)
	defer func() { _ = store.Close() }()
	cookie := cookies.Resource("cookie")
	insert := func(id int, kind string) error {
		_, err := store.Insert(t.Context(), cookie, record(t, cookie, map[string]any{"id": id, "type": kind}))
		return err
	}
	must(t, insert(1, "old"))
	synchronised(t, a, b)
	must(t, b.Shutdown(t.Context(), pgtest.Fast))
	for id := range 20 {
		must(t, insert(100+id, strings.Repeat("never replicated ", 1000)))
	}
	synchronised(t, a, c)
	must(t, a.Shutdown(t.Context(), pgtest.Kill))
	must(t, b.Resume(t.Context()))
	must(t, b.Promote(t.Context()))
	for n := 0; ; n++ {
		if err := insert(1000, "new"); err == nil {
			break
		} else if n == 20 {
			t.Fatal(err)
		}
	}
	_, err = store.Update(t.Context(), cookie, record(t, cookie, map[string]any{"id": 1, "type": "new"}))
	must(t, err)
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

// TestReplicaServesAnOrdinaryRole reads as a role that does not see the timeline of the
// standby's receiver.
func TestReplicaServesAnOrdinaryRole(t *testing.T) {
	t.Parallel()
	p := replicated(t, ways[0])
	for _, sql := range []string{
		`CREATE ROLE app LOGIN`, `GRANT USAGE ON SCHEMA sweets TO app`, `GRANT ALL ON ALL TABLES IN SCHEMA sweets TO app`,
		`GRANT ALL ON ALL SEQUENCES IN SCHEMA sweets TO app`,
	} {
		_, err := p.direct.Exec(t.Context(), sql)
		must(t, err)
	}
	p.catchUp(t)
	role := func(s *pgtest.Server) string {
		return strings.Replace(s.URL(), "postgres://postgres@", "postgres://app@", 1)
	}
	p.open(t, role(p.primary), postgres.Options{Replicas: []string{role(p.standby)}})
	p.servedByStandby(t)
}

// TestReplicaFollowsAPromotedStandby has a standby switch to the timeline of the new
// primary: it serves reads again.
func TestReplicaFollowsAPromotedStandby(t *testing.T) {
	t.Parallel()
	a := pgtest.Own(t)
	b, c := a.Standby(t), a.Standby(t)
	p := &pair{primary: b, standby: c, cookie: cookies.Resource("cookie"), direct: poolOf(t, b.URL()), behind: poolOf(t, c.URL())}
	p.open(t, either(t, a, b)+"&target_session_attrs=read-write", postgres.Options{Migrate: true, Replicas: []string{c.URL()}})
	change := record(t, p.cookie, map[string]any{"id": 1, "type": "old"})
	_, err := p.store.Insert(t.Context(), p.cookie, change)
	must(t, err)
	synchronised(t, a, b)
	synchronised(t, a, c)
	must(t, a.Shutdown(t.Context(), pgtest.Fast))
	must(t, b.Promote(t.Context()))
	_, err = p.behind.Exec(t.Context(), "ALTER SYSTEM SET primary_conninfo = '"+strings.ReplaceAll(b.URL(), "'", "''")+"'")
	must(t, err)
	_, err = p.behind.Exec(t.Context(), "SELECT pg_reload_conf()")
	must(t, err)
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
