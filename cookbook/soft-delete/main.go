// Soft-delete serves issues with comments and labels. What is deleted can be restored, and is deleted for good after a time:
//
//	go run ./cookbook/soft-delete
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
	"os"
	"strings"
	"time"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
	"github.com/larder-go/larder/decorators/access"
	"github.com/larder-go/larder/decorators/softdelete"
)

var keep = flag.Duration("keep", 90*24*time.Hour, "`time` after which deleted records are deleted for good")

//go:embed policy.json
var policyJSON []byte

var (
	id        = core.FieldSpec{Name: "id", Type: core.Int, Key: true}
	deletedAt = core.FieldSpec{Name: "deleted_at", Type: core.Time, Hidden: true, Indexed: true}
	living    = core.Eq("deleted_at", nil)
)

var model = core.MustModel("issues",
	core.ResourceSpec{
		Name: "issue", Fields: []core.FieldSpec{
			id, deletedAt,
			{Name: "title", Type: core.Text},
			{Name: "comments", ToMany: "comment", Inverse: "issue"},
			{Name: "labels", ToMany: "label", Through: "issue_label"},
		},
		Indexes: []core.Index{{Fields: []string{"title"}, Where: living, Unique: true}},
	},
	core.ResourceSpec{Name: "comment", Fields: []core.FieldSpec{
		id, deletedAt,
		{Name: "text", Type: core.Text},
		{Name: "issue", ToOne: "issue", OnDelete: core.Cascade},
	}},
	core.ResourceSpec{Name: "label", Fields: []core.FieldSpec{id, {Name: "name", Type: core.Text}}},
	core.ResourceSpec{
		Name: "issue_label", Fields: []core.FieldSpec{id, deletedAt, {Name: "issue", ToOne: "issue"}, {Name: "label", ToOne: "label"}},
		Indexes: []core.Index{{Fields: []string{"issue", "label"}, Where: living, Unique: true}},
	},
)

// tokens are the tokens of the demonstration.
var tokens = map[string]*core.Principal{
	"alice": {ID: core.TextValue("alice"), Roles: []string{"writer"}},
	"olga":  {ID: core.TextValue("olga"), Roles: []string{"writer", "keeper"}},
}

func authenticate(r *http.Request) (*core.Principal, error) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if p, known := tokens[token]; known {
		return p, nil
	}
	return nil, core.Unauthorized
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
	store, err := core.New(ctx, model, backend,
		access.New(policy, access.Options{}),
		softdelete.New("deleted_at", softdelete.Options{}),
	)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	api, err := rest.New(engine.New(store, engine.Options{}), rest.Options{Authenticate: authenticate})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	purged := make(chan struct{})
	go func() {
		defer close(purged)
		purge(ctx, store)
	}()
	defer func() { stop(); <-purged }()
	return serve(ctx, store, api, func(string) error {
		_, err := fmt.Println("demo only: the bearer tokens alice (a writer) and olga (a keeper, who restores)")
		return err
	})
}

// purge deletes for good what was deleted long ago: now, and then once in an hour.
func purge(ctx context.Context, store *core.Store) {
	every := time.NewTicker(time.Hour)
	defer every.Stop()
	for {
		n, err := softdelete.Purge(ctx, store, "deleted_at", time.Now().Add(-*keep), 0)
		if n > 0 || err != nil && ctx.Err() == nil {
			_, _ = fmt.Fprintf(os.Stderr, "purged %d records, error: %v\n", n, err)
		}
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
	}
}
