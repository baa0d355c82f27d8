package resttest

import (
	"context"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
)

// TestBrokenActionsAreCaught runs actions that work for another principal than that of the request. Each must show in the comparison
// with and without foreign records.
func TestBrokenActionsAreCaught(t *testing.T) {
	other := func(ctx context.Context) context.Context {
		return core.WithPrincipal(ctx, &core.Principal{ID: core.IntValue(1)})
	}
	newBackend := func(testing.TB, *core.Model) core.Backend { return memory.New() }
	for name, broken := range map[string]func(ctx context.Context, call *rest.Call) error{
		"counts for another principal": func(ctx context.Context, call *rest.Call) error {
			list, err := call.Tx.List(other(ctx), "note", engine.Query{Count: true})
			call.Output = map[string]any{"n": list.Count}
			return err
		},
		"finds for another principal": func(ctx context.Context, call *rest.Call) error {
			_, err := call.Tx.Get(other(ctx), "note", 1, 0)
			return err
		},
		"changes for another principal": func(ctx context.Context, call *rest.Call) error {
			_, err := call.Tx.UpdateAll(other(ctx), "note", engine.Bulk{Filter: map[string]any{}, Max: 9}, map[string]any{"text": "changed"})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := withActions(rest.Action{
				Resource: "note", Name: "broken", Whole: true, Output: []core.FieldSpec{{Name: "n", Type: core.Int}}, Run: broken,
			})
			if actionInterference(t, newBackend, s, exchange{"POST /note/$broken", `{}`, 200, ""}) == "" {
				t.Error("no difference was found")
			}
		})
	}
}
