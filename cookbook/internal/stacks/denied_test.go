package stacks_test

import (
	"fmt"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/policytest"
	"github.com/larder-go/larder/decorators/access"
	"github.com/larder-go/larder/decorators/logging"
	"github.com/larder-go/larder/decorators/ownership"
)

func TestLogOfDenialHasReasonWithoutPrincipal(t *testing.T) {
	const secretID = "mallory"
	for _, c := range []struct {
		decorator core.Decorator
		want      string
	}{
		{
			access.New(access.Policy{{Name: "bakers bake", Roles: []string{"baker"}, Resource: "jar", Operations: access.Delete}}, access.Options{}),
			"access: delete of jar is denied: rule 1 (bakers bake) is for baker",
		},
		{
			ownership.New("owner", ownership.Options{}),
			"ownership: jar.owner needs id of type int, which the principal lacks",
		},
	} {
		seen, lines := observer.New(zapcore.InfoLevel)
		store, err := core.New(t.Context(), policytest.OwnedModel(), memory.New(),
			logging.New(zap.New(seen), logging.Options{OmitPrincipal: true}), c.decorator)
		if err != nil {
			t.Fatal(err)
		}
		visitor := core.WithPrincipal(t.Context(), &core.Principal{ID: core.TextValue(secretID), Roles: []string{"visitor"}})
		if err := store.Delete(visitor, store.Model().Resource("jar"), core.IntValue(1)); err == nil {
			t.Fatal("was not denied")
		}
		for _, line := range lines.TakeAll() {
			said := line.ContextMap()
			if said["outcome"] != "denied" || said["cause"] != c.want {
				t.Errorf("got %v, want %s", said, c.want)
			}
			if delete(said, "duration"); strings.Contains(fmt.Sprint(said), secretID) {
				t.Errorf("%v names the principal", said)
			}
		}
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
