package enginetest

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

func writtenCases() []Case {
	const tooMany = `TOO_LARGE {"msg": "the request creates, changes or deletes more than 3 records; send it in parts"}`
	const body = `TOO_LARGE {"msg": "the request creates or names more than 3 records; send it in parts"}`
	three := engine.Options{MaxWritten: 3}
	return []Case{
		scriptWith("records of a list and nested ones count together", Cookies, three, `
			post cookie [{}, {}, {}]                     => [{"id": 1}, {"id": 2}, {"id": 3}]
			post cookie [{}, {}, {}, {}]                 => `+body+`
			post jar {"cookies": [{}, {}]}               => {"id": 1, "cookies": [4, 5]}
			post jar {"cookies": [{}, {}, {}]}           => `+body+`
			post cookie [{"jar": {}}, {"jar": {}}]       => TOO_LARGE {"msg": "the request creates or names more than 3 records; send it in parts", "index": 1}
			put jar/7 {"cookies": [{}, {}, {}]}          => `+tooMany+`
			list jar depth=0                             => [1]
			list cookie depth=0                          => [1, 2, 3, 4, 5]`),
		scriptWith("members that come and go count, members that stay do not", Cookies, three, `
			post cookie [{}, {}, {}]
			post cookie {}
			put jar/1 {"cookies": [1, 2]}
			patch jar/1 {"cookies": [2, 1, 3]}           => {"id": 1, "cookies": [1, 2, 3]}
			patch jar/1 {"cookies": []}                  => {"id": 1, "cookies": []}
			patch jar/1 {"cookies": [1, 2]}
			patch jar/1 {"cookies": [3, 4]}              => `+tooMany+`
			get jar/1                                    => {"id": 1, "cookies": [1, 2]}`),
		scriptWith("a record counts once", Family, three, `
			post male {"wife": {"husband": {}}} depth=0
			post male {"wife": {"children": [{}]}} depth=0
			put child/1 {"father": 2, "mother": 2}       => replaced {"id": 1, "father": 2, "mother": 2, "url": "/child/1"}
			put male/2 {"name": "m", "children": [1]} depth=0   => replaced 2`),
		scriptWith("records of a setter count", kitchen, three, `
			post cook {"heats": "gas", "serves": "soup"} depth=0
			post cook {"heats": "gas", "serves": "soup", "oven": null}   => FIELD_IS_READONLY
			post cook {"heats": "gas", "dishes": [{}], "serves": "soup"} => `+tooMany+`
			list oven depth=0                            => [1]`),
		scriptWith("orphans and their dependents count", chains, three, `
			post node {"children": [{"children": [{}]}]}
			post node {"children": [{}]}
			patch node/2 {"parent": 4}
			post node [{"parent": 3}, {"parent": 3}] depth=0
			patch node/4 {"children": [5]}               => `+tooMany+`
			list node depth=0                            => [1, 2, 3, 4, 5, 6, 7]
			delete node/7
			patch node/4 {"children": [5]}               => {"id": 4, "children": [5]}`),
		scriptWith("a delete beyond the number names the relation", chains, three, `
			post album {"tracks": [{}, {}]}
			post track [{"album": 1}, {"next": 1}]
			delete album/1                               => STILL_REFERENCED {"object_name": "album", "field_name": "tracks"}
			delete track/2
			delete album/1                               => STILL_REFERENCED {"object_name": "track", "field_name": "next"}
			list track                                   => [{"id": 1, "album": 1}, {"id": 3, "album": 1}, {"id": 4, "next": 1}]
			delete track/4
			delete album/1                               => null
			list track                                   => []`),
		scriptWith("a delete counts a record with several references once", people, three, `
			post person [{}, {}]
			post person {"boss": 1, "idol": 2}
			patch person/2 {"boss": 1, "idol": 1}
			delete person/1                              => null
			list person depth=0                          => [2, 3]`),
		scriptWith("restrict needs no budget", tenants, engine.Options{MaxWritten: 1}, `
			post tenant {}
			post contract {"tenant": 1}
			post contract {"tenant": 1}
			delete tenant/1                              => STILL_REFERENCED {"object_name": "tenant", "field_name": "contracts"}`),
		code("300,000 nested records are refused within the memory bound", Cookies, crowdedBody),
		code("reading a body ends with its context", Cookies, cancelledBody),
	}
}

func crowdedBody(t *testing.T, api *engine.Engine) {
	const members, bound = 300_000, 100 << 20
	cookies := make([]any, members)
	for i := range cookies {
		cookies[i] = map[string]any{}
	}
	for _, c := range []struct {
		request string
		do      func() error
	}{
		{"POST", func() error {
			_, err := api.Create(t.Context(), "jar", engine.Write{}, map[string]any{"cookies": cookies})
			return err
		}},
		{"POST of many small lists", func() error {
			bodies := make([]map[string]any, 1000)
			for i := range bodies {
				bodies[i] = map[string]any{"cookies": cookies[:members/len(bodies)]}
			}
			_, err := api.Create(t.Context(), "jar", engine.Write{}, bodies...)
			return err
		}},
		{"PUT", func() error {
			_, _, err := api.Replace(t.Context(), "jar", 1, engine.Write{}, map[string]any{"cookies": cookies})
			return err
		}},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := c.do()
		runtime.ReadMemStats(&after)
		if !errors.Is(err, core.TooLarge) {
			t.Errorf("%s: %v, want %s", c.request, err, core.TooLarge)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > bound {
			t.Errorf("%s allocated %d bytes, want at most %d", c.request, n, bound)
		}
	}
	for _, resource := range []string{"jar", "cookie"} {
		if list, err := api.List(t.Context(), resource, engine.Query{}); err != nil || len(list.Views) > 0 {
			t.Errorf("%s %s, %v", resource, texts(list.Views), err)
		}
	}
}

// cancelledBody sends a body with a mistake at its end.
func cancelledBody(t *testing.T, api *engine.Engine) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := api.Create(ctx, "jar", engine.Write{}, map[string]any{"cookies": []any{map[string]any{}, map[string]any{"x": 1}}})
	if !errors.Is(err, context.Canceled) || !errors.Is(err, core.Unavailable) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}
