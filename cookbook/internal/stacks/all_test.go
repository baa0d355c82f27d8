package stacks_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.uber.org/zap"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
	"github.com/larder-go/larder/core/storetest/policytest"
	"github.com/larder-go/larder/decorators/access"
	"github.com/larder-go/larder/decorators/audit"
	"github.com/larder-go/larder/decorators/fault"
	"github.com/larder-go/larder/decorators/limit"
	"github.com/larder-go/larder/decorators/logging"
	"github.com/larder-go/larder/decorators/metrics"
	"github.com/larder-go/larder/decorators/ownership"
	"github.com/larder-go/larder/decorators/readonly"
	"github.com/larder-go/larder/decorators/softdelete"
	"github.com/larder-go/larder/decorators/stamp"
	"github.com/larder-go/larder/decorators/tracing"
)

const (
	deletedAt = "deleted_at" // field of softdelete
	entries   = "entry"      // resource of audit, which no principal may read: the kit of decorators/audit is about reading it
)

// kept is a model with the fields of all decorators: an owner, the time of the delete, and stamps.
func kept() *core.Model {
	own := func(fields ...core.FieldSpec) []core.FieldSpec {
		return append([]core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true}, {Name: "owner", Type: core.Int, Hidden: true}, {Name: deletedAt, Type: core.Time, Hidden: true},
			{Name: "created_at", Type: core.Time, ReadOnly: true}, {Name: "created_by", Type: core.Int, ReadOnly: true},
			{Name: "updated_at", Type: core.Time, ReadOnly: true}, {Name: "updated_by", Type: core.Int, ReadOnly: true},
		}, fields...)
	}
	living := core.Eq(deletedAt, nil)
	return core.MustModel("kept",
		core.ResourceSpec{
			Name: "jar", Fields: own(core.FieldSpec{Name: "label", Type: core.Text, Searchable: true}, core.FieldSpec{Name: "cookies", ToMany: "cookie", Inverse: "jar"}),
			Indexes: []core.Index{{Fields: []string{"label"}, Where: living, Unique: true}},
		},
		core.ResourceSpec{Name: "cookie", Fields: own(
			core.FieldSpec{Name: "kind", Type: core.Text, Searchable: true}, core.FieldSpec{Name: "jar", ToOne: "jar"},
			core.FieldSpec{Name: "crumbs", ToMany: "crumb", Inverse: "cookie"}, core.FieldSpec{Name: "pages", ToMany: "page", Through: "mention"},
		)},
		core.ResourceSpec{Name: "crumb", Fields: own(core.FieldSpec{Name: "cookie", ToOne: "cookie", OnDelete: core.Cascade})},
		core.ResourceSpec{Name: "page", Fields: own(core.FieldSpec{Name: "title", Type: core.Text}, core.FieldSpec{Name: "cookies", ToMany: "cookie", Through: "mention"})},
		core.ResourceSpec{
			Name: "mention", Fields: own(core.FieldSpec{Name: "page", ToOne: "page"}, core.FieldSpec{Name: "cookie", ToOne: "cookie"}),
			Indexes: []core.Index{{Fields: []string{"page", "cookie"}, Where: living, Unique: true}},
		},
		core.ResourceSpec{Name: sealed, Fields: own(core.FieldSpec{Name: "size", Type: core.Int})},
		audit.Resource(entries, "jar", "cookie", "crumb", "page"),
	)
}

// keptRows are rows of the principals 1 and 2 and without an owner, living and deleted ones.
func keptRows() seed.Data {
	type row = map[string]any
	const gone = "2026-01-01T00:00:00Z"
	return seed.Data{
		"jar": {1: row{"owner": 1, "label": "a"}, 2: row{"owner": 2, "label": "b"}, 3: row{"owner": 1, deletedAt: gone, "label": "c"}, 4: row{"owner": 2, deletedAt: gone}, 5: nil},
		"cookie": {
			1: row{"owner": 1, "kind": "x", "jar": 1}, 2: row{"owner": 2, "kind": "x", "jar": 2}, 3: row{"owner": 1, "kind": "y", "jar": 1, deletedAt: gone},
			4: row{"owner": 2, "kind": "y", "jar": 2, deletedAt: gone}, 5: row{"owner": 1, "jar": 3}, 6: row{"kind": "z", "jar": 2}, 7: row{"owner": 2, "jar": 4}, 8: row{"owner": 1, "kind": "z"},
		},
		"crumb": {
			1: row{"owner": 1, "cookie": 3, deletedAt: gone}, 2: row{"owner": 2, "cookie": 3, deletedAt: gone}, 3: row{"owner": 1, "cookie": 4, deletedAt: gone},
			4: row{"owner": 1, "cookie": 1}, 5: row{"owner": 2, "cookie": 2}, 6: row{"owner": 2, deletedAt: gone},
		},
		"page": {1: row{"owner": 1, "title": "x"}, 2: row{"owner": 2, "title": "x"}, 3: row{"title": "y"}, 4: row{"owner": 1, "title": "z"}},
		"mention": {
			1: row{"owner": 1, "page": 1, "cookie": 1}, 2: row{"owner": 2, "page": 2, "cookie": 2}, 3: row{"owner": 1, "page": 1, "cookie": 3, deletedAt: gone},
			4: row{"owner": 2, "page": 2, "cookie": 4, deletedAt: gone}, 5: row{"owner": 2, "page": 4, "cookie": 8, deletedAt: gone},
		},
		sealed: {1: row{"owner": 1, "size": 1}, 2: row{"owner": 2, "size": 1}, 3: row{"size": 2}},
	}
}

// times are the fields that the policy hides: two stores do not have the same times.
var times = []string{"created_at", "updated_at"}

// keptPolicy allows bakers every operation on their own records, without the times.
func keptPolicy() access.Policy {
	var p access.Policy
	for _, r := range kept().Resources() {
		if r.Name() == entries {
			continue
		}
		var fields []string
		for _, f := range r.Columns() {
			if !slices.Contains(times, f.Name()) {
				fields = append(fields, f.Name())
			}
		}
		own := access.Eq("owner", access.PrincipalID())
		p = append(p,
			access.Rule{Roles: []string{"baker"}, Resource: r.Name(), Operations: access.Read, Using: own, Fields: fields},
			access.Rule{
				Roles: []string{"baker"}, Resource: r.Name(), Using: own,
				Operations: access.Insert | access.Update | access.Delete | access.ChooseKey | access.Restore,
			})
	}
	return p
}

// catalogue returns every decorator of this project, in the recommended order. fault is around the backend.
func catalogue(logger *zap.Logger, registry prometheus.Registerer) []core.Decorator {
	const many = 1 << 40
	return []core.Decorator{
		tracing.New(trace.NewTracerProvider().Tracer("stacks"), tracing.Options{}),
		logging.New(logger, logging.Options{Slow: -1}),
		metrics.New(registry, metrics.Options{Buckets: []float64{}}),
		limit.New(limit.Rule{Name: "rate", Requests: many}, limit.Rule{Name: "places", Concurrent: 1000, Total: 1000}, limit.Rule{Name: "time", Time: time.Hour}),
		readonly.New(readonly.Options{Resources: []string{sealed}}),
		ownership.New("owner", ownership.Options{Shared: []string{entries}}),
		access.New(keptPolicy(), access.Options{}),
		softdelete.New(deletedAt, softdelete.Options{}),
		stamp.New(stamp.Options{Created: "created_at", CreatedBy: "created_by", Updated: "updated_at", UpdatedBy: "updated_by"}),
		audit.New(audit.Options{Resource: entries, DeletedAt: deletedAt}),
	}
}

// faulty returns a backend in fault, with a rule that applies to no operation.
func faulty(testing.TB, *core.Model) core.Backend {
	return fault.New(memory.New(), 1, fault.Rule{Kinds: []core.Kind{core.Tx}, Skip: 1 << 40, Err: core.ErrConflict})
}

// unrestricted lets the writes of the program pass as they are, as the kits demand.
func unrestricted() core.Decorator {
	return core.Decorator{Name: "unrestricted", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if op.Principal.IsSystem() {
				ctx = stamp.Unstamped(audit.AllowWrites(ctx))
			}
			return next(ctx, op)
		}, nil
	}}
}

// keptPromises is the specification of a stack of all decorators in an order of their indices.
func keptPromises(order []int) policytest.PolicySpec {
	return policytest.PolicySpec{
		Model: kept(), Rows: keptRows(), DeletedAt: deletedAt, SameReferences: true,
		Principals: []*core.Principal{{ID: core.IntValue(1), Roles: []string{"baker"}}, {ID: core.IntValue(2), Roles: []string{"baker"}}},
		CanRead: func(p *core.Principal, row core.Record) bool {
			return row.Resource().Name() != entries && p.ID.IsSet() && row.Get("owner") == p.ID
		},
		CanResultIn: func(p *core.Principal, _ core.Kind, row core.Record) bool {
			return row.Resource().Name() == entries || p.ID.IsSet() && row.Get("owner") == p.ID
		},
		CanReadField: func(_ *core.Principal, f *core.Field) bool {
			return !slices.Contains(times, f.Name())
		},
		Stack: func(testing.TB) policytest.Stack {
			return policytest.Stack{Decorators: append([]core.Decorator{unrestricted()}, inOrder(order, catalogue(zap.NewNop(), prometheus.NewRegistry()))...)}
		},
		Denies: func(_ *core.Principal, kind core.Kind, r *core.Resource) bool {
			return kind > core.Restore || kind.Writes() && r.Name() == sealed || r.Name() == entries
		},
		Exempt: func(op *core.Op) bool { // what effects ask for themselves, and the entries that audit writes
			return op.Principal.IsSystem() || op.Resource.Name() == entries
		},
	}
}

func inOrder[T any](order []int, all []T) []T {
	ordered := make([]T, len(order))
	for at, i := range order {
		ordered[at] = all[i]
	}
	return ordered
}
