package rest

import (
	"net/http"
	"testing"
	"time"

	"github.com/larder-go/larder/core"
)

func TestHeadersOfALimit(t *testing.T) {
	for _, c := range []struct {
		quota                    *core.Quota
		retryAfter, policy, left string
	}{
		{nil, "1", "", ""},
		{&core.Quota{Name: "writes", Limit: 5, Window: time.Minute, RetryAfter: 12 * time.Second}, "12", `"writes";q=5;w=60`, `"writes";r=0;t=12`},
		{&core.Quota{Name: "writes", Limit: 5, Window: time.Second, RetryAfter: time.Millisecond}, "1", `"writes";q=5;w=1`, `"writes";r=0;t=1`},
		{&core.Quota{Name: "at once", Limit: 3, RetryAfter: 2 * time.Second}, "2", `"at once";q=3;qu="concurrent-requests"`, ""},
	} {
		h := http.Header{}
		setQuota(h, c.quota)
		if h.Get("Retry-After") != c.retryAfter || h.Get("RateLimit-Policy") != c.policy || h.Get("RateLimit") != c.left {
			t.Errorf("%+v: %v", c.quota, h)
		}
	}
}
