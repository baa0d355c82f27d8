package enginetest

import (
	"errors"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

func relatedCases() []Case {
	const unknown = "FIELD_DOES_NOT_EXIST "
	return []Case{
		script("the records of a list side are a list", Cookies, `
			post jar [{"cookies": [{"type": "b"}, {"type": "a"}, {"type": "b"}]}, {"cookies": [{}]}, {}] depth=0
			list jar/1/cookies             => [{"id": 1, "type": "b", "jar": 1}, {"id": 2, "type": "a", "jar": 1}, {"id": 3, "type": "b", "jar": 1}]
			list jar/1/cookies depth=0     => [1, 2, 3]
			list jar/2/cookies depth=2     => [{"id": 4, "jar": {"id": 2, "cookies": [4]}}]
			list jar/3/cookies             => []
			list jar/1/cookies depth=0 filter={"type": "b"}                  => [1, 3]
			list jar/1/cookies depth=0 filter={"jar": 2}                     => []
			list jar/1/cookies depth=0 sort=["type", "-id"]                  => [2, 3, 1]
			list jar/1/cookies depth=0 sort=["-id"] limit=2                  => [3, 2]
			pages jar/1/cookies depth=0 limit=2                              => [[1, 2], [3]]
			pages jar/1/cookies depth=0 limit=1 sort=["type"] filter={"id": {"gt": 1}}  => [[2], [3]]`),
		script("the records of a stored list are a list", people, `
			put person/1 {"name": "a"}
			put person/2 {"name": "b"}
			put person/3 {"name": "a"}
			put person/4 {"friends": [3, 1, 2]}
			put person/5 {"friends": []}
			put person/6 {}
			list person/4/friends                            => [{"id": 1, "name": "a", "team": [], "friends": []}, {"id": 2, "name": "b", "team": [], "friends": []}, {"id": 3, "name": "a", "team": [], "friends": []}]
			list person/4/friends depth=0                    => [1, 2, 3]
			list person/4/friends depth=0 filter={"name": "a"} sort=["-id"]  => [3, 1]
			pages person/4/friends depth=0 limit=2           => [[1, 2], [3]]
			list person/5/friends                            => []
			list person/6/friends                            => []
			delete person/2
			list person/4/friends depth=0                    => [1, 3]`),
		script("relations of a resource to itself are lists", people, `
			put person/1 {}
			put person/2 {"boss": 1}
			put person/3 {"boss": 1, "team": [1]}
			list person/1/team depth=0                       => [2, 3]
			list person/1/team depth=0 filter={"boss": 1}    => [2, 3]
			list person/3/team depth=0 filter={"boss": 3}    => [1]`),
		script("a list under its record uses API names", renamed, `
			post jar [{"cookies": [{"type": "x"}, {"type": "y"}]}] depth=0
			list jar/1/cookies depth=0 filter={"type": "y"}  => [2]
			list jar/1/cs                                    => `+unknown+`{"object_name": "jar", "field_name": "cs"}`),
		script("a missing record has no related records", Cookies, `
			post jar {}
			list jar/2/cookies          => OBJECT_DOES_NOT_EXIST {"object_name": "jar", "object_id": 2}
			list jar/x/cookies          => BAD_FIELD_VALUE
			list tin/1/cookies          => OBJECT_DOES_NOT_EXIST {"object_name": "resource", "object_id": "tin"}`),
		script("only a visible to-many relation has a list", boxes, `
			post box {} depth=0
			post item {"box": 1} depth=0
			list box/1/lid              => `+unknown+`{"object_name": "box", "field_name": "lid"}
			list box/9/lid              => `+unknown+`{"object_name": "box", "field_name": "lid"}
			list box/1/shut             => `+unknown+`{"object_name": "box", "field_name": "shut"}
			list box/1/id               => `+unknown+`{"object_name": "box", "field_name": "id"}
			list item/1/box             => `+unknown+`{"object_name": "item", "field_name": "box"}
			list socket/1/plug          => `+unknown+`{"object_name": "socket", "field_name": "plug"}
			list seal/1/box             => `+unknown+`{"object_name": "seal", "field_name": "box"}`),
		script("a hidden to-many relation has no list", concealed, `
			put user/1 {}
			list user/1/tokens          => `+unknown+`{"object_name": "user", "field_name": "tokens"}
			list user/1/likes           => `+unknown+`{"object_name": "user", "field_name": "likes"}`),
		script("a list side through a hidden field is a list", boxes, `
			put drawer/1 {"knives": []}
			list drawer/1/knives        => []`),
		script("arguments are checked as those of a list", Cookies, `
			post jar {}
			list jar/1/cookies depth=6                 => BAD_PARAM_VALUE {"param_name": "depth", "accepted_values": "at most 5"}
			list jar/1/cookies limit=-1                => BAD_PARAM_VALUE {"param_name": "limit", "accepted_values": "non-negative integer"}
			list jar/1/cookies filter={"nope": 1}      => `+unknown+`{"object_name": "cookie", "field_name": "nope"}
			list jar/1/cookies sort=["nope"]           => `+unknown+`{"object_name": "cookie", "field_name": "nope"}`),
		scriptWith("the bounds of an answer end the page", Cookies, engine.Options{MaxRecords: 2}, `
			post jar {} depth=0
			post cookie [{"jar": 1}, {"jar": 1}] depth=0
			post cookie [{"jar": 1}, {}] depth=0
			post cookie {"jar": 1} depth=0
			pages jar/1/cookies depth=0                => [[1, 2], [3, 5]]`),
		code("a cursor belongs to the relation of one record", people, relatedCursors),
		scriptWith("records under a hidden record are not found", owned, engine.Options{}, ownedFixture+`
			list jar/1/cookies                         => UNAUTHORIZED {}
			as 2 list jar/1/cookies                    => OBJECT_DOES_NOT_EXIST {"object_name": "jar", "object_id": 1}
			as 2 list jar/9/cookies                    => OBJECT_DOES_NOT_EXIST {"object_name": "jar", "object_id": 9}
			as 1 list plate/2/cookies                  => OBJECT_DOES_NOT_EXIST {"object_name": "plate", "object_id": 2}
			as 2 list jar/1/cookies limit=1 filter={"id": 2}  => OBJECT_DOES_NOT_EXIST {"object_name": "jar", "object_id": 1}`, ownerGuard()),
		scriptWith("hidden related records are not listed", owned, engine.Options{}, ownedFixture+`
			as 1 list jar/1/cookies                    => [{"id": 1, "type": "a", "jar": 1}]
			as 1 pages jar/1/cookies depth=0 limit=1   => [[1]]
			as 1 list jar/1/cookies sort=["-jar"] depth=0     => [1]
			as 1 list jar/1/cookies filter={"id": 2}   => []
			as 2 list plate/2/cookies depth=0          => [2]
			as 2 list plate/2/cookies sort=["jar"]     => [{"id": 2, "type": "b"}]
			as system list jar/1/cookies depth=0       => [1, 2]
			as system list plate/2/cookies depth=0     => [1, 2]`, ownerGuard()),
		scriptWith("a list of a denied resource is denied", owned, engine.Options{}, `
			post jar {}
			put plate/1 {}
			list jar/1/cookies                         => FORBIDDEN {"object_name": "cookie"}
			list plate/1/cookies                       => FORBIDDEN {"object_name": "cookie"}
			list jar/2/cookies                         => OBJECT_DOES_NOT_EXIST {"object_name": "jar", "object_id": 2}`,
			forbidReads("cookie", core.Forbidden)),
		scriptWith("a list under a denied resource is denied", owned, engine.Options{}, `
			list jar/1/cookies                         => FORBIDDEN {"object_name": "jar"}`,
			forbidReads("jar", core.Forbidden)),
		scriptWith("a relation that a policy hides has no list", partlyVisible, engine.Options{}, libraryFixture+`
			as system list shelf/2/books depth=0       => [1]
			as system list plate/1/books depth=0       => [1, 2]
			list shelf/2/books                         => `+unknown+`{"object_name": "shelf", "field_name": "books"}
			list shelf/2/books filter={"title": "x"}   => `+unknown+`{"object_name": "shelf", "field_name": "books"}
			list shelf/2/books filter={"id": "x"}      => `+unknown+`{"object_name": "shelf", "field_name": "books"}
			list shelf/2/books sort=["shelf"]          => `+unknown+`{"object_name": "shelf", "field_name": "books"}
			list shelf/9/books                         => OBJECT_DOES_NOT_EXIST {"object_name": "shelf", "object_id": 9}
			list plate/1/books                         => `+unknown+`{"object_name": "plate", "field_name": "books"}`,
			hideField("book", "shelf"), hideField("plate", "books")),
		scriptWith("a filter by an unreadable field is about that field", partlyVisible, engine.Options{}, libraryFixture+`
			list shelf/2/books filter={"title": "a"}   => `+unknown+`{"object_name": "book", "field_name": "title"}
			list shelf/2/books                         => [{"id": 1, "shelf": 2}]`,
			hideField("book", "title")),
	}
}

// relatedCursors checks that a cursor is valid for its record, relation and filter only, and survives a change of a stored
// list.
func relatedCursors(t *testing.T, api *engine.Engine) {
	for _, line := range []string{
		`put person/1 {}`, `put person/2 {}`, `put person/3 {}`, `put person/4 {"friends": [1, 2, 3], "team": [1, 2, 3]}`, `put person/5 {"friends": [1, 2, 3]}`,
	} {
		runLine(t, api, line)
	}
	type list struct{ id, relation, null string } // null: a field that must be null
	query := func(l list) engine.Query {
		if l.null == "" {
			return engine.Query{}
		}
		return engine.Query{Filter: map[string]any{l.null: nil}}
	}
	lists := []list{
		{"4", "friends", ""}, {"5", "friends", ""}, {"4", "team", ""}, {"4", "friends", "name"}, {"4", "friends", "idol"}, {"4", "team", "name"},
	}
	for _, from := range lists {
		q := query(from)
		q.Limit = 1
		first, err := api.Related(t.Context(), "person", from.id, from.relation, q)
		if err != nil || first.Next == "" {
			t.Fatalf("%v: no cursor: %v", from, err)
		}
		for _, to := range lists {
			q := query(to)
			q.After = first.Next
			_, err := api.Related(t.Context(), "person", to.id, to.relation, q)
			if from == to && err != nil || from != to && !errors.Is(err, core.BadParam) {
				t.Errorf("cursor of %v for %v: %v", from, to, err)
			}
		}
		if _, err := api.List(t.Context(), "person", engine.Query{After: first.Next}); !errors.Is(err, core.BadParam) {
			t.Errorf("cursor of %v for all records: %v, want %s", from, err, core.BadParam)
		}
	}
	first, err := api.Related(t.Context(), "person", "4", "friends", engine.Query{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	runLine(t, api, `patch person/4 {"friends": [2, 4]}`)
	rest, err := api.Related(t.Context(), "person", 4, "friends", engine.Query{After: first.Next})
	if err != nil || texts(rest.Views) != `[2,4]` {
		t.Errorf("after a change of the list: %s, %v", texts(rest.Views), err)
	}
}

// concealed has hidden to-many relations.
func concealed() *core.Model {
	return core.MustModel("concealed",
		core.ResourceSpec{Name: "user", Fields: []core.FieldSpec{
			key(),
			{Name: "tokens", ToMany: "token", Inverse: "user", Hidden: true},
			{Name: "likes", ToMany: "user", Hidden: true},
		}},
		core.ResourceSpec{Name: "token", Fields: []core.FieldSpec{key(), {Name: "user", ToOne: "user"}}},
	)
}
