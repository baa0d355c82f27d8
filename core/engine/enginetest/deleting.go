package enginetest

import (
	"errors"
	"strconv"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

func deletingCases() []Case {
	return []Case{
		script("a deleted record is gone", Cookies, `
			post cookie {}
			delete cookie/1    => null
			get cookie/1       => OBJECT_DOES_NOT_EXIST {"object_name": "cookie", "object_id": 1}
			delete cookie/1    => OBJECT_DOES_NOT_EXIST {"object_name": "cookie", "object_id": 1}
			delete jar/1       => OBJECT_DOES_NOT_EXIST {"object_name": "jar", "object_id": 1}`),
		script("delete detaches related records", Family, `
			put female/1 {}
			put male/1 {"wife": 1}
			put child/1 {"father": 1, "mother": 1}
			delete female/1
			list male          => [{"id": 1, "children": [1], "url": "/male/1"}]
			list child         => [{"id": 1, "father": 1, "url": "/child/1"}]
			delete child/1
			list male          => [{"id": 1, "children": [], "url": "/male/1"}]
			delete male/1`),
		script("delete detaches all references of one record", people, `
			put person/1 {}
			put person/2 {"boss": 1, "partner": 1, "idol": 1, "friends": [1]}
			delete person/1
			list person   => [{"id": 2, "team": [], "friends": []}]`),
		script("a record that points at itself can be deleted", people, `
			put person/1 {"boss": 1, "partner": 1, "idol": 1, "friends": [1]}
			delete person/1
			list person   => []`),
		script("delete cascades by the model and detaches the rest", chains, `
			post album {"tracks": [{}, {}]}
			post album {"tracks": [{"next": 1}]}
			delete album/1
			list track    => [{"id": 3, "album": 2}]
			list album    => [{"id": 2, "tracks": [3]}]`),
		script("deleting a cascade child keeps the parent", chains, `
			post album {"tracks": [{}, {}]}
			delete track/1
			list album    => [{"id": 1, "tracks": [2]}]`),
		script("mutual cascades terminate", chains, `
			put heart/1 {}
			put body/1 {"heart": 1}
			patch heart/1 {"body": 1}
			delete heart/1
			list heart    => []
			list body     => []
			put node/1 {}
			put node/2 {"parent": 1}
			patch node/1 {"parent": 2}
			put node/3 {"parent": 3}
			delete node/2
			list node depth=0  => [3]
			patch node/3 {"parent": 3}
			delete node/3
			list node          => []`),
		script("records deleted together may point at each other", chains, `
			post album {"tracks": [{}, {}]}
			put review/1 {"album": 1, "best": 2}
			patch album/1 {"single": 2}
			delete album/1
			list track    => []
			list review   => []`),
		script("a circle of cascades is deleted whole", chains, `
			put rock/1 {}
			put paper/1 {"beats": 1}
			put scissors/1 {"beats": 1}
			patch rock/1 {"beats": 1}
			delete paper/1
			list rock      => []
			list scissors  => []`),
		script("deleting the root deletes the tree", chains, `
			put node/1 {"children": [{"children": [{}, {}]}, {}]}
			put node/100 {"children": [{}]}
			delete node/1
			list node depth=0 filter={"parent": {"ne": 100}}  => [100]
			patch node/100 {"children": []}
			list node depth=0                                 => [100]`),
		{"a chain of 10,000 cascades does not overflow", longChain},
		code("10,000 records are deleted or detached in one request", chains, broadDelete),
	}
}

const chainLength = 10_000

func longChain(t *testing.T, newBackend NewBackend) {
	store := openStore(t, newBackend, chains())
	api, node := engine.New(store, engine.Options{}), store.Model().Resource("node")
	links := make([]core.Record, chainLength)
	for i := range links {
		fields := map[string]any{"id": i + 1, "parent": i}
		if i == 0 {
			delete(fields, "parent")
		}
		var err error
		if links[i], err = node.NewRecord(fields); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := store.Insert(t.Context(), node, links...); err != nil {
		t.Fatal(err)
	}
	runLine(t, api, `get node/10000 => {"id": 10000, "parent": 9999, "children": []}`)
	if err := api.Delete(t.Context(), "node", 1, engine.Write{}); err != nil {
		t.Fatal(err)
	}
	if list, err := api.List(t.Context(), "node", engine.Query{Limit: 1}); err != nil || len(list.Views) > 0 {
		t.Errorf("left: %s, %v", texts(list.Views), err)
	}
}

func broadDelete(t *testing.T, api *engine.Engine) {
	tracks := make([]map[string]any, chainLength/2)
	for i := range tracks {
		tracks[i] = map[string]any{}
	}
	if _, err := api.Create(t.Context(), "album", engine.Write{}, map[string]any{"tracks": tracks}); err != nil {
		t.Fatal(err)
	}
	tracks = tracks[1:]     // the album counts too
	for i := range tracks { // they point at track 1
		tracks[i] = map[string]any{"next": 1}
	}
	if _, err := api.Create(t.Context(), "track", engine.Write{}, tracks...); err != nil {
		t.Fatal(err)
	}
	if err := api.Delete(t.Context(), "album", 1, engine.Write{}); err != nil {
		t.Fatal(err)
	}
	list, err := api.List(t.Context(), "track", engine.Query{Filter: map[string]any{"next": nil}})
	if err != nil || len(list.Views) != len(tracks) || list.Views[0].Key() != core.IntValue(chainLength/2+1) {
		t.Errorf("%d tracks are left, %v, want %d from %s on", len(list.Views), err, len(tracks), strconv.Itoa(chainLength/2+1))
	}
	if _, err := api.Get(t.Context(), "track", 1, 0); !errors.Is(err, core.NotFound) {
		t.Errorf("get track 1: %v, want %s", err, core.NotFound)
	}
}
