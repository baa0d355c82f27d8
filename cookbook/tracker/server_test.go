package main

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/cookbook/internal/recipetest"
)

func TestUntrustedTokensAreRejected(t *testing.T) {
	s := newService(t, memory.New())
	s.check(t, first)
	hour := time.Now().Add(time.Hour).Unix()
	of := func(claims jwt.MapClaims) string { return "Bearer " + s.token(t, claims) }
	unsigned, err := jwt.NewWithClaims(jwt.SigningMethodNone, jwt.MapClaims{"sub": "ada", "exp": hour}).SignedString(jwt.UnsafeAllowNoneSignatureType)
	if err != nil {
		t.Fatal(err)
	}
	foreign := &service{secret: []byte(strings.Repeat("foreign ", 5))}
	for _, c := range []struct {
		name, header string
		status       int
		challenge    string
	}{
		{"trusted", of(jwt.MapClaims{"sub": "ada", "exp": hour}), 200, ""},
		{"no token", "", 401, `Bearer`},
		{"expired", of(jwt.MapClaims{"sub": "ada", "exp": hour - 3601}), 401, `Bearer error="invalid_token", error_description="the token has expired"`},
		{"without an end", of(jwt.MapClaims{"sub": "ada"}), 401, ""},
		{"without a subject", of(jwt.MapClaims{"exp": hour}), 401, ""},
		{"of another secret", "Bearer " + foreign.token(t, jwt.MapClaims{"sub": "ada", "exp": hour}), 401, ""},
		{"unsigned", "Bearer " + unsigned, 401, ""},
		{"another scheme", "Basic YWRhOmFkYQ==", 401, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), "GET", "/issue", nil)
			if c.header != "" {
				r.Header.Set("Authorization", c.header)
			}
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if w.Code != c.status || c.challenge != "" && w.Header().Get("WWW-Authenticate") != c.challenge {
				t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
			}
		})
	}
}

// The collector of this test decodes what the exporter sends, as a real one does.
func TestSpansReachTheCollector(t *testing.T) {
	names := make(chan string, 100)
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var sent collectorpb.ExportTraceServiceRequest
		body, err := io.ReadAll(r.Body)
		if err = errors.Join(err, proto.Unmarshal(body, &sent)); err != nil || r.URL.Path != "/v1/traces" {
			t.Errorf("%s: %v", r.URL, err)
		}
		for _, of := range sent.GetResourceSpans() {
			for _, scope := range of.GetScopeSpans() {
				for _, span := range scope.GetSpans() {
					names <- span.GetName()
				}
			}
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	defer collector.Close()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(strings.Repeat("secret ", 5)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	t.Setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
	program := recipetest.Start(t, "-secret", secret)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, program.Base+"/label", nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &service{secret: []byte(strings.Repeat("secret ", 5)[:34])}
	r.Header.Set("Authorization", "Bearer "+s.token(t, jwt.MapClaims{"sub": "ada", "exp": time.Now().Add(time.Hour).Unix()}))
	answer, err := http.DefaultClient.Do(r)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", answer, err)
	}
	_ = answer.Body.Close()
	program.Stop(t) // sends what is left
	close(names)
	got := slices.Sorted(func(yield func(string) bool) {
		for name := range names {
			yield(name)
		}
	})
	if !slices.Contains(got, "select label") || !slices.ContainsFunc(got, func(name string) bool { return strings.HasPrefix(name, "GET") || name == "request" }) {
		t.Errorf("spans %q", got)
	}
}

func TestSettingsFromTheEnvironment(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(strings.Repeat("secret ", 5)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, said := recipetest.Fail(t); code != 1 || !strings.HasPrefix(said, "tracker: -secret: name a file with at least 32 bytes") {
		t.Errorf("without a secret: exit code %d: %s", code, said)
	}
	t.Setenv("TRACKER_SECRET", secret)
	t.Setenv("TRACKER_LOG_LEVEL", "loud")
	if code, said := recipetest.Fail(t); code != 1 || said != "tracker: TRACKER_LOG_LEVEL: the value is not valid; see -help for -log-level\n" {
		t.Errorf("without a level: exit code %d: %s", code, said)
	}
	t.Setenv("TRACKER_LOG_LEVEL", "debug")
	t.Setenv("TRACKER_CORS", "https://a.example,https://app.example")
	t.Setenv("TRACKER_ADDR", "nowhere") // the test has -addr on the command line
	program := recipetest.Start(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, program.Base+"/issue", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Origin", "https://app.example")
	r.Header.Set("X-Request-Id", "request-1")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if h := answer.Header; answer.StatusCode != http.StatusUnauthorized || h.Get("Access-Control-Allow-Origin") != "https://app.example" || h.Get("X-Request-Id") != "request-1" {
		t.Errorf("%d %v", answer.StatusCode, h)
	}
	program.Stop(t)
	for _, line := range []string{`"msg":"transaction"`, `"msg":"request failed"`} { // of the store and of the REST interface
		found := false
		for said := range strings.Lines(program.Messages()) {
			found = found || strings.Contains(said, line) && strings.Contains(said, `"request_id":"request-1"`)
		}
		if !found {
			t.Errorf("no line %s of the request in the log:\n%s", line, program.Messages())
		}
	}
}
