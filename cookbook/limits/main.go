// Limits serves cookies, with limits for anonymous callers, for writes, for each tenant, and for reports:
//
//	go run ./cookbook/limits
//
// README.md shows it step by step; -help lists the flags.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
	"github.com/larder-go/larder/decorators/limit"
)

var model = core.MustModel("limits", core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
	{Name: "id", Type: core.Int, Key: true},
	{Name: "type", Type: core.Text},
}})

var limits = limit.New(
	limit.Rule{Name: "anonymous", Roles: []string{limit.Anonymous}, Requests: 3, Window: time.Hour},
	limit.Rule{Name: "writes", Kinds: []core.Kind{core.Insert, core.Update, core.Delete}, Requests: 4, Window: time.Hour},
	limit.Rule{Name: "tenant", Key: limit.ByClaim("tenant"), Requests: 1000, Window: time.Minute},
	limit.Rule{Name: "at once", Concurrent: 4, Total: 64, Wait: 2 * time.Second},
	limit.Rule{Name: "time", Roles: []string{"user", limit.Anonymous}, Time: 5 * time.Second},
)

// tokens are the tokens of the demonstration.
var tokens = map[string]*core.Principal{
	"alice": {ID: core.TextValue("alice"), Roles: []string{"user"}, Claims: map[string]any{"tenant": "mill"}},
	"bob":   {ID: core.TextValue("bob"), Roles: []string{"user"}, Claims: map[string]any{"tenant": "mill"}},
}

func authenticate(r *http.Request) (*core.Principal, error) {
	token, sent := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !sent {
		return nil, nil //nolint:nilnil // anonymous
	}
	p, known := tokens[token]
	if !known {
		return nil, errors.New("unknown token")
	}
	return p, nil
}

func run(ctx context.Context) (err error) {
	backend, err := openBackend(ctx, model)
	if err != nil {
		return err
	}
	store, err := core.New(ctx, model, backend, limits) // policies follow: limits are outermost
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	api, err := rest.New(engine.New(store, engine.Options{}), rest.Options{Authenticate: authenticate})
	if err != nil {
		return err
	}
	return serve(ctx, store, api, func(string) error {
		_, err := fmt.Println("demo only: the bearer tokens alice and bob")
		return err
	})
}
