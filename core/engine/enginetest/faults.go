package enginetest

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

var errFault = errors.New("fault")

// fault makes the n-th operation from now fail.
type fault struct{ n atomic.Int64 }

func (f *fault) decorator() core.Decorator {
	return core.Decorator{Name: "fault", Kind: core.KindAnswer, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if op.Kind != core.Tx && f.n.Add(-1) == 0 {
				return core.Result{}, errFault
			}
			return next(ctx, op)
		}, nil
	}}
}

func faultCases() []Case {
	return []Case{
		faultCase("a family", Family, `
			put female/1 {"name": "f"}
			put female/2 {"name": "g"}
			put child/1 {"mother": 2}
			put male/1 {"name": "m", "wife": 1, "children": [1, {}]}
			post female [{"husband": {"children": [{}]}}, {"name": "h"}]
			patch female/1 {"husband": {"wife": 2}, "children": [1, {}]} depth=3
			patch male/1 {"wife": 2, "children": [1]} depth=2
			patch child/1 {"father": 1}
			put male/1 {"wife": {}}
			list female filter={"husband": {"ne": 2}} depth=2
			list female filter={"husband": {"in": [null, 2]}}
			list child
			get male/1 depth=2
			get male/1 depth=0
			delete male/1
			delete child/1`),
		faultCase("relations with write rules", boxes, `
			put box/1 {}
			put box/2 {"items": [{}, {}]}
			put item/11 {"box": 1}
			put item/12 {"box": 2}
			post item [{"box": 1}, {"box": 2}]
			patch item/11 {"box": 2}
			patch box/2 {"items": [11]}
			put plug/1 {"socket": {}}
			put socket/11 {"plug": {}}
			patch plug/1 {"socket": 11}
			patch socket/11 {"plug": {}}
			delete item/11
			delete socket/11`),
		faultCase("setters", kitchen, `
			put cook/1 {"heats": "gas", "serves": "soup"}
			patch cook/1 {"heats": "coal", "serves": "tea"}
			put oven/11 {}
			patch cook/1 {"uses": 11}
			post cook {"uses": 11, "serves": "pie"}
			put cook/1 {"serves": "pie"}`),
		faultCase("cascades", chains, `
			put album/1 {"tracks": [{}, {}]}
			put track/11 {"album": 1}
			put album/2 {"tracks": [{"next": 11}]}
			put track/12 {"album": 1}
			patch album/1 {"tracks": [12]}
			put album/1 {}
			put node/1 {"children": [{"children": [{}]}]}
			put holder/1 {"licence": {}}
			put licence/11 {"holder": 1}
			patch licence/11 {"holder": null}
			patch holder/1 {"licence": 11}
			put licence/12 {}
			patch holder/1 {"licence": 12}
			delete album/2
			delete node/1`),
		faultCase("lists of ids", people, `
			put person/1 {}
			put person/2 {"friends": [1]}
			patch person/1 {"friends": [2, {}], "idol": {}} depth=2
			patch person/1 {"team": [2]} depth=0
			put person/2 {}`),
		faultCase("relations that may be hidden", owned, `
			as 1 put jar/1 {"cookies": [{}]}
			as 1 list cookie sort=["jar"]
			as 1 list cookie filter={"jar": {"in": [null, 1]}}
			as 1 delete jar/1`, ownerGuard()),
	}
}

// faultCase returns a case that sends each request with its first operation failing, then with its second, until
// no operation is left to fail. Every failed request must leave the store unchanged.
func faultCase(scenario string, model func() *core.Model, text string, decorators ...core.Decorator) Case {
	rule := "a failed operation undoes the request/" + scenario
	return Case{rule, func(t *testing.T, newBackend NewBackend) {
		var f fault
		store := openStore(t, newBackend, model(), append(decorators, f.decorator())...)
		api := engine.New(store, engine.Options{})
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); line != "" {
				failEach(t, api, &f, line)
			}
		}
	}}
}

func failEach(t *testing.T, api *engine.Engine, f *fault, line string) {
	t.Helper()
	before := dumpStore(t, api)
	for n := int64(1); ; n++ {
		f.n.Store(n)
		answer := send(t, api, line)
		missed := f.n.Load() > 0
		f.n.Store(0)
		switch {
		case missed && strings.HasPrefix(answer, "error "):
			t.Fatalf("%s: %s", line, answer)
		case missed:
			return
		case answer != "error SERVER_ERROR {}":
			t.Errorf("%s: with operation %d failing: %s", line, n, answer)
		case dumpStore(t, api) != before:
			t.Fatalf("%s: with operation %d failing, the store went from\n%s\nto\n%s", line, n, before, dumpStore(t, api))
		}
	}
}

// dumpStore returns all records of the store as text.
func dumpStore(t *testing.T, api *engine.Engine) string {
	t.Helper()
	var b strings.Builder
	for _, r := range api.Model().Resources() {
		list, err := api.List(core.System(t.Context()), r.APIName(), engine.Query{Depth: 1})
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(r.APIName() + " " + texts(list.Views) + "\n")
	}
	return b.String()
}
