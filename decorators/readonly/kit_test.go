package readonly_test

import (
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/policytest"
	"github.com/larder-go/larder/decorators/readonly"
)

func TestReadOnlyIsEnforced(t *testing.T) {
	on, off := new(readonly.Switch), new(readonly.Switch)
	on.Set(true)
	everything := func(*core.Resource) bool { return true }
	for name, c := range map[string]struct {
		decorator core.Decorator
		readOnly  func(r *core.Resource) bool
	}{
		"store":     {readonly.New(readonly.Options{}), everything},
		"resources": {readonly.New(readonly.Options{Resources: []string{"jar", "page"}}), func(r *core.Resource) bool { return r.Name() == "jar" || r.Name() == "page" }},
		"switch on for resources": {
			readonly.New(readonly.Options{Resources: []string{"jar"}, Switch: on}), func(r *core.Resource) bool { return r.Name() == "jar" },
		},
		"switch on":  {readonly.New(readonly.Options{Switch: on}), everything},
		"switch off": {readonly.New(readonly.Options{Switch: off}), func(*core.Resource) bool { return false }},
	} {
		t.Run(name, func(t *testing.T) {
			policytest.Guard(t, func(testing.TB, *core.Model) core.Backend { return memory.New() }, policytest.PolicySpec{
				Stack:            func(testing.TB) policytest.Stack { return policytest.Stack{Decorators: []core.Decorator{c.decorator}} },
				CanRead:          func(*core.Principal, core.Record) bool { return true },
				Denies:           func(_ *core.Principal, kind core.Kind, r *core.Resource) bool { return kind.Writes() && c.readOnly(r) },
				IgnoresPrincipal: true,
				Thin:             3,
			})
		})
	}
}
