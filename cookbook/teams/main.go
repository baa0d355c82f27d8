// Teams serves organisations, their projects and issues. The members of an organisation work on its projects, as the policy
// in policy.json says:
//
//	go run ./cookbook/teams
package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
	"github.com/larder-go/larder/decorators/access"
	"github.com/larder-go/larder/decorators/stamp"
)

//go:embed policy.json
var policyJSON []byte

func run(ctx context.Context) (err error) {
	backend, err := openBackend(ctx, teams)
	if err != nil {
		return err
	}
	store, api, err := open(ctx, backend)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return serve(ctx, store, api, func(string) error {
		_, err := fmt.Printf("%sdemo only: the bearer tokens are the names of the users ada, bob and carol\n", store.Describe())
		return err
	})
}

// open returns a store with the records of the first day, and its REST interface.
func open(ctx context.Context, backend core.Backend) (*core.Store, http.Handler, error) {
	policy, err := access.Parse(policyJSON)
	if err != nil {
		return nil, nil, err
	}
	store, err := core.New(ctx, teams, backend, access.New(policy, access.Options{}),
		stamp.New(stamp.Options{CreatedBy: "author"}), stamp.New(stamp.Options{CreatedBy: "added_by"}))
	if err != nil {
		return nil, nil, err
	}
	if err := fill(ctx, store); err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	api, err := rest.New(engine.New(store, engine.Options{}), rest.Options{Authenticate: authenticate})
	if err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	return store, api, nil
}

// authenticate returns the principal of a request: nil, which means anonymous, for a request without a token, and an error
// for an unknown token. For a demonstration, the token is the name of the user; the recipe authentication shows real ones.
func authenticate(r *http.Request) (*core.Principal, error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return nil, nil
	}
	scheme, name, _ := strings.Cut(header, " ")
	if _, known := firstDay["user"][name]; !strings.EqualFold(scheme, "Bearer") || !known {
		return nil, core.Unauthorized
	}
	return &core.Principal{ID: core.TextValue(name)}, nil
}
