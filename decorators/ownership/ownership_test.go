package ownership_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/ownership"
)

func TestPrincipalSeesItsOwnRecordsOnly(t *testing.T) {
	c := stocked(t)
	for user, want := range map[int64][]int64{1: {1, 3}, 2: {2}, 3: nil} {
		c.user(user).everywhere(func(c *client) {
			if got := c.keys(cookie); !slices.Equal(got, want) {
				t.Errorf("user %d sees %v, want %v", user, got, want)
			}
		})
	}
}

func TestHiddenRecordsAreNotFound(t *testing.T) {
	full, alone := stocked(t), open(t, model, ownership.New("user_id", options))
	alone.insert(cookie, map[string]any{"id": 2, "user_id": 2})
	for _, key := range []int64{1, 4} {
		for name, do := range map[string]func(c *client) error{
			"get":           func(c *client) error { _, err := c.querier.Get(c.ctx, cookie, core.IntValue(key)); return err },
			"update":        func(c *client) error { return c.tryUpdate(cookie, map[string]any{"id": key, "type": "x"}) },
			"empty update":  func(c *client) error { return c.tryUpdate(cookie, map[string]any{"id": key}) },
			"update as own": func(c *client) error { return c.tryUpdate(cookie, map[string]any{"id": key, "user_id": 2}) },
			"take over":     func(c *client) error { return c.tryUpdate(cookie, map[string]any{"id": key, "user_id": 1}) },
			"delete":        func(c *client) error { return c.querier.Delete(c.ctx, cookie, core.IntValue(key)) },
			"delete own and other": func(c *client) error {
				return c.querier.Delete(c.ctx, cookie, core.IntValue(key), core.IntValue(2))
			},
		} {
			t.Run(fmt.Sprint(name, " ", key), func(t *testing.T) {
				hidden, absent := do(full.user(2)), do(alone.user(2))
				if hidden == nil || absent == nil || hidden.Error() != absent.Error() {
					t.Errorf("%v for a hidden record and %v for an absent one", hidden, absent)
				}
			})
		}
	}
	if got := full.keys(cookie); !slices.Equal(got, []int64{1, 2, 3, 4}) {
		t.Errorf("there are %v", got)
	}
}

func TestInsertNeverOverwrites(t *testing.T) {
	c := stocked(t)
	for _, key := range []int64{1, 2, 4} {
		if err := c.user(2).tryInsert(cookie, map[string]any{"id": key}); !errors.Is(err, core.AlreadyExists) {
			t.Errorf("%d: got %v", key, err)
		}
	}
}

func TestInsertSetsTheOwner(t *testing.T) {
	for name, fields := range map[string]map[string]any{
		"without owner": {"type": "a"}, "with null": {"user_id": nil}, "with itself": {"user_id": 2},
	} {
		t.Run(name, func(t *testing.T) {
			c := stocked(t)
			if got := c.user(2).insert(cookie, fields).Get("user_id"); got != core.IntValue(2) {
				t.Errorf("it belongs to %v", got)
			}
		})
	}
	c := stocked(t).user(2)
	given := []core.Record{c.record(cookie, map[string]any{"type": "a"}), c.record(cookie, map[string]any{"user_id": 2})}
	if _, err := c.querier.Insert(c.ctx, cookie, given...); err != nil {
		t.Fatal(err)
	}
	if got := given[0].Get("user_id"); !got.IsAbsent() {
		t.Errorf("the caller's record was changed to %v", got)
	}
}

func TestAnotherOwnerIsForbidden(t *testing.T) {
	c := stocked(t).user(2)
	c.everywhere(func(c *client) {
		for name, err := range map[string]error{
			"insert":                   c.tryInsert(cookie, map[string]any{"user_id": 1}),
			"insert over another's":    c.tryInsert(cookie, map[string]any{"id": 1, "user_id": 1}),
			"give away":                c.tryUpdate(cookie, map[string]any{"id": 2, "user_id": 1}),
			"remove the owner":         c.tryUpdate(cookie, map[string]any{"id": 2, "user_id": nil}),
			"absent, remove the owner": c.tryUpdate(cookie, map[string]any{"id": 9, "user_id": nil}),
			"absent, give away":        c.tryUpdate(cookie, map[string]any{"id": 9, "user_id": 1}),
			"another's, same owner":    c.tryUpdate(cookie, map[string]any{"id": 1, "user_id": 1}),
			"another's, third owner":   c.tryUpdate(cookie, map[string]any{"id": 3, "user_id": 3}),
		} {
			if e := core.AsError(err); !errors.Is(err, core.Forbidden) || e.Public() != `FORBIDDEN object_name="cookie"` {
				t.Errorf("%s: got %v", name, err)
			}
		}
	})
	if err := c.tryUpdate(cookie, map[string]any{"id": 2, "user_id": 2, "type": "x"}); err != nil {
		t.Errorf("setting oneself: %v", err)
	}
}

func TestUpdateSetsTheOwnerOnlyIfTheCallerDid(t *testing.T) {
	var owners []core.Value
	c := open(t, model, ownership.New("user_id", options), core.Decorator{
		Name: "inside", Kind: core.KindAnswer,
		Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
			return func(ctx context.Context, op *core.Op) (core.Result, error) {
				if op.Kind == core.Update {
					owners = append(owners, op.Records[0].Get("user_id"))
				}
				return next(ctx, op)
			}, nil
		},
	}).user(1)
	c.insert(cookie, map[string]any{"id": 1})
	for _, changes := range []map[string]any{{"id": 1, "type": "x"}, {"id": 1, "user_id": 1}} {
		if err := c.tryUpdate(cookie, changes); err != nil {
			t.Fatal(err)
		}
	}
	if want := []core.Value{{}, core.IntValue(1)}; !slices.Equal(owners, want) {
		t.Errorf("got %v, want %v", owners, want)
	}
}

// each returns an operation of each kind on the resource.
func each(r *core.Resource) map[core.Kind]func(c *client) error {
	one := core.IntValue(1)
	return map[core.Kind]func(c *client) error{
		core.Load:   func(c *client) error { _, err := c.querier.Load(c.ctx, r, []core.Value{one}); return err },
		core.Select: func(c *client) error { _, err := c.querier.Select(c.ctx, r, core.Query{}); return err },
		core.Count:  func(c *client) error { _, err := c.querier.Count(c.ctx, r, core.None()); return err },
		core.Aggregate: func(c *client) error {
			_, err := c.querier.Aggregate(c.ctx, r, core.Aggregation{Where: core.None()})
			return err
		},
		core.Insert: func(c *client) error { return c.tryInsert(r, map[string]any{"id": 7}) },
		core.Update: func(c *client) error { return c.tryUpdate(r, map[string]any{"id": 1}) },
		core.Delete: func(c *client) error { return c.querier.Delete(c.ctx, r, one) },
		core.NextID: func(c *client) error { _, err := c.querier.NextIDs(c.ctx, r, 1); return err },
		core.Tx: func(c *client) error {
			return c.store.Tx(c.ctx, func(context.Context, *core.Transaction) error { return nil })
		},
	}
}

func TestAnonymousIsUnauthorized(t *testing.T) {
	c := stocked(t).as(nil)
	for _, r := range model.Resources() {
		all := each(r)
		for _, kind := range core.Kinds() {
			if kind == core.Restore { // no decorator keeps deleted records
				continue
			}
			if err := all[kind](c); !errors.Is(err, core.Unauthorized) || err.Error() != "UNAUTHORIZED" {
				t.Errorf("%s %s: got %v", kind, r, err)
			}
		}
	}
}

func TestPrincipalWithoutOwnerValueIsForbidden(t *testing.T) {
	full, empty := stocked(t), open(t, model, ownership.New("user_id", options))
	for name, id := range map[string]core.Value{
		"text": core.TextValue("1"), "true": core.BoolValue(true), "float": core.FloatValue(1), "null": core.Null, "absent": {},
	} {
		p := &core.Principal{ID: id}
		for kind, do := range each(cookie) {
			in, out := do(full.as(p)), do(empty.as(p))
			if kind == core.Tx {
				if in != nil {
					t.Errorf("%s: transaction: %v", name, in)
				}
				continue
			}
			if !errors.Is(in, core.Forbidden) || out == nil || in.Error() != out.Error() {
				t.Errorf("%s: %s: %v with records and %v without", name, kind, in, out)
			}
		}
		if got := full.as(p).keys(jar); len(got) != 1 {
			t.Errorf("%s: sees %v of the shared resource", name, got)
		}
	}
}

func TestSharedResource(t *testing.T) {
	c := stocked(t).user(2)
	if err := c.tryInsert(jar, map[string]any{"id": 2}); err != nil {
		t.Error(err)
	}
	if got := c.user(1).keys(jar); !slices.Equal(got, []int64{1, 2}) {
		t.Errorf("sees %v", got)
	}
}

func TestSystemPasses(t *testing.T) {
	c := stocked(t)
	c.everywhere(func(c *client) {
		if got := c.keys(cookie); !slices.Equal(got[:4], []int64{1, 2, 3, 4}) {
			t.Errorf("sees %v", got)
		}
		if err := c.tryUpdate(cookie, map[string]any{"id": 4, "user_id": 2}); err != nil {
			t.Errorf("sets an owner: %v", err)
		}
		if got := c.insert(cookie, nil).Get("user_id"); !got.IsNull() {
			t.Errorf("the inserted record belongs to %v", got)
		}
	})
}

func TestBypassRole(t *testing.T) {
	c := stocked(t)
	for name, p := range map[string]struct {
		*core.Principal
		own core.Value
	}{
		"number":  {&core.Principal{ID: core.IntValue(9), Roles: []string{"x", "admin"}}, core.IntValue(9)},
		"text":    {&core.Principal{ID: core.TextValue("root"), Roles: []string{"admin"}}, core.Null},
		"without": {&core.Principal{Roles: []string{"auditor"}}, core.Null},
	} {
		c.as(p.Principal).everywhere(func(c *client) {
			before := c.keys(cookie)
			if !slices.Equal(before[:4], []int64{1, 2, 3, 4}) {
				t.Errorf("%s sees %v", name, before)
			}
			for want, fields := range map[core.Value]map[string]any{core.IntValue(1): {"user_id": 1}, p.own: {}} {
				if got := c.insert(cookie, fields).Get("user_id"); got != want {
					t.Errorf("%s: it belongs to %v, want %v", name, got, want)
				}
			}
			if err := c.tryUpdate(cookie, map[string]any{"id": 2, "type": "x"}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if err := c.tryInsert(jar, map[string]any{}); err != nil {
				t.Errorf("%s: shared: %v", name, err)
			}
		})
	}
	if got := c.as(&core.Principal{ID: core.IntValue(2), Roles: []string{"Admin", "admins", ""}}).keys(cookie); !slices.Equal(got, []int64{2}) {
		t.Errorf("roles of similar names see %v", got)
	}
}

func TestUnknownKindIsForbidden(t *testing.T) {
	reached := 0
	handle, err := ownership.New("user_id", options).Wrap(model, func(context.Context, *core.Op) (core.Result, error) {
		reached++
		return core.Result{}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	p := &core.Principal{ID: core.IntValue(1)}
	for _, op := range []*core.Op{
		{Kind: 0, Resource: cookie, Principal: p}, {Kind: core.Restore + 1, Resource: cookie, Principal: p},
		{Kind: 255, Principal: p}, {Kind: 0, Principal: p, Tx: &core.TxInfo{}},
	} {
		if _, err := handle(t.Context(), op); !errors.Is(err, core.Forbidden) || reached > 0 {
			t.Errorf("%v: got %v, reached the backend %d times", op.Kind, err, reached)
		}
	}
}

func TestUserAndTenantTogether(t *testing.T) {
	m := core.MustModel("m", core.ResourceSpec{Name: "note", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "user_id", Type: core.Text, Hidden: true},
		{Name: "org_id", Type: core.UUID, Hidden: true},
	}})
	note := m.Resource("note")
	c := open(t, m, ownership.New("user_id", ownership.Options{}), ownership.New("org_id", ownership.Options{Claim: "org"}))
	const one, two = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
	as := func(user, org string) *client {
		return c.as(&core.Principal{ID: core.TextValue(user), Claims: map[string]any{"org": org}})
	}
	stored := as("alice", one).insert(note, nil)
	if stored.Get("user_id").Text() != "alice" || stored.Get("org_id").Text() != one {
		t.Errorf("stored %v", stored)
	}
	for p, want := range map[[2]string]int{{"alice", one}: 1, {"alice", two}: 0, {"bob", one}: 0} {
		if got := as(p[0], p[1]).keys(note); len(got) != want {
			t.Errorf("%v sees %v", p, got)
		}
	}
}

func TestOwnerIsARelation(t *testing.T) {
	m := core.MustModel("m",
		core.ResourceSpec{Name: "user", Fields: []core.FieldSpec{{Name: "id", Type: core.Text, Key: true}}},
		core.ResourceSpec{Name: "note", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true}, {Name: "owner", ToOne: "user", Hidden: true},
		}},
	)
	c := open(t, m, ownership.New("", ownership.Options{Fields: map[string]string{"note": "owner"}, Shared: []string{"user"}}))
	c.insert(m.Resource("user"), map[string]any{"id": "alice"})
	alice := c.as(&core.Principal{ID: core.TextValue("alice")})
	alice.insert(m.Resource("note"), nil)
	if got := alice.keys(m.Resource("note")); len(got) != 1 {
		t.Errorf("alice sees %v", got)
	}
	bob := c.as(&core.Principal{ID: core.TextValue("bob")})
	if err := bob.tryInsert(m.Resource("note"), nil); !errors.Is(err, core.NotFound) {
		t.Errorf("an owner that does not exist: %v", err)
	}
}

func TestConcurrentPrincipals(t *testing.T) {
	c := open(t, model, ownership.New("user_id", options))
	var all sync.WaitGroup
	for user := range int64(8) {
		all.Go(func() {
			c := c.user(user)
			for n := range 50 {
				rec, err := c.querier.Insert(c.ctx, cookie, c.record(cookie, nil))
				if err != nil || rec[0].Get("user_id") != core.IntValue(user) {
					t.Errorf("user %d inserted %v, %v", user, rec, err)
					return
				}
				err = c.store.Tx(c.ctx, func(ctx context.Context, tx *core.Transaction) error {
					page, err := tx.Select(ctx, cookie, core.Query{})
					if len(page.Records) != n+1 {
						t.Errorf("user %d sees %d records, and has %d", user, len(page.Records), n+1)
					}
					for _, rec := range page.Records {
						if rec.Get("user_id") != core.IntValue(user) {
							t.Errorf("user %d sees %v", user, rec)
						}
					}
					return err
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}
