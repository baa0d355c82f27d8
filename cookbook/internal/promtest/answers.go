package promtest

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Answers starts a server with the configuration in a file. The server scrapes a program that serves cookies and jars at a
// base URL. Answers checks that every query and every menu of a dashboard has data, and that the rules evaluate without an
// alert.
func Answers(t *testing.T, config, dashboard, program string) {
	t.Helper()
	s := Start(t, config, program)
	panels := Panels(t, dashboard, "5s")
	if len(panels) == 0 {
		t.Fatal("the dashboard has no panels")
	}
	for _, p := range panels {
		if len(p.Queries) == 0 {
			t.Errorf("%s: asks nothing", p.Title)
		}
		for _, query := range p.Queries {
			t.Logf("%s: %v", p.Title, s.ask(t, program, query))
		}
	}
	for label, want := range map[string]string{"job": "[cookies]", "resource": "[cookie jar]"} {
		got := Get[[]string](t, s, "/api/v1/label/"+label+"/values", url.Values{"match[]": {"larder_operations_total"}})
		if fmt.Sprint(got) != want {
			t.Errorf("%s: got %v, want %s", label, got, want)
		}
	}
	s.healthy(t)
}

// maxWait is longer than a server takes to scrape a program and to evaluate the rules.
const maxWait = 30 * time.Second

// ask sends requests to a program until a query has data.
func (s *Server) ask(t *testing.T, program, query string) map[string]string {
	t.Helper()
	for end := time.Now().Add(maxWait); time.Now().Before(end); {
		happen(t, program)
		values := s.Query(t, query)
		if numbers := slices.Collect(maps.Values(values)); slices.ContainsFunc(numbers, func(v string) bool { return v != "NaN" }) {
			return values
		}
	}
	t.Errorf("no data: %s", query)
	return nil
}

// Histograms starts a server that scrapes native histograms, and checks that a histogram of durations has as many
// observations as the counter of the same operations.
func Histograms(t *testing.T, config, program string) {
	t.Helper()
	s := Start(t, config, program, "--enable-feature=native-histograms")
	for range 20 {
		happen(t, program)
	}
	const selector = `{operation="load", resource="cookie"}`
	one := func(query string) string {
		return s.Query(t, "sum("+query+selector+strings.Repeat(")", strings.Count(query, "(")+1))["map[]"]
	}
	for end := time.Now().Add(maxWait); ; {
		counted, observed := one("larder_operations_total"), one("histogram_count(larder_operation_duration_seconds")
		if counted != "" && counted == observed {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%s operations, %s in the histogram", counted, observed)
		}
	}
	for _, query := range []string{"histogram_sum(", "histogram_quantile(0.5, ", "histogram_quantile(0.99, "} {
		if took, err := strconv.ParseFloat(one(query+"larder_operation_duration_seconds"), 64); err != nil || took <= 0 || took > maxWait.Seconds() {
			t.Errorf("%s: %v s, %v", query, took, err)
		}
	}
}

// happen sends requests with successful operations of all kinds and one that fails.
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

// healthy checks that the server has evaluated all rules without an error and without an alert.
func (s *Server) healthy(t *testing.T) {
	t.Helper()
	type rule struct{ Name, Type, Health, LastError, State string }
	rules := func() (all []rule) {
		for _, g := range Get[struct{ Groups []struct{ Rules []rule } }](t, s, "/api/v1/rules", nil).Groups {
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
