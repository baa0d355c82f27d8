package access_test

import (
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/decorators/access"
)

func TestFilterByAToOne(t *testing.T) {
	unknown := `FIELD_DOES_NOT_EXIST object_name="Bread" field_name="shop"`
	bread := func(fields ...string) access.Rule {
		return access.Rule{Roles: []string{"guest"}, Resource: "bread", Operations: access.Read, Fields: fields}
	}
	shop := access.Rule{Roles: []string{"guest"}, Resource: "shop", Operations: access.Read}
	for name, c := range map[string]struct {
		policy access.Policy
		want   string
	}{
		"neither the field nor the target is readable": {access.Policy{bread("name")}, unknown},
		"the field is not readable":                    {access.Policy{bread("name"), shop}, unknown},
		"the target is not readable":                   {access.Policy{bread("name", "shop")}, `FORBIDDEN object_name="shop"`},
		"the list is not readable":                     {access.Policy{shop}, `FORBIDDEN object_name="Bread"`},
	} {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t, c.policy)
			for _, id := range []any{1, 7, nil, map[string]any{"ne": 1}} {
				_, err := engine.New(s.store, engine.Options{}).List(core.WithPrincipal(t.Context(), user(1, "guest")), "Bread",
					engine.Query{Filter: map[string]any{"shop": id}})
				s.is(name, public(err), c.want)
			}
		})
	}
}
