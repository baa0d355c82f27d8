package readonly_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/readonly"
)

func TestSwitchOnAndOff(t *testing.T) {
	var s readonly.Switch
	store, backend := open(t, readonly.New(readonly.Options{Switch: &s}))
	for range 2 {
		allowed(t, store, jar)
		s.Set(true)
		backend.begun = nil
		rejected(t, store, cookie)
		for _, opts := range backend.begun {
			if !opts.ReadOnly {
				t.Fatalf("a transaction reached the backend as %+v", opts)
			}
		}
		s.Set(false)
		allowed(t, store, cookie)
	}
	if s.On() {
		t.Error("it is on")
	}
}

func TestRunningTransactionCannotWriteWithSwitchOn(t *testing.T) {
	var s readonly.Switch
	store, _ := open(t, readonly.New(readonly.Options{Switch: &s}))
	err := store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
		if err := tx.Delete(ctx, cookie, one); err != nil {
			return err
		}
		s.Set(true)
		if n, err := tx.Count(ctx, jar, core.All()); n != 1 || err != nil {
			t.Errorf("reading: %d, %v", n, err)
		}
		return tx.Delete(ctx, jar, one)
	})
	if !errors.Is(err, core.ReadOnly) {
		t.Errorf("got %v", err)
	}
	readable(t.Context(), t, store, cookie)
}

func TestTransactionBegunWithSwitchOnStaysReadOnly(t *testing.T) {
	var s readonly.Switch
	store, _ := open(t, readonly.New(readonly.Options{Switch: &s}))
	s.Set(true)
	err := store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
		s.Set(false)
		return tx.Delete(ctx, jar, one)
	})
	if !errors.Is(err, core.ReadOnly) {
		t.Errorf("got %v", err)
	}
}

func TestWaitReturnsWhenRunningWritesHaveEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s readonly.Switch
		store, _ := open(t, readonly.New(readonly.Options{Switch: &s}))
		if err := s.Wait(t.Context()); err != nil {
			t.Fatalf("without writers: %v", err)
		}
		goOn := make(chan struct{})
		go func() {
			err := store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
				err := tx.Delete(ctx, cookie, one)
				<-goOn
				return err
			})
			if err != nil {
				t.Errorf("the running transaction: %v", err)
			}
		}()
		synctest.Wait()
		s.Set(true)
		var waited atomic.Int32
		for range 2 {
			go func() {
				if err := s.Wait(t.Context()); err != nil {
					t.Error(err)
				}
				if n, err := store.Count(t.Context(), cookie, core.All()); n != 0 || err != nil {
					t.Errorf("after waiting: %d, %v", n, err)
				}
				waited.Add(1)
			}()
		}
		synctest.Wait()
		if waited.Load() > 0 {
			t.Error("it did not wait")
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Wait(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("with an ended context: %v", err)
		}
		readable(t.Context(), t, store, jar) // reads neither wait nor delay Wait
		close(goOn)
		synctest.Wait()
		if waited.Load() != 2 {
			t.Error("it still waits")
		}
	})
}

// held returns a decorator that delays deletes until it receives from the channel.
func held(goOn <-chan struct{}) core.Decorator {
	return core.Decorator{Name: "held", Kind: core.KindPolicy, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if op.Kind == core.Delete {
				<-goOn
			}
			return next(ctx, op)
		}, nil
	}}
}

func TestWaitReturnsAfterTheLastWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s readonly.Switch
		goOn := make(chan struct{})
		store, _ := open(t, readonly.New(readonly.Options{Switch: &s}), held(goOn))
		for range 2 {
			go func() { _ = store.Delete(t.Context(), cookie, one) }()
		}
		synctest.Wait() // both are held
		var waited atomic.Bool
		go func() { waited.Store(s.Wait(t.Context()) == nil) }()
		for _, last := range []bool{false, true} {
			synctest.Wait()
			goOn <- struct{}{}
			synctest.Wait()
			if waited.Load() != last {
				t.Errorf("it has waited: %t", waited.Load())
			}
		}
	})
}

func TestWaitForWritesThatHavePassed(t *testing.T) {
	for name, write := range map[string]func(ctx context.Context, s *core.Store) error{
		"alone": func(ctx context.Context, s *core.Store) error { return s.Delete(ctx, cookie, one) },
		"in a transaction": func(ctx context.Context, s *core.Store) error {
			return s.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error { return tx.Delete(ctx, cookie, one) })
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			var s readonly.Switch
			goOn := make(chan struct{})
			store, _ := open(t, readonly.New(readonly.Options{Switch: &s}), held(goOn))
			go func() {
				if err := write(t.Context(), store); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}()
			synctest.Wait() // it is held
			s.Set(true)
			if n, err := store.Count(t.Context(), cookie, core.All()); n != 1 || err != nil {
				t.Errorf("%s: before waiting: %d, %v", name, n, err)
			}
			close(goOn)
			if err := s.Wait(t.Context()); err != nil {
				t.Error(err)
			}
			if n, err := store.Count(t.Context(), cookie, core.All()); n != 0 || err != nil {
				t.Errorf("%s: after waiting: %d, %v", name, n, err)
			}
		})
	}
}

func TestWaitIgnoresPanickedWriters(t *testing.T) {
	var s readonly.Switch
	store, _ := open(t, readonly.New(readonly.Options{Switch: &s}))
	func() {
		defer func() { _ = recover() }()
		_ = store.Tx(t.Context(), func(context.Context, *core.Transaction) error { panic("on purpose") })
	}()
	if err := s.Wait(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestNoChangeAfterSetAndWait(t *testing.T) {
	var s readonly.Switch
	store, _ := open(t, readonly.New(readonly.Options{Switch: &s}))
	stop, wrote := make(chan struct{}), make(chan struct{}, 1)
	var writers sync.WaitGroup
	fresh := record(t, cookie, nil)
	for i := range 4 {
		writers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				var err error
				if i%2 == 0 {
					_, err = store.Insert(t.Context(), cookie, fresh)
				} else {
					err = store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
						if _, err := tx.Insert(ctx, cookie, fresh); err != nil {
							return err
						}
						_, err := tx.Insert(ctx, cookie, fresh)
						return err
					})
				}
				switch {
				case err == nil:
					select {
					case wrote <- struct{}{}:
					default:
					}
				case !errors.Is(err, core.ReadOnly):
					t.Errorf("write: %v", err)
				}
			}
		})
	}
	count := func() int {
		n, err := store.Count(t.Context(), cookie, core.All())
		if err != nil {
			t.Error(err)
		}
		return n
	}
	for range 20 {
		<-wrote
		s.Set(true)
		if err := s.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		grown := count()
		for range 100 {
			if n := count(); n != grown {
				t.Fatalf("it grew from %d to %d while the switch was on", grown, n)
			}
		}
		s.Set(false)
	}
	close(stop)
	writers.Wait()
}

func TestSwitchForNamedResources(t *testing.T) {
	var s readonly.Switch
	store, backend := open(t, readonly.New(readonly.Options{Resources: []string{"jar"}, Switch: &s}))
	for range 2 {
		allowed(t, store, jar)
		allowed(t, store, cookie)
		s.Set(true)
		backend.begun = nil
		rejected(t, store, jar)
		allowed(t, store, cookie)
		for _, opts := range backend.begun {
			if opts.ReadOnly && !opts.Single {
				t.Fatalf("a transaction reached the backend as %+v", opts)
			}
		}
		if err := s.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		s.Set(false)
	}
}

func TestTransactionBegunWithSwitchOnForNamedResources(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s readonly.Switch
		store, _ := open(t, readonly.New(readonly.Options{Resources: []string{"jar"}, Switch: &s}))
		s.Set(true)
		err := store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
			if err := tx.Delete(ctx, cookie, one); err != nil {
				t.Errorf("a resource that is not named: %v", err)
			}
			if err := s.Wait(t.Context()); err != nil { // does not wait for this transaction
				t.Error(err)
			}
			s.Set(false)
			if err := tx.Delete(ctx, jar, one); !errors.Is(err, core.ReadOnly) {
				t.Errorf("a named resource: %v", err)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		readable(t.Context(), t, store, jar)
		allowed(t, store, jar) // the restriction ended with the transaction
	})
}

func TestWaitForTransactionsWithNamedResources(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s readonly.Switch
		store, _ := open(t, readonly.New(readonly.Options{Resources: []string{"jar"}, Switch: &s}))
		inside, leave := make(chan struct{}), make(chan struct{})
		go func() {
			_ = store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
				close(inside)
				<-leave
				if _, err := tx.NextIDs(ctx, jar, 1); !errors.Is(err, core.ReadOnly) {
					t.Errorf("after the switch is on: %v", err)
				}
				return nil
			})
		}()
		<-inside
		s.Set(true)
		var waited atomic.Bool
		go func() { waited.Store(s.Wait(t.Context()) == nil) }()
		synctest.Wait()
		if waited.Load() {
			t.Error("it did not wait")
		}
		close(leave)
		synctest.Wait()
		if !waited.Load() {
			t.Error("it still waits")
		}
	})
}
