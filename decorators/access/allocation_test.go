package access_test

import (
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/access"
)

func TestAGetUnderAConditionWithoutClaimsAllocatesNothingMore(t *testing.T) {
	policy := access.Policy{
		{Roles: []string{"baker"}, Resource: "bread", Operations: access.Read, Using: access.Eq("baker", access.PrincipalID())},
		{Roles: []string{"guest"}, Resource: "bread", Operations: access.Read, Using: access.Eq("on_sale", true)},
	}
	s := newScene(t, policy)
	allocations := func(p *core.Principal) float64 {
		ctx := s.as(p)
		return testing.AllocsPerRun(100, func() {
			if _, err := s.store.Get(ctx, s.bread, core.IntValue(1)); err != nil {
				t.Error(err)
			}
		})
	}
	if with, without := allocations(user(1, "guest")), allocations(core.PrincipalOf(core.System(t.Context()))); with > without {
		t.Errorf("%v allocations, %v without", with, without)
	}
}
