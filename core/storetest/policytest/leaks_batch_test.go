package policytest_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/policytest"
)

// batchLeaks are REST faces that serve batches wrongly, behind a correct policy.
var batchLeaks = []leak{
	{name: "serves a batch as the program", differs: "engine", spec: batching(func(w http.ResponseWriter, r *http.Request, rest http.Handler) {
		rest.ServeHTTP(w, r.WithContext(core.System(r.Context())))
	})},
	{name: "answers a failed batch by the records that exist", differs: "engine", spec: batching(answerByExistence)},
}

// batching returns the spec of a correct policy below a REST face that serves batches by serve.
func batching(serve func(w http.ResponseWriter, r *http.Request, rest http.Handler)) func() policytest.PolicySpec {
	return func() policytest.PolicySpec {
		spec := stack(owning())
		spec.Middleware = func(rest http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/$batch" {
					serve(w, r, rest)
				} else {
					rest.ServeHTTP(w, r)
				}
			})
		}
		return spec
	}
}

// answerByExistence answers 403 instead of 404 if a record of the batch exists.
func answerByExistence(w http.ResponseWriter, r *http.Request, rest http.Handler) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := httptest.NewRecorder()
	rest.ServeHTTP(answer, r)
	var requests []struct{ Path string }
	_ = json.Unmarshal(body, &requests)
	for _, x := range requests {
		exists := httptest.NewRecorder()
		rest.ServeHTTP(exists, httptest.NewRequestWithContext(core.System(r.Context()), http.MethodGet, x.Path, http.NoBody))
		if answer.Code == http.StatusNotFound && exists.Code == http.StatusOK {
			answer.Code = http.StatusForbidden
		}
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}
