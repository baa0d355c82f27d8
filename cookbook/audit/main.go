// Audit serves employees with a history of every change, of which each reader sees what it may see of the employee:
//
//	go run ./cookbook/audit
//
// README.md shows it step by step; -help lists the flags.
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
	"github.com/larder-go/larder/decorators/access"
	"github.com/larder-go/larder/decorators/audit"
)

var keep = flag.Duration("keep", 10*365*24*time.Hour, "`duration` for which entries are kept")

var model = core.MustModel("staff",
	core.ResourceSpec{Name: "employee", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "name", Type: core.Text, Required: true},
		{Name: "team", Type: core.Text},
		{Name: "salary", Type: core.Int},
		{Name: "history", ToMany: "entry", Inverse: "employee", ReadOnly: true},
	}},
	audit.Resource("entry", "employee"),
)

var trail = audit.New(audit.Options{
	Resource:     "entry",
	ReadsDeleted: func(p *core.Principal, _ *core.Resource) bool { return p.HasRole("auditor") },
})

//go:embed policy.json
var policyJSON []byte

// tokens are the tokens of the demonstration.
var tokens = map[string]*core.Principal{
	"olga": {ID: core.TextValue("olga"), Roles: []string{"owner"}},
	"bob":  {ID: core.TextValue("bob"), Roles: []string{"employee"}, Claims: map[string]any{"team": "bakery"}},
	"eve":  {ID: core.TextValue("eve"), Roles: []string{"auditor"}},
}

func authenticate(r *http.Request) (*core.Principal, error) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if p := tokens[token]; p != nil {
		return p, nil
	}
	return nil, errors.New("unknown token")
}

func run(ctx context.Context) (err error) {
	policy, err := access.Parse(policyJSON)
	if err != nil {
		return err
	}
	backend, err := openBackend(ctx, model)
	if err != nil {
		return err
	}
	store, err := core.New(ctx, model, backend, access.New(policy, access.Options{}), trail)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if _, err := audit.Purge(ctx, store, "entry", time.Now().Add(-*keep), 1000); err != nil {
		return err
	}
	api, err := rest.New(engine.New(store, engine.Options{}), rest.Options{Authenticate: authenticate})
	if err != nil {
		return err
	}
	return serve(ctx, store, rest.WithRequestID(api), func(string) error {
		_, err := fmt.Println("demo only: the bearer tokens olga (owner), bob (employee of the bakery) and eve (auditor)")
		return err
	})
}
