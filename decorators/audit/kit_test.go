package audit_test

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/larder-go/larder/backends/file"
	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/reference"
	"github.com/larder-go/larder/core/seed"
	"github.com/larder-go/larder/core/storetest"
	"github.com/larder-go/larder/core/storetest/policytest"
	"github.com/larder-go/larder/decorators/audit"
)

func inMemory(testing.TB, *core.Model) core.Backend { return memory.New() }

func inFile(tb testing.TB, _ *core.Model) core.Backend {
	return file.New(filepath.Join(tb.TempDir(), "audit.db"), file.Options{})
}

func inPostgres(tb testing.TB, m *core.Model) core.Backend {
	backend, err := postgres.Open(tb.Context(), pgtest.URL(tb), pgtest.Schema(tb), postgres.Options{Migrate: true})
	if err != nil {
		tb.Fatal(err)
	}
	return backend
}

var backends = map[string]storetest.Factory{"memory": inMemory, "file": inFile, "postgres": inPostgres}

// owned has jars and cookies with owners, and entries about them.
func owned() *core.Model {
	owner := core.FieldSpec{Name: "owner", Type: core.Int, Hidden: true}
	return core.MustModel("owned",
		core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true}, owner, {Name: "label", Type: core.Text}, {Name: "size", Type: core.Int},
			{Name: "cookies", ToMany: "cookie", Inverse: "jar"}, {Name: "entries", ToMany: "entry", Inverse: "jar", ReadOnly: true},
		}},
		core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true}, owner, {Name: "kind", Type: core.Text}, {Name: "jar", ToOne: "jar"},
		}},
		audit.Resource("entry", "jar", "cookie"),
	)
}

func ownedRows() seed.Data {
	type row = map[string]any
	at := "2026-11-30T12:00:00Z"
	entry := func(kind, record string, of string, id int, before, after row) row {
		fields := row{"at": at, "kind": kind, "record": record, of: id}
		if before != nil {
			fields["before"] = before
		}
		if after != nil {
			fields["after"] = after
		}
		return fields
	}
	return seed.Data{
		"jar": {
			1: row{"owner": 1, "label": "a", "size": 1}, 2: row{"owner": 2, "label": "A", "size": 1}, 3: row{"size": 2}, 4: row{"owner": 1, "label": "b"},
		},
		"cookie": {
			1: row{"owner": 1, "kind": "a", "jar": 1}, 2: row{"owner": 2, "kind": "a", "jar": 2}, 3: row{"kind": "b", "jar": 3},
			4: row{"owner": 1, "kind": "b", "jar": 2}, 5: row{"owner": 2, "kind": "b", "jar": 1},
		},
		"entry": {
			1: entry("created", "jar/1", "jar", 1, nil, row{"label": "x"}), 2: entry("updated", "jar/1", "jar", 1, row{"label": "x"}, row{"label": "a"}),
			3: entry("updated", "jar/2", "jar", 2, row{"size": 3}, row{"size": 1}), 4: entry("created", "cookie/1", "cookie", 1, nil, row{"kind": "a"}),
			5: entry("created", "cookie/5", "cookie", 5, nil, row{"kind": "b"}), 6: entry("deleted", "jar/9", "jar", 9, row{"label": "gone"}, nil),
			7: entry("updated", "cookie/3", "cookie", 3, row{"kind": "c"}, row{"kind": "b"}),
		},
	}
}

// owners is a policy: jars and cookies belong to their owner.
func owners() core.Decorator {
	return core.Decorator{Name: "owners", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			switch p := op.Principal; {
			case p == nil:
				return core.Result{}, core.Unauthorized
			case p.IsSystem() || op.Kind == core.Tx || op.Kind == core.NextID || op.Resource.Name() == "entry":
			default:
				op.Guard(op.Resource.Field("owner").Equals(p.ID))
			}
			return next(ctx, op)
		}, nil
	}}
}

// program lets the kit write entries as the program.
func program() core.Decorator {
	return core.Decorator{Name: "program", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if op.Principal.IsSystem() {
				ctx = audit.AllowWrites(ctx)
			}
			return next(ctx, op)
		}, nil
	}}
}

// settled makes entries independent of the clock and of changes of other principals, which take ids.
func settled() core.Decorator {
	return core.Decorator{
		Name: "settled", Kind: core.KindEffect, KnowsRelated: true, InsidePolicies: true, Inside: []string{"audit"},
		Wrap: func(m *core.Model, next core.Handler) (core.Handler, error) {
			entry := m.Resource("entry")
			var mu sync.Mutex
			last := make(map[core.Value]int64)
			return func(ctx context.Context, op *core.Op) (core.Result, error) {
				if op.Kind != core.Insert || op.Resource != entry || op.Principal.IsSystem() || op.Requested != nil {
					return next(ctx, op)
				}
				mu.Lock()
				defer mu.Unlock()
				records := make([]core.Record, len(op.Records))
				for i, rec := range op.Records {
					last[op.Principal.ID]++
					records[i] = rec.Set(entry.Key(), core.IntValue(op.Principal.ID.Int()*100_000+last[op.Principal.ID])).
						Set(entry.Field("at"), core.TimeValue(time.Unix(0, 0)))
				}
				op.Records = records
				return next(ctx, op)
			}, nil
		},
	}
}

// reads is the oracle of the kit: owners read their jars and cookies, and the entries of these. A reader of deleted records also
// reads entries of records that do not exist.
func reads(readsDeleted bool) func(all reference.Records) policytest.Decisions {
	return func(all reference.Records) policytest.Decisions {
		owns := func(p *core.Principal, row core.Record) bool {
			return p != nil && p.ID.IsSet() && row.Get("owner") == p.ID
		}
		return policytest.Decisions{CanRead: func(p *core.Principal, row core.Record) bool {
			if row.Resource().Name() != "entry" {
				return owns(p, row)
			}
			for _, name := range []string{"jar", "cookie"} {
				key := row.Get(name)
				if !key.IsSet() {
					continue
				}
				exists := false
				for rec := range all(row.Resource().Model().Resource(name)) {
					if rec.Key() == key {
						exists = true
						if owns(p, rec) {
							return true
						}
					}
				}
				if !exists && readsDeleted && p != nil && p.ID.Type() == core.Int {
					return true
				}
			}
			return false
		}}
	}
}

func spec(readsDeleted bool, decorators ...core.Decorator) policytest.PolicySpec {
	return policytest.PolicySpec{
		Model: owned(), Rows: ownedRows(), Decide: reads(readsDeleted),
		Principals: []*core.Principal{{ID: core.IntValue(1)}, {ID: core.IntValue(2)}},
		Stack:      func(testing.TB) policytest.Stack { return policytest.Stack{Decorators: decorators} },
		Denies: func(p *core.Principal, kind core.Kind, r *core.Resource) bool {
			return r.Name() == "entry" && kind.Writes() && !p.IsSystem()
		},
		Refuses: func(f *core.Field) bool { return f.String() == "entry.before" || f.String() == "entry.after" },
		Exempt: func(op *core.Op) bool { // the insert of entries, and the question which records exist for everyone
			return op.Resource.Name() == "entry" && op.Kind == core.Insert && op.Requested == nil || op.Kind == core.Visibility && op.Principal.IsSystem()
		},
	}
}

func trail(o audit.Options) core.Decorator {
	o.Resource = "entry"
	return audit.New(o)
}

func someone(p *core.Principal, _ *core.Resource) bool { return p != nil && p.ID.Type() == core.Int }

func TestAuditCannotBeBypassed(t *testing.T) {
	for name, open := range backends {
		t.Run(name, func(t *testing.T) {
			if name != "file" { // a server that starts would hold its lock for a moment
				t.Parallel()
			}
			s := spec(false, program(), owners(), trail(audit.Options{}))
			s.Thin = map[string]int{"memory": 15, "file": 150, "postgres": 1000}[name]
			policytest.Guard(t, open, s)
		})
	}
}

func TestAuditWithDeletedRecordsCannotBeBypassed(t *testing.T) {
	s := spec(true, program(), owners(), trail(audit.Options{ReadsDeleted: someone}))
	s.Thin = 20
	policytest.Guard(t, inMemory, s)
}

func TestAuditRevealsNothingHidden(t *testing.T) {
	for name, open := range backends {
		t.Run(name, func(t *testing.T) {
			if name != "file" { // a server that starts would hold its lock for a moment
				t.Parallel()
			}
			s := spec(false, program(), owners(), trail(audit.Options{}), settled())
			s.Operations = map[string]int{"memory": 3_000, "file": 200, "postgres": 50}[name]
			s.SameReferences = true // an entry stores the hidden target of a relation that its owner has replaced, and shows null
			policytest.NonInterference(t, open, s)
		})
	}
}
