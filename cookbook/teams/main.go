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
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
	"github.com/larder-go/larder/decorators/access"
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
	store, err := core.New(ctx, teams, backend, signed("user", "author", "added_by"), access.New(policy, access.Options{}))
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

// signed returns a decorator that sets the fields of new records that name no user to the principal: the author of an
// issue, for instance. The policy decides whether the record is permitted.
func signed(fields ...string) core.Decorator {
	return core.Decorator{
		Name: "signed", Note: "the principal is the default of " + strings.Join(fields, " and "), Kind: core.KindEffect, KnowsRelated: true,
		Sets: func(f *core.Field) bool { return slices.Contains(fields, f.Name()) },
		Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
			return func(ctx context.Context, op *core.Op) (core.Result, error) {
				if op.Kind != core.Insert || op.Principal == nil || op.Principal.IsSystem() {
					return next(ctx, op)
				}
				op.Records = slices.Clone(op.Records)
				for i, rec := range op.Records {
					for _, name := range fields {
						if f := op.Resource.Field(name); f != nil && rec.Value(f).IsAbsent() {
							op.Records[i] = op.Records[i].With(f.Column(), op.Principal.ID)
						}
					}
				}
				return next(ctx, op)
			}, nil
		},
	}
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
