package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/larder-go/larder/backends/postgres/pgtest"
)

// Two tenants have records with the same ids. Users of both send requests at the same time to two processes that keep only one store
// open, so that stores are opened and closed all the time.
func TestRequestsReachOnlyTheirTenant(t *testing.T) {
	*most = 1
	t.Cleanup(func() { *most = 1000 })
	list := shardList{{"a", pgtest.Own(t).URL()}}
	both := []process{newProcess(t, list), newProcess(t, list)}
	names := []string{"acme", "looms"}
	for _, name := range names {
		both[0].expect(t, fmt.Sprintf(`
			olga POST /admin/tenant {"name":"%[1]s"} => 201
			ada@%[1]s POST /project?depth=0 {"name":"%[1]s 0","issues":[{"title":"%[1]s 0"}]} => 201 1`, name))
	}
	var wg sync.WaitGroup
	for i, name := range names {
		other := names[1-i]
		for _, p := range both {
			wg.Go(func() {
				for n := range 20 {
					title := fmt.Sprintf("%s %d", name, n)
					for _, request := range []struct{ method, path, body string }{
						{"POST", "/issue", `{"project":1,"title":"` + title + `"}`},
						{"GET", "/issue?fields=id,title,project.name&limit=1000", ""},
						{"GET", "/issue/1", ""},
						{"PATCH", "/project/1", `{"name":"` + title + `"}`},
						{"GET", `/project?filter={"issues":{"$any":{"title":{"prefix":"` + other + `"}}}}`, ""},
					} {
						status, answer := p.send(t.Context(), "ada@"+name, request.method, request.path, request.body)
						if status >= 300 || strings.Contains(answer, other) {
							t.Errorf("ada@%s %s %s: %d %s", name, request.method, request.path, status, answer)
						}
					}
				}
			})
		}
	}
	wg.Wait()
	for _, name := range names {
		both[0].expect(t, fmt.Sprintf(`
			ada@%[1]s GET /issue?fields=number&sort=-number&limit=1 => 200 [{"number":41}]`, name))
	}
}

// A token decides about the tenant. Nothing else in a request does.
func TestTenantComesFromTheTokenAlone(t *testing.T) {
	p := newProcess(t, shardList{{"a", pgtest.Own(t).URL()}})
	p.expect(t, `
		olga POST /admin/tenant?depth=0 [{"name":"acme"},{"name":"looms"}] => 201
		ada@acme POST /project {"name":"mill"} => 201
		dan@looms POST /project {"name":"loom"} => 201`)
	foreign, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"sub": "ada", "tenant": "acme", "exp": time.Now().Add(time.Hour).Unix()}).
		SignedString([]byte(strings.Repeat("foreign ", 5)))
	if err != nil {
		t.Fatal(err)
	}
	unsigned, err := jwt.NewWithClaims(jwt.SigningMethodNone, jwt.MapClaims{"sub": "ada", "tenant": "acme", "exp": time.Now().Add(time.Hour).Unix()}).
		SignedString(jwt.UnsafeAllowNoneSignatureType)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, token, path, want string }{
		{"user", token(jwt.MapClaims{"sub": "ada", "tenant": "acme"}), "/project?fields=name", `200 [{"name":"mill"}]`},
		{"host and headers of another tenant", token(jwt.MapClaims{"sub": "dan", "tenant": "looms"}), "/project?fields=name&tenant=acme", `400`},
		{"no token", "", "/project", "401"},
		{"no tenant", token(jwt.MapClaims{"sub": "ada"}), "/project", "401"},
		{"no user", token(jwt.MapClaims{"tenant": "acme"}), "/project", "401"},
		{"operator", token(jwt.MapClaims{"sub": "olga", "roles": []string{"operator"}}), "/project", "401"},
		{"operator of a tenant", token(jwt.MapClaims{"sub": "ada", "tenant": "acme", "roles": []string{"operator"}}), "/admin/tenant", "401"},
		{"operator of a tenant", token(jwt.MapClaims{"sub": "ada", "tenant": "acme", "roles": []string{"operator"}}), "/project", "401"},
		{"tenant of another type", token(jwt.MapClaims{"sub": "ada", "tenant": []string{"acme"}}), "/project", "401"},
		{"unknown tenant", token(jwt.MapClaims{"sub": "ada", "tenant": "acme' OR true"}), "/project", "401"},
		{"of another secret", foreign, "/project", "401"},
		{"unsigned", unsigned, "/project", "401"},
		{"figures for a user", token(jwt.MapClaims{"sub": "ada", "tenant": "acme"}), "/metrics", "401"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, c.path, nil)
			r.Host = "acme.example.com"
			for _, name := range []string{"X-Tenant", "X-Tenant-Id", "Tenant", "X-Forwarded-Host", "X-Forwarded-User"} {
				r.Header.Set(name, "acme")
			}
			if c.token != "" {
				r.Header.Set("Authorization", "Bearer "+c.token)
			}
			w := httptest.NewRecorder()
			p.ServeHTTP(w, r)
			if got := fmt.Sprint(w.Code, " ", w.Body); !strings.HasPrefix(got, c.want) {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// An answer to an Idempotency-Key, and a position in a list, are of no use to another tenant.
func TestKeysAndCursorsOfAnotherTenant(t *testing.T) {
	p := newProcess(t, shardList{{"a", pgtest.Own(t).URL()}})
	p.expect(t, `olga POST /admin/tenant?depth=0 [{"name":"acme"},{"name":"looms"}] => 201`)
	next := ""
	for _, name := range []string{"acme", "looms"} {
		for n := range 2 {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/project?fields=name", strings.NewReader(fmt.Sprintf(`{"name":"%s %d"}`, name, n)))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", "Bearer "+token(jwt.MapClaims{"sub": "ada", "tenant": name}))
			r.Header.Set("Idempotency-Key", fmt.Sprintf(`"key-%d"`, n))
			w := httptest.NewRecorder()
			p.ServeHTTP(w, r)
			if want := fmt.Sprintf(`{"name":"%s %d"}`, name, n); w.Code != 201 || strings.TrimSpace(w.Body.String()) != want {
				t.Errorf("%d %s, want %s", w.Code, w.Body, want)
			}
		}
		if next == "" {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/project?fields=name&limit=1", nil)
			r.Header.Set("Authorization", "Bearer "+token(jwt.MapClaims{"sub": "ada", "tenant": name}))
			w := httptest.NewRecorder()
			p.ServeHTTP(w, r)
			next, _, _ = strings.Cut(strings.TrimPrefix(w.Header().Get("Link"), "<"), ">")
		}
	}
	p.expect(t, "ada@acme GET "+next+` => 200 [{"name":"acme 1"}]`)
	p.expect(t, "ada@looms GET "+next+` => 200 [{"name":"looms 1"}]`)
}

// Writers of one tenant write to two processes while the tenant moves there and back.
func TestMoveLosesNoAcknowledgedWrite(t *testing.T) {
	list := twoServers(t)
	both := []process{startProcess(t, list), startProcess(t, list)}
	both[0].expect(t, `
		olga POST /admin/tenant?depth=0 {"name":"acme"} => 201 1
		ada@acme POST /project?depth=0 {"name":"mill"} => 201 1`)
	type issue struct {
		ID, Number int64
		Title      string
	}
	var mu sync.Mutex
	acknowledged := make(map[int64]issue)
	statuses := make(map[int]int)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for w := range 6 {
		wg.Go(func() {
			p := both[w%2]
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				body := fmt.Sprintf(`{"project":1,"title":"%d of writer %d"}`, n, w)
				status, answer := p.send(t.Context(), "ada@acme", "POST", "/issue?fields=id,number,title", body)
				var got issue
				if status == 201 && json.Unmarshal([]byte(answer), &got) != nil {
					t.Errorf("%d %s", status, answer)
				}
				mu.Lock()
				if statuses[status]++; status == 201 {
					acknowledged[got.ID] = got
				}
				mu.Unlock()
			}
		})
	}
	writtenSince := func(n int) {
		for range 12000 {
			mu.Lock()
			now := len(acknowledged)
			mu.Unlock()
			if now >= n+50 {
				return
			}
			<-time.After(5 * time.Millisecond) // between two probes
		}
		t.Errorf("no writes are acknowledged after %d", n)
	}
	writtenSince(0)
	for i, target := range []string{"b", "a", "b"} {
		both[i%2].expect(t, `olga PATCH /admin/tenant/1 {"state":"moving","target":"`+target+`"} => 200`)
		both[i%2].await(t, `olga GET /admin/tenant/1?fields=state,shard,problem => 200 {"state":"active","shard":"`+target+`","problem":""}`)
		mu.Lock()
		n := len(acknowledged)
		mu.Unlock()
		writtenSince(n)
	}
	close(stop)
	wg.Wait()
	t.Logf("%d writes were acknowledged; answers by status: %v", len(acknowledged), statuses)
	numbers, after := make(map[int64]bool), int64(0)
	for found := true; found; {
		status, answer := both[0].send(t.Context(), "ada@acme", "GET", fmt.Sprintf(`/issue?fields=id,number,title&limit=1000&filter={"id":{"gt":%d}}`, after), "")
		var page []issue
		if status != 200 || json.Unmarshal([]byte(answer), &page) != nil {
			t.Fatalf("%d %s", status, answer)
		}
		for _, i := range page {
			if a, ok := acknowledged[i.ID]; ok && a != i {
				t.Errorf("issue %v was acknowledged as %v", i, a)
			}
			if numbers[i.Number] {
				t.Errorf("the number %d occurs twice", i.Number)
			}
			delete(acknowledged, i.ID)
			numbers[i.Number], after = true, i.ID
		}
		found = len(page) > 0
	}
	if len(acknowledged) > 0 {
		t.Errorf("%d acknowledged issues are lost, such as %v", len(acknowledged), acknowledged)
	}
	if statuses[405]+statuses[503] == 0 {
		t.Error("no write met a move")
	}
	for status := range statuses {
		if status != 201 && status != 405 && status != 503 && status != 500 && status != 429 {
			t.Errorf("status %d", status)
		}
	}
}

// The number of series does not depend on the number of tenants.
func TestMetricsAreByServer(t *testing.T) {
	p := newProcess(t, twoServers(t))
	figures := func() (lines []string) {
		_, text := p.send(t.Context(), "olga", "GET", "/metrics", "")
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "larder_") {
				lines = append(lines, strings.TrimSpace(line))
			}
		}
		return lines
	}
	add := func(first, last int) {
		for n := first; n <= last; n++ {
			p.expect(t, fmt.Sprintf(`
				olga POST /admin/tenant {"name":"tenant-%[1]d","shard":"%[2]c"} => 201
				ada@tenant-%[1]d POST /project {"name":"mill"} => 201`, n, 'a'+rune(n%2)))
		}
	}
	add(1, 2)
	few := len(figures())
	add(3, 8)
	many := figures()
	if len(many) != few {
		t.Errorf("%d series with 8 tenants, %d with 2", len(many), few)
	}
	for _, want := range []string{
		`larder_operations_total{operation="insert",outcome="ok",resource="project",shard="a"} 4`,
		`larder_operations_total{operation="insert",outcome="ok",resource="project",shard="b"} 4`,
		`larder_operations_total{operation="insert",outcome="ok",resource="tenant",shard="a"} 8`,
		`larder_pool_connections_max{shard="b"} 4`,
	} {
		if !strings.Contains(strings.Join(many, "\n"), want) {
			t.Errorf("no line %s", want)
		}
	}
}
