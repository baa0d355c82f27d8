package enginetest

import (
	"strings"

	"github.com/larder-go/larder/core/engine"
)

func nestingCases() []Case {
	return []Case{
		script("records are created inside any relation value", Cookies, `
			post jar {"cookies": [{"type": "a"}, {"type": "b"}]} depth=2   => {"id": 1, "cookies": [{"id": 1, "type": "a", "jar": 1}, {"id": 2, "type": "b", "jar": 1}]}
			post cookie {"type": "c", "jar": {}}                           => {"id": 3, "type": "c", "jar": 2}
			patch jar/2 {"cookies": [3, {"type": "d"}, 1]}                 => {"id": 2, "cookies": [1, 3, 4]}
			patch cookie/2 {"jar": {"cookies": [{"type": "e"}, 3]}} depth=3 => {"id": 2, "type": "b", "jar": {"id": 3, "cookies": [{"id": 2, "type": "b", "jar": 3}, {"id": 3, "type": "c", "jar": 3}, {"id": 5, "type": "e", "jar": 3}]}}
			list jar    => [{"id": 1, "cookies": []}, {"id": 2, "cookies": [1, 4]}, {"id": 3, "cookies": [2, 3, 5]}]`),
		script("records are created inside either one-to-one side", Family, `
			post male {"name": "a", "wife": {"name": "b"}}        => {"id": 1, "name": "a", "wife": 1, "children": [], "url": "/male/1"}
			post female {"name": "c", "husband": {"name": "d"}}   => {"id": 2, "name": "c", "husband": 2, "children": [], "url": "/female/2"}
			patch female/1 {"husband": {"name": "e"}}             => {"id": 1, "name": "b", "husband": 3, "children": [], "url": "/female/1"}
			patch male/2 {"wife": {"name": "f", "children": [{"name": "g", "father": 1}]}}  => {"id": 2, "name": "d", "wife": 3, "children": [], "url": "/male/2"}
			list male    => [{"id": 1, "name": "a", "children": [1], "url": "/male/1"}, {"id": 2, "name": "d", "wife": 3, "children": [], "url": "/male/2"}, {"id": 3, "name": "e", "wife": 1, "children": [], "url": "/male/3"}]
			list child   => [{"id": 1, "name": "g", "father": 1, "mother": 3, "url": "/child/1"}]`),
		script("records are created inside self relations", people, `
			post person {"name": "a", "team": [{"name": "b"}, {"name": "c", "partner": {"name": "d"}}]}
			list person filter={"name": "a"} depth=2  => [{"id": 1, "name": "a", "team": [{"id": 2, "name": "b", "boss": 1, "team": [], "friends": []}, {"id": 4, "name": "c", "boss": 1, "team": [], "partner": 3, "friends": []}], "friends": []}]`),
		script("a nested record cannot choose its id", Cookies, `
			post jar {"cookies": [{"id": 5}]}             => FIELD_IS_READONLY {"object_name": "cookie", "field_name": "id"}
			post cookie {"jar": {"id": 5}}                => FIELD_IS_READONLY {"object_name": "jar", "field_name": "id"}
			list jar                                      => []`),
		script("a wrong nested field is reported for its own resource", Cookies, `
			post jar {"cookies": [{"jar": {"cookies": [{"price": 1}]}}]}     => FIELD_DOES_NOT_EXIST {"object_name": "cookie", "field_name": "price"}
			post jar {"cookies": [{"jar": {"cookies": [{"type": []}]}}]}     => BAD_FIELD_VALUE {"object_name": "cookie", "field_name": "type", "type": "text", "value": []}
			post jar {"cookies": [{"jar": {"cookies": [{"jar": 9}]}}]}       => OBJECT_DOES_NOT_EXIST {"object_name": "jar", "object_id": 9}
			post jar {"cookies": [{"jar": {"cookies": ["x"]}}]}              => BAD_FIELD_VALUE {"object_name": "jar", "field_name": "cookies", "type": "int", "value": "x"}
			list jar                                                         => []`),
		script("a nested record with another parent moves to the outer one", Cookies, `
			post jar [{}, {"cookies": [{}]}]
			patch jar/1 {"cookies": [{"jar": 2}]}                     => {"id": 1, "cookies": [2]}
			get jar/2                                                 => {"id": 2, "cookies": [1]}
			patch jar/1 {"cookies": [{"jar": {"cookies": [2, 1]}}]}   => {"id": 1, "cookies": [3]}
			list jar                                                  => [{"id": 1, "cookies": [3]}, {"id": 2, "cookies": []}, {"id": 3, "cookies": [1, 2]}]
			patch cookie/1 {"jar": {"cookies": [2]}}                  => {"id": 1, "jar": 4}
			get jar/4                                                 => {"id": 4, "cookies": [1, 2]}`),
		script("a nested partner with another partner is reassigned", Family, `
			post male [{"name": "a", "wife": {}}, {"name": "b", "wife": {}}]
			patch female/1 {"husband": {"name": "c", "wife": 2}}    => {"id": 1, "husband": 3, "children": [], "url": "/female/1"}
			list male   => [{"id": 1, "name": "a", "children": [], "url": "/male/1"}, {"id": 2, "name": "b", "children": [], "url": "/male/2"}, {"id": 3, "name": "c", "wife": 1, "children": [], "url": "/male/3"}]
			patch male/1 {"wife": {"husband": 3}}                   => {"id": 1, "name": "a", "wife": 3, "children": [], "url": "/male/1"}
			list male filter={"id": {"gt": 1}}  => [{"id": 2, "name": "b", "children": [], "url": "/male/2"}, {"id": 3, "name": "c", "children": [], "url": "/male/3"}]
			list female filter={"husband": null} depth=0  => [1, 2]`),
		scriptWith("MaxNesting limits nested records", Cookies, engine.Options{MaxNesting: 3}, `
			post jar {"cookies": [{"jar": {}}]}                  => {"id": 1, "cookies": [1]}
			post jar {"cookies": [{"jar": {"cookies": [1]}}]}    => {"id": 3, "cookies": [2]}
			post jar {"cookies": [{"jar": {"cookies": [{}]}}]}   => BAD_REQUEST {"msg": "the body nests records deeper than 3 levels; create the inner records first"}
			put jar/5 {"cookies": [{"jar": {}}]}                 => created {"id": 5, "cookies": [3]}
			put jar/5 {"cookies": [{"jar": {"cookies": [{}]}}]}  => BAD_REQUEST {"msg": "the body nests records deeper than 3 levels; create the inner records first"}
			patch jar/5 {"cookies": [{"jar": {}}]}               => {"id": 5, "cookies": [4]}
			patch jar/5 {"cookies": [{"jar": {"cookies": [{}]}}]}  => BAD_REQUEST {"msg": "the body nests records deeper than 3 levels; create the inner records first"}
			list jar depth=0                                     => [1, 2, 3, 4, 5, 6, 7]`),
		scriptWith("MaxNesting is 16 by default", people, engine.Options{}, `
			post person `+nested(16)+` depth=0
			list person depth=0 filter={"name": null} limit=1
			post person `+nested(17)+`  => BAD_REQUEST {"msg": "the body nests records deeper than 16 levels; create the inner records first"}`),
	}
}

// nested returns the body of a person with nested bosses, n persons in all.
func nested(n int) string {
	return strings.Repeat(`{"boss": `, n-1) + "{}" + strings.Repeat("}", n-1)
}
