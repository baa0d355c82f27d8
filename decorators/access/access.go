package access

import (
	"fmt"

	"github.com/larder-go/larder/core"
)

// Options are the settings of the decorator. There are none yet; the zero value is the one to use.
type Options struct{}

// New returns the decorator that enforces the policy. The caller must not change the policy afterwards.
//
// [core.New] compiles the policy for the store's model, as [Policy.Compile] does, and fails with every mistake in it.
func New(policy Policy, _ Options) core.Decorator {
	return core.Decorator{
		Name: "access",
		Note: fmt.Sprintf("%d rules, everything else is denied", len(policy)),
		Kind: core.KindPolicy,
		Wrap: func(m *core.Model, next core.Handler) (core.Handler, error) {
			c, err := policy.Compile(m)
			if err != nil {
				return nil, err
			}
			return c.around(next), nil
		},
	}
}
