package enginetest

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// tracker has issues and labels in a relation that a join resource stores. A link has a note of its own. Issues block issues
// through a second join resource.
func tracker() *core.Model {
	return trackerOf(core.FieldSpec{Name: "labels", ToMany: "label", Through: "link"}, core.ResourceSpec{
		Name: "link", Fields: []core.FieldSpec{
			key(), {Name: "issue", ToOne: "issue"}, {Name: "label", ToOne: "label"}, {Name: "note", Type: core.Text, Default: "new"},
		},
		Unique: [][]string{{"issue", "label"}},
	})
}

func trackerOf(labels core.FieldSpec, link core.ResourceSpec) *core.Model {
	return core.MustModel("tracker",
		core.ResourceSpec{Name: "issue", Fields: []core.FieldSpec{
			key(),
			{Name: "title", Type: core.Text},
			labels,
			{Name: "blocks", ToMany: "issue", Through: "block.blocked"},
			{Name: "blocked_by", ToMany: "issue", Through: "block.blocker"},
		}},
		core.ResourceSpec{Name: "label", Fields: []core.FieldSpec{
			key(), {Name: "name", Type: core.Text}, {Name: "issues", ToMany: "issue", Through: "link"},
		}},
		link,
		core.ResourceSpec{
			Name: "block", Fields: []core.FieldSpec{key(), {Name: "blocker", ToOne: "issue"}, {Name: "blocked", ToOne: "issue"}},
			Unique: [][]string{{"blocker", "blocked"}},
		},
	)
}

// tagged is a smaller model of the same kind, with API names, an owner in every record, and a list of the links themselves.
func tagged() *core.Model {
	owner := core.FieldSpec{Name: "owner", Type: core.Int, Hidden: true}
	return core.MustModel("tagged",
		core.ResourceSpec{Name: "p", APIName: "page", Fields: []core.FieldSpec{
			key(), owner,
			{Name: "ts", APIName: "tags", ToMany: "t", Through: "pt"},
			{Name: "ls", APIName: "links", ToMany: "pt", Inverse: "p"},
		}},
		core.ResourceSpec{Name: "t", APIName: "tag", Fields: []core.FieldSpec{
			key(), owner, {Name: "w", APIName: "word", Type: core.Text}, {Name: "ps", APIName: "pages", ToMany: "p", Through: "pt"},
		}},
		core.ResourceSpec{Name: "pt", APIName: "link", Fields: []core.FieldSpec{
			key(), owner, {Name: "p", APIName: "page", ToOne: "p"}, {Name: "t", APIName: "tag", ToOne: "t"}, {Name: "n", APIName: "note", Type: core.Text},
		}, Unique: [][]string{{"p", "t"}}},
	)
}

// taggedFixture is the data for cases with ownerGuard. Tags 1 and 2 belong to principal 1, tag 3 to principal 2. Page 1 of
// principal 1 has all of them; principal 2 owns the link to tag 2.
const taggedFixture = `
	as 1 put tag/1 {"word": "a"}
	as 1 put tag/2 {"word": "b"}
	as 2 put tag/3 {"word": "c"}
	as 1 put page/1 {"tags": [1]} depth=0
	as 2 post link {} depth=0
	as system patch link/2 {"page": 1, "tag": 2}
	as 1 post link {} depth=0
	as system patch link/3 {"page": 1, "tag": 3}
	as system put page/2 {"tags": [1]} depth=0
`

func throughCases() []Case {
	three := engine.Options{MaxMembers: 3}
	const cannot = `BAD_REQUEST {"msg": "issue.labels holds more records than an answer shows, so it cannot be set as a list; create and delete records of link instead"}`
	guarded := func(rule, text string) Case {
		return scriptWith(rule, tagged, engine.Options{}, taggedFixture+text, ownerGuard())
	}
	return []Case{
		script("a list is shown as ids and as records from both sides", tracker, `
			post label [{"name": "a"}, {"name": "b"}] depth=0
			post issue {"title": "x", "labels": [2, 1]}   => {"id": 1, "title": "x", "labels": [1, 2], "blocks": [], "blocked_by": []}
			post issue {"labels": [2]}            => {"id": 2, "labels": [2], "blocks": [], "blocked_by": []}
			get issue/1 depth=0                   => 1
			get label/2                           => {"id": 2, "name": "b", "issues": [1, 2]}
			get label/1 depth=2                   => {"id": 1, "name": "a", "issues": [{"id": 1, "title": "x", "labels": [1, 2], "blocks": [], "blocked_by": []}]}
			get issue/2 depth=3                   => {"id": 2, "labels": [{"id": 2, "name": "b", "issues": [{"id": 1, "title": "x", "labels": [1, 2], "blocks": [], "blocked_by": []}, {"id": 2, "labels": [2], "blocks": [], "blocked_by": []}]}], "blocks": [], "blocked_by": []}
			list link                             => [{"id": 1, "issue": 1, "label": 1, "note": "new"}, {"id": 2, "issue": 1, "label": 2, "note": "new"}, {"id": 3, "issue": 2, "label": 2, "note": "new"}]`),
		script("a list is set by difference", tracker, `
			post label [{}, {}, {}] depth=0
			post issue {"labels": [1, 2]}
			patch link/1 {"note": "kept"}
			patch issue/1 {"labels": [3, 1, 1]}   => {"id": 1, "labels": [1, 3], "blocks": [], "blocked_by": []}
			list link                             => [{"id": 1, "issue": 1, "label": 1, "note": "kept"}, {"id": 3, "issue": 1, "label": 3, "note": "new"}]
			patch label/2 {"issues": [1]}         => {"id": 2, "issues": [1]}
			put label/1 {"issues": [1]}           => replaced {"id": 1, "issues": [1]}
			put issue/1 {"labels": [1, 2]}        => replaced {"id": 1, "labels": [1, 2], "blocks": [], "blocked_by": []}
			list link                             => [{"id": 1, "issue": 1, "label": 1, "note": "kept"}, {"id": 4, "issue": 1, "label": 2, "note": "new"}]
			patch issue/1 {"title": "x"}          => {"id": 1, "title": "x", "labels": [1, 2], "blocks": [], "blocked_by": []}
			patch issue/1 {"labels": []}          => {"id": 1, "title": "x", "labels": [], "blocks": [], "blocked_by": []}
			list link                             => []`),
		script("PUT empties a list that it does not name", tracker, `
			post label [{}, {}] depth=0
			post issue {"title": "x", "labels": [1, 2]} depth=0
			put issue/1 {"labels": null}          => replaced {"id": 1, "labels": [], "blocks": [], "blocked_by": []}
			patch issue/1 {"labels": [1, 2]} depth=0
			put issue/1 {"title": "y"}            => replaced {"id": 1, "title": "y", "labels": [], "blocks": [], "blocked_by": []}
			put issue/7 {"labels": [2]}           => created {"id": 7, "labels": [2], "blocks": [], "blocked_by": []}
			list label depth=0                    => [1, 2]`),
		script("records of a list are created from nested bodies", tracker, `
			post label {"name": "a"} depth=0
			post issue {"labels": [1, {"name": "b", "issues": [{"title": "y"}]}]} depth=2  => {"id": 1, "labels": [{"id": 1, "name": "a", "issues": [1]}, {"id": 2, "name": "b", "issues": [1, 2]}], "blocks": [], "blocked_by": []}
			patch issue/1 {"labels": [{}, 2]}     => {"id": 1, "labels": [2, 3], "blocks": [], "blocked_by": []}
			put label/3 {"issues": [{"title": "z"}]}  => replaced {"id": 3, "issues": [3]}
			post issue {"blocks": [{"title": "w", "labels": [{"name": "v"}]}]} depth=2  => {"id": 4, "labels": [], "blocks": [{"id": 5, "title": "w", "labels": [4], "blocks": [], "blocked_by": [4]}], "blocked_by": []}`),
		script("a list leads to the resource itself", tracker, `
			post issue [{}, {}] depth=0
			post issue {"blocks": [1, 2]}
			get issue/3                           => {"id": 3, "labels": [], "blocks": [1, 2], "blocked_by": []}
			get issue/1                           => {"id": 1, "labels": [], "blocks": [], "blocked_by": [3]}
			patch issue/1 {"blocked_by": [1, 2]}  => {"id": 1, "labels": [], "blocks": [1], "blocked_by": [1, 2]}
			get issue/3                           => {"id": 3, "labels": [], "blocks": [2], "blocked_by": []}
			put issue/1 {"blocks": [2]}           => replaced {"id": 1, "labels": [], "blocks": [2], "blocked_by": []}
			list issue depth=0 filter={"blocks": {"$any": {"id": 2}}}   => [1, 3]
			list issue depth=0 filter={"blocked_by": {"$any": {}}}      => [2]
			delete issue/2
			list block                            => []`),
		script("ids of a list must exist", tracker, `
			post label {} depth=0
			post issue {"labels": [1]} depth=0
			patch issue/1 {"labels": [1, 9]}      => OBJECT_DOES_NOT_EXIST {"object_name": "label", "object_id": 9}
			post issue {"labels": [9]}            => OBJECT_DOES_NOT_EXIST {"object_name": "label", "object_id": 9}
			put label/1 {"issues": [1, 2]}        => OBJECT_DOES_NOT_EXIST {"object_name": "issue", "object_id": 2}
			patch issue/1 {"labels": ["x"]}       => BAD_FIELD_VALUE
			patch issue/1 {"labels": [null]}      => BAD_FIELD_VALUE
			patch issue/1 {"labels": 1}           => BAD_FIELD_VALUE
			patch issue/1 {"labels": [{"nope": 1}]}  => FIELD_DOES_NOT_EXIST {"object_name": "label", "field_name": "nope"}
			get issue/1                           => {"id": 1, "labels": [1], "blocks": [], "blocked_by": []}`),
		script("links are records of their own", tracker, `
			post label [{}, {}] depth=0
			post issue {"labels": [1]} depth=0
			post link {"issue": 1, "label": 2, "note": "n"}  => {"id": 2, "issue": 1, "label": 2, "note": "n"}
			get issue/1                           => {"id": 1, "labels": [1, 2], "blocks": [], "blocked_by": []}
			patch link/1 {"label": null}          => {"id": 1, "issue": 1, "note": "new"}
			post link {"label": 1} depth=0
			get issue/1 depth=2                   => {"id": 1, "labels": [{"id": 2, "issues": [1]}], "blocks": [], "blocked_by": []}
			get label/1                           => {"id": 1, "issues": []}
			delete link/2
			get issue/1                           => {"id": 1, "labels": [], "blocks": [], "blocked_by": []}
			patch link/3 {"issue": 1}             => {"id": 3, "issue": 1, "label": 1, "note": "new"}
			post link {"issue": 1, "label": 1}    => CONFLICT {"object_name": "link", "field_names": ["issue", "label"]}
			get issue/1                           => {"id": 1, "labels": [1], "blocks": [], "blocked_by": []}`),
		script("a delete of either end deletes the links", tracker, `
			post label [{}, {}] depth=0
			post issue [{"labels": [1, 2]}, {"labels": [1, 2]}] depth=0
			delete label/1                        => null
			list link depth=0                     => [2, 4]
			delete issue/2                        => null
			list link                             => [{"id": 2, "issue": 1, "label": 2, "note": "new"}]
			list label                            => [{"id": 2, "issues": [1]}]`),
		script("restrict of a link refuses the delete", func() *core.Model {
			return trackerOf(core.FieldSpec{Name: "labels", ToMany: "label", Through: "link"}, core.ResourceSpec{
				Name: "link", Fields: []core.FieldSpec{
					key(), {Name: "issue", ToOne: "issue"}, {Name: "label", ToOne: "label", OnDelete: core.Restrict},
				},
				Unique: [][]string{{"issue", "label"}},
			})
		}, `
			post label {"issues": [{}]} depth=0
			delete label/1                        => STILL_REFERENCED {"object_name": "link", "field_name": "label"}
			patch label/1 {"issues": []}
			delete label/1                        => null
			list issue depth=0                    => [1]`),
		script("a link that is removed takes records along", func() *core.Model {
			return core.MustModel("derived",
				core.ResourceSpec{Name: "issue", Fields: []core.FieldSpec{key(), {Name: "labels", ToMany: "label", Through: "link"}}},
				core.ResourceSpec{Name: "label", Fields: []core.FieldSpec{key(), {Name: "origin", ToOne: "link", OnDelete: core.Cascade}}},
				core.ResourceSpec{Name: "link", Fields: []core.FieldSpec{key(), {Name: "issue", ToOne: "issue"}, {Name: "label", ToOne: "label"}}, Unique: [][]string{{"issue", "label"}}},
			)
		}, `
			post issue {"labels": [{}]} depth=0
			post label [{"origin": 1}, {}] depth=0
			patch issue/1 {"labels": [2]}         => OBJECT_DOES_NOT_EXIST {"object_name": "label", "object_id": 2}
			get issue/1                           => {"id": 1, "labels": [1]}
			patch issue/1 {"labels": [3]}         => {"id": 1, "labels": [3]}
			list label depth=0                    => [1, 3]`),
		script("links whose relations are required", func() *core.Model {
			return trackerOf(core.FieldSpec{Name: "labels", ToMany: "label", Through: "link"}, core.ResourceSpec{
				Name: "link", Fields: []core.FieldSpec{
					key(), {Name: "issue", ToOne: "issue", Required: true}, {Name: "label", ToOne: "label", Required: true},
					{Name: "rank", Type: core.Int, Required: true, Default: 1, Max: 9},
				},
				Unique: [][]string{{"issue", "label"}},
			})
		}, `
			post label [{}, {}] depth=0
			post issue {"labels": [1, 2]}         => {"id": 1, "labels": [1, 2], "blocks": [], "blocked_by": []}
			put issue/1 {"labels": [2]}           => replaced {"id": 1, "labels": [2], "blocks": [], "blocked_by": []}
			list link                             => [{"id": 2, "issue": 1, "label": 2, "rank": 1}]
			delete label/2                        => null
			list link                             => []`),
		script("links with a required field cannot be created by the list", func() *core.Model {
			return trackerOf(core.FieldSpec{Name: "labels", ToMany: "label", Through: "link"}, core.ResourceSpec{
				Name: "link", Fields: []core.FieldSpec{
					key(), {Name: "issue", ToOne: "issue"}, {Name: "label", ToOne: "label"}, {Name: "rank", Type: core.Int, Required: true},
				},
				Unique: [][]string{{"issue", "label"}},
			})
		}, `
			post label [{}, {}] depth=0
			post issue {"labels": []} depth=0
			patch issue/1 {"labels": [1, 2]}      => VALIDATION_FAILED
			post link {"issue": 1, "label": 1, "rank": 3}
			get issue/1                           => {"id": 1, "labels": [1], "blocks": [], "blocked_by": []}
			patch issue/1 {"labels": []}          => {"id": 1, "labels": [], "blocks": [], "blocked_by": []}`),
		script("a read-only list keeps its links", func() *core.Model {
			return trackerOf(core.FieldSpec{Name: "labels", ToMany: "label", Through: "link", ReadOnly: true}, core.ResourceSpec{
				Name: "link", Fields: []core.FieldSpec{key(), {Name: "issue", ToOne: "issue"}, {Name: "label", ToOne: "label"}},
				Unique: [][]string{{"issue", "label"}},
			})
		}, `
			post label {"issues": [{}]} depth=0
			patch issue/1 {"labels": []}          => FIELD_IS_READONLY {"object_name": "issue", "field_name": "labels"}
			patch issue/1 {"labels": [1], "title": "x"}  => {"id": 1, "title": "x", "labels": [1], "blocks": [], "blocked_by": []}
			put issue/1 {}                        => replaced {"id": 1, "labels": [1], "blocks": [], "blocked_by": []}
			put label/1 {}                        => replaced {"id": 1, "issues": []}`),
		script("filters cross the join resource", tracker, `
			post label [{"name": "a"}, {"name": "b"}] depth=0
			post issue [{"labels": [1, 2]}, {"labels": [2]}, {}] depth=0
			post link {"issue": 3} depth=0
			list issue depth=0 filter={"labels": {"$any": {"name": "a"}}}        => [1]
			list issue depth=0 filter={"labels": {"$any": {}}}                   => [1, 2]
			list issue depth=0 filter={"labels": {"$none": {"name": "a"}}}       => [2, 3]
			list issue depth=0 filter={"labels": {"$all": {"name": "b"}}}        => [2, 3]
			list issue depth=0 filter={"labels": {"$any": {"issues": {"$any": {"id": 2}}}}}  => [1, 2]
			list label depth=0 filter={"$not": {"issues": {"$any": {"id": 2}}}}  => [1]
			list link depth=0 filter={"issue.labels": {"$any": {"name": "a"}}}   => [1, 2]
			list issue filter={"labels": 1}                => SEARCH_FORBIDDEN {"object_name": "issue", "field_name": "labels"}
			list issue filter={"labels.name": "a"}         => BAD_PARAM_VALUE
			list issue sort=["labels"]                     => SEARCH_FORBIDDEN {"object_name": "issue", "field_name": "labels"}
			list issue filter={"labels": {"$any": {"x": 1}}}  => FIELD_DOES_NOT_EXIST {"object_name": "label", "field_name": "x"}`),
		script("the related records are a list", tracker, `
			post label [{"name": "b"}, {"name": "a"}, {"name": "b"}, {}] depth=0
			post issue [{"labels": [1, 2, 3]}, {"labels": [4]}, {}] depth=0
			list issue/1/labels                            => [{"id": 1, "name": "b", "issues": [1]}, {"id": 2, "name": "a", "issues": [1]}, {"id": 3, "name": "b", "issues": [1]}]
			list issue/1/labels depth=0 sort=["name", "-id"]   => [2, 3, 1]
			list issue/1/labels depth=0 filter={"name": "b"}   => [1, 3]
			pages issue/1/labels depth=0 limit=2               => [[1, 2], [3]]
			list issue/3/labels                            => []
			list label/4/issues depth=0                    => [2]
			list issue/9/labels                            => OBJECT_DOES_NOT_EXIST {"object_name": "issue", "object_id": 9}`),
		scriptWith("a long list shows its first records and a link", tracker, three, `
			post issue {"labels": [{}, {}, {}, {}]} depth=0
			post issue [{"labels": [4, 3]}, {}] depth=0
			get issue/1                           => {"id": 1, "labels": [1, 2, 3], "labels@next": "*", "blocks": [], "blocked_by": []}
			get issue/1 depth=2                   => {"id": 1, "labels": [{"id": 1, "issues": [1]}, {"id": 2, "issues": [1]}, {"id": 3, "issues": [1, 2]}], "labels@next": "*", "blocks": [], "blocked_by": []}
			list issue                            => [{"id": 1, "labels": [1, 2, 3], "labels@next": "*", "blocks": [], "blocked_by": []}, {"id": 2, "labels": [3, 4], "blocks": [], "blocked_by": []}, {"id": 3, "labels": [], "blocks": [], "blocked_by": []}]
			patch issue/1 {"labels": [1]}         => `+cannot+`
			put issue/1 {"labels": [1, 2], "labels@next": "x"}     => `+cannot+`
			put issue/1 {"labels": [1, 2, 3], "labels@next": "x"}  => replaced {"id": 1, "labels": [1, 2, 3], "labels@next": "*", "blocks": [], "blocked_by": []}
			put issue/1 {"title": "x"}            => replaced {"id": 1, "title": "x", "labels": [1, 2, 3], "labels@next": "*", "blocks": [], "blocked_by": []}
			delete link/1
			patch issue/1 {"labels": [{}, 3]} depth=2  => {"id": 1, "title": "x", "labels": [{"id": 3, "issues": [1, 2]}, {"id": 5, "issues": [1]}], "blocks": [], "blocked_by": []}`),
		scriptWith("a list fills the room that is left", tracker, engine.Options{MaxRecords: 5}, `
			post issue {"labels": [{}, {}, {}, {}, {}]}   => {"id": 1, "labels": [1, 2, 3, 4], "labels@next": "*", "blocks": [], "blocked_by": []}
			get issue/1 depth=2                           => {"id": 1, "labels": [{"id": 1, "issues": [1]}, {"id": 2, "issues": [1]}], "labels@next": "*", "blocks": [], "blocked_by": []}
			post issue {"labels": [1]}                    => {"id": 2, "labels": [1], "blocks": [], "blocked_by": []}
			pages issue                                   => [[{"id": 1, "labels": [1, 2, 3, 4], "labels@next": "*", "blocks": [], "blocked_by": []}], [{"id": 2, "labels": [1], "blocks": [], "blocked_by": []}]]`),
		scriptWith("a list fills the bytes that are left", tracker, engine.Options{MaxBytes: 2000}, `
			post label [{"name": "`+strings.Repeat("a", 300)+`"}, {"name": "`+strings.Repeat("b", 300)+`"}, {"name": "`+strings.Repeat("c", 900)+`"}] depth=0
			post issue [{"labels": [1, 2, 3]}, {"labels": [1, 2]}] depth=0
			get issue/1 depth=2                           => {"id": 1, "labels": [{"id": 1, "name": "`+strings.Repeat("a", 300)+`", "issues": [1, 2]}, {"id": 2, "name": "`+strings.Repeat("b", 300)+`", "issues": [1, 2]}], "labels@next": "*", "blocks": [], "blocked_by": []}
			pages issue depth=0                           => [[1, 2]]
			list issue depth=1                            => [{"id": 1, "labels": [1, 2, 3], "blocks": [], "blocked_by": []}, {"id": 2, "labels": [1, 2], "blocks": [], "blocked_by": []}]`),
		scriptWith("links count as written records", tracker, engine.Options{MaxWritten: 3}, `
			post label [{}, {}, {}] depth=0
			post issue {"labels": [1, 2]} depth=0
			patch issue/1 {"labels": [3]} depth=0
			patch issue/1 {"labels": [1, 2, 3]} depth=0
			put issue/2 {"labels": [1, 2, 3]}             => TOO_LARGE
			delete issue/1                                => STILL_REFERENCED {"object_name": "link", "field_name": "issue"}
			patch issue/1 {"labels": [{}, {}, {}]}        => TOO_LARGE
			get issue/1                                   => {"id": 1, "labels": [1, 2, 3], "blocks": [], "blocked_by": []}`),
		script("the list of links and the list through them are one relation", tagged, `
			post tag [{"word": "a"}, {"word": "b"}] depth=0
			post page {"links": [{"tag": 1, "note": "n"}]}      => {"id": 1, "tags": [1], "links": [1]}
			put page/1 {"tags": [1, 2]}                         => replaced {"id": 1, "tags": [1, 2], "links": [1, 2]}
			list link                                           => [{"id": 1, "page": 1, "tag": 1, "note": "n"}, {"id": 2, "page": 1, "tag": 2}]
			put page/1 {"links": [1]}                           => replaced {"id": 1, "tags": [1], "links": [1]}
			put page/1 {"tags": [1], "links": [1]}              => replaced {"id": 1, "tags": [1], "links": [1]}
			put page/1 {"tags": [], "links": []}                => replaced {"id": 1, "tags": [], "links": []}
			patch page/1 {"tags": [1]} depth=2                  => {"id": 1, "tags": [{"id": 1, "word": "a", "pages": [1]}], "links": [{"id": 3, "page": 1, "tag": 1}]}
			patch page/1 {"tags": [2], "links": [{"tag": 1}]}   => BAD_REQUEST {"msg": "links of page creates records while tags sets the same relation; name one of them"}
			post page {"links": [{"tag": 1}], "tags": []}       => BAD_REQUEST {"msg": "links of page creates records while tags sets the same relation; name one of them"}
			put page/1 {"tags": [1]}                            => replaced {"id": 1, "tags": [1], "links": [3]}
			list page/1/tags depth=0                            => [1]
			patch page/1 {"tags": [2], "links": [3]}            => OBJECT_DOES_NOT_EXIST {"object_name": "link", "object_id": 3}
			list page/1/ts                                      => FIELD_DOES_NOT_EXIST {"object_name": "page", "field_name": "ts"}`),
		script("write rules hold for lists through a join resource", sealed, `
			post label [{}, {}, {}] depth=0
			post issue [{"labels": [1]}, {"closed": true, "labels": [1, 3]}, {}] depth=0
			patch label/3 {"frozen": true}
			patch issue/1 {"labels": [1, 2]}       => {"id": 1, "labels": [1, 2]}
			patch issue/2 {"labels": [1]}          => FIELD_UPDATE_FORBIDDEN {"object_name": "issue", "field_name": "labels"}
			patch issue/2 {"labels": [1, 3]}       => {"id": 2, "closed": true, "labels": [1, 3]}
			put issue/2 {"closed": true}           => FIELD_UPDATE_FORBIDDEN {"object_name": "issue", "field_name": "labels"}
			patch label/1 {"issues": [1]}          => FIELD_UPDATE_FORBIDDEN {"object_name": "issue", "field_name": "labels"}
			patch label/2 {"issues": [1, 2]}       => FIELD_UPDATE_FORBIDDEN {"object_name": "issue", "field_name": "labels"}
			patch issue/1 {"labels": [1, 2, 3]}    => FIELD_UPDATE_FORBIDDEN {"object_name": "label", "field_name": "issues"}
			post issue {"labels": [3]}             => FIELD_UPDATE_FORBIDDEN {"object_name": "label", "field_name": "issues"}
			post link {"issue": 2, "label": 2}     => FIELD_UPDATE_FORBIDDEN {"object_name": "issue", "field_name": "labels"}
			post link {"issue": 1, "label": 3}     => FIELD_UPDATE_FORBIDDEN {"object_name": "label", "field_name": "issues"}
			patch link/2 {"label": 2}              => FIELD_UPDATE_FORBIDDEN {"object_name": "issue", "field_name": "labels"}
			patch link/2 {"issue": 3}              => FIELD_UPDATE_FORBIDDEN {"object_name": "issue", "field_name": "labels"}
			patch link/1 {"label": 3}              => FIELD_UPDATE_FORBIDDEN {"object_name": "label", "field_name": "issues"}
			delete link/2                          => FIELD_UPDATE_FORBIDDEN {"object_name": "issue", "field_name": "labels"}
			delete label/1                         => FIELD_UPDATE_FORBIDDEN {"object_name": "issue", "field_name": "labels"}
			delete issue/2                         => FIELD_UPDATE_FORBIDDEN {"object_name": "label", "field_name": "issues"}
			patch issue/1 {"closed": true, "labels": [2]}  => {"id": 1, "closed": true, "labels": [2]}
			patch issue/1 {"closed": null, "labels": []}   => FIELD_UPDATE_FORBIDDEN {"object_name": "issue", "field_name": "labels"}
			delete issue/1                         => null
			list link                              => [{"id": 2, "issue": 2, "label": 1}, {"id": 3, "issue": 2, "label": 3}]`),
		guarded("hidden links and hidden members are absent", `
			as system get page/1                   => {"id": 1, "tags": [1, 2, 3], "links": [1, 2, 3]}
			as 1 get page/1                        => {"id": 1, "tags": [1], "links": [1, 3]}
			as 1 get page/1 depth=2                => {"id": 1, "tags": [{"id": 1, "word": "a", "pages": [1]}], "links": [{"id": 1, "page": 1, "tag": 1}, {"id": 3, "page": 1}]}
			as 1 list page                         => [{"id": 1, "tags": [1], "links": [1, 3]}]
			as 1 get tag/2                         => {"id": 2, "word": "b", "pages": []}
			as 2 get tag/3 depth=2                 => {"id": 3, "word": "c", "pages": []}
			as 1 list page/1/tags depth=0          => [1]
			as system list page/1/tags depth=0     => [1, 2, 3]
			as 2 list page/1/tags                  => OBJECT_DOES_NOT_EXIST {"object_name": "page", "object_id": 1}
			as 1 list page depth=0 filter={"tags": {"$any": {"word": "a"}}}   => [1]
			as 1 list page depth=0 filter={"tags": {"$any": {"word": "b"}}}   => []
			as 1 list page depth=0 filter={"tags": {"$any": {"word": "c"}}}   => []
			as 1 list page depth=0 filter={"tags": {"$all": {"word": "a"}}}   => [1]
			as 1 list page depth=0 filter={"tags": {"$none": {"word": "b"}}}  => [1]
			as system list page depth=0 filter={"tags": {"$any": {"word": "b"}}}  => [1]
			get page/1                             => UNAUTHORIZED {}`),
		guarded("writes keep hidden links and links to hidden members", `
			as 1 patch page/1 {"tags": []}         => {"id": 1, "tags": [], "links": [3]}
			as system get page/1                   => {"id": 1, "tags": [2, 3], "links": [2, 3]}
			as 1 patch page/1 {"tags": [1]}        => {"id": 1, "tags": [1], "links": [3, 5]}
			as 1 put page/1 {"links": [5, 3]}      => replaced {"id": 1, "tags": [1], "links": [3, 5]}
			as 1 put page/1 {"tags": []}           => replaced {"id": 1, "tags": [], "links": [3]}
			as system get page/1                   => {"id": 1, "tags": [2, 3], "links": [2, 3]}
			as system list link                    => [{"id": 2, "page": 1, "tag": 2}, {"id": 3, "page": 1, "tag": 3}, {"id": 4, "page": 2, "tag": 1}]`),
		guarded("hidden records cannot be linked", `
			as 1 patch page/1 {"tags": [1, 3]}     => OBJECT_DOES_NOT_EXIST {"object_name": "tag", "object_id": 3}
			as 1 patch page/1 {"tags": [1, 9]}     => OBJECT_DOES_NOT_EXIST {"object_name": "tag", "object_id": 9}
			as 1 patch tag/1 {"pages": [1, 2]}     => OBJECT_DOES_NOT_EXIST {"object_name": "page", "object_id": 2}
			as 1 post page {"tags": [3]}           => OBJECT_DOES_NOT_EXIST {"object_name": "tag", "object_id": 3}
			as 2 patch page/1 {"tags": []}         => OBJECT_DOES_NOT_EXIST {"object_name": "page", "object_id": 1}
			as 1 patch page/1 {"tags": [1, 2]}     => CONFLICT {"object_name": "link", "field_names": ["page", "tag"]}
			as system get page/1                   => {"id": 1, "tags": [1, 2, 3], "links": [1, 2, 3]}`),
		guarded("new links belong to the caller", `
			as 1 post tag {} depth=0
			as 1 patch page/1 {"tags": [1, 4, {}]} => {"id": 1, "tags": [1, 4, 5], "links": [1, 3, 5, 6]}
			as 1 list link                         => [{"id": 1, "page": 1, "tag": 1}, {"id": 3, "page": 1}, {"id": 5, "page": 1, "tag": 4}, {"id": 6, "page": 1, "tag": 5}]
			as 2 list link                         => [{"id": 2}]`),
		scriptWith("hidden links do not count in a long list", tagged, engine.Options{MaxMembers: 3}, `
			as 1 post page {} depth=0
			as 1 post tag [{}, {}, {}, {}] depth=0
			as 2 post tag [{}, {}, {}, {}] depth=0
			as system patch page/1 {"tags": [8, 7, 6]} depth=0
			as 1 patch page/1 {"tags": [1, 2, 4]}  => {"id": 1, "tags": [1, 2, 4], "links": [4, 5, 6]}
			as 1 patch page/1 {"tags": [4, 3]}     => {"id": 1, "tags": [3, 4], "links": [6, 7]}
			as 1 put page/1 {"tags": [3, 2, 1]}    => replaced {"id": 1, "tags": [1, 2, 3], "links": [7, 8, 9]}
			as system list page/1/tags depth=0     => [1, 2, 3, 6, 7, 8]
			as system get page/1                   => {"id": 1, "tags": [1, 2, 3], "tags@next": "*", "links": [1, 2, 3], "links@next": "*"}`, ownerGuard()),
		scriptWith("a list through a denied resource is left out", tracker, engine.Options{}, `
			as system post issue {"labels": [{}]} depth=0
			get issue/1                            => {"id": 1, "blocks": [], "blocked_by": []}
			get issue/1 depth=2                    => {"id": 1, "blocks": [], "blocked_by": []}
			list issue/1/labels                    => FORBIDDEN {"object_name": "link"}
			list issue filter={"labels": {"$any": {}}}   => FORBIDDEN {"object_name": "link"}
			patch issue/1 {"labels": []}           => FORBIDDEN {"object_name": "link"}
			put issue/1 {}                         => replaced {"id": 1, "blocks": [], "blocked_by": []}
			as system get issue/1                  => {"id": 1, "labels": [1], "blocks": [], "blocked_by": []}`,
			exceptSystem(forbidReads("link", core.Forbidden))),
		scriptWith("a list of a denied resource is left out", tracker, engine.Options{}, `
			as system post issue {"labels": [{}]} depth=0
			get issue/1                            => {"id": 1, "blocks": [], "blocked_by": []}
			list issue/1/labels                    => FORBIDDEN {"object_name": "label"}
			put issue/1 {}                         => replaced {"id": 1, "blocks": [], "blocked_by": []}
			as system get issue/1                  => {"id": 1, "labels": [1], "blocks": [], "blocked_by": []}`,
			exceptSystem(forbidReads("label", core.Forbidden))),
		scriptWith("a list through a hidden field is unknown", tracker, engine.Options{}, hiddenLinkField("issue"), hideField("link", "issue")),
		scriptWith("a list to a hidden field is unknown", tracker, engine.Options{}, hiddenLinkField("label"), hideField("link", "label")),
		scriptWith("a link that may not be deleted refuses its removal", tracker, engine.Options{}, `
			as system post issue {"labels": [{}]} depth=0
			patch issue/1 {"labels": [{}]}         => FORBIDDEN {"object_name": "link"}
			patch issue/1 {"labels": [1]}          => {"id": 1, "labels": [1], "blocks": [], "blocked_by": []}
			list label depth=0                     => [1]`, forbidDeletes("link")),
		scriptWith("a decorator that does not know related conditions", tracker, engine.Options{MaxMembers: 2}, `
			as system post issue {"labels": [{}, {}, {"name": "secret"}]} depth=0
			as system post issue {"labels": [3, 1]} depth=0
			get issue/1                            => {"id": 1, "labels": [1, 2], "blocks": [], "blocked_by": []}
			list issue depth=2                     => [{"id": 1, "labels": [{"id": 1, "issues": [1, 2]}, {"id": 2, "issues": [1]}], "blocks": [], "blocked_by": []}, {"id": 2, "labels": [{"id": 1, "issues": [1, 2]}], "blocks": [], "blocked_by": []}]
			patch issue/1 {"labels": [2]}          => {"id": 1, "labels": [2], "blocks": [], "blocked_by": []}
			put issue/2 {}                         => replaced {"id": 2, "labels": [], "blocks": [], "blocked_by": []}
			list issue/1/labels                    => SEARCH_FORBIDDEN
			as system list link                    => [{"id": 2, "issue": 1, "label": 2, "note": "new"}, {"id": 3, "issue": 1, "label": 3, "note": "new"}, {"id": 5, "issue": 2, "label": 3, "note": "new"}]`,
			hideSecrets()),
		scriptWith("a policy denies an order by ids of hidden records", tracker, engine.Options{MaxMembers: 2, MaxRecords: 5}, `
			as system post issue {"labels": [{}, {}, {}, {}, {}, {}]} depth=0
			as system post issue {"labels": [6, 1]} depth=0
			get issue/1                            => {"id": 1, "labels": [1, 2], "labels@next": "*", "blocks": [], "blocked_by": []}
			pages issue                            => [[{"id": 1, "labels": [1, 2], "labels@next": "*", "blocks": [], "blocked_by": []}], [{"id": 2, "labels": [1, 6], "blocks": [], "blocked_by": []}]]
			list issue/1/labels depth=0            => [1, 2, 3, 4, 5]`, forbidOrderByID()),
		{"a list that was not read to its end shows a link", throughUnread},
		{"lists of many records take few operations", throughStatements},
	}
}

// keyedLinkCases are the rules for links whose key consists of the two relations.
func keyedLinkCases() []Case {
	keyed := func() *core.Model {
		return trackerOf(core.FieldSpec{Name: "labels", ToMany: "label", Through: "link"}, core.ResourceSpec{
			Name: "link", Fields: []core.FieldSpec{
				{Name: "issue", ToOne: "issue", Key: true}, {Name: "label", ToOne: "label", Key: true}, {Name: "note", Type: core.Text, Default: "new"},
			},
		})
	}
	return []Case{
		script("a list through links with the key of both records", keyed, `
			post label [{"name": "a"}, {"name": "b"}] depth=0
			post issue {"labels": [2, 1]}          => {"id": 1, "labels": [1, 2], "blocks": [], "blocked_by": []}
			patch link/1,2 {"note": "kept"}        => {"id": "1,2", "issue": 1, "label": 2, "note": "kept"}
			patch issue/1 {"labels": [2, {}]}      => {"id": 1, "labels": [2, 3], "blocks": [], "blocked_by": []}
			list link                              => [{"id": "1,2", "issue": 1, "label": 2, "note": "kept"}, {"id": "1,3", "issue": 1, "label": 3, "note": "new"}]
			put label/1 {"issues": [1, {"title": "x"}]} depth=2  => replaced {"id": 1, "issues": [{"id": 1, "labels": [1, 2, 3], "blocks": [], "blocked_by": []}, {"id": 2, "title": "x", "labels": [1], "blocks": [], "blocked_by": []}]}
			list issue depth=0 filter={"labels": {"$any": {"name": "b"}}}  => [1]
			pages issue/1/labels depth=0 limit=2   => [[1, 2], [3]]
			delete label/2                         => null
			list link depth=0                      => ["1,1", "1,3", "2,1"]
			delete issue/1
			list link depth=0                      => ["2,1"]`),
		script("a list through links to records with several key fields", districts, `
			put house/1,1 {"name": "a"} depth=0
			put house/1,2 {"name": "b"} depth=0
			put house/2,1 {"name": "c"} depth=0
			put owner/x {"houses": ["2,1", "1,2"]}    => created {"name": "x", "houses": ["1,2", "2,1"]}
			put owner/x {"houses": ["1,2", "1,1"]} depth=2  => replaced {"name": "x", "houses": [{"id": "1,1", "district": 1, "number": 1, "name": "a", "owners": ["x"], "neighbours": []}, {"id": "1,2", "district": 1, "number": 2, "name": "b", "owners": ["x"], "neighbours": []}]}
			list holding                              => [{"id": "1,1,x", "house": "1,1", "owner": "x"}, {"id": "1,2,x", "house": "1,2", "owner": "x"}]
			patch house/2,1 {"owners": ["x", {"name": "y"}]}  => {"id": "2,1", "district": 2, "number": 1, "name": "c", "owners": ["x", "y"], "neighbours": []}
			list owner depth=0 filter={"houses": {"$any": {"district": 2}}}   => ["x", "y"]
			list owner/x/houses depth=0 sort=["-district"]     => ["2,1", "1,1", "1,2"]
			delete house/2,1
			list holding depth=0                      => ["1,1,x", "1,2,x"]`),
		script("a list through links with a shared key field", districts, `
			post house [{"district": 1, "number": 1}, {"district": 1, "number": 2}, {"district": 2, "number": 1}] depth=0
			patch house/1,1 {"neighbours": ["1,2"]}   => {"id": "1,1", "district": 1, "number": 1, "owners": [], "neighbours": ["1,2"]}
			list fence                                => [{"id": "1,1,2", "district": 1, "number": 1, "other": 2, "house": "1,1", "neighbour": "1,2"}]
			patch house/1,1 {"neighbours": ["2,1"]}   => BAD_FIELD_VALUE {"object_name": "house", "field_name": "neighbours", "type": "tuple", "value": "2,1", "accepted_values": "keys with the district of the record"}
			patch house/1,1 {"neighbours": []}        => {"id": "1,1", "district": 1, "number": 1, "owners": [], "neighbours": []}
			list fence                                => []`),
		scriptWith("hidden links with the key of both records", keyed, engine.Options{}, `
			as system post issue {"labels": [{}, {}]} depth=0
			get issue/1                            => {"id": 1, "labels": [], "blocks": [], "blocked_by": []}
			patch issue/1 {"labels": [1]}          => CONFLICT
			put issue/1 {}                         => replaced {"id": 1, "labels": [], "blocks": [], "blocked_by": []}
			list issue depth=0 filter={"labels": {"$any": {}}}   => []
			as system get issue/1                  => {"id": 1, "labels": [1, 2], "blocks": [], "blocked_by": []}`, hideRecords("link")),
	}
}

// districts has houses with a key of two fields, in relations to their owners, and to neighbours in the same district.
func districts() *core.Model {
	name := core.FieldSpec{Name: "name", Type: core.Text}
	number := core.FieldSpec{Name: "number", Type: core.Int, Key: true}
	return core.MustModel("districts",
		core.ResourceSpec{Name: "house", Fields: []core.FieldSpec{
			{Name: "district", Type: core.Int, Key: true}, number, name,
			{Name: "owners", ToMany: "owner", Through: "holding"},
			{Name: "neighbours", ToMany: "house", Through: "fence.neighbour"},
		}},
		core.ResourceSpec{Name: "owner", Fields: []core.FieldSpec{
			{Name: "name", Type: core.Text, Key: true}, {Name: "houses", ToMany: "house", Through: "holding"},
		}},
		core.ResourceSpec{Name: "holding", Fields: []core.FieldSpec{
			{Name: "house", ToOne: "house", Key: true}, {Name: "owner", ToOne: "owner", Key: true},
		}},
		core.ResourceSpec{Name: "fence", Fields: []core.FieldSpec{
			{Name: "district", Type: core.Int, Key: true}, number, {Name: "other", Type: core.Int, Key: true},
			{Name: "house", ToOne: "house", Via: []string{"district", "number"}},
			{Name: "neighbour", ToOne: "house", Via: []string{"district", "other"}},
		}},
	)
}

// hiddenLinkField is the script for a policy that hides a relation of links.
func hiddenLinkField(field string) string {
	return strings.ReplaceAll(`
			as system post issue [{"labels": [{}]}, {}] depth=0
			get issue/1                            => {"id": 1, "blocks": [], "blocked_by": []}
			get label/1 depth=2                    => {"id": 1}
			list issue/1/labels                    => FIELD_DOES_NOT_EXIST {"object_name": "issue", "field_name": "labels"}
			list issue/1/labels filter={"id": "x"} => FIELD_DOES_NOT_EXIST {"object_name": "issue", "field_name": "labels"}
			list label/1/issues                    => FIELD_DOES_NOT_EXIST {"object_name": "label", "field_name": "issues"}
			list issue/9/labels                    => OBJECT_DOES_NOT_EXIST {"object_name": "issue", "object_id": 9}
			list issue filter={"labels": {"$any": {}}}         => FIELD_DOES_NOT_EXIST {"object_name": "issue", "field_name": "labels"}
			list issue filter={"labels": {"$any": {"id": 1}}}  => FIELD_DOES_NOT_EXIST {"object_name": "issue", "field_name": "labels"}
			patch issue/1 {"labels": []}           => FIELD_DOES_NOT_EXIST {"object_name": "issue", "field_name": "labels"}
			put issue/1 {"title": "x"}             => replaced {"id": 1, "title": "x", "blocks": [], "blocked_by": []}
			as system list link                    => [{"id": 1, "issue": 1, "label": 1, "note": "new"}]`, "HIDDEN", field)
}

// exceptSystem returns the policy without effect on the program itself.
func exceptSystem(d core.Decorator) core.Decorator {
	wrap := d.Wrap
	d.Wrap = func(m *core.Model, next core.Handler) (core.Handler, error) {
		guarded, err := wrap(m, next)
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if op.Principal.IsSystem() {
				return next(ctx, op)
			}
			return guarded(ctx, op)
		}, err
	}
	return d
}

// forbidDeletes rejects every delete of a resource.
func forbidDeletes(resource string) core.Decorator {
	return core.Decorator{Name: "undeletable", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if op.Kind == core.Delete && op.Resource.Name() == resource {
				return core.Result{}, op.Resource.Forbidden()
			}
			return next(ctx, op)
		}, nil
	}}
}

// hideSecrets hides labels with the name "secret", except from the program itself. It does not declare that it knows
// conditions on related records.
func hideSecrets() core.Decorator {
	return core.Decorator{Name: "secrets", Kind: core.KindPolicy, Wrap: func(m *core.Model, next core.Handler) (core.Handler, error) {
		label := m.Resource("label")
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if op.Resource == label && !op.Principal.IsSystem() {
				op.Guard(label.Field("name").Compare(core.FilterNe, core.TextValue("secret")))
			}
			return next(ctx, op)
		}, nil
	}}
}

// forbidOrderByID rejects an order by the ids that to-one relations store, which may be those of hidden records.
func forbidOrderByID() core.Decorator {
	return core.Decorator{Name: "unordered", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			for _, o := range op.Order {
				if o.Field.Target() != nil {
					return core.Result{}, &core.Error{Code: core.SearchForbidden, Resource: op.Resource.APIName(), Field: o.Field.APIName()}
				}
			}
			return next(ctx, op)
		}, nil
	}}
}

// labelIssues lets every client set the labels of an issue, or the issues of a label, at random. The lists then agree.
func labelIssues(t *testing.T, api *engine.Engine, n int) {
	if n == 0 {
		runLine(t, api, `post issue [{}, {}] depth=0`)
		runLine(t, api, `post label [{}, {}, {}] depth=0`)
	}
	inParallel(func(int) {
		resource, list, many := "issue", "labels", 3
		if rand.IntN(2) == 0 {
			resource, list, many = "label", "issues", 2
		}
		var ids []any
		for id := range many {
			if rand.IntN(2) == 0 {
				ids = append(ids, id+1)
			}
		}
		_, err := api.Update(t.Context(), resource, rand.IntN(5-many)+1, engine.Write{Depth: 1}, map[string]any{list: ids})
		noError(t, err)
	})
	type record struct{ ID, Issue, Label int }
	links := make(map[record]bool)
	var all []record
	if err := json.Unmarshal([]byte(send(t, api, "list link")), &all); err != nil {
		t.Fatal(err)
	}
	for _, link := range all {
		links[record{Issue: link.Issue, Label: link.Label}] = true
	}
	shown := 0
	for issue := range 2 {
		var got struct{ Labels []int }
		if err := json.Unmarshal([]byte(send(t, api, fmt.Sprintf("get issue/%d", issue+1))), &got); err != nil {
			t.Fatal(err)
		}
		for _, label := range got.Labels {
			if shown++; !links[record{Issue: issue + 1, Label: label}] {
				t.Errorf("issue %d shows label %d without a link", issue+1, label)
			}
		}
	}
	if len(links) != len(all) || shown != len(all) {
		t.Errorf("%d links, %d different ones, %d shown", len(all), len(links), shown)
	}
}

// throughUnread shows two records in an answer that has no room for the members of the first one.
func throughUnread(t *testing.T, newBackend NewBackend) {
	api := open(t, newBackend, tracker(), engine.Options{MaxBytes: 6000})
	labels, ids := make([]map[string]any, 120), make([]any, 120)
	for i := range labels {
		labels[i], ids[i] = map[string]any{"name": strings.Repeat("x", 100)}, i+1
	}
	if _, err := api.Create(t.Context(), "label", engine.Write{}, labels...); err != nil {
		t.Fatal(err)
	}
	views, err := api.Create(t.Context(), "issue", engine.Write{Depth: 2}, map[string]any{"labels": ids[:110]}, map[string]any{"labels": ids[110:]})
	if err != nil || len(views) != 2 {
		t.Fatal(views, err)
	}
	for i, v := range views {
		issue, _ := v.Any().(map[string]any)
		shown, _ := issue["labels"].([]any)
		if (len(shown) > 0) != (i == 0) || issue["labels@next"] == nil {
			t.Errorf("record %d shows %d members and the link %v", i+1, len(shown), issue["labels@next"])
		}
		for _, label := range shown {
			if label, _ := label.(map[string]any); label["name"] != labels[0]["name"] {
				t.Errorf("record %d shows the member %v", i+1, label)
			}
		}
	}
}

// reading counts the operations that read.
type reading struct{ n int }

// Begin implements [core.Observer].
func (r *reading) Begin(_ context.Context, kind core.Kind, _ *core.Resource) (context.Context, bool) {
	if !kind.Writes() && kind != core.Tx {
		r.n++
	}
	return nil, true
}

// End implements [core.Observer].
func (r *reading) End(context.Context, *core.Event) {}

// throughStatements checks that the number of operations of a read does not depend on the number of records.
func throughStatements(t *testing.T, newBackend NewBackend) {
	r := &reading{}
	count := core.Decorator{Name: "counting", Kind: core.KindObserve, Observe: func(*core.Model) (core.Observer, error) { return r, nil }}
	for name, stack := range map[string][]core.Decorator{"alone": {count}, "under a policy": {hideRecords("block"), count}} {
		t.Run(name, func(t *testing.T) {
			api := open(t, newBackend, tracker(), engine.Options{}, stack...)
			send(t, api, `post label [{}, {}, {}, {}] depth=0`)
			for range 20 {
				send(t, api, `post issue [{"labels": [1, 2, 3]}, {"labels": [4, 2]}, {}] depth=0`)
			}
			for _, c := range []struct {
				line string
				most int
			}{
				{"list issue", 1 + 3},
				{"list issue depth=2", 1 + 3 + 1 + 1}, // labels, and their issues
				{"list label depth=2", 1 + 2 + 3},
				{"get issue/1 depth=2", 1 + 3 + 1 + 1},
				{"list issue/1/labels", 2 + 1},
			} {
				r.n = 0
				if got := send(t, api, c.line); strings.HasPrefix(got, "error") || r.n > c.most {
					t.Errorf("%s took %d operations, want at most %d: %.80s", c.line, r.n, c.most, got)
				}
			}
		})
	}
}

// sealed has lists with write rules: a closed issue keeps its labels, and a frozen label its issues.
func sealed() *core.Model {
	unless := func(field string) func(core.Record) bool {
		return func(rec core.Record) bool { return !rec.Get(field).Bool() }
	}
	return core.MustModel("sealed",
		core.ResourceSpec{Name: "issue", Fields: []core.FieldSpec{
			key(), {Name: "closed", Type: core.Bool}, {Name: "labels", ToMany: "label", Through: "link", Writable: unless("closed")},
		}},
		core.ResourceSpec{Name: "label", Fields: []core.FieldSpec{
			key(), {Name: "frozen", Type: core.Bool}, {Name: "issues", ToMany: "issue", Through: "link", Writable: unless("frozen")},
		}},
		core.ResourceSpec{Name: "link", Fields: []core.FieldSpec{key(), {Name: "issue", ToOne: "issue"}, {Name: "label", ToOne: "label"}}, Unique: [][]string{{"issue", "label"}}},
	)
}
