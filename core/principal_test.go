package core_test

import (
	"testing"

	"github.com/larder-go/larder/core"
)

func TestNobodyHasNoRoleAndIsNotTheSystem(t *testing.T) {
	var nobody *core.Principal
	alice := &core.Principal{ID: core.TextValue("alice"), Roles: []string{"baker"}}
	system := core.PrincipalOf(core.System(t.Context()))
	for _, c := range []struct {
		who    *core.Principal
		name   string
		baker  bool
		system bool
	}{
		{nobody, "nobody", false, false}, {alice, "alice", true, false}, {system, "system", false, true},
	} {
		if c.who.String() != c.name || c.who.HasRole("baker") != c.baker || c.who.HasRole("") || c.who.IsSystem() != c.system {
			t.Errorf("%s", c.who)
		}
	}
}

func TestPrincipalOfAContextIsTheLastOneThatWasSet(t *testing.T) {
	alice, bob := &core.Principal{ID: core.IntValue(1)}, &core.Principal{ID: core.TextValue("1")}
	ctx := core.WithPrincipal(t.Context(), alice)
	if core.PrincipalOf(t.Context()) != nil || core.PrincipalOf(ctx) != alice || alice.ID == bob.ID {
		t.Error("not as set")
	}
	if inner := core.WithPrincipal(ctx, bob); core.PrincipalOf(inner) != bob || core.PrincipalOf(ctx) != alice {
		t.Error("an inner context changed the outer one")
	}
	if core.PrincipalOf(core.WithPrincipal(ctx, nil)) != nil {
		t.Error("nobody is somebody")
	}
}
