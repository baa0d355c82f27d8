package access_test

import (
	"context"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/access"
)

// bakery is the model of most tests.
func bakery() *core.Model {
	return core.MustModel("bakery",
		core.ResourceSpec{Name: "bread", APIName: "Bread", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "name", Type: core.Text, Searchable: true},
			{Name: "price", APIName: "Price", Type: core.Int},
			{Name: "recipe", Type: core.Text, Searchable: true},
			{Name: "on_sale", Type: core.Bool, Default: false},
			{Name: "baker", Type: core.Int},
			{Name: "notes", Type: core.JSON},
			{Name: "shop", ToOne: "shop"},
			{Name: "label", Type: core.Text, Computed: &core.Computed{Get: func(context.Context, core.Record) (any, error) { return "", nil }}},
		}},
		core.ResourceSpec{Name: "shop", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "city", Type: core.Text},
			{Name: "breads", ToMany: "bread", Inverse: "shop"},
		}},
	)
}

// fixture is a store with a policy and a few rows.
type fixture struct {
	*testing.T

	store *core.Store
	bread *core.Resource
	shop  *core.Resource
}

func newFixture(t *testing.T, policy access.Policy) fixture {
	t.Helper()
	m := bakery()
	store, err := core.New(t.Context(), m, memory.New(), access.New(policy, access.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	s := fixture{t, store, m.Resource("bread"), m.Resource("shop")}
	s.add(s.shop, map[string]any{"id": 1, "city": "Krakow"}, map[string]any{"id": 2, "city": "Gdansk"})
	s.add(s.bread,
		map[string]any{"id": 1, "name": "rye", "price": 5, "recipe": "secret 1", "on_sale": true, "baker": 1, "shop": 1},
		map[string]any{"id": 2, "name": "bun", "price": 1, "recipe": "secret 2", "on_sale": false, "baker": 1, "shop": 2},
		map[string]any{"id": 3, "name": "roll", "price": 2, "recipe": "secret 3", "on_sale": true, "baker": 2, "shop": 2},
		map[string]any{"id": 4, "name": "loaf", "price": 7, "on_sale": false})
	return s
}

func (s fixture) add(r *core.Resource, rows ...map[string]any) {
	s.Helper()
	for _, row := range rows {
		if _, err := s.store.Insert(core.System(s.Context()), r, s.record(r, row)); err != nil {
			s.Fatal(err)
		}
	}
}

func (s fixture) record(r *core.Resource, fields map[string]any) core.Record {
	s.Helper()
	rec, err := r.NewRecord(fields)
	if err != nil {
		s.Fatal(err)
	}
	return rec
}

// as returns a context with the principal.
func (s fixture) as(p *core.Principal) context.Context { return core.WithPrincipal(s.Context(), p) }

// stored returns a bread without the policy.
func (s fixture) stored(id int64) string {
	s.Helper()
	return result(s.store.Get(core.System(s.Context()), s.bread, core.IntValue(id)))
}

// list returns the breads that p reads with the query, one a line, or the error.
func (s fixture) list(p *core.Principal, q core.Query) string {
	page, err := s.store.Select(s.as(p), s.bread, q)
	if err != nil {
		return public(err)
	}
	return lines(page.Records)
}

func lines(records []core.Record) string {
	var b strings.Builder
	for _, rec := range records {
		b.WriteString(rec.String() + "\n")
	}
	return b.String()
}

func result(rec core.Record, err error) string {
	if err != nil {
		return public(err)
	}
	return rec.String()
}

// public returns the error that a client gets.
func public(err error) string { return core.AsError(err).Public() }

func user(id int64, roles ...string) *core.Principal {
	return &core.Principal{ID: core.IntValue(id), Roles: roles}
}

func (s fixture) is(what, got, want string) {
	s.Helper()
	if got != want {
		s.Errorf("%s: got\n%s\nwant\n%s", what, got, want)
	}
}
