package limit_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/limit"
)

func ExampleNew() {
	ctx := context.Background()
	store, err := core.New(ctx, model, memory.New(), limit.New(
		limit.Rule{Name: "anonymous", Roles: []string{limit.Anonymous}, Requests: 2, Window: time.Hour},
		limit.Rule{Name: "at once", Concurrent: 4, Total: 64, Wait: 2 * time.Second},
	))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = store.Close() }()
	for range 3 {
		if _, err = store.Count(ctx, cookie, core.All()); errors.Is(err, core.TooManyRequests) {
			quota := core.AsError(err).Quota
			fmt.Println(quota.Name, quota.Limit, quota.RetryAfter.Round(time.Minute))
		}
	}
	// Output: anonymous 2 30m0s
}

func ExampleByClaim() {
	tenant := limit.ByClaim("tenant")
	fmt.Println(tenant(context.Background(), &core.Principal{Claims: map[string]any{"tenant": "acme"}}))
	// Output: acme
}
