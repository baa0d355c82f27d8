package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/cookbook/internal/recipetest"
)

func TestSignUpMoveAndDelete(t *testing.T) {
	list := twoServers(t)
	p := startProcess(t, list)
	p.expect(t, `
		olga POST /admin/tenant?fields=id,state,shard {"name":"acme"} => 201 {"id":1,"state":"creating","shard":"a"}
		olga POST /admin/tenant?depth=0 {"name":"acme"} => 409
		olga POST /admin/tenant?depth=0 {"name":"looms","shard":"b"} => 201 3
		olga POST /admin/tenant {"name":"x","state":"active"} => 403
		olga POST /admin/tenant {"name":"x","target":"b"} => 403
		olga POST /admin/tenant {"name":"x","version":9} => 400
		olga POST /admin/tenant {"name":"x","shard":"c"} => 400 {"error":{"code":"VALIDATION_FAILED"
		ada@acme POST /project?fields=id {"name":"mill"} => 201 {"id":1}
		ada@acme POST /issue?fields=id,number [{"project":1,"title":"a"},{"project":1,"title":"b"}] => 201 [{"id":1,"number":1},{"id":2,"number":2}]
		dan@looms GET /issue => 200 []
		eve@other GET /issue => 401`)
	p.await(t, `olga GET /admin/tenant?fields=name,state,version&sort=name => 200 [{"name":"acme","state":"active","version":1},{"name":"looms","state":"active","version":1}]`)
	p.expect(t, `
		olga PATCH /admin/tenant/1 {"state":"moving","target":"a"} => 400
		olga PATCH /admin/tenant/1 {"state":"moved"} => 403
		olga PATCH /admin/tenant/1 {"shard":"b"} => 400
		olga DELETE /admin/tenant/1 => 403
		ada@acme GET /admin/tenant => 403
		olga PATCH /admin/tenant/1?fields=state {"state":"moving","target":"b"} => 200 {"state":"moving"}`)
	p.await(t, `olga GET /admin/tenant/1?fields=state,shard,copy,problem => 200 {"state":"active","shard":"b","copy":2,"problem":""}`)
	p.expect(t, `
		ada@acme GET /issue?fields=id,number,title => 200 [{"id":1,"number":1,"title":"a"},{"id":2,"number":2,"title":"b"}]
		ada@acme POST /issue?fields=id,number {"project":1,"title":"c"} => 201 {"id":3,"number":3}
		olga PATCH /admin/tenant/1?fields=state {"state":"deleting"} => 200`)
	p.await(t, `olga GET /admin/tenant?fields=name,state => 200 [{"name":"acme","state":"deleted"},{"name":"looms","state":"active"}]`)
	for _, server := range list {
		if n := query[int64](t, server, `SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'tenants\_1%'`); n != 0 {
			t.Errorf("server %s has %d schemas of the deleted tenant", server[0], n)
		}
	}
	p.expect(t, `
		ada@acme GET /issue => 401
		olga PATCH /admin/tenant/1 {"state":"active"} => 403
		olga POST /admin/tenant {"name":"acme"} => 409`)
}

// query returns the only value of a statement on a server of the list.
func query[T any](t *testing.T, at [2]string, sql string, args ...any) (value T) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), at[1])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context())) //nolint:errcheck // a connection of the test
	rows, _ := conn.Query(t.Context(), sql, args...)
	if value, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[T]); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return value
}

// hold begins a transaction with the statement, and returns functions that wait for a waiting session and that end the transaction.
func hold(t *testing.T, at [2]string, sql string) (waits, end func()) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), at[1])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "BEGIN; "+sql); err != nil {
		t.Fatal(err)
	}
	pid := int32(conn.PgConn().PID())
	waits = func() {
		t.Helper()
		for !query[bool](t, at, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid)))", pid) {
		}
	}
	end = sync.OnceFunc(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	t.Cleanup(end)
	return waits, end
}

// start starts the program itself as a process, which the test may kill.
func start(t *testing.T, list shardList) (base string, kill func()) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"-addr", "127.0.0.1:0", "-secret", file, "-fresh", "20ms"}
	for _, l := range list {
		args = append(args, "-shard", l[0]+"="+l[1])
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), recipetest.Binary(), args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fscanf(out, "serving on %s\n", &base); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	t.Cleanup(kill)
	return base, kill
}

// post sends a request of an operator to a process.
func post(t *testing.T, method, url, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token(map[string]any{"sub": "olga", "roles": []string{"operator"}}))
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if _ = answer.Body.Close(); answer.StatusCode >= 300 {
		t.Fatalf("%s %s: %s", method, url, answer.Status)
	}
}

// Processes are killed while they create the schema, and in three steps of its move. The next one goes on.
func TestKilledProcess(t *testing.T) {
	list := twoServers(t)
	base, kill := start(t, list)
	waits, end := hold(t, list[0], "CREATE SCHEMA tenants_1_1")
	post(t, "POST", base+"/admin/tenant", `{"name":"acme"}`)
	waits()
	kill()
	end()
	if query[bool](t, list[0], "SELECT to_regnamespace('tenants_1_1') IS NOT NULL") {
		t.Fatal("the process was killed too late")
	}

	_, kill = start(t, list)
	p := newProcess(t, list) // it settles what its requests need
	p.await(t, `olga GET /admin/tenant?fields=state => 200 [{"state":"active"}]`)
	p.expect(t, `
		ada@acme POST /project?fields=id {"name":"mill"} => 201 {"id":1}
		ada@acme POST /issue?fields=number [{"project":1,"title":"a"},{"project":1,"title":"b"}] => 201 [{"number":1},{"number":2}]`)
	kill()
	for i, point := range []struct {
		at  [2]string
		sql string
	}{
		{list[0], "LOCK TABLE tenants_1_1.larder_number IN ACCESS EXCLUSIVE MODE"}, // writes are being stopped
		{list[1], "CREATE SCHEMA tenants_1_3"},                                     // writes are stopped, and the second copy begins
		{list[0], "LOCK TABLE tenants_1_1.project IN ACCESS SHARE MODE"},           // the register names the third copy
	} {
		waits, end = hold(t, point.at, point.sql)
		base, kill = start(t, list)
		if i == 0 {
			post(t, "PATCH", base+"/admin/tenant/1", `{"state":"moving","target":"b"}`)
		}
		waits()
		kill()
		end()
	}
	again := startProcess(t, list)
	again.await(t, `olga GET /admin/tenant/1?fields=state,shard,copy,problem => 200 {"state":"active","shard":"b","copy":4,"problem":""}`)
	p.expect(t, `
		ada@acme GET /issue?fields=number,title => 200 [{"number":1,"title":"a"},{"number":2,"title":"b"}]
		ada@acme POST /issue?fields=id,number {"project":1,"title":"c"} => 201 {"id":3,"number":3}`)
	for i, want := range []int64{0, 1} {
		if got := query[int64](t, list[i], `SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'tenants\_%'`); got != want {
			t.Errorf("server %s has %d schemas of tenants, want %d", list[i][0], got, want)
		}
	}
}

// While the copy waits for a lock, reads go on, and every process rejects writes.
func TestMovingTenantIsReadOnly(t *testing.T) {
	list := twoServers(t)
	here, there := startProcess(t, list), newProcess(t, list)
	here.expect(t, `
		olga POST /admin/tenant {"name":"acme"} => 201
		ada@acme POST /project?fields=id {"name":"mill"} => 201 {"id":1}`)
	there.expect(t, `ada@acme GET /project?depth=0 => 200 [1]`)
	waits, end := hold(t, list[1], "CREATE SCHEMA tenants_1_2")
	here.expect(t, `olga PATCH /admin/tenant/1 {"state":"moving","target":"b"} => 200`)
	waits()
	here.expect(t, `
		ada@acme GET /project?depth=0 => 200 [1]
		ada@acme POST /project {"name":"loom"} => 405 {"error":{"code":"READ_ONLY"`)
	there.expect(t, `
		ada@acme POST /project {"name":"loom"} => 405 {"error":{"code":"READ_ONLY"
		ada@acme GET /project?depth=0 => 200 [1]`)
	end()
	here.await(t, `olga GET /admin/tenant/1?fields=state => 200 {"state":"active"}`)
	here.expect(t, `ada@acme POST /project?fields=id {"name":"loom"} => 201 {"id":2}`)
}

func TestMoveToUnreachableServerIsAbandoned(t *testing.T) {
	a, b := pgtest.Own(t), pgtest.Own(t)
	p := startProcess(t, shardList{{"a", a.URL()}, {"b", b.URL()}})
	p.expect(t, `
		olga POST /admin/tenant?depth=0 [{"name":"acme"},{"name":"looms","shard":"b"}] => 201 [1,2]
		ada@acme POST /project?depth=0 {"name":"mill"} => 201 1
		dan@looms POST /project?depth=0 {"name":"loom"} => 201 1`)
	p.await(t, `olga GET /admin/tenant?fields=state => 200 [{"state":"active"},{"state":"active"}]`)
	if err := b.Shutdown(t.Context(), pgtest.Fast); err != nil {
		t.Fatal(err)
	}
	p.expect(t, `
		olga PATCH /admin/tenant/1 {"state":"moving","target":"b"} => 200
		dan@looms GET /project => 503
		ada@acme GET /project?depth=0 => 200 [1]`)
	p.await(t, `olga GET /admin/tenant?depth=0&filter={"problem":{"ne":""}} => 200 [1]`)
	p.expect(t, `
		ada@acme POST /project {"name":"loom"} => 405
		olga PATCH /admin/tenant/1 {"state":"returning"} => 200`)
	p.await(t, `ada@acme POST /project?depth=0 {"name":"loom"} => 201`)
	if err := b.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.settleAll(t.Context())
	p.settling.Wait()
	p.await(t, `olga GET /admin/tenant?fields=state,problem => 200 [{"state":"active","problem":""},{"state":"active","problem":""}]`)
	p.expect(t, `dan@looms GET /project?depth=0 => 200 [1]`)
}

func TestTenantsAreServedWithoutRegister(t *testing.T) {
	a, b := pgtest.Own(t), pgtest.Own(t)
	p := newProcess(t, shardList{{"a", a.URL()}, {"b", b.URL()}})
	p.expect(t, `
		olga POST /admin/tenant?depth=0 [{"name":"acme","shard":"b"},{"name":"looms","shard":"b"}] => 201 [1,2]
		ada@acme POST /project?depth=0 {"name":"mill"} => 201 1`)
	if err := a.Shutdown(t.Context(), pgtest.Fast); err != nil {
		t.Fatal(err)
	}
	p.recheck("acme")
	p.expect(t, `
		ada@acme POST /project?depth=0 {"name":"loom"} => 201 2
		dan@looms GET /project => 503`)
}

// A new version of the model adds a table. One tenant's schema cannot be migrated.
func TestFailedMigrationStopsNoOtherTenant(t *testing.T) {
	list := shardList{{"a", pgtest.Own(t).URL()}}
	first := newProcess(t, list)
	first.expect(t, `olga POST /admin/tenant?depth=0 [{"name":"acme"},{"name":"broken"},{"name":"looms"}] => 201 [1,2,3]`)
	first.settleAll(t.Context())
	first.settling.Wait()
	first.expect(t, `ada@acme POST /project?depth=0 {"name":"mill"} => 201 1`)
	query[string](t, list[0], `WITH older AS (UPDATE tenants.tenant SET version = 0) SELECT ''`)
	for _, sql := range []string{"DROP TABLE tenants_1_1.issue", "ALTER TABLE tenants_2_1.issue DROP COLUMN title, ADD COLUMN title json", "DROP TABLE tenants_3_1.issue"} {
		_, end := hold(t, list[0], sql+"; COMMIT; BEGIN")
		end()
	}
	second := newProcess(t, list)
	second.expect(t, `
		ada@acme GET /issue => 200 []
		eve@broken GET /issue => 503`) // on demand
	second.settleAll(t.Context())
	second.settling.Wait()
	second.expect(t, `
		dan@looms GET /issue => 200 []
		olga GET /admin/tenant?fields=name,version&filter={"problem":""} => 200 [{"name":"acme","version":1},{"name":"looms","version":1}]
		olga GET /admin/tenant?fields=name,version,problem&filter={"problem":{"ne":""}} => 200 [{"name":"broken","version":0,"problem":"postgres: schema \"tenants_2_1\" needs changes`)
}

// Two processes sign up the same tenants, and both serve them at once.
func TestConcurrentSignUp(t *testing.T) {
	list := twoServers(t)
	both := []process{startProcess(t, list), startProcess(t, list)}
	var wg sync.WaitGroup
	for i, p := range both {
		wg.Go(func() {
			for n := range 8 {
				name := fmt.Sprintf("tenant-%d", n)
				if status, answer := p.send(t.Context(), "olga", "POST", "/admin/tenant", `{"name":"`+name+`"}`); status != 201 && status != 409 {
					t.Errorf("%d %s", status, answer)
				}
				path, body := "/project?fields=name", fmt.Sprintf(`{"name":"of process %d"}`, i)
				if status, answer := p.send(t.Context(), "ada@"+name, "POST", path, body); status != 201 {
					t.Errorf("%s: %d %s", name, status, answer)
				}
			}
		})
	}
	wg.Wait()
	for n := range 8 {
		both[0].expect(t, fmt.Sprintf(`ada@tenant-%d GET /project?fields=name&sort=name => 200 [{"name":"of process 0"},{"name":"of process 1"}]`, n))
	}
}
