package main

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/backends/file"
	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/backends/postgres"
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
		recipetest.Walkthrough(t, "README.md", "-store", "file:"+filepath.Join(t.TempDir(), "cookies.db"))
	})
	t.Run("postgres", func(t *testing.T) {
		recipetest.Walkthrough(t, "README.md", "-store", pgtest.URL(t), "-schema", pgtest.Schema(t))
	})
}

// guarded is the specification of the decorator with ownership around it: a principal reads its own records that are not
// deleted.
func guarded() policytest.PolicySpec {
	owner := core.FieldSpec{Name: "owner", Type: core.Text, Hidden: true}
	key := core.FieldSpec{Name: "id", Type: core.Int, Key: true}
	type row = map[string]any
	gone := time.Unix(1, 0)
	mine := func(p *core.Principal, row core.Record) bool { return p.ID.IsSet() && row.Get("owner") == p.ID }
	sees := func(p *core.Principal, row core.Record) bool { return mine(p, row) && row.Get("deleted_at").IsNull() }
	return policytest.PolicySpec{
		Stack: func(testing.TB) policytest.Stack {
			return policytest.Stack{Decorators: []core.Decorator{ownership.New("owner", ownership.Options{}), softDelete("deleted_at")}}
		},
		Model: core.MustModel("kit",
			core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{key, owner, deletedAt, {Name: "cookies", ToMany: "cookie", Inverse: "jar"}}},
			core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
				key, owner, deletedAt, {Name: "type", Type: core.Text}, {Name: "jar", ToOne: "jar"},
			}},
		),
		Rows: seed.Data{
			"jar": {1: row{"owner": "alice"}, 2: row{"owner": "bob"}, 3: row{"owner": "alice", "deleted_at": gone}, 4: nil},
			"cookie": {
				1: row{"owner": "alice", "type": "a", "jar": 1}, 2: row{"owner": "bob", "type": "a", "jar": 2},
				3: row{"owner": "alice", "type": "b", "jar": 1, "deleted_at": gone}, 4: row{"owner": "bob", "jar": 2, "deleted_at": gone},
				5: row{"owner": "alice", "jar": 3}, 6: row{"type": "b"},
			},
		},
		Principals: []*core.Principal{{ID: core.TextValue("alice")}, {ID: core.TextValue("bob")}},
		CanRead:    sees,
		CanResultIn: func(p *core.Principal, kind core.Kind, row core.Record) bool {
			return sees(p, row) || kind == core.Delete && mine(p, row)
		},
		Exempt: func(op *core.Op) bool { // a Delete arrives as an Update; the kit still compares the stored records
			return op.Kind == core.Update && op.Records[0].Get("deleted_at").IsSet()
		},
	}
}

func TestGuard(t *testing.T) {
	policytest.Guard(t, func(testing.TB, *core.Model) core.Backend { return memory.New() }, guarded())
}

func TestNonInterference(t *testing.T) {
	g := guarded()
	g.Operations = 10_000
	policytest.NonInterference(t, func(testing.TB, *core.Model) core.Backend { return memory.New() }, g)
}

func TestDeletedRecordIsRestored(t *testing.T) {
	pg, err := postgres.Open(t.Context(), pgtest.URL(t), pgtest.Schema(t), postgres.Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	for name, backend := range map[string]core.Backend{
		"memory": memory.New(), "file": file.New(filepath.Join(t.TempDir(), "cookies.db"), file.Options{}), "postgres": pg,
	} {
		t.Run(name, func(t *testing.T) {
			store, err := core.New(t.Context(), model, backend, softDelete("deleted_at"))
			if err != nil {
				t.Fatal(err)
			}
			defer store.Close() //nolint:errcheck // nothing is left to save
			ctx, program, cookie := t.Context(), core.System(t.Context()), model.Resource("cookie")
			one, two := core.IntValue(1), core.IntValue(2)
			muffin, err := cookie.NewRecord(map[string]any{"type": "muffin"})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := store.Insert(ctx, cookie, muffin, muffin); err != nil {
				t.Fatal(err)
			}
			before := time.Now().Truncate(time.Microsecond)
			err = store.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
				return tx.Delete(ctx, cookie, one, two)
			})
			if n, counted := store.Count(ctx, cookie, core.All()); err != nil || n != 0 || counted != nil {
				t.Errorf("%d are left: %v, %v", n, err, counted)
			}
			if err := store.Delete(ctx, cookie, one); !errors.Is(err, core.NotFound) {
				t.Errorf("deleted again: %v", err)
			}
			kept, err := store.Get(program, cookie, one)
			if at := kept.Get("deleted_at").Time(); err != nil || kept.Get("type").Text() != "muffin" || at.Before(before) || at.After(time.Now()) {
				t.Errorf("kept is %v, %v", kept, err)
			}
			if err := restore(ctx, store, "cookie", "1"); err != nil {
				t.Error(err)
			}
			if back, err := store.Get(ctx, cookie, one); err != nil || back.Get("type").Text() != "muffin" {
				t.Errorf("back is %v, %v", back, err)
			}
			if err := store.Delete(program, cookie, two); err != nil {
				t.Error(err)
			}
			if n, err := store.Count(program, cookie, core.All()); n != 1 || err != nil {
				t.Errorf("the program deletes for good, and %d are left, %v", n, err)
			}
		})
	}
}

func TestRestoreOfAnAbsentRecord(t *testing.T) {
	store, err := core.New(t.Context(), model, memory.New(), softDelete("deleted_at"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{{"cookie", "7"}, {"pot", "1"}, {"cookie", "x"}} {
		if err := restore(t.Context(), store, c[0], c[1]); !errors.Is(err, core.NotFound) && !errors.Is(err, core.BadFieldValue) {
			t.Errorf("%v: %v", c, err)
		}
	}
}

func TestModelWithoutTheFieldIsRejected(t *testing.T) {
	for _, f := range []core.FieldSpec{{Name: "other", Type: core.Time, Hidden: true}, {Name: "deleted_at", Type: core.Time}, {Name: "deleted_at", Type: core.Int, Hidden: true}} {
		m := core.MustModel("m", core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, f}})
		_, err := core.New(t.Context(), m, memory.New(), softDelete("deleted_at"))
		if err == nil || !strings.Contains(err.Error(), `decorator "soft delete": resource "jar": needs a field "deleted_at"`) {
			t.Errorf("%+v: %v", f, err)
		}
	}
}
