package main_test

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/cookbook/internal/promtest"
	"github.com/larder-go/larder/cookbook/internal/recipetest"
)

// ask sends a request with a bearer token, if there is one, and returns the status
// and the body.
func ask(t *testing.T, token, method, url, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("X-Request-Id", "r-17")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.Status[:3] + " " + string(answer)
}

// exchange is a request with the beginning of its answer.
type exchange struct{ token, method, path, body, want string }

func check(t *testing.T, base string, exchanges []exchange) {
	t.Helper()
	for _, x := range exchanges {
		if got := ask(t, x.token, x.method, base+x.path, x.body); !strings.HasPrefix(got, x.want) {
			t.Errorf("%s: %s %s %s: got %s, want %s", x.token, x.method, x.path, x.body, got, x.want)
		}
	}
}

func TestAuthShowsOwnRecordsAndAllToAdmin(t *testing.T) {
	for name, args := range map[string][]string{
		"memory":   nil,
		"file":     {"-store", "file:" + filepath.Join(t.TempDir(), "cookies.db")},
		"postgres": {"-store", pgtest.URL(t), "-schema", pgtest.Schema(t)},
	} {
		t.Run(name, func(t *testing.T) {
			p := recipetest.Start(t, append(args, "-auth")...)
			if !strings.Contains(p.Printed, "alice, bob and admin: for demonstration only") {
				t.Errorf("printed %s", p.Printed)
			}
			check(t, p.Base, []exchange{
				{"alice", "POST", "/jar", `{"cookies": [{"type": "muffin"}]}`, `201 {"id":1,"cookies":[1]}`},
				{"alice", "GET", "/jar?depth=2", "", `200 [{"id":1,"cookies":[{"id":1,"type":"muffin","jar":1}]}]`},
				{"bob", "GET", "/jar", "", `200 []`},
				{"bob", "GET", "/cookie/1", "", `404 `},
				{"bob", "PATCH", "/cookie/1", `{"type": "oat"}`, `404 `},
				{"bob", "DELETE", "/jar/1", "", `404 `},
				{"bob", "POST", "/cookie", `{"jar": 1}`, `404 `},
				{"bob", "POST", "/cookie", `{"owner": "alice"}`, `400 {"error":{"code":"FIELD_DOES_NOT_EXIST"`},
				{"admin", "GET", "/cookie", "", `200 [{"id":1,"type":"muffin","jar":1}]`},
				{"", "GET", "/cookie", "", `401 `},
				{"mallory", "GET", "/cookie", "", `401 `},
				{"", "GET", "/metrics", "", `401 `},
				{"alice", "GET", "/metrics", "", `401 `},
				{"admin", "GET", "/metrics", "", `200 `},
				{"admin", "POST", "/metrics", "", `404 `},
				{"admin", "PUT", "/readyz", "", `405 `},
			})
		})
	}
}

func TestReadOnlyResourceWithInitialData(t *testing.T) {
	file := filepath.Join(t.TempDir(), "data.json")
	if err := os.WriteFile(file, []byte(`{"jar": {"1": {}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"memory": nil,
		"file":   {"-store", "file:" + filepath.Join(t.TempDir(), "cookies.db")},
	} {
		t.Run(name, func(t *testing.T) {
			p := recipetest.Start(t, append(args, "-data", file, "-read-only", "jar")...)
			check(t, p.Base, []exchange{
				{"", "GET", "/jar/1", "", `200 {"id":1,"cookies":[]}`},
				{"", "POST", "/jar", `{}`, `405 {"error":{"code":"READ_ONLY"`},
				{"", "POST", "/cookie", `{"jar": 1}`, `201 {"id":1,"jar":1}`},
			})
		})
	}
}

func TestPolicy(t *testing.T) {
	file := filepath.Join(t.TempDir(), "policy.json")
	policy := `{"rules": [
		{"roles": ["anonymous"], "resource": "cookie", "operations": ["read"], "using": {"type": "muffin"}},
		{"roles": ["user"], "resource": "cookie", "operations": ["read", "insert"]}
	]}`
	if err := os.WriteFile(file, []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(t.TempDir(), "data.json")
	if err := os.WriteFile(data, []byte(`{"cookie": {"1": {"type": "oat"}, "2": {"type": "muffin"}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	check(t, recipetest.Start(t, "-policy", file, "-data", data).Base, []exchange{
		{"", "GET", "/cookie", "", `200 [{"id":2,"type":"muffin"}]`},
		{"", "GET", "/cookie/1", "", `404 `},
		{"", "POST", "/cookie", `{}`, `401 `},
		{"", "GET", "/jar", "", `401 `},
		{"", "GET", "/metrics", "", `401 `},
		{"admin", "GET", "/metrics", "", `200 `},
	})
	check(t, recipetest.Start(t, "-policy", file, "-auth").Base, []exchange{
		{"alice", "POST", "/cookie", `{"type": "muffin"}`, `201 {"id":1,"type":"muffin"}`},
		{"alice", "GET", "/cookie", "", `200 [{"id":1,"type":"muffin"}]`},
		{"bob", "GET", "/cookie", "", `200 []`},
		{"alice", "DELETE", "/cookie/1", "", `403 `},
		{"admin", "GET", "/cookie", "", `403 `},
		{"", "GET", "/cookie", "", `401 `},
	})
}

func TestLogLevelOfOperations(t *testing.T) {
	for level, want := range map[string][]string{
		// The first transaction asks whether anonymous callers may do anything, before the body is read.
		"debug": {"select cookie", "transaction", "insert jar", "transaction"},
		"info":  {"insert jar", "transaction"},
		"error": nil,
		"off":   nil,
	} {
		p := recipetest.Start(t, "-log-level", level, "-read-only", "jar")
		check(t, p.Base, []exchange{
			{"", "GET", "/cookie?depth=0", "", `200 []`},
			{"", "POST", "/jar", `{}`, `405 `},
		})
		p.Stop(t)
		var got []string
		for line := range strings.Lines(p.Messages()) {
			var entry struct {
				Msg, Outcome string
				RequestID    string `json:"request_id"`
			}
			if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.RequestID != "r-17" {
				t.Fatalf("%s: %s%v", level, line, err)
			}
			got = append(got, entry.Msg)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q: %s", level, got, want, p.Messages())
		}
	}
}

func TestLogLevelOfFailedRequests(t *testing.T) {
	for level, lines := range map[string]int{"info": 1, "warn": 0, "off": 0} {
		p := recipetest.Start(t, "-log-level", level, "-auth")
		check(t, p.Base, []exchange{{"nonsense", "GET", "/cookie", "", `401 `}})
		p.Stop(t)
		if got := p.Messages(); strings.Count(got, "\n") != lines || strings.Count(got, `"msg":"request failed"`) != lines {
			t.Errorf("%s: %s", level, got)
		}
	}
}

func TestMetricsOutsideAndInsideOfThePolicies(t *testing.T) {
	base := recipetest.Start(t, "-read-only", "jar").Base
	check(t, base, []exchange{
		{"", "GET", "/cookie?depth=0", "", `200 []`},
		{"", "POST", "/jar", `{}`, `405 `},
	})
	got := ask(t, "", "GET", base+"/metrics", "")
	for _, line := range []string{
		`larder_operations_total{operation="select",outcome="ok",resource="cookie"} 1`,
		`larder_backend_operations_total{operation="select",outcome="ok",resource="cookie"} 1`,
		`larder_backend_operations_total{operation="insert",outcome="ok",resource="jar"} 0`,
	} {
		if !strings.Contains(got, line+"\n") {
			t.Errorf("no %s in\n%s", line, got)
		}
	}
}

func TestReadOnlyStarStopsAllWrites(t *testing.T) {
	base := recipetest.Start(t, "-read-only", "*").Base
	check(t, base, []exchange{
		{"", "POST", "/jar", `{}`, `405 `},
		{"", "POST", "/cookie", `{}`, `405 `},
		{"", "GET", "/cookie", "", `200 []`},
	})
}

func TestDashboardQueriesHaveData(t *testing.T) {
	p := recipetest.Start(t, "-store", pgtest.URL(t), "-schema", pgtest.Schema(t))
	promtest.Answers(t, filepath.Join("..", "metrics", "prometheus.yml"), filepath.Join("..", "..", "decorators", "metrics", "dashboard.json"), p.Base)
}
