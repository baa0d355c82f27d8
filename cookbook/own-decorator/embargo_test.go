package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/cookbook/internal/recipetest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
	"github.com/larder-go/larder/core/storetest/policytest"
	"github.com/larder-go/larder/decorators/ownership"
)

func TestMain(m *testing.M) { recipetest.Main(m) }

func TestReadmeShowsCodeOfTheProgram(t *testing.T) { recipetest.Shown(t, "README.md") }

func TestReadmeOnEachStorage(t *testing.T) {
	t.Run("memory", func(t *testing.T) { recipetest.Walkthrough(t, "README.md") })
	t.Run("file", func(t *testing.T) {
		recipetest.Walkthrough(t, "README.md", "-store", "file:"+filepath.Join(t.TempDir(), "news.db"))
	})
	t.Run("postgres", func(t *testing.T) {
		recipetest.Walkthrough(t, "README.md", "-store", pgtest.URL(t), "-schema", pgtest.Schema(t))
	})
}

// guarded is the specification of the decorator with ownership around it: a principal reads its own records, and before they are
// published only if it is an editor.
func guarded() policytest.PolicySpec {
	owner := core.FieldSpec{Name: "owner", Type: core.Text, Hidden: true}
	key := core.FieldSpec{Name: "id", Type: core.Int, Key: true}
	published := core.FieldSpec{Name: "published_at", Type: core.Time}
	type row = map[string]any
	past, future := time.Unix(1, 0), time.Unix(1<<34, 0)
	return policytest.PolicySpec{
		Stack: func(testing.TB) policytest.Stack {
			return policytest.Stack{Decorators: []core.Decorator{ownership.New("owner", ownership.Options{}), embargo("published_at", "editor")}}
		},
		Model: core.MustModel("kit",
			core.ResourceSpec{Name: "topic", Fields: []core.FieldSpec{key, owner, {Name: "articles", ToMany: "article", Inverse: "topic"}}},
			core.ResourceSpec{Name: "article", Fields: []core.FieldSpec{key, owner, published, {Name: "title", Type: core.Text}, {Name: "topic", ToOne: "topic"}}},
		),
		Rows: seed.Data{
			"topic": {1: row{"owner": "alice"}, 2: row{"owner": "bob"}, 3: nil},
			"article": {
				1: row{"owner": "alice", "title": "a", "topic": 1, "published_at": past}, 2: row{"owner": "bob", "title": "a", "topic": 2, "published_at": past},
				3: row{"owner": "alice", "title": "b", "topic": 1, "published_at": future}, 4: row{"owner": "bob", "topic": 2, "published_at": future},
				5: row{"owner": "alice", "topic": 2}, 6: row{"owner": "bob", "topic": 1}, 7: row{"title": "b", "published_at": past},
			},
		},
		Principals: []*core.Principal{{ID: core.TextValue("alice")}, {ID: core.TextValue("bob"), Roles: []string{"editor"}}},
		CanRead: func(p *core.Principal, row core.Record) bool {
			mine := p.ID.IsSet() && row.Get("owner") == p.ID
			if row.Resource().Name() == "topic" || p.HasRole("editor") {
				return mine
			}
			at := row.Get("published_at")
			return mine && at.IsSet() && !at.Time().After(time.Now())
		},
	}
}

func TestGuard(t *testing.T) {
	policytest.Guard(t, func(testing.TB, *core.Model) core.Backend { return memory.New() }, guarded())
}

func TestNonInterference(t *testing.T) {
	g := guarded()
	g.Operations = 5_000
	policytest.NonInterference(t, func(testing.TB, *core.Model) core.Backend { return memory.New() }, g)
}

func TestModelThatDoesNotFitIsRejected(t *testing.T) {
	for want, f := range map[string]core.FieldSpec{
		"no resource has the field published_at":                                       {Name: "other", Type: core.Time},
		`resource "jar": the field "published_at" must be a stored field of type time`: {Name: "published_at", Type: core.Int},
	} {
		m := core.MustModel("m", core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, f}})
		_, err := core.New(t.Context(), m, memory.New(), embargo("published_at", "editor"))
		if err == nil || !strings.Contains(err.Error(), `decorator "embargo": `+want) {
			t.Errorf("%+v: %v", f, err)
		}
	}
}
