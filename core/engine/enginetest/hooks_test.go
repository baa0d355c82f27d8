package enginetest

import (
	"context"
	"errors"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
)

// TestBrokenHooksAreCaught runs the rules of hooks against implementations that break one promise each.
func TestBrokenHooksAreCaught(t *testing.T) {
	around := func(broken func(fn hookFunc) hookFunc) hooking {
		h := correctHooks
		h.onWrite = func(resource string, fn hookFunc) core.Decorator { return core.OnWrite(resource, broken(fn)) }
		return h
	}
	outside := correctHooks // runs outside of the transaction, which has ended
	outside.onWrite = func(resource string, fn hookFunc) core.Decorator {
		return core.OnWrite(resource, func(ctx context.Context, tx *core.Transaction, changes []core.Change) (err error) {
			tx.AfterCommit(func(ctx context.Context) { err = fn(ctx, tx, changes) })
			return err
		})
	}
	early := correctHooks
	early.afterCommit = func(ctx context.Context, _ *core.Transaction, fn func(context.Context)) { fn(ctx) }
	for name, row := range map[string]struct {
		rule   string
		hooks  hooking
		broken bool
	}{
		"correct": {"", correctHooks, false},
		"no before image": {"a hook sees every change with its images", around(func(fn hookFunc) hookFunc {
			return func(ctx context.Context, tx *core.Transaction, changes []core.Change) error {
				blind := make([]core.Change, len(changes))
				for i, c := range changes {
					blind[i].After = c.After
				}
				return fn(ctx, tx, blind)
			}
		}), true},
		"one of several changes": {"a hook sees every change with its images", around(func(fn hookFunc) hookFunc {
			return func(ctx context.Context, tx *core.Transaction, changes []core.Change) error {
				return fn(ctx, tx, changes[:1])
			}
		}), true},
		"errors are ignored": {"the error or panic of a hook changes nothing", around(func(fn hookFunc) hookFunc {
			return func(ctx context.Context, tx *core.Transaction, changes []core.Change) error {
				_ = fn(ctx, tx, changes)
				return nil
			}
		}), true},
		"violations without records": {"the violations of a hook name the records of the request", around(func(fn hookFunc) hookFunc {
			return func(ctx context.Context, tx *core.Transaction, changes []core.Change) error {
				err := fn(ctx, tx, changes)
				if e, ok := errors.AsType[*core.Error](err); ok {
					for i := range e.Violations {
						e.Violations[i].Record = -1
					}
				}
				return err
			}
		}), true},
		"works as the program": {"a hook sees true images and works for the principal", around(func(fn hookFunc) hookFunc {
			return func(ctx context.Context, tx *core.Transaction, changes []core.Change) error {
				return fn(core.System(ctx), tx, changes)
			}
		}), true},
		"after the commit":      {"the answer shows the writes of a hook", outside, true},
		"functions run at once": {"functions run once after the commit of their attempt", early, true},
		"functions run twice": {"functions run once after the commit of their attempt", hooking{
			core.OnWrite, func(_ context.Context, tx *core.Transaction, fn func(context.Context)) {
				tx.AfterCommit(fn)
				tx.AfterCommit(fn)
			},
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			for _, rule := range hookRules {
				if row.rule != "" && rule.name != row.rule {
					continue
				}
				got := rule.breaks(t, func(testing.TB, *core.Model) core.Backend { return memory.New() }, row.hooks)
				if (got != "") != row.broken {
					t.Errorf("%s: %q", rule.name, got)
				}
			}
		})
	}
}
