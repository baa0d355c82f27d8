package main

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/cookbook/internal/recipetest"
)

func TestMain(m *testing.M) {
	*fresh = 20 * time.Millisecond // tests move often
	recipetest.Main(m)
}

const secret = "a secret for tests, at least 32 bytes long"

// process is a service in place of a process of its own: it shares nothing but the servers with others.
type process struct{ *service }

// startProcess starts a service that settles tenants by itself.
func startProcess(t *testing.T, list shardList) process {
	t.Helper()
	p := newProcess(t, list)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); p.settleForever(ctx) }()
	t.Cleanup(func() { stop(); <-ended })
	return p
}

func newProcess(tb testing.TB, list shardList) process {
	tb.Helper()
	s, err := newService(tb.Context(), []byte(secret), list)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return process{s}
}

func twoServers(t *testing.T) shardList {
	t.Helper()
	return shardList{{"a", pgtest.Own(t).URL()}, {"b", pgtest.Own(t).URL()}}
}

func token(claims jwt.MapClaims) string {
	claims["exp"] = time.Now().Add(time.Hour).Unix()
	text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(secret))
	if err != nil {
		panic(err)
	}
	return text
}

// send sends a request of a caller: "olga" is an operator, and "ada@acme" a user of the tenant acme.
func (p process) send(ctx context.Context, caller, method, path, body string) (status int, answer string) {
	user, name, _ := strings.Cut(caller, "@")
	claims := jwt.MapClaims{"sub": user, "tenant": name}
	if name == "" {
		claims = jwt.MapClaims{"sub": user, "roles": []string{"operator"}}
	}
	return p.sendToken(ctx, token(claims), method, path, body)
}

func (p process) sendToken(ctx context.Context, token, method, path, body string) (status int, answer string) {
	r := httptest.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w.Code, strings.TrimSpace(w.Body.String())
}

// expect sends requests, such as "ada@acme GET /issue => 200 []". An answer may go on after the wanted text.
func (p process) expect(t *testing.T, lines string) {
	t.Helper()
	for line := range strings.SplitSeq(strings.TrimSpace(lines), "\n") {
		if got, ok := p.try(t, line); !ok {
			t.Errorf("%s\ngot %s", strings.TrimSpace(line), got)
		}
	}
}

// await repeats a request until its answer is the wanted one.
func (p process) await(t *testing.T, line string) {
	t.Helper()
	for range 4000 {
		if _, ok := p.try(t, line); ok {
			return
		}
		<-time.After(5 * time.Millisecond) // between two probes
	}
	got, _ := p.try(t, line)
	t.Fatalf("%s\nremains %s", line, got)
}

func (p process) try(t *testing.T, line string) (got string, ok bool) {
	request, want, _ := strings.Cut(strings.TrimSpace(line), " => ")
	part := strings.SplitN(request+"  ", " ", 4)
	status, answer := p.send(t.Context(), part[0], part[1], part[2], strings.TrimSpace(part[3]))
	got = fmt.Sprint(status, " ", answer)
	return got, strings.HasPrefix(got, want)
}
