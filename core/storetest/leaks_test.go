package storetest_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
)

// leak is a stack of decorators that can be got round.
type leak struct {
	name       string
	caught     []string // by these rules of Guard
	interferes string   // and by this part of NonInterference, store or engine; "" if there is nothing to see
	guarded    func() storetest.Guarded
}

// handle is what a decorator does with the op of a principal.
type handle func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error)

// policy is a decorator that refuses nobody, lets the program pass, and has handle
// do the rest.
func policy(do handle) core.Decorator {
	return everywhere(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		switch p := op.Principal; {
		case p == nil || !p.IsSystem() && !p.ID.IsSet():
			return core.Result{}, core.Unauthorized
		case p.IsSystem() || op.Kind == core.Tx:
			return next(ctx, op)
		}
		return do(ctx, op, next)
	})
}

// everywhere is a decorator that has handle do everything.
func everywhere(do handle) core.Decorator {
	return layered("leaky", core.Policy, do)
}

func layered(name string, layer core.Layer, do handle) core.Decorator {
	return core.Decorator{Name: name, Layer: layer, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) { return do(ctx, op, next) }, nil
	}}
}

// leaky returns the settings of a policy that keeps no state.
func leaky(do handle) func() storetest.Guarded {
	return func() storetest.Guarded { return stack(policy(do)) }
}

// unless returns a policy that guards ops but those.
func unless(forgets func(op *core.Op) bool) func() storetest.Guarded {
	return leaky(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if !forgets(op) {
			own(op)
		}
		return next(ctx, op)
	})
}

func mine(op *core.Op) core.Filter {
	return op.Resource.Field("owner").Compare(core.FilterEq, op.Principal.ID)
}

var leaks = slices.Concat(forgetfulLeaks, tellingLeaks, identityLeaks, sharingLeaks)

// forgetfulLeaks guard some operations and forget others.
var forgetfulLeaks = []leak{
	{
		name:       "guards only Select",
		caught:     []string{"reads meet what is seen", "reads return what is seen", "updates meet what may be changed", "deletes meet what may be deleted"},
		interferes: "store",
		guarded:    unless(func(op *core.Op) bool { return op.Kind != core.Select && op.Kind != core.Insert }),
	},
	{
		name: "guards only outside of transactions",
		caught: []string{
			"reads meet what is seen", "reads return what is seen", "hidden is told from absent by nothing", "updates leave what may be left",
		},
		interferes: "engine",
		guarded:    unless(func(op *core.Op) bool { return op.Tx != nil }),
	},
	{
		name:       "forgets Count",
		caught:     []string{"reads meet what is seen", "reads return what is seen"},
		interferes: "store",
		guarded:    unless(func(op *core.Op) bool { return op.Kind == core.Count }),
	},
	{
		name:   "forgets Check on Update",
		caught: []string{"updates leave what may be left", "writes touch what may be touched"},
		guarded: leaky(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			if op.Kind == core.Update {
				op.Using = core.And(op.Using, mine(op))
				return next(ctx, op)
			}
			own(op)
			return next(ctx, op)
		}),
	},
	{
		name:       "forgets Using on Delete",
		caught:     []string{"deletes meet what may be deleted", "writes touch what may be touched", "hidden is told from absent by nothing"},
		interferes: "store",
		guarded:    unless(func(op *core.Op) bool { return op.Kind == core.Delete }),
	},
	{
		name:       "stamps on insert and does not guard updates",
		caught:     []string{"updates meet what may be changed", "updates leave what may be left", "writes touch what may be touched"},
		interferes: "store",
		guarded:    unless(func(op *core.Op) bool { return op.Kind == core.Update }),
	},
	{
		name:   "takes the owner of an inserted row from the client",
		caught: []string{"inserts leave what may be left", "writes touch what may be touched"},
		guarded: leaky(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			if op.Kind != core.Insert {
				own(op)
			}
			return next(ctx, op)
		}),
	},
	{
		name:       "drops the guard when there is a limit",
		caught:     []string{"reads meet what is seen", "pages are full"},
		interferes: "store",
		guarded:    unless(func(op *core.Op) bool { return op.Limit > 0 }),
	},
	{
		name:       "drops the guard when a page is continued",
		caught:     []string{"pages are full"},
		interferes: "store",
		guarded:    unless(func(op *core.Op) bool { return op.After != nil }),
	},
	{
		name:       "drops the guard when several are loaded, as relations are",
		caught:     []string{"reads meet what is seen", "reads return what is seen"},
		interferes: "engine",
		guarded:    unless(func(op *core.Op) bool { return op.Kind == core.Load && len(op.Keys) > 1 }),
	},
	{
		name:    "drops the guard when an operation is repeated",
		caught:  []string{"what is repeated is guarded again"},
		guarded: unless(func(op *core.Op) bool { return op.Attempt() > 1 }),
	},
	{
		name:   "takes what fails further in for done",
		caught: []string{"failures get through"},
		guarded: leaky(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			own(op)
			res, err := next(ctx, op)
			if errors.Is(err, core.ServerError) {
				err = nil
			}
			return res, err
		}),
	},
	{
		name:       "forgets one resource",
		caught:     []string{"reads meet what is seen", "writes touch what may be touched"},
		interferes: "engine",
		guarded:    unless(func(op *core.Op) bool { return op.Resource.Name() == "crumb" && op.Kind != core.Insert }),
	},
	{
		name:       "hides rows and does not say that it is a policy", // so that an engine trusts what relations lead to
		interferes: "engine",
		guarded: func() storetest.Guarded {
			honest := owning()
			honest.Layer = core.Answer
			return stack(honest)
		},
	},
	{
		name:   "puts the guard where the caller's condition is",
		caught: []string{"reads meet what is seen", "updates meet what may be changed", "deletes meet what may be deleted"},
		guarded: leaky(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			if op.Kind == core.Insert {
				own(op)
			}
			op.Where = core.And(op.Where, mine(op))
			return next(ctx, op)
		}),
	},
	{
		name:   "lets kinds pass that it does not know",
		caught: []string{"a kind that nobody knows is guarded"},
		guarded: leaky(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			if slices.Contains(core.Kinds(), op.Kind) {
				own(op)
			}
			return next(ctx, op)
		}),
	},
	{
		name:   "refuses everything",
		caught: []string{"what is allowed gets through"},
		guarded: leaky(func(_ context.Context, op *core.Op, _ core.Handler) (core.Result, error) {
			return core.Result{}, op.Resource.Forbidden()
		}),
	},
	{
		name:   "refuses to read what is there",
		caught: []string{"reads return what is seen", "pages are full"},
		guarded: leaky(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			own(op)
			if op.Kind == core.Select && op.Resource.Name() == "jar" {
				return core.Result{}, op.Resource.Forbidden()
			}
			return next(ctx, op)
		}),
	},
}

// tellingLeaks guard what is done, and tell of what is there.
var tellingLeaks = []leak{
	{
		name:       "filters the page after it was read",
		caught:     []string{"reads meet what is seen", "reads return what is seen", "pages are full"},
		interferes: "store",
		guarded: leaky(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			if op.Kind != core.Select {
				own(op)
				return next(ctx, op)
			}
			op.Fields = nil
			guard := mine(op)
			res, err := next(ctx, op)
			more := res.More()
			res.Records = slices.DeleteFunc(res.Records, func(rec core.Record) bool { return !guard.Match(rec) })
			if res.Count = 0; more {
				res.Count = len(res.Records) + 1
			}
			return res, err
		}),
	},
	{
		name:       "forbids a foreign row and does not find an absent one",
		caught:     []string{"hidden is told from absent by nothing"},
		interferes: "store",
		guarded: func() storetest.Guarded {
			g := stack(policy(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
				look := peek(ctx, op, next)
				own(op)
				res, err := next(ctx, op)
				if errors.Is(err, core.NotFound) && len(look) == len(op.Keys) {
					err = op.Resource.Forbidden()
				}
				return res, err
			}))
			g.Exempt = isPeek // were it not judged by what arrives
			return g
		},
	},
	{
		name:       "names the owner in an error",
		caught:     []string{"hidden is told from absent by nothing"},
		interferes: "store",
		guarded: func() storetest.Guarded {
			g := stack(policy(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
				look := peek(ctx, op, next)
				own(op)
				res, err := next(ctx, op)
				if errors.Is(err, core.NotFound) && len(look) > 0 {
					err = &core.Error{Code: core.NotFound, Resource: op.Resource.External(), Key: op.Keys[0], Message: "belongs to " + look[0].Get("owner").String()}
				}
				return res, err
			}))
			g.Exempt = isPeek
			return g
		},
	},
	{
		name:   "looks first and acts afterwards",
		caught: []string{"updates meet what may be changed", "deletes meet what may be deleted", "reads meet what is seen"},
		guarded: leaky(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			if op.Kind != core.Update && op.Kind != core.Delete {
				own(op)
				return next(ctx, op)
			}
			for _, row := range peek(ctx, op, next) {
				if row.Get("owner") != op.Principal.ID {
					return core.Result{}, op.Resource.NotFound(row.Key())
				}
			}
			op.Check = core.And(op.Check, mine(op))
			return next(ctx, op)
		}),
	},
	{
		name:   "makes further ops without a guard",
		caught: []string{"reads meet what is seen"},
		guarded: leaky(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			own(op)
			if op.Kind == core.Count {
				if _, err := next(ctx, op.Further(core.Select, op.Resource)); err != nil {
					return core.Result{}, err
				}
			}
			return next(ctx, op)
		}),
	},
	{
		name:       "hands out ids by counting rows",
		interferes: "store",
		caught:     []string{"reads meet what is seen"},
		guarded: leaky(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			own(op)
			if op.Kind != core.NextID || op.Resource.Key().Type() != core.Int {
				return next(ctx, op)
			}
			all, err := next(ctx, op.Further(core.Count, op.Resource))
			if err != nil {
				return core.Result{}, err
			}
			var res core.Result
			for i := range op.N {
				empty := op.Resource.RecordOf(make([]core.Value, len(op.Resource.Columns())))
				res.Records = append(res.Records, empty.With(op.Resource.Key().Column(), core.IntValue(int64(9_000_000+all.Count+i))))
			}
			return res, nil
		}),
	},
	{
		name:   "makes room for an insert",
		caught: []string{"deletes meet what may be deleted", "writes touch what may be touched"},
		guarded: leaky(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			own(op)
			if op.Kind == core.Insert && !op.Records[0].Key().IsAbsent() {
				before := op.Further(core.Delete, op.Resource)
				before.Keys = []core.Value{op.Records[0].Key()}
				_, _ = next(ctx, before)
			}
			return next(ctx, op)
		}),
	},
	{
		name:       "hides a field and sorts by it",
		caught:     []string{"fields that are not read stay unknown"},
		interferes: "store",
		guarded:    func() storetest.Guarded { return unread(func(*core.Op) error { return nil }) },
	},
	{
		name:       "hides a field and filters by it",
		caught:     []string{"fields that are not read stay unknown"},
		interferes: "store",
		guarded: func() storetest.Guarded {
			return unread(func(op *core.Op) error {
				for _, o := range op.Order {
					if o.Field.Name() == "size" {
						return op.Resource.Forbidden()
					}
				}
				return nil
			})
		},
	},
}

// peek reads the rows that an op is about, whoever owns them.
func peek(ctx context.Context, op *core.Op, next core.Handler) []core.Record {
	if op.Kind != core.Update && op.Kind != core.Delete {
		return nil
	}
	look := op.Further(core.Load, op.Resource)
	look.Keys = op.Keys
	res, _ := next(ctx, look)
	return res.Records
}

func isPeek(op *core.Op) bool { return op.Kind == core.Load && op.Using.Kind() == core.FilterAll }

// unread returns settings where nobody but the program reads the size of a jar: a
// policy that takes it out of results, after a look at the op.
func unread(look func(op *core.Op) error) storetest.Guarded {
	g := stack(policy(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		own(op)
		size := op.Resource.Field("size")
		if size == nil {
			return next(ctx, op)
		}
		if err := look(op); err != nil {
			return core.Result{}, err
		}
		res, err := next(ctx, op)
		if len(op.Order) > 0 && op.Order[0].Field == size && res.More() {
			res.Count = 0 // there is no cursor without it
		}
		for i, rec := range res.Records {
			res.Records[i] = rec.With(size.Column(), core.Value{})
		}
		return res, err
	}))
	g.Reads = func(_ *core.Principal, f *core.Field) bool { return f.String() != "jar.size" }
	return g
}

// identityLeaks are wrong about who somebody is.
var identityLeaks = []leak{
	{
		name:   "compares owners by their spelling",
		caught: []string{"an id of no type or of another is nobody's"},
		guarded: leaky(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			owner := op.Resource.Field("owner")
			id, err := owner.Type().Convert(op.Principal.ID.String())
			if err != nil {
				return core.Result{}, op.Resource.Forbidden()
			}
			p := *op.Principal
			p.ID = id
			if op.Kind == core.Insert {
				op.Records = stamped(op.Records, owner, id)
			}
			op.Guard(owner.Compare(core.FilterEq, id))
			return next(ctx, op)
		}),
	},
	{
		name:   "shows the rows of nobody to whom has no id",
		caught: []string{"an id of no type or of another is nobody's"},
		guarded: func() storetest.Guarded {
			return stack(everywhere(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
				switch p := op.Principal; {
				case p == nil:
					return core.Result{}, core.Unauthorized
				case p.IsSystem() || op.Kind == core.Tx:
					return next(ctx, op)
				case !p.ID.IsSet():
					op.Guard(op.Resource.Field("owner").Compare(core.FilterEq, core.Null))
					return next(ctx, op)
				}
				own(op)
				return next(ctx, op)
			}))
		},
	},
	{
		name:   "lets nobody read",
		caught: []string{"nobody is refused"},
		guarded: func() storetest.Guarded {
			return stack(everywhere(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
				switch p := op.Principal; {
				case p == nil && !op.Writes():
					return next(ctx, op)
				case p == nil || !p.IsSystem() && !p.ID.IsSet():
					return core.Result{}, core.Unauthorized
				case p.IsSystem() || op.Kind == core.Tx:
					return next(ctx, op)
				}
				own(op)
				return next(ctx, op)
			}))
		},
	},
	{
		name:   "lets nobody begin a transaction", // after which a REST face answers nobody about the model
		caught: []string{"nobody is refused"},
		guarded: func() storetest.Guarded {
			honest := policy(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
				own(op)
				return next(ctx, op)
			})
			return stack(core.Decorator{Name: "leaky", Layer: core.Policy, Wrap: func(m *core.Model, next core.Handler) (core.Handler, error) {
				guarded, err := honest.Wrap(m, next)
				return func(ctx context.Context, op *core.Op) (core.Result, error) {
					if op.Kind == core.Tx {
						return next(ctx, op)
					}
					return guarded(ctx, op)
				}, err
			}})
		},
	},
	{
		name:   "forbids nobody instead of asking for a principal",
		caught: []string{"nobody is refused"},
		guarded: func() storetest.Guarded {
			honest := owning()
			return stack(layered("polite", core.Policy, func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
				if op.Principal == nil {
					return core.Result{}, core.Forbidden
				}
				return next(ctx, op)
			}), honest)
		},
	},
	{
		name:   "guards the program's operations too",
		caught: []string{"the program meets everything"},
		guarded: func() storetest.Guarded {
			return stack(everywhere(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
				switch p := op.Principal; {
				case p == nil || !p.IsSystem() && !p.ID.IsSet():
					return core.Result{}, core.Unauthorized
				case op.Kind == core.Tx || p.IsSystem() && op.Kind != core.Delete:
					return next(ctx, op)
				}
				own(op)
				return next(ctx, op)
			}))
		},
	},
	{
		name:   "has the program do what a principal asks",
		caught: []string{"reads meet what is seen", "reads return what is seen"},
		guarded: leaky(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
			if op.Kind == core.Count {
				op.Principal = core.PrincipalOf(core.System(ctx))
				return next(ctx, op)
			}
			own(op)
			return next(ctx, op)
		}),
	},
	{
		name:   "asks whose the transaction is",
		caught: []string{"an op is for whoever sent it", "reads meet what is seen"},
		guarded: func() storetest.Guarded {
			var owners sync.Map
			return stack(everywhere(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
				if op.Principal == nil {
					return core.Result{}, core.Unauthorized
				}
				if op.Kind == core.Tx {
					owners.Store(op.Tx, op.Principal)
					return next(ctx, op)
				}
				if p, ok := owners.Load(op.Tx); ok {
					op.Principal = p.(*core.Principal)
				}
				if op.Principal.IsSystem() {
					return next(ctx, op)
				}
				own(op)
				return next(ctx, op)
			}))
		},
	},
	{
		name:   "remembers the last principal",
		caught: []string{"an op is for whoever sent it", "reads meet what is seen", "reads return what is seen"},
		guarded: func() storetest.Guarded {
			var mu sync.Mutex
			last := make(map[*core.Resource]*core.Principal)
			return stack(policy(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
				mu.Lock()
				if last[op.Resource] == nil {
					last[op.Resource] = op.Principal
				}
				op.Principal = last[op.Resource]
				mu.Unlock()
				own(op)
				return next(ctx, op)
			}))
		},
	},
	{
		name:   "is read-only but for deletes",
		caught: []string{"what is refused is refused"},
		guarded: func() storetest.Guarded {
			return readOnly(func(op *core.Op) bool { return op.Kind.Writes() && op.Kind != core.Delete })
		},
	},
	{
		name:   "is read-only but for kinds that it does not know",
		caught: []string{"a kind that nobody knows is guarded"},
		guarded: func() storetest.Guarded {
			return readOnly(func(op *core.Op) bool { return op.Kind.Writes() && slices.Contains(core.Kinds(), op.Kind) })
		},
	},
}

// readOnly returns settings for a decorator that is to refuse all writes.
func readOnly(refuses func(op *core.Op) bool) storetest.Guarded {
	g := stack(everywhere(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind != core.Tx && refuses(op) {
			return core.Result{}, &core.Error{Code: core.ReadOnly, Resource: op.Resource.External()}
		}
		return next(ctx, op)
	}))
	g.Anybody = true
	g.Sees = func(*core.Principal, core.Record) bool { return true }
	g.Refuses = func(_ *core.Principal, kind core.Kind, _ *core.Resource) bool { return kind.Writes() }
	return g
}

// sharingLeaks mix up what belongs to different principals.
var sharingLeaks = []leak{
	{
		name:       "caches what it read for whoever asks next",
		caught:     []string{"reads return what is seen", "an op is for whoever sent it"},
		interferes: "store",
		guarded: func() storetest.Guarded {
			g := stack()
			g.Stack = func(testing.TB) storetest.Stack {
				return storetest.Stack{Decorators: []core.Decorator{owning(), new(cache).answering()}}
			}
			return g
		},
	},
	{
		name:       "logs how many rows there are",
		interferes: "store",
		guarded: func() storetest.Guarded {
			g := stack()
			g.Exempt = func(op *core.Op) bool { return op.Kind == core.Count && op.Using.Kind() == core.FilterAll }
			g.Stack = func(testing.TB) storetest.Stack {
				j := new(journal)
				return storetest.Stack{Observe: j.drain, Decorators: []core.Decorator{
					policy(func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
						if op.Kind == core.Select {
							all, err := next(ctx, op.Further(core.Count, op.Resource))
							j.line(op.Kind.String(), all.Count, err)
						}
						own(op)
						return next(ctx, op)
					}),
				}}
			}
			return g
		},
	},
}

func (j *journal) drain() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	lines := j.lines
	j.lines = nil
	return strings.Join(lines, "\n")
}

// cache keeps the answer to counts of everything, for ever.
type cache struct {
	mu     sync.Mutex
	counts map[*core.Resource]int
}

func (c *cache) answering() core.Decorator {
	return layered("cache", core.Answer, func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
		if op.Kind != core.Count || op.Where.Kind() != core.FilterAll {
			return next(ctx, op)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if n, ok := c.counts[op.Resource]; ok {
			return core.Result{Count: n}, nil
		}
		res, err := next(ctx, op)
		if err == nil {
			c.counts = maps.Clone(c.counts)
			if c.counts == nil {
				c.counts = make(map[*core.Resource]int)
			}
			c.counts[op.Resource] = res.Count
		}
		return res, err
	})
}

func TestGuardCatchesEveryLeak(t *testing.T) {
	cases := make(map[string]storetest.GuardCase)
	for _, c := range storetest.GuardCases() {
		cases[c.Name] = c
	}
	for _, l := range leaks {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			if len(l.caught) == 0 && l.interferes == "" {
				t.Error("nothing is expected to find out")
			}
			for _, name := range l.caught {
				c, ok := cases[name]
				if !ok {
					t.Fatalf("there is no rule %q", name)
				}
				r := record(t, func(tb testing.TB) { c.Check(tb, naively, l.guarded()) })
				if log := r.log.String(); !r.failed || !strings.Contains(log, c.Rule) {
					t.Errorf("the rule %q does not find out, failed %v:\n%s", name, r.failed, log)
				} else {
					t.Logf("%q: %s", name, log)
				}
			}
		})
	}
}

func TestNonInterferenceFindsWhatLeaksTell(t *testing.T) {
	parts := map[string]func(testing.TB, storetest.Factory, storetest.Guarded){
		"store": storetest.NonInterferenceOfStore, "engine": storetest.NonInterferenceOfEngine,
	}
	for _, l := range leaks {
		if l.interferes == "" {
			continue
		}
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			g := l.guarded()
			g.Operations = 20_000
			r := record(t, func(tb testing.TB) { parts[l.interferes](tb, naively, g) })
			if !r.failed {
				t.Errorf("the worlds of the %s are one", l.interferes)
			} else if log := r.log.String(); !strings.Contains(log, "the worlds differ") {
				t.Errorf("something else is wrong:\n%s", log)
			}
		})
	}
}

func TestEveryRuleOfGuardCatchesSomething(t *testing.T) {
	catches := make(map[string]bool)
	for _, l := range leaks {
		for _, name := range l.caught {
			catches[name] = true
		}
	}
	for _, c := range storetest.GuardCases() {
		if !catches[c.Name] {
			t.Errorf("no leak is there to show that %q can fail", c.Name)
		}
		if !strings.HasSuffix(c.Rule, ".") || len(c.Rule) < len(c.Name) {
			t.Errorf("%q: %q is no rule in a sentence", c.Name, c.Rule)
		}
	}
}
