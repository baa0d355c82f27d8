// Validation serves tickets whose model states which values are valid:
//
//	go run ./cookbook/validation
//
// README.md shows the errors that a client gets, and writes that are safe to repeat; -help lists the flags.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
)

var model = core.MustModel("tickets",
	core.ResourceSpec{Name: "ticket", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "title", Type: core.Text, Required: true, MaxLength: 40, Searchable: true},
		{Name: "code", Type: core.Text, Pattern: "^[A-Z]{2}-[0-9]+$", Unique: true},
		{Name: "priority", Type: core.Text, OneOf: []any{"low", "normal", "high"}, Default: "normal"},
		{Name: "state", Type: core.Text, Default: "open", Transitions: map[string][]string{
			"":     {"open"},
			"open": {"held", "done"},
			"held": {"open"},
			"done": nil,
		}},
		{Name: "starts", Type: core.Date},
		{Name: "due", Type: core.Date},
		{Name: "comments", ToMany: "comment", Inverse: "ticket"},
	}, Validate: dueAfterStart},
	core.ResourceSpec{Name: "comment", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "text", Type: core.Text, Required: true, MaxLength: 200, Searchable: true},
		{Name: "ticket", ToOne: "ticket", Required: true, OnDelete: core.Cascade},
	}},
	core.ResourceSpec{Name: core.AnswersName}, // remembers the answers to writes with an Idempotency-Key
)

// dueAfterStart is a rule over two fields. before is the stored record, and after the record as the write would leave it.
func dueAfterStart(_ context.Context, _, after core.Record) ([]core.Violation, error) {
	starts, due := after.Get("starts"), after.Get("due")
	if starts.IsSet() && due.IsSet() && core.Compare(due, starts) < 0 {
		return []core.Violation{{Path: []any{"due"}, Rule: "order", Accepted: "the day of starts, or a later one"}}, nil
	}
	return nil, nil
}

func run(ctx context.Context) (err error) {
	backend, err := openBackend(ctx, model)
	if err != nil {
		return err
	}
	store, err := core.New(ctx, model, backend)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	api, err := rest.New(engine.New(store, engine.Options{}), rest.Options{Authenticate: authenticate})
	if err != nil {
		return err
	}
	return serve(ctx, store, api, func(string) error {
		_, err := fmt.Printf("%sdemo only: every bearer token is the name of a user\n", store.Describe())
		return err
	})
}

// authenticate returns the principal of a request, which owns the Idempotency-Keys that it sends. For a demonstration, every
// token is accepted as a name; the recipe authentication shows real tokens.
func authenticate(r *http.Request) (*core.Principal, error) {
	scheme, name, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || name == "" {
		return nil, core.Unauthorized
	}
	return &core.Principal{ID: core.TextValue(name)}, nil
}
