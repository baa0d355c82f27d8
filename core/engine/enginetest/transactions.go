package enginetest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

func transactionCases() []Case {
	return []Case{
		code("requests of one transaction see the writes before them", Cookies, func(t *testing.T, api *engine.Engine) {
			err := api.Tx(t.Context(), core.TxOptions{}, func(ctx context.Context, tx *engine.Engine) error {
				jars, err := tx.Create(ctx, "jar", engine.Write{}, map[string]any{"cookies": []any{map[string]any{"type": "a"}}})
				if err != nil {
					return err
				}
				list, err := tx.Related(ctx, "jar", jars[0].Key().Any(), "cookies", engine.Query{Depth: 1, Count: true})
				if err != nil {
					return err
				}
				if len(list.Views) != 1 || list.Count != 1 {
					t.Errorf("%d cookies, count %d", len(list.Views), list.Count)
				}
				_, err = tx.Update(ctx, "cookie", list.Views[0].Key().Any(), engine.Write{}, map[string]any{"type": "b"})
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			runLine(t, api, `list cookie depth=1 => [{"id": 1, "type": "b", "jar": 1}]`)
		}),
		code("an error of the function changes nothing", Cookies, func(t *testing.T, api *engine.Engine) {
			failure := errors.New("the caller's own")
			err := api.Tx(t.Context(), core.TxOptions{}, func(ctx context.Context, tx *engine.Engine) error {
				if _, err := tx.Create(ctx, "jar", engine.Write{}, map[string]any{}); err != nil {
					return err
				}
				return failure
			})
			if !errors.Is(err, failure) {
				t.Errorf("got %v", err)
			}
			runLine(t, api, `list jar => []`)
		}),
		{"a write that failed half-way cannot be committed", halfWrite},
		code("a refused request that wrote nothing does not end the transaction", Cookies, func(t *testing.T, api *engine.Engine) {
			err := api.Tx(t.Context(), core.TxOptions{}, func(ctx context.Context, tx *engine.Engine) error {
				if _, err := tx.Get(ctx, "jar", 7, 1); !errors.Is(err, core.NotFound) {
					t.Errorf("got %v", err)
				}
				if _, err := tx.Create(ctx, "jar", engine.Write{}, map[string]any{"nope": 1}); !errors.Is(err, core.UnknownField) {
					t.Errorf("got %v", err)
				}
				_, err := tx.Create(ctx, "jar", engine.Write{}, map[string]any{})
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			runLine(t, api, `list jar depth=0 => [1]`)
		}),
		code("a transaction in a transaction joins it", Cookies, func(t *testing.T, api *engine.Engine) {
			failure := errors.New("the caller's own")
			err := api.Tx(t.Context(), core.TxOptions{}, func(ctx context.Context, tx *engine.Engine) error {
				err := tx.Tx(ctx, core.TxOptions{}, func(ctx context.Context, inner *engine.Engine) error {
					_, err := inner.Create(ctx, "jar", engine.Write{}, map[string]any{})
					return err
				})
				if err != nil {
					return err
				}
				return failure
			})
			if !errors.Is(err, failure) {
				t.Errorf("got %v", err)
			}
			runLine(t, api, `list jar => []`)
		}),
		code("a read-only transaction rejects writes", Cookies, func(t *testing.T, api *engine.Engine) {
			err := api.Tx(t.Context(), core.TxOptions{ReadOnly: true}, func(ctx context.Context, tx *engine.Engine) error {
				_, err := tx.Create(ctx, "jar", engine.Write{}, map[string]any{})
				return err
			})
			if !errors.Is(err, core.ReadOnly) {
				t.Errorf("got %v", err)
			}
		}),
	}
}

// halfWrite ignores the error of a request that had inserted a cookie before its answer was too large.
func halfWrite(t *testing.T, newBackend NewBackend) {
	api := open(t, newBackend, Cookies(), engine.Options{MaxBytes: 100})
	err := api.Tx(t.Context(), core.TxOptions{}, func(ctx context.Context, tx *engine.Engine) error {
		body := map[string]any{"type": strings.Repeat("x", 200)}
		if _, err := tx.Create(ctx, "cookie", engine.Write{Depth: 1}, body); !errors.Is(err, core.TooLarge) {
			t.Errorf("got %v", err)
		}
		return nil
	})
	if !errors.Is(err, core.TooLarge) {
		t.Errorf("the transaction ends with %v", err)
	}
	runLine(t, api, `list cookie => []`)
}
