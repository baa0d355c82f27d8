package limit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/larder-go/larder/core"
)

// Anonymous is the role of callers without a principal.
const Anonymous = "anonymous"

// Rule limits some callers. It needs at least one of Requests, Concurrent, Total and Time.
type Rule struct {
	// Name identifies the rule in errors and headers. It is printable ASCII without quotes and backslashes, and differs from
	// those of other rules.
	Name string
	// Roles of the callers that the rule concerns, [Anonymous] for those without a principal. nil means all callers.
	Roles []string
	// Kinds of operations that the rule counts, in transactions too. nil means requests: each transaction, and each operation
	// outside of one.
	Kinds []core.Kind
	// Key returns the key whose quota an operation uses; nil means [ByPrincipal]. It must be safe for concurrent use. The
	// principal is nil for an anonymous caller.
	Key func(ctx context.Context, p *core.Principal) core.Value

	// Requests is the number of operations that a key has in each Window. 0 means no limit of the rate.
	Requests int
	// Window is a whole number of seconds. 0 means one second.
	Window time.Duration
	// Keys is the greatest number of keys with a quota of their own. 0 means 10,000.
	Keys int

	// Concurrent is the number of requests of one key that may run at once. 0 means no limit. The rule must have no Kinds.
	Concurrent int
	// Total is the number of requests of all keys of the rule that may run at once. 0 means no limit. The rule must have no
	// Kinds.
	Total int
	// Wait is the longest time that a request waits for a place. 0 means that it does not wait.
	Wait time.Duration

	// Time is the longest time that one counted operation may take, without the wait for a place. 0 means no limit.
	Time time.Duration
}

const defaultKeys = 10_000

// ByPrincipal returns the id of the principal, and null for an anonymous caller.
func ByPrincipal(_ context.Context, p *core.Principal) core.Value {
	if p == nil {
		return core.Null
	}
	return p.ID
}

// Everyone returns the same key for all callers.
func Everyone(context.Context, *core.Principal) core.Value { return core.Null }

// ByClaim returns a function for the key of callers with the same claim, such as the tenant. The claim must be a string; callers
// without it share one key.
func ByClaim(name string) func(context.Context, *core.Principal) core.Value {
	return func(_ context.Context, p *core.Principal) core.Value {
		if p == nil {
			return core.Null
		}
		claim, ok := p.Claims[name].(string)
		if !ok {
			return core.Null
		}
		return core.TextValue(claim)
	}
}

func (r Rule) check() error {
	unprintable := func(c rune) bool { return c < ' ' || c > '~' || c == '"' || c == '\\' }
	switch {
	case r.Name == "":
		return errors.New("option Name: is empty; name the rule for errors and headers, such as \"writes\"")
	case strings.ContainsFunc(r.Name, unprintable):
		return errors.New("option Name: use printable ASCII without quotes and backslashes")
	case r.Requests < 0 || r.Window < 0 || r.Keys < 0 || r.Concurrent < 0 || r.Total < 0 || r.Wait < 0 || r.Time < 0:
		return errors.New("numbers and times must not be negative")
	case r.Requests == 0 && r.Concurrent == 0 && r.Total == 0 && r.Time == 0:
		return errors.New("limits nothing; set Requests, Concurrent, Total or Time")
	case r.Window%time.Second != 0:
		return fmt.Errorf("option Window: %s is no whole number of seconds", r.Window)
	case r.Roles != nil && len(r.Roles) == 0 || r.Kinds != nil && len(r.Kinds) == 0:
		return errors.New("an empty list selects no request; use nil for all")
	case r.Kinds != nil && (r.Concurrent > 0 || r.Total > 0):
		return errors.New("options Concurrent and Total count requests; remove Kinds")
	}
	for _, k := range r.Kinds {
		if !slices.Contains(core.Kinds(), k) {
			return fmt.Errorf("option Kinds: there is no operation of the kind %s; use the kinds of core.Kinds", k)
		}
	}
	return nil
}

// concerns reports whether the rule counts the op. nested means that the op belongs to a request that runs.
func (r Rule) concerns(op *core.Op, nested bool) bool {
	if r.Kinds == nil && nested || r.Kinds != nil && !slices.Contains(r.Kinds, op.Kind) {
		return false
	}
	return r.Roles == nil || slices.ContainsFunc(r.Roles, func(role string) bool {
		return op.Principal.HasRole(role) || role == Anonymous && op.Principal == nil
	})
}
