package main_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/cookbook/internal/promtest"
	"github.com/larder-go/larder/cookbook/internal/recipetest"
)

func TestMain(m *testing.M) { recipetest.Main(m) }

var dashboard = filepath.Join("..", "..", "decorators", "metrics", "dashboard.json")

func TestTheReadmeShowsWhatHappensOnEveryStore(t *testing.T) {
	for name, args := range map[string]func(t *testing.T) []string{
		"memory": func(*testing.T) []string { return nil },
		"file": func(t *testing.T) []string {
			return []string{"-store", "file:" + filepath.Join(t.TempDir(), "shop.db")}
		},
		"postgres": func(t *testing.T) []string { return []string{"-store", pgtest.URL(t), "-schema", pgtest.Schema(t)} },
	} {
		t.Run(name, func(t *testing.T) { recipetest.Walkthrough(t, "README.md", args(t)...) })
	}
}

func TestTheReadmeSaysWhatEachPanelAnswers(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range promtest.Panels(t, dashboard, "5m") {
		if row := fmt.Sprintf("| %s | %s |\n", p.Title, p.Description); !strings.Contains(string(readme), row) {
			t.Errorf("no row %s", row)
		}
	}
}

func TestPrometheusAnswersEveryQueryOfTheDashboardWithData(t *testing.T) {
	program := recipetest.Start(t, "-store", pgtest.URL(t), "-schema", pgtest.Schema(t))
	prometheus := promtest.Start(t, "prometheus.yml",
		"127.0.0.1:8080", strings.TrimPrefix(program.Base, "http://"), "scrape_interval: 5s", "scrape_interval: 200ms",
		"evaluation_interval: 15s", "evaluation_interval: 200ms")
	panels := promtest.Panels(t, dashboard, "5s")
	if len(panels) == 0 {
		t.Fatal("the dashboard has no panels")
	}
	for _, p := range panels {
		if len(p.Queries) == 0 {
			t.Errorf("%s: asks nothing", p.Title)
		}
		for _, query := range p.Queries {
			t.Logf("%s: %v", p.Title, ask(t, program, prometheus, query))
		}
	}
	// Its menus of jobs and resources.
	for label, want := range map[string]string{"job": "[cookies]", "resource": "[cookie jar]"} {
		got := promtest.Get[[]string](t, prometheus, "/api/v1/label/"+label+"/values", url.Values{"match[]": {"larder_operations_total"}})
		if fmt.Sprint(got) != want {
			t.Errorf("%s: got %v, want %s", label, got, want)
		}
	}
	healthy(t, prometheus)
}

// maxWait is more than it takes a server to see what has happened.
const maxWait = 30 * time.Second

// ask lets things happen in the program until a query has data.
func ask(t *testing.T, program *recipetest.Process, prometheus *promtest.Server, query string) map[string]string {
	t.Helper()
	for end := time.Now().Add(maxWait); time.Now().Before(end); {
		happen(t, program.Base)
		values := prometheus.Query(t, query)
		if numbers := slices.Collect(maps.Values(values)); slices.ContainsFunc(numbers, func(v string) bool { return v != "NaN" }) {
			return values
		}
	}
	t.Errorf("no data: %s", query)
	return nil
}

// happen lets operations of all kinds end well, and one not.
func happen(t *testing.T, base string) {
	t.Helper()
	for _, c := range []struct{ method, path, body string }{
		{http.MethodPost, "/jar", `{"cookies": [{"type": "muffin"}, {"type": "shortbread"}]}`},
		{http.MethodGet, "/cookie?limit=10&depth=2", ""},
		{http.MethodPatch, "/cookie/1", `{"type": "donut"}`},
		{http.MethodGet, "/cookie/1", ""},
		{http.MethodGet, "/cookie/999999", ""},
	} {
		req, err := http.NewRequestWithContext(t.Context(), c.method, base+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
	}
}

// healthy checks that the server has evaluated all rules, without an error, and
// that none alerts.
func healthy(t *testing.T, prometheus *promtest.Server) {
	t.Helper()
	type rule struct{ Name, Type, Health, LastError, State string }
	rules := func() (all []rule) {
		for _, g := range promtest.Get[struct{ Groups []struct{ Rules []rule } }](t, prometheus, "/api/v1/rules", nil).Groups {
			all = append(all, g.Rules...)
		}
		return all
	}
	for end := time.Now().Add(maxWait); slices.ContainsFunc(rules(), func(r rule) bool { return r.Health == "unknown" }); {
		if time.Now().After(end) {
			t.Fatal("the rules are not evaluated")
		}
	}
	all := rules()
	for _, r := range all {
		if r.Health != "ok" || r.State == "firing" {
			t.Errorf("%+v", r)
		}
	}
	if len(all) == 0 {
		t.Error("there are no rules")
	}
}
