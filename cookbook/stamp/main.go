// Stamp serves issues and comments with the times and authors of their creation and last change:
//
//	go run ./cookbook/stamp
//
// README.md shows it step by step; -help lists the flags.
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
	"github.com/larder-go/larder/decorators/access"
	"github.com/larder-go/larder/decorators/stamp"
)

var id = core.FieldSpec{Name: "id", Type: core.Int, Key: true}

// stamped returns fields with those of the stamps. Clients see them and cannot set them.
func stamped(fields ...core.FieldSpec) []core.FieldSpec {
	return append(fields,
		core.FieldSpec{Name: "created_at", Type: core.Time, ReadOnly: true}, core.FieldSpec{Name: "created_by", Type: core.Text, ReadOnly: true},
		core.FieldSpec{Name: "updated_at", Type: core.Time, ReadOnly: true, Indexed: true}, core.FieldSpec{Name: "updated_by", Type: core.Text, ReadOnly: true})
}

var model = core.MustModel("stamp",
	core.ResourceSpec{Name: "issue", Fields: stamped(id, core.FieldSpec{Name: "title", Type: core.Text}, core.FieldSpec{Name: "comments", ToMany: "comment", Inverse: "issue"})},
	core.ResourceSpec{Name: "comment", Fields: stamped(id, core.FieldSpec{Name: "text", Type: core.Text}, core.FieldSpec{Name: "issue", ToOne: "issue", OnDelete: core.Cascade})},
)

var stamps = stamp.New(stamp.Options{
	Created: "created_at", CreatedBy: "created_by",
	Updated: "updated_at", UpdatedBy: "updated_by",
	Touch: map[string][]string{"comment": {"issue"}},
})

// policy lets visitors comment, and users edit issues.
var policy = access.Policy{
	{Roles: []string{"user", "visitor"}, Resource: "issue", Operations: access.Read},
	{Roles: []string{"user", "visitor"}, Resource: "comment", Operations: access.Read | access.Insert},
	{Roles: []string{"user"}, Resource: "issue", Operations: access.Insert | access.Update | access.Delete},
}

// tokens are the tokens of the demonstration.
var tokens = map[string]*core.Principal{
	"alice": {ID: core.TextValue("alice"), Roles: []string{"user"}},
	"bob":   {ID: core.TextValue("bob"), Roles: []string{"user"}},
	"carol": {ID: core.TextValue("carol"), Roles: []string{"visitor"}},
}

func authenticate(r *http.Request) (*core.Principal, error) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
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
	store, err := core.New(ctx, model, backend, access.New(policy, access.Options{}), stamps) // inside the policies
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	api, err := rest.New(engine.New(store, engine.Options{}), rest.Options{Authenticate: authenticate})
	if err != nil {
		return err
	}
	return serve(ctx, store, api, func(string) error {
		_, err := fmt.Println("demo only: the bearer tokens alice, bob and carol")
		return err
	})
}
