package enginetest

import (
	"context"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

func memberCases() []Case {
	three := engine.Options{MaxMembers: 3}
	const cannot = `BAD_REQUEST {"msg": "jar.cookies holds more records than an answer shows, so it cannot be set as a list; set cookie.jar instead"}`
	return []Case{
		scriptWith("a long list side shows its first records and a link", Cookies, three, `
			post jar {"cookies": [{}, {}, {}, {}]}     => {"id": 1, "cookies": [1, 2, 3], "cookies@next": "*"}
			post jar {"cookies": [{}, {}, {}]}         => {"id": 2, "cookies": [5, 6, 7]}
			get jar/1 depth=2                          => {"id": 1, "cookies": [{"id": 1, "jar": 1}, {"id": 2, "jar": 1}, {"id": 3, "jar": 1}], "cookies@next": "*"}
			get jar/1 depth=0                          => 1
			get cookie/4 depth=2                       => {"id": 4, "jar": {"id": 1, "cookies": [1, 2, 3], "cookies@next": "*"}}
			post jar {}                                => {"id": 3, "cookies": []}
			patch cookie/5 {"jar": 1}                  => {"id": 5, "jar": 1}
			list jar                                   => [{"id": 1, "cookies": [1, 2, 3], "cookies@next": "*"}, {"id": 2, "cookies": [6, 7]}, {"id": 3, "cookies": []}]`),
		scriptWith("several long list sides in one answer", Cookies, three, `
			post jar [{}, {}, {}] depth=0
			post cookie [{"jar": 2}, {"jar": 1}, {"jar": 1}, {"jar": 1}, {"jar": 1}, {"jar": 1}, {"jar": 1}] depth=0
			post cookie [{"jar": 1}, {"jar": 1}, {"jar": 1}, {"jar": 1}, {"jar": 1}, {"jar": 1}, {"jar": 3}] depth=0
			post cookie [{"jar": 3}, {"jar": 3}, {"jar": 2}, {"jar": 3}] depth=0
			list jar  => [{"id": 1, "cookies": [2, 3, 4], "cookies@next": "*"}, {"id": 2, "cookies": [1, 17]}, {"id": 3, "cookies": [14, 15, 16], "cookies@next": "*"}]`),
		scriptWith("a list side fills the room that is left", Cookies, engine.Options{MaxRecords: 5}, `
			post jar {"cookies": [{}, {}, {}, {}, {}]}   => {"id": 1, "cookies": [1, 2, 3, 4], "cookies@next": "*"}
			get jar/1 depth=3                            => {"id": 1, "cookies": [{"id": 1, "jar": {"id": 1, "cookies": [], "cookies@next": "*"}}, {"id": 2, "jar": {"id": 1, "cookies": [], "cookies@next": "*"}}], "cookies@next": "*"}
			post jar {"cookies": [{}]}                   => {"id": 2, "cookies": [6]}
			pages jar                                    => [[{"id": 1, "cookies": [1, 2, 3, 4], "cookies@next": "*"}], [{"id": 2, "cookies": [6]}]]`),
		scriptWith("a long list side cannot be set", Cookies, three, `
			post jar {"cookies": [{}, {}, {}, {}]} depth=0
			patch jar/1 {"cookies": [1]}      => `+cannot+`
			patch jar/1 {"cookies": []}       => `+cannot+`
			put jar/1 {"cookies": [1, 2, 3]}  => `+cannot+`
			list cookie depth=0 filter={"jar": 1}  => [1, 2, 3, 4]
			patch cookie/1 {"jar": null}
			patch jar/1 {"cookies": [2, 3]}   => {"id": 1, "cookies": [2, 3]}
			patch jar/1 {"cookies": [2, {}, {}, {}, {}]}   => {"id": 1, "cookies": [2, 5, 6], "cookies@next": "*"}
			patch jar/1 {"cookies": [{}]}     => `+cannot),
		scriptWith("PUT keeps a long list side and empties others", Cookies, three, `
			post jar [{"cookies": [{}, {}, {}, {}]}, {"cookies": [{}]}] depth=0
			put jar/1 {}  => replaced {"id": 1, "cookies": [1, 2, 3], "cookies@next": "*"}
			put jar/2 {}  => replaced {"id": 2, "cookies": []}`),
		scriptWith("the member NAME@next in a body is ignored", Cookies, three, `
			post jar {"cookies": [{}, {}, {}, {}], "jar@next": 1}             => FIELD_DOES_NOT_EXIST {"object_name": "jar", "field_name": "jar@next"}
			post jar [{"cookies": [{}, {}, {}, {}]}, {"cookies@next": "x"}] depth=0
			patch jar/1 {"cookies@next": "x"}                    => {"id": 1, "cookies": [1, 2, 3], "cookies@next": "*"}
			put jar/1 {"cookies@next": 7}                        => replaced {"id": 1, "cookies": [1, 2, 3], "cookies@next": "*"}
			patch cookie/1 {"type@next": "x"}                    => FIELD_DOES_NOT_EXIST {"object_name": "cookie", "field_name": "type@next"}
			patch cookie/1 {"jar@next": "x"}                     => FIELD_DOES_NOT_EXIST {"object_name": "cookie", "field_name": "jar@next"}`),
		scriptWith("a list with its NAME@next cannot be set", Cookies, three, `
			post jar {"cookies": [{}]} depth=0
			patch jar/1 {"cookies": [1], "cookies@next": "x"}    => `+cannot),
		scriptWith("a delete of too many dependents names the relation", chains, engine.Options{MaxWritten: 4}, `
			put node/1 {} depth=0
			post node [{"parent": 1}, {"parent": 1}, {"parent": 1}] depth=0
			put album/1 {} depth=0
			post track [{"album": 1}, {"album": 1}] depth=0
			post track [{"album": 1}, {"album": 1}] depth=0
			delete node/1    => null
			delete album/1   => STILL_REFERENCED {"object_name": "album", "field_name": "tracks"}
			delete track/1
			delete album/1`),
		{"a list continues where a record's list side ends", memberPages},
	}
}

// memberPages follows a list side to its end, with and without a policy.
func memberPages(t *testing.T, newBackend NewBackend) {
	pass := core.Decorator{Name: "idle", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) { return next(ctx, op) }, nil
	}}
	for name, stack := range map[string][]core.Decorator{"alone": nil, "under a policy": {pass}} {
		t.Run(name, func(t *testing.T) {
			checkMemberPages(t, open(t, newBackend, renamed(), engine.Options{MaxMembers: 4, MaxRecords: 7}, stack...))
		})
	}
}

func checkMemberPages(t *testing.T, api *engine.Engine) {
	for range 3 {
		if _, err := api.Create(t.Context(), "jar", engine.Write{}, map[string]any{"cookies": []any{
			map[string]any{}, map[string]any{}, map[string]any{}, map[string]any{}, map[string]any{}, map[string]any{},
		}}); err != nil {
			t.Fatal(err)
		}
	}
	view, err := api.Get(t.Context(), "jar", 2, 1)
	if err != nil {
		t.Fatal(err)
	}
	object, _ := view.Any().(map[string]any)
	ids, _ := object["cookies"].([]any)
	after, _ := object["cookies@next"].(string)
	rest, err := api.Related(t.Context(), "jar", 2, "cookies", engine.Query{After: core.Cursor(after)})
	if err != nil || len(ids) != 4 || texts(rest.Views) != "[11,12]" || rest.Next != "" {
		t.Errorf("%s, then %s, %v", view.AppendJSON(nil), texts(rest.Views), err)
	}
}
