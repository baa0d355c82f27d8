package stamp_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/backends/file"
	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
	"github.com/larder-go/larder/core/storetest/policytest"
	"github.com/larder-go/larder/decorators/ownership"
	"github.com/larder-go/larder/decorators/stamp"
)

func inMemory(testing.TB, *core.Model) core.Backend { return memory.New() }

// backends are the backends of this module.
var backends = map[string]storetest.Factory{
	"memory": inMemory,
	"file": func(tb testing.TB, _ *core.Model) core.Backend {
		return file.New(filepath.Join(tb.TempDir(), "stamp.db"), file.Options{})
	},
	"postgres": func(tb testing.TB, _ *core.Model) core.Backend {
		backend, err := postgres.Open(tb.Context(), pgtest.URL(tb), pgtest.Schema(tb), postgres.Options{Migrate: true})
		if err != nil {
			tb.Fatal(err)
		}
		return backend
	},
}

// stampedFields are the fields that each resource of the kits has besides its own.
var stampedFields = []core.FieldSpec{
	{Name: "created_at", Type: core.Time, ReadOnly: true}, {Name: "created_by", Type: core.Int, ReadOnly: true},
	{Name: "updated_at", Type: core.Time, ReadOnly: true}, {Name: "updated_by", Type: core.Int, ReadOnly: true},
	{Name: "request", Type: core.Text, ReadOnly: true},
}

var all = stamp.Options{
	Created: "created_at", CreatedBy: "created_by", Updated: "updated_at", UpdatedBy: "updated_by",
	Request: "request",
}

// stamped returns a stack of the kits. The clock stands still during an operation and what it brings with it, and has the same
// time in both worlds of a program.
func stamped(opts stamp.Options) func(testing.TB) policytest.Stack {
	return func(testing.TB) policytest.Stack {
		begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		operations := 0
		clock := func(*core.Op) time.Time { return begin.Add(time.Duration(operations) * time.Second) }
		return policytest.Stack{
			Decorators: []core.Decorator{ownership.New("owner", ownership.Options{}), stamp.NewWithClock(opts, clock)},
			Observe:    func() string { operations++; return "" },
		}
	}
}

// unstamped lets the writes of the program pass as they are, as the kit demands.
func unstamped() core.Decorator {
	return core.Decorator{Name: "unstamped", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) { return next(stamp.Unstamped(ctx), op) }, nil
	}}
}

func TestGuardsHoldOutsideStamps(t *testing.T) {
	touching := all
	touching.Touch = map[string][]string{"cookie": {"jar"}, "mention": {"page", "cookie"}, "page": {"parent"}}
	for name, open := range backends {
		for i, opts := range []stamp.Options{all, touching} {
			spec := policytest.PolicySpec{
				Fields: stampedFields, Thin: 20 * (i + 1),
				Stack: func(testing.TB) policytest.Stack {
					return policytest.Stack{Decorators: []core.Decorator{unstamped(), ownership.New("owner", ownership.Options{}), stamp.New(opts)}}
				},
				Exempt: func(op *core.Op) bool { return op.Principal.IsSystem() }, // the touch of a related record
			}
			if name != "memory" {
				spec.Thin *= 40
			}
			for _, c := range policytest.GuardCases() {
				switch {
				case i == 1 && (c.Name == "writes change allowed rows only" || name != "memory"):
					continue // a touch changes others, too
				case name != "memory" && !strings.Contains(c.Name, "guarded by") && !strings.HasPrefix(c.Name, "writes"):
					continue // other rules concern ops that the decorator passes on
				}
				t.Run(fmt.Sprint(name, "/", c.Name, "/touching ", i == 1), func(t *testing.T) { c.Check(t, open, spec) })
			}
		}
	}
}

func TestStampsRevealNoHiddenRows(t *testing.T) {
	for name, operations := range map[string]int{"memory": 2_000, "file": 60, "postgres": 40} {
		t.Run(name, func(t *testing.T) {
			policytest.NonInterference(t, backends[name], policytest.PolicySpec{
				Fields: stampedFields, Operations: operations, Stack: stamped(all), SameReferences: true,
			})
		})
	}
}

func TestStampsOnEachBackend(t *testing.T) {
	for name, open := range backends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onBackend := func(tb testing.TB) core.Backend { return open(tb, tracker) }
			for promise, wrong := range violations(t, onBackend, func() core.Decorator { return stamp.New(ofTracker) }) {
				t.Errorf("%s:\n%s", promise, strings.Join(wrong, "\n"))
			}
		})
	}
}
