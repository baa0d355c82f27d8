package policytest_test

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kittest"
	"github.com/larder-go/larder/core/storetest/policytest"
)

// repeatLeaks are REST faces that repeat the answers to writes with a key from a memory of their own, behind a correct policy.
var repeatLeaks = []leak{
	{
		name:   "writes the id of one account into every principal",
		caught: []string{"remembered answers belong to one principal"},
		spec: func() policytest.PolicySpec {
			return stack(kittest.Decorator("service account", core.KindPolicy, func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
				if op.Kind == core.Tx && op.Principal != nil && op.Principal.ID.IsSet() {
					op.Principal.ID = core.IntValue(1)
				}
				return next(ctx, op)
			}), owning())
		},
	},
	{name: "answers under a key for every principal", differs: "engine", spec: repeating(memory{shared: true})},
	{name: "repeated answers as they were", differs: "engine", spec: repeating(memory{})},
	{name: "repeated failures", differs: "engine", spec: repeating(memory{failures: true})},
}

// memory is a faulty memory of answers.
type memory struct {
	shared   bool // a key has one answer for all principals
	failures bool // only failures are remembered, instead of only successes
}

// repeating returns the spec of a correct policy below a REST face with the memory.
func repeating(m memory) func() policytest.PolicySpec {
	return func() policytest.PolicySpec {
		spec := stack(owning())
		spec.Middleware = m.around
		return spec
	}
}

// around returns a handler that answers a request with a key from the memory.
func (m memory) around(next http.Handler) http.Handler {
	var mu sync.Mutex
	answers := make(map[string]*httptest.ResponseRecorder)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get("Idempotency-Key")
		if key == "" {
			next.ServeHTTP(w, r)
			return
		}
		request := key + " " + r.Method + " " + r.URL.Path
		if m.shared {
			request = key
		} else {
			request += " " + core.PrincipalOf(r.Context()).ID.String()
		}
		mu.Lock()
		defer mu.Unlock()
		answer, known := answers[request]
		if !known {
			answer = httptest.NewRecorder()
			next.ServeHTTP(answer, r)
			if failed := answer.Code >= http.StatusBadRequest; failed == m.failures {
				answers[request] = answer
			}
		}
		maps.Copy(w.Header(), answer.Header())
		if known && !m.failures {
			w.Header().Set("Idempotent-Replayed", "true")
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
}
