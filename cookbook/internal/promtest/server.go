// Package promtest runs a real Prometheus server for tests of programs, and sends it the queries of a Grafana dashboard.
package promtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Server is a Prometheus that runs until the test ends.
type Server struct {
	base string
	log  bytes.Buffer // read after the server has ended
	cmd  *exec.Cmd
	over chan struct{}
}

// Start starts a server with the configuration in a file, and with flags, on a free port of the loopback interface. Five
// times a second, the server scrapes a program at a base URL and evaluates the rules. Paths in the configuration are
// relative to its folder.
func Start(t *testing.T, config, program string, flags ...string) *Server {
	t.Helper()
	path, err := exec.LookPath("prometheus")
	if err != nil {
		t.Fatal("no prometheus in PATH: apt-get install prometheus")
	}
	dir := t.TempDir()
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	changed := filepath.Join(dir, "prometheus.yml")
	here, err := filepath.Abs(filepath.Dir(config))
	if err != nil {
		t.Fatal(err)
	}
	changes := strings.NewReplacer(
		"127.0.0.1:8080", strings.TrimPrefix(program, "http://"), "scrape_interval: 5s", "scrape_interval: 200ms",
		"evaluation_interval: 15s", "evaluation_interval: 200ms", "- ../", "- "+here+"/../")
	if err := os.WriteFile(changed, []byte(changes.Replace(string(text))), 0o600); err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	s := &Server{base: "http://" + address, over: make(chan struct{})}
	// The context of the test ends before its clean-up, which ends the server.
	s.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), path, append(flags, "--config.file", changed,
		"--storage.tsdb.path", filepath.Join(dir, "data"), "--web.listen-address", address)...)
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(s.over)
		_ = s.cmd.Wait()
	}()
	t.Cleanup(func() { s.stop(t) })
	s.await(t)
	return s
}

// freeAddress returns an address that was free a moment ago. Prometheus would choose a free port itself, but does not report
// the port.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // the server takes the address
	return l.Addr().String()
}

func (s *Server) stop(t *testing.T) {
	t.Helper()
	_ = s.cmd.Process.Signal(os.Interrupt)
	<-s.over
	if t.Failed() {
		t.Logf("log of Prometheus:\n%s", s.log.String())
	}
}

// await returns when the server is ready.
func (s *Server) await(t *testing.T) {
	t.Helper()
	for !ready(t.Context(), s.base+"/-/ready") {
		select {
		case <-s.over:
			t.Fatal("Prometheus did not start")
		case <-time.After(20 * time.Millisecond): // between two attempts
		}
	}
}

func ready(ctx context.Context, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// Get sends a request to the HTTP API, such as "/api/v1/rules", and returns the member data of the answer.
func Get[T any](t *testing.T, s *Server, path string, args url.Values) (data T) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.base+path+"?"+args.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var answer struct {
		Status, Error string
		Data          T
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || answer.Status != "success" {
		t.Fatalf("%s?%s: %s %v", path, args.Encode(), answer.Error, err)
	}
	return answer.Data
}

// Query returns the present values of a query by their labels.
func (s *Server) Query(t *testing.T, query string) map[string]string {
	t.Helper()
	data := Get[struct {
		ResultType string
		Result     []struct {
			Metric map[string]string
			Value  [2]any
		}
	}](t, s, "/api/v1/query", url.Values{"query": {query}})
	if data.ResultType != "vector" {
		t.Fatalf("%s: the answer is a %s", query, data.ResultType)
	}
	values := make(map[string]string)
	for _, r := range data.Result {
		values[fmt.Sprint(r.Metric)] = fmt.Sprint(r.Value[1])
	}
	return values
}
