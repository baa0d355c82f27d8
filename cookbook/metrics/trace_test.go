package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
)

// An exemplar of a trace that is not sampled would lead to no trace.
func TestOnlySampledTracesBecomeExemplars(t *testing.T) {
	const trace, span = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	for header, want := range map[string]string{
		"00-" + trace + "-" + span + "-01":                   trace,
		"00-" + trace + "-" + span + "-03":                   trace,
		"01-" + trace + "-" + span + "-01-of-a-later-format": trace,
		"00-" + trace + "-" + span + "-00":                   "", // not sampled
		"00-" + strings.Repeat("0", 32) + "-" + span + "-01": "",
		"00-" + strings.ToUpper(trace) + "-" + span + "-01":  "",
		"": "",
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Traceparent", header)
		got := "not called"
		traced(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = core.TraceIDOf(r.Context()) })).ServeHTTP(nil, r)
		if got != want {
			t.Errorf("%s: got %q", header, got)
		}
	}
}
