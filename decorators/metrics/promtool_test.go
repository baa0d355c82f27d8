package metrics_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/metrics"
)

// promtool runs the checker of Prometheus.
func promtool(t *testing.T, input []byte, args ...string) {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		t.Fatal("no promtool in PATH: apt-get install prometheus")
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Stdin = bytes.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %q: %v\n%s", args, err, out)
	}
}

// everything returns a registry with all metrics of the package, each of them used.
func everything(t *testing.T) *prometheus.Registry {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(metrics.PoolCollector(func() stat { return stat{} }))
	store := openOn(t, metrics.New(registry, metrics.Options{}), metrics.New(registry, metrics.Options{Subsystem: "backend"}))
	if _, err := store.Insert(t.Context(), cookie, record(t, nil)); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{nil, errors.New("no")} {
		_ = store.Tx(t.Context(), func(context.Context, *core.Transaction) error { return err })
	}
	return registry
}

func TestNamesPassPromtool(t *testing.T) {
	registry := everything(t)
	problems, err := testutil.GatherAndLint(registry)
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
	scrape := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(scrape, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if scrape.Code != http.StatusOK {
		t.Fatal(scrape.Body)
	}
	promtool(t, scrape.Body.Bytes(), "check", "metrics")
}

func TestRulesPassPromtool(t *testing.T) {
	promtool(t, nil, "check", "rules", "rules.yml")
	promtool(t, nil, "test", "rules", "rules_test.yml")
}
