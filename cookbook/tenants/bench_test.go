package main

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/larder-go/larder/backends/postgres/pgtest"
)

// signUp makes tenants with a project each, and returns their tokens. They have schemas of their own.
func signUp(b *testing.B, list shardList, n int) (tokens []string) {
	b.Helper()
	slog.SetDefault(slog.New(slog.NewTextHandler(io.Discard, nil)))
	p := newProcess(b, list)
	for i := range n {
		name := fmt.Sprintf("tenant-%d", i)
		if status, answer := p.send(b.Context(), "olga", http.MethodPost, "/admin/tenant", `{"name":"`+name+`"}`); status != http.StatusCreated {
			b.Fatal(status, answer)
		}
		tokens = append(tokens, token(jwt.MapClaims{"sub": "ada", "tenant": name}))
		if status, answer := p.sendToken(b.Context(), tokens[i], http.MethodPost, "/project", `{"name":"mill"}`); status != http.StatusCreated {
			b.Fatal(status, answer)
		}
	}
	return tokens
}

func get(b *testing.B, p process, token string) {
	if status, answer := p.sendToken(b.Context(), token, http.MethodGet, "/project/1", ""); status != http.StatusOK {
		b.Fatal(status, answer)
	}
}

// BenchmarkOpen measures the first request of a tenant whose schema exists, and the memory that its open store needs.
func BenchmarkOpen(b *testing.B) {
	for _, n := range []int{10, 1000} {
		list := shardList{{"a", pgtest.Own(b, "max_locks_per_transaction=1024").URL()}}
		tokens := signUp(b, list, n)
		b.Run(fmt.Sprintf("tenants=%d", n), func(b *testing.B) {
			var p process
			var before, after runtime.MemStats
			opened := 0
			for b.Loop() {
				if opened%n == 0 {
					b.StopTimer()
					opened = 0
					p = newProcess(b, list)
					runtime.GC()
					runtime.ReadMemStats(&before)
					b.StartTimer()
				}
				get(b, p, tokens[opened])
				opened++
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(int64(after.HeapAlloc)-int64(before.HeapAlloc))/float64(opened), "heap-B/tenant")
			runtime.KeepAlive(p)
		})
	}
}

// BenchmarkGet measures requests of open tenants in turn. A connection prepares the statements of each tenant.
func BenchmarkGet(b *testing.B) {
	own := pgtest.Own(b, "max_locks_per_transaction=1024").URL()
	tokens := signUp(b, shardList{{"a", own}}, 1000)
	for _, capacity := range []int{512, 8192} { // 512 is the default
		for _, n := range []int{1, 100, 1000} {
			b.Run(fmt.Sprintf("statements=%d/tenants=%d", capacity, n), func(b *testing.B) {
				p := newProcess(b, shardList{{"a", own + fmt.Sprint("&statement_cache_capacity=", capacity)}})
				for i := range n {
					get(b, p, tokens[i])
				}
				i := 0
				for b.Loop() {
					get(b, p, tokens[i%n])
					i++
				}
			})
		}
	}
}
