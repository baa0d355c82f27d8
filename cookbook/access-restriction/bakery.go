package main

import (
	"context"
	"net/http"
	"strings"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
)

var bakery = core.MustModel("bakery",
	core.ResourceSpec{Name: "bread", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "name", Type: core.Text},
		{Name: "price", Type: core.Int},
		{Name: "on_sale", Type: core.Bool, Default: false},
		{Name: "recipe", Type: core.Text},
		{Name: "baker", ToOne: "staff"},
	}},
	core.ResourceSpec{Name: "staff", Fields: []core.FieldSpec{
		{Name: "name", Type: core.Text, Key: true},
		{Name: "wage", Type: core.Int},
		{Name: "breads", ToMany: "bread", Inverse: "baker"},
	}},
)

// firstDay holds the records of a new bakery.
var firstDay = seed.Data{
	"staff": {"alice": {"wage": 4000}, "bob": {"wage": 3800}},
	"bread": {
		1: {"name": "rye", "price": 5, "on_sale": true, "recipe": "rye flour, water, time", "baker": "alice"},
		2: {"name": "bun", "price": 1, "on_sale": false, "recipe": "milk and butter", "baker": "alice"},
		3: {"name": "roll", "price": 2, "on_sale": true, "recipe": "a pinch of malt", "baker": "bob"},
	},
}

// fill inserts the records of the first day into a store that is empty. The program acts for itself, as core.System, so
// that no rule applies.
func fill(ctx context.Context, store *core.Store) error {
	records, err := seed.Records(bakery, firstDay)
	if err != nil {
		return err
	}
	return store.Tx(core.System(ctx), func(ctx context.Context, tx *core.Transaction) error {
		for i, r := range bakery.Resources() {
			if n, err := tx.Count(ctx, r, core.All()); err != nil || n > 0 {
				return err
			}
			if _, err := tx.Insert(ctx, r, records[i]...); err != nil {
				return err
			}
		}
		return nil
	})
}

// principals by bearer token, for a demonstration: the tokens are public. The recipe authentication shows real ones.
var principals = map[string]*core.Principal{
	"alice": {ID: core.TextValue("alice"), Roles: []string{"baker"}},
	"bob":   {ID: core.TextValue("bob"), Roles: []string{"baker"}},
	"olga":  {ID: core.TextValue("olga"), Roles: []string{"owner"}},
}

// authenticate returns the principal of a request: nil, which means anonymous, for a request without a token, and an error
// for an unknown token.
func authenticate(r *http.Request) (*core.Principal, error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return nil, nil
	}
	if scheme, token, _ := strings.Cut(header, " "); strings.EqualFold(scheme, "Bearer") && principals[token] != nil {
		return principals[token], nil
	}
	return nil, core.Unauthorized
}
