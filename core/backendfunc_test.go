package core_test

import (
	"context"
	"errors"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
)

// counted is a function for BackendFunc that counts the opened and the closed backends.
type counted struct {
	core.Backend

	closed *int
}

func (c counted) Close() error { *c.closed++; return c.Backend.Close() }

func TestBackendFuncOpensOneBackendPerTransaction(t *testing.T) {
	opened, closed := 0, 0
	s := openOn(t, core.BackendFunc(func(context.Context) (core.Backend, error) {
		opened++
		return counted{memory.New(), &closed}, nil
	}))
	r := s.Model().Resource("cookie")
	if opened != 1 || closed != 1 {
		t.Fatalf("composing opened %d and closed %d", opened, closed)
	}
	insert(t, s, r, map[string]any{"type": "muffin"})
	if opened != 2 || closed != 2 {
		t.Errorf("an operation: opened %d, closed %d", opened, closed)
	}
	for _, result := range []error{nil, errors.New("no")} {
		opened, closed = 0, 0
		_ = s.Tx(t.Context(), func(_ context.Context, tx *core.Transaction) error {
			insert(t, tx, r, map[string]any{"type": "muffin"})
			insert(t, tx, r, map[string]any{"type": "muffin"})
			if opened != 1 || closed != 0 {
				t.Errorf("inside: opened %d, closed %d", opened, closed)
			}
			return result
		})
		if opened != 1 || closed != 1 {
			t.Errorf("a transaction that ends with %v: opened %d, closed %d", result, opened, closed)
		}
	}
}

func TestBackendFuncGetsTheRequestContext(t *testing.T) {
	tenants := map[any]core.Backend{}
	type tenant struct{}
	s := openOn(t, core.BackendFunc(func(ctx context.Context) (core.Backend, error) {
		name := ctx.Value(tenant{})
		if tenants[name] == nil {
			tenants[name] = &kept{Backend: memory.New()}
		}
		return tenants[name], nil
	}))
	r := s.Model().Resource("cookie")
	insertFor := func(name string) int {
		ctx := context.WithValue(t.Context(), tenant{}, name)
		if _, err := s.Insert(ctx, r, cookie(t, s.Model(), nil)); err != nil {
			t.Fatal(err)
		}
		n, err := s.Count(ctx, r, core.All())
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if a, b, a2 := insertFor("a"), insertFor("b"), insertFor("a"); a != 1 || b != 1 || a2 != 2 {
		t.Errorf("got %d, %d, %d", a, b, a2)
	}
}

// exploding is a backend with transactions that panic at their end.
type exploding struct{ counted }

type explodingTx struct{ core.BackendTx }

func (e exploding) Begin(ctx context.Context, opts core.BackendTxOptions) (core.BackendTx, error) {
	tx, err := e.counted.Begin(ctx, opts)
	return explodingTx{tx}, err
}

func (e explodingTx) Commit(context.Context) error   { panic("boom") }
func (e explodingTx) Rollback(context.Context) error { panic("boom") }

func TestBackendOfATransactionIsClosedEvenIfItPanics(t *testing.T) {
	for _, own := range []error{nil, errors.New("no")} {
		closed := 0
		s := openOn(t, core.BackendFunc(func(context.Context) (core.Backend, error) {
			return exploding{counted{memory.New(), &closed}}, nil
		}))
		func() {
			defer func() {
				if recover() != "boom" || closed != 2 {
					t.Errorf("%v: closed %d times", own, closed)
				}
			}()
			_ = s.Tx(t.Context(), func(context.Context, *core.Transaction) error { return own })
		}()
	}
}

// tripping is a backend that panics in Bind, once armed, or in Begin.
type tripping struct {
	counted

	inBind bool
}

func (f tripping) Bind(ctx context.Context, m *core.Model) error {
	if f.inBind {
		panic("boom")
	}
	return f.counted.Bind(ctx, m)
}

func (f tripping) Begin(context.Context, core.BackendTxOptions) (core.BackendTx, error) {
	panic("boom")
}
func (f tripping) Ping(context.Context) error { panic("boom") }

func TestBackendFuncClosesBackendThatCannotBegin(t *testing.T) {
	for _, inBind := range []bool{true, false} {
		opened, closed := 0, 0
		s := openOn(t, core.BackendFunc(func(context.Context) (core.Backend, error) {
			opened++
			return tripping{counted{memory.New(), &closed}, inBind && opened > 1}, nil
		}))
		for what, do := range map[string]func() error{
			"operation": func() error { return second(s.Count(t.Context(), s.Model().Resource("cookie"), core.All())) },
			"transaction": func() error {
				return s.Tx(t.Context(), func(context.Context, *core.Transaction) error { return nil })
			},
			"ping": func() error { return s.Ping(t.Context()) },
		} {
			func() {
				defer func() {
					if recover() != "boom" || closed != opened {
						t.Errorf("%s, panic in Bind: %v: %d opened, %d closed", what, inBind, opened, closed)
					}
				}()
				_ = do()
			}()
		}
	}
}

// kept is a backend that serves several transactions.
type kept struct {
	core.Backend

	bound bool
}

func (k *kept) Bind(ctx context.Context, m *core.Model) error {
	if k.bound {
		return nil
	}
	k.bound = true
	return k.Backend.Bind(ctx, m)
}

func (k *kept) Close() error { return nil }

func TestBackendFuncErrorFailsTheOperation(t *testing.T) {
	down := errors.New("no route to host")
	var fail error
	s := openOn(t, core.BackendFunc(func(context.Context) (core.Backend, error) { return memory.New(), fail }))
	fail = down
	for _, err := range []error{
		second(s.Count(t.Context(), s.Model().Resource("cookie"), core.All())),
		s.Tx(t.Context(), func(context.Context, *core.Transaction) error { return nil }),
	} {
		if !errors.Is(err, down) || !errors.Is(err, core.ServerError) {
			t.Errorf("got %v", err)
		}
	}
	if _, err := core.New(t.Context(), cookies(t), core.BackendFunc(func(context.Context) (core.Backend, error) { return nil, nil })); err == nil {
		t.Error("a function that returns nothing was accepted")
	}
}

func TestClosedBackendFuncCannotBegin(t *testing.T) {
	opened := 0
	b := core.BackendFunc(func(context.Context) (core.Backend, error) { opened++; return memory.New(), nil })
	if err := b.Bind(t.Context(), cookies(t)); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	before := opened
	if _, err := b.Begin(t.Context(), core.BackendTxOptions{}); !errors.Is(err, core.ErrClosed) || opened != before {
		t.Errorf("got %v, and %d more backends", err, opened-before)
	}
}
