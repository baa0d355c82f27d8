package stacks_test

import (
	"context"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
	"github.com/larder-go/larder/core/storetest/policytest"
	"github.com/larder-go/larder/decorators/access"
	"github.com/larder-go/larder/decorators/ownership"
)

// The pages of both packages list the errors that depend on hidden rows. This test has all of them.
func TestHiddenRowsShowInDocumentedErrorsOnly(t *testing.T) {
	type row = map[string]any
	data := seed.Data{
		"jar":    {1: row{"owner": 1, "label": "mine"}, 2: row{"owner": 2, "label": "hers"}},
		"cookie": {1: row{"owner": 1}, 2: row{"owner": 2, "jar": 1}},
		"lid":    {1: row{"owner": 1}, 2: row{"owner": 2, "jar": 2}},
	}
	me := core.WithPrincipal(t.Context(), &core.Principal{ID: core.IntValue(1), Roles: []string{"baker"}})
	for _, guard := range []core.Decorator{ownership.New("owner", ownership.Options{}), access.New(policy(), access.Options{})} {
		for _, c := range []struct {
			name string
			try  func(ctx context.Context, s *core.Store) error
			want string
		}{
			{"read a jar of another", func(ctx context.Context, s *core.Store) error {
				_, err := s.Get(ctx, s.Model().Resource("jar"), core.IntValue(2))
				return err
			}, `OBJECT_DOES_NOT_EXIST object_name="Jar" object_id=2`},
			{"point at a jar of another", changing("cookie", row{"id": 1, "jar": 2}), ""},
			{"point at an absent jar", changing("cookie", row{"id": 1, "jar": 9}), `OBJECT_DOES_NOT_EXIST object_name="Jar" object_id=9`},
			{"delete the target of a hidden cookie", func(ctx context.Context, s *core.Store) error {
				return s.Delete(ctx, s.Model().Resource("jar"), core.IntValue(1))
			}, `STILL_REFERENCED object_name="Jar" field_name="cookies"`},
			{"take the label of a hidden jar", changing("jar", row{"id": 1, "label": "hers"}), `CONFLICT object_name="Jar" field_name="Label"`},
			{"take a jar with a hidden lid", changing("lid", row{"id": 1, "jar": 2}), `CONFLICT object_name="lid" field_name="jar"`},
		} {
			store, err := core.New(t.Context(), policytest.OwnedModel(), memory.NewWith(data), guard)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if err := c.try(me, store); err != nil {
				got = core.AsError(err).Public()
			}
			if got != c.want {
				t.Errorf("%s: %s: got %s, want %s", guard.Name, c.name, got, c.want)
			}
			if err := store.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func changing(resource string, values map[string]any) func(ctx context.Context, s *core.Store) error {
	return func(ctx context.Context, s *core.Store) error {
		r := s.Model().Resource(resource)
		rec, err := r.NewRecord(values)
		if err != nil {
			return err
		}
		_, err = s.Update(ctx, r, rec)
		return err
	}
}
