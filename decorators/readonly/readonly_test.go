package readonly_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
	"github.com/larder-go/larder/decorators/readonly"
)

var (
	model = core.MustModel("cookies",
		core.ResourceSpec{Name: "cookie", APIName: "Cookie", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "type", Type: core.Text},
			{Name: "jar", ToOne: "jar"},
		}},
		core.ResourceSpec{Name: "jar", APIName: "Jar", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}},
	)
	cookie, jar = model.Resource("cookie"), model.Resource("jar")
	one         = core.IntValue(1)
)

// spy records the options of transactions that reach the backend.
type spy struct {
	*memory.Backend

	mu    sync.Mutex
	begun []core.BackendTxOptions
}

func (s *spy) Begin(ctx context.Context, opts core.BackendTxOptions) (core.BackendTx, error) {
	s.mu.Lock()
	s.begun = append(s.begun, opts)
	s.mu.Unlock()
	return s.Backend.Begin(ctx, opts)
}

// open returns a store with cookie 1 and jar 1, and its backend.
func open(t *testing.T, decorators ...core.Decorator) (*core.Store, *spy) {
	t.Helper()
	data, err := seed.Parse([]byte(`{"cookie": {"1": {"type": "muffin"}}, "jar": {"1": {}}}`))
	if err != nil {
		t.Fatal(err)
	}
	backend := &spy{Backend: memory.NewWith(data)}
	store, err := core.New(t.Context(), model, backend, decorators...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store, backend
}

func record(t *testing.T, r *core.Resource, fields map[string]any) core.Record {
	t.Helper()
	rec, err := r.NewRecord(fields)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// writes returns all ways to change a resource.
func writes(t *testing.T, r *core.Resource) map[string]func(ctx context.Context, s core.Querier) error {
	t.Helper()
	fresh, change := record(t, r, map[string]any{"id": 2}), record(t, r, map[string]any{"id": 1})
	return map[string]func(ctx context.Context, s core.Querier) error{
		"insert":   func(ctx context.Context, s core.Querier) error { _, err := s.Insert(ctx, r, fresh); return err },
		"update":   func(ctx context.Context, s core.Querier) error { _, err := s.Update(ctx, r, change); return err },
		"delete":   func(ctx context.Context, s core.Querier) error { return s.Delete(ctx, r, one) },
		"next ids": func(ctx context.Context, s core.Querier) error { _, err := s.NextIDs(ctx, r, 1); return err },
	}
}

// readable checks that all reads find the one record.
func readable(ctx context.Context, t *testing.T, s core.Querier, r *core.Resource) {
	t.Helper()
	if rec, err := s.Get(ctx, r, one); err != nil || rec.Key() != one {
		t.Errorf("get %s: %v, %v", r, rec, err)
	}
	if page, err := s.Select(ctx, r, core.Query{}); err != nil || len(page.Records) != 1 {
		t.Errorf("select %s: %v, %v", r, page, err)
	}
	if n, err := s.Count(ctx, r, core.All()); err != nil || n != 1 {
		t.Errorf("count %s: %d, %v", r, n, err)
	}
}

// rejected checks that every write to the resource is rejected, for every principal, inside and outside transactions, and
// that reads pass.
func rejected(t *testing.T, store *core.Store, r *core.Resource) {
	t.Helper()
	want := "READ_ONLY object_name=\"" + r.APIName() + "\""
	for principal, ctx := range map[string]context.Context{
		"anonymous": t.Context(), "system": core.System(t.Context()),
		"alice": core.WithPrincipal(t.Context(), &core.Principal{ID: core.TextValue("alice")}),
	} {
		for name, write := range writes(t, r) {
			if err := write(ctx, store); !errors.Is(err, core.ReadOnly) || err.Error() != want {
				t.Errorf("%s by %s: %v; want %s", name, principal, err, want)
			}
			err := store.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
				readable(ctx, t, tx, cookie)
				err := write(ctx, tx)
				if !errors.Is(err, core.ReadOnly) || err.Error() != want {
					t.Errorf("%s by %s in a transaction: %v; want %s", name, principal, err, want)
				}
				readable(ctx, t, tx, jar)
				return nil
			})
			if err != nil {
				t.Errorf("a transaction that only read, after a rejected %s: %v", name, err)
			}
		}
	}
	readable(t.Context(), t, store, r)
}

// allowed checks that every write to the resource passes. It rolls the writes back.
func allowed(t *testing.T, store *core.Store, r *core.Resource) {
	t.Helper()
	undo := errors.New("undo")
	for name, write := range writes(t, r) {
		err := store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
			return errors.Join(write(ctx, tx), undo)
		})
		if errors.Is(err, core.ReadOnly) || !errors.Is(err, undo) {
			t.Errorf("%s of %s: %v", name, r, err)
		}
	}
}

func TestReadOnlyStore(t *testing.T) {
	store, backend := open(t, readonly.New(readonly.Options{}))
	rejected(t, store, cookie)
	rejected(t, store, jar)
	for _, opts := range backend.begun {
		if !opts.ReadOnly {
			t.Fatalf("a transaction reached the backend as %+v", opts)
		}
	}
}

func TestReadOnlyResources(t *testing.T) {
	store, _ := open(t, readonly.New(readonly.Options{Resources: []string{"jar"}}))
	rejected(t, store, jar)
	allowed(t, store, cookie)
	into := record(t, cookie, map[string]any{"id": 1, "jar": 1})
	if _, err := store.Update(t.Context(), cookie, into); err != nil {
		t.Errorf("a cookie goes into a jar that is read-only: %v", err)
	}
	both, _ := open(t, readonly.New(readonly.Options{Resources: []string{"jar"}}), readonly.New(readonly.Options{Resources: []string{"cookie"}}))
	rejected(t, both, jar)
	rejected(t, both, cookie)
}

func TestRejectedWriteRollsTheTransactionBack(t *testing.T) {
	store, _ := open(t, readonly.New(readonly.Options{Resources: []string{"jar"}}))
	err := store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
		if err := tx.Delete(ctx, cookie, one); err != nil {
			return err
		}
		return tx.Delete(ctx, jar, one)
	})
	if !errors.Is(err, core.ReadOnly) {
		t.Errorf("got %v", err)
	}
	readable(t.Context(), t, store, cookie)
}

func TestUnknownKindIsRejected(t *testing.T) {
	on := new(readonly.Switch)
	on.Set(true)
	for name, d := range map[string]core.Decorator{
		"store": readonly.New(readonly.Options{}), "resources": readonly.New(readonly.Options{Resources: []string{"jar"}}), "switch": readonly.New(readonly.Options{Switch: on}),
	} {
		handle, err := d.Wrap(model, func(context.Context, *core.Op) (core.Result, error) {
			t.Errorf("%s: it reached the backend", name)
			return core.Result{}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, op := range []*core.Op{
			{Kind: 0, Resource: jar}, {Kind: core.Restore, Resource: jar, Keys: []core.Value{one}}, {Kind: core.Restore + 1, Resource: jar}, {Kind: 255, Resource: jar, Tx: &core.TxInfo{}},
			{Kind: 255}, {Kind: 255, Tx: &core.TxInfo{}},
		} {
			if _, err := handle(t.Context(), op); !errors.Is(err, core.ReadOnly) {
				t.Errorf("%s: %v: got %v", name, op.Kind, err)
			}
		}
	}
}

func TestInvalidResourcesAreRejected(t *testing.T) {
	for want, names := range map[string][]string{
		`decorator "readonly": option Resources: there is no resource "Jar"; the model "cookies" has cookie, jar`: {"cookie", "Jar"},
		`decorator "readonly": option Resources: names no resource; use nil for all of them`:                      {},
	} {
		_, err := core.New(t.Context(), model, memory.New(), readonly.New(readonly.Options{Resources: names}))
		if err == nil || err.Error() != want {
			t.Errorf("%v: got %v, want %s", names, err, want)
		}
	}
}

func TestOptionsAreCopied(t *testing.T) {
	names := []string{"jar"}
	d := readonly.New(readonly.Options{Resources: names})
	names[0] = "cookie"
	store, _ := open(t, d)
	rejected(t, store, jar)
}

func TestDescriptionHasTheSettings(t *testing.T) {
	store, _ := open(t, readonly.New(readonly.Options{}), readonly.New(readonly.Options{Resources: []string{"jar", "cookie"}}), readonly.New(readonly.Options{Switch: new(readonly.Switch)}),
		readonly.New(readonly.Options{Resources: []string{"jar"}, Switch: new(readonly.Switch)}))
	var notes []string
	for _, l := range store.Describe().Decorators {
		notes = append(notes, l.Name+": "+l.Note)
	}
	want := []string{"readonly: the whole store", "readonly: jar, cookie", "readonly: while its switch is on", "readonly: jar, while its switch is on"}
	if !slices.Equal(notes, want) {
		t.Errorf("got %s", strings.Join(notes, "; "))
	}
}

func TestInnerErrorsPassUnchanged(t *testing.T) {
	fails := errors.New("disk full")
	inner := core.Decorator{Name: "fails", Kind: core.KindPolicy, Wrap: func(*core.Model, core.Handler) (core.Handler, error) {
		return func(context.Context, *core.Op) (core.Result, error) { return core.Result{}, fails }, nil
	}}
	for name, d := range map[string]core.Decorator{
		"store": readonly.New(readonly.Options{}), "resources": readonly.New(readonly.Options{Resources: []string{"cookie"}}), "switch": readonly.New(readonly.Options{Switch: new(readonly.Switch)}),
	} {
		store, _ := open(t, d, inner)
		_, count := store.Count(t.Context(), cookie, core.All())
		tx := store.Tx(t.Context(), func(context.Context, *core.Transaction) error { return nil })
		if !errors.Is(count, fails) || !errors.Is(tx, fails) {
			t.Errorf("%s: got %v and %v", name, count, tx)
		}
	}
}

func TestStoreReportsReadOnlyResources(t *testing.T) {
	var s readonly.Switch
	for _, c := range []struct {
		name        string
		d           core.Decorator
		cookie, jar bool
	}{
		{"a store", readonly.New(readonly.Options{}), true, true}, {"a resource", readonly.New(readonly.Options{Resources: []string{"cookie"}}), true, false}, {"a switch that is off", readonly.New(readonly.Options{Switch: &s}), false, false},
	} {
		store, _ := open(t, c.d)
		if store.ReadOnly(cookie) != c.cookie || store.ReadOnly(jar) != c.jar {
			t.Errorf("%s: cookie %t, jar %t", c.name, store.ReadOnly(cookie), store.ReadOnly(jar))
		}
	}
	store, _ := open(t, readonly.New(readonly.Options{Switch: &s}))
	for _, on := range []bool{true, false} {
		if s.Set(on); store.ReadOnly(cookie) != on {
			t.Errorf("with the switch at %t: %t", on, store.ReadOnly(cookie))
		}
	}
}
