package enginetest

import "github.com/larder-go/larder/core/engine"

func filterCases() []Case {
	return []Case{
		script("a filter is the conjunction of its equalities", things, `
			put thing/1 {"int": 1, "text": "a"}
			put thing/2 {"int": 1, "text": "b"}
			put thing/3 {"int": 2, "text": "a"}
			list thing depth=0 filter={}                       => [1, 2, 3]
			list thing depth=0 filter={"int": 1}               => [1, 2]
			list thing depth=0 filter={"int": 1, "text": "a"}  => [1]
			list thing depth=0 filter={"id": 3}                => [3]
			list thing depth=0 filter={"int": 7}               => []`),
		script("values of a filter are converted as in bodies", things, `
			put thing/1 {"int": 1, "text": "5", "float": 1, "time": "2024-01-01T00:00:00Z"}
			list thing depth=0 filter={"int": "1"}     => [1]
			list thing depth=0 filter={"int": 1.0}     => [1]
			list thing depth=0 filter={"text": 5}      => [1]
			list thing depth=0 filter={"float": "1"}   => [1]
			list thing depth=0 filter={"id": "1"}      => [1]
			list thing depth=0 filter={"time": "2024-01-01T01:00:00+01:00"} => [1]
			list thing filter={"int": "01"}    => BAD_FIELD_VALUE {"object_name": "thing", "field_name": "int", "type": "int", "value": "01"}
			list thing filter={"id": "x"}      => BAD_FIELD_VALUE {"object_name": "thing", "field_name": "id", "type": "int", "value": "x"}
			list thing filter={"text": []}     => BAD_FIELD_VALUE {"object_name": "thing", "field_name": "text", "type": "text", "value": []}`),
		script("null in a filter matches null", things, `
			put thing/1 {"int": 1}
			put thing/2 {"text": "a"}
			list thing depth=0 filter={"int": null}           => [2]
			list thing depth=0 filter={"int": {"ne": null}}   => [1]
			list thing depth=0 filter={"int": {"in": [null, 1]}} => [1, 2]
			list thing depth=0 filter={"int": {"ne": 1}}      => [2]`),
		script("operators compare", things, `
			put thing/1 {"int": 1, "text": "abc"}
			put thing/2 {"int": 2, "text": "ab"}
			put thing/3 {"int": 3, "text": "b"}
			put thing/4 {}
			list thing depth=0 filter={"int": {"eq": 2}}            => [2]
			list thing depth=0 filter={"int": {"ne": 2}}            => [1, 3, 4]
			list thing depth=0 filter={"int": {"lt": 2}}            => [1]
			list thing depth=0 filter={"int": {"le": 2}}            => [1, 2]
			list thing depth=0 filter={"int": {"gt": "1"}}          => [2, 3]
			list thing depth=0 filter={"int": {"ge": 2, "lt": 3}}   => [2]
			list thing depth=0 filter={"int": {"in": [3, 1, 3]}}    => [1, 3]
			list thing depth=0 filter={"int": {"in": []}}           => []
			list thing depth=0 filter={"text": {"prefix": "ab"}}    => [1, 2]
			list thing depth=0 filter={"text": {"prefix": ""}}      => [1, 2, 3]
			list thing depth=0 filter={"text": {"prefix": "%"}}     => []
			list thing depth=0 filter={"text": {"contains": "b"}}   => [1, 2, 3]
			list thing depth=0 filter={"text": {"contains": "B"}}   => []
			list thing depth=0 filter={"text": {"icontains": "B"}, "int": {"lt": 3}}  => [1, 2]
			list thing depth=0 filter={"int": {"between": [2, 3]}}  => [2, 3]
			list thing depth=0 filter={"int": {"between": [3, 2]}}  => []
			list thing depth=0 filter={"text": {"between": ["ab", "abz"]}}  => [1, 2]
			list thing depth=0 filter={"$not": {"int": {"between": ["1", 2]}}}  => [3, 4]
			list thing depth=0 filter={"id": {"gt": 2}}             => [3, 4]`),
		script("an unknown operator or a missing list is rejected", things, `
			list thing filter={"int": {"like": 1}}     => BAD_PARAM_VALUE {"param_name": "filter", "accepted_values": "JSON object of conditions; in this one, int: like: unknown operator; use eq, ne, lt, le, gt, ge, in, prefix, contains, icontains, between, or $any, $all or $none for a relation"}
			list thing filter={"int": {}}              => BAD_PARAM_VALUE {"param_name": "filter", "accepted_values": "JSON object of conditions; in this one, int: must not be empty; use an operator: eq, ne, lt, le, gt, ge, in, prefix, contains, icontains, between"}
			list thing filter={"int": {"in": 1}}       => BAD_PARAM_VALUE {"param_name": "filter", "accepted_values": "JSON object of conditions; in this one, int: in: must be a list of values"}
			list thing filter={"int": {"in": null}}    => BAD_PARAM_VALUE {"param_name": "filter", "accepted_values": "JSON object of conditions; in this one, int: in: must be a list of values"}
			list thing filter={"int": {"lt": null}}    => BAD_FIELD_VALUE {"object_name": "thing", "field_name": "int", "type": "int", "value": null}
			list thing filter={"int": {"in": [[]]}}    => BAD_FIELD_VALUE {"object_name": "thing", "field_name": "int", "type": "int", "value": []}
			list thing filter={"int": {"between": 1}}        => BAD_PARAM_VALUE {"param_name": "filter", "accepted_values": "JSON object of conditions; in this one, int: between: must be a list of two values, the lower bound first"}
			list thing filter={"int": {"between": [1, null]}} => BAD_FIELD_VALUE {"object_name": "thing", "field_name": "int", "type": "int", "value": null}
			list thing filter={"int": {"between": [null, 1]}} => BAD_FIELD_VALUE {"object_name": "thing", "field_name": "int", "type": "int", "value": null}
			list thing filter={"json": {"between": [1, 2]}}   => SEARCH_FORBIDDEN {"object_name": "thing", "field_name": "json"}
			list thing filter={"int": {"contains": 1}}        => SEARCH_FORBIDDEN {"object_name": "thing", "field_name": "int"}
			list thing filter={"time": {"icontains": "2"}}    => SEARCH_FORBIDDEN {"object_name": "thing", "field_name": "time"}
			list thing filter={"int": {"prefix": 1}}   => SEARCH_FORBIDDEN {"object_name": "thing", "field_name": "int"}
			list thing filter={"bool": {"prefix": ""}} => SEARCH_FORBIDDEN {"object_name": "thing", "field_name": "bool"}
			list thing filter={"list": {"lt": []}}     => SEARCH_FORBIDDEN {"object_name": "thing", "field_name": "list"}`),
		script("an object for a json field means operators too", things, `
			put thing/1 {"json": {"a": 1}}
			put thing/2 {"json": [1]}
			list thing depth=0 filter={"json": {"eq": {"a": 1.0}}}        => [1]
			list thing depth=0 filter={"json": [1.0]}                     => [2]
			list thing depth=0 filter={"json": {"in": [{"a": 1}, [1]]}}   => [1, 2]
			list thing filter={"json": {"a": 1}}   => BAD_PARAM_VALUE
			list thing filter={"json": {"gt": 1}}  => SEARCH_FORBIDDEN {"object_name": "thing", "field_name": "json"}`),
		script("filter by the id of a stored to-one relation", Cookies, `
			put jar/1 {}
			put jar/2 {}
			put cookie/1 {"jar": 1}
			put cookie/2 {"jar": 2}
			put cookie/3 {}
			list cookie depth=0 filter={"jar": 1}               => [1]
			list cookie depth=0 filter={"jar": "2"}             => [2]
			list cookie depth=0 filter={"jar": null}            => [3]
			list cookie depth=0 filter={"jar": {"in": [1, 2]}}  => [1, 2]
			list cookie depth=0 filter={"jar": {"ge": 2}}       => [2]
			list cookie depth=0 filter={"jar": 9}               => []
			list cookie filter={"jar": "x"} => BAD_FIELD_VALUE {"object_name": "cookie", "field_name": "jar", "type": "int", "value": "x"}`),
		script("filter by the id of an inverse to-one relation", Family, `
			post female [{}, {}, {}]
			post male [{"wife": 1}, {"wife": 3}, {}]
			list female depth=0 filter={"husband": 1}                   => [1]
			list female depth=0 filter={"husband": "2"}                 => [3]
			list female depth=0 filter={"husband": 3}                   => []
			list female depth=0 filter={"husband": 9}                   => []
			list female depth=0 filter={"husband": null}                => [2]
			list female depth=0 filter={"husband": {"ne": null}}        => [1, 3]
			list female depth=0 filter={"husband": {"ne": 1}}           => [2, 3]
			list female depth=0 filter={"husband": {"in": [2, null]}}   => [2, 3]
			list female depth=0 filter={"husband": {"in": []}}          => []
			list female depth=0 filter={"husband": {"gt": 1}}           => [3]
			list female depth=0 filter={"husband": {"le": 2}}           => [1, 3]
			list female depth=0 filter={"husband": {"ne": 1}, "id": 2}  => [2]
			list female depth=1 filter={"husband": 2}                   => [{"id": 3, "husband": 2, "children": [], "url": "/female/3"}]
			list female filter={"husband": "x"}            => BAD_FIELD_VALUE {"object_name": "female", "field_name": "husband", "type": "int", "value": "x"}
			list female filter={"husband": {"lt": null}}   => BAD_FIELD_VALUE {"object_name": "female", "field_name": "husband", "type": "int", "value": null}
			list female filter={"husband": {"prefix": 1}}  => SEARCH_FORBIDDEN {"object_name": "female", "field_name": "husband"}`),
		script("to-many relations and computed fields cannot be filtered by", Family, `
			list male filter={"children": 1}       => SEARCH_FORBIDDEN {"object_name": "male", "field_name": "children"}
			list male filter={"children": []}      => SEARCH_FORBIDDEN {"object_name": "male", "field_name": "children"}
			list male filter={"url": "/male/1"}    => SEARCH_FORBIDDEN {"object_name": "male", "field_name": "url"}`),
		script("one-directional lists cannot be filtered by", people, `
			list person filter={"friends": [1]}   => SEARCH_FORBIDDEN {"object_name": "person", "field_name": "friends"}`),
		script("filters cross relations", Family, `
			post male [{"name": "a", "wife": {"name": "b"}}, {"name": "c", "wife": {}}, {"name": "d"}] depth=0
			post child [{"name": "x", "father": 1, "mother": 1}, {"name": "y", "father": 1}, {"name": "y", "father": 2, "mother": 2}, {}] depth=0
			list child depth=0 filter={"father.name": "a"}                  => [1, 2]
			list child depth=0 filter={"father.wife.name": {"ne": "b"}}     => [3]
			list child depth=0 filter={"mother.husband.name": "c"}          => [3]
			list child depth=0 filter={"mother.name": null}                 => [3]
			list child depth=0 filter={"mother": null}                      => [2, 4]
			list child depth=0 filter={"father": {"$any": {"name": "a"}}, "mother": {"$none": {}}}  => [2]
			list male depth=0 filter={"children": {"$any": {"name": "y"}}}  => [1, 2]
			list male depth=0 filter={"children": {"$any": {"name": "y", "mother": null}}}          => [1]
			list male depth=0 filter={"children": {"$any": {}}}             => [1, 2]
			list male depth=0 filter={"children": {"$none": {"name": "x"}}} => [2, 3]
			list male depth=0 filter={"children": {"$all": {"name": "y"}}}  => [2, 3]
			list male depth=0 filter={"children": {"$any": {"mother": {"$any": {"name": "b"}}}}}    => [1]
			list female depth=0 filter={"husband.children": {"$any": {"name": "y"}}}                => [1, 2]
			list child depth=0 filter={"father.children": {"$none": {"name": "x"}}}                 => [3]
			list child depth=0 filter={"father.children": {"$all": {"name": "y"}}}                  => [3]
			list male depth=0 filter={"$or": [{"name": "d"}, {"wife.name": "b"}]}                   => [1, 3]
			list male depth=0 filter={"$not": {"$and": [{"name": "d"}, {"wife": null}]}}            => [1, 2]
			list child depth=0 filter={"name": "y"} sort=["-father.name"]   => [3, 2]
			list child depth=0 sort=["father.wife.name", "-id"]             => [2, 1, 4, 3]
			list child depth=0 sort=["-mother.husband.name"] limit=2        => [2, 4]`),
		script("a list of ids is filtered by its records", people, `
			post person [{}, {}, {}] depth=0
			patch person/1 {"friends": [2, 3]} depth=0
			list person depth=0 filter={"friends": {"$any": {"id": 3}}}     => [1]
			list person depth=0 filter={"friends": {"$none": {}}}           => [2, 3]`),
		script("a mistake in a condition on related records names its place", Family, `
			list child filter={"father.nope": 1}                => FIELD_DOES_NOT_EXIST {"object_name": "male", "field_name": "nope"}
			list child filter={"name.x": 1}                     => FIELD_DOES_NOT_EXIST {"object_name": "child", "field_name": "name.x"}
			list child filter={"father.url": "x"}               => SEARCH_FORBIDDEN {"object_name": "male", "field_name": "url"}
			list child filter={"father.id": "x"}                => BAD_FIELD_VALUE {"object_name": "male", "field_name": "id", "type": "int", "value": "x"}
			list child filter={"name": {"$any": {}}}            => SEARCH_FORBIDDEN {"object_name": "child", "field_name": "name"}
			list male filter={"children.name": "x"}             => BAD_PARAM_VALUE {"param_name": "filter", "accepted_values": "for the to-many children: {\"children\": {\"$any\": {\"name\": ...}}}"}
			list male filter={"$any": {"name": "x"}}            => BAD_PARAM_VALUE
			list male filter={"children": {"$all": {}}}         => BAD_PARAM_VALUE {"param_name": "filter", "accepted_values": "JSON object of conditions; in this one, children: $all: must not be empty"}
			list male filter={"$or": []}                        => BAD_PARAM_VALUE {"param_name": "filter", "accepted_values": "JSON object of conditions; in this one, $or: must be a non-empty list of conditions"}
			list child sort=["father.nope"]                     => FIELD_DOES_NOT_EXIST {"object_name": "male", "field_name": "nope"}
			list male sort=["children.name"]                    => SEARCH_FORBIDDEN {"object_name": "male", "field_name": "children"}
			list child filter={"father.wife.husband.wife.husband.name": "a"}       => []
			list child filter={"father.wife.husband.wife.husband.wife.name": "a"}  => BAD_REQUEST {"msg": "filter crosses more than five relations within one another"}
			list child sort=["father.wife.husband.wife.husband.wife.name"]         => BAD_PARAM_VALUE {"param_name": "sort", "accepted_values": "at most five relations in a path"}`),
		scriptWith("a hidden related record does not exist for filters and sorts", owned, engine.Options{}, ownedFixture+`
			as 2 put cookie/3 {"jar": 2}
			as system list cookie depth=0 filter={"jar.id": {"gt": 0}}       => [1, 2, 3]
			as 2 list cookie depth=0 filter={"jar.id": {"gt": 0}}            => [3]
			as 2 list cookie depth=0 filter={"$not": {"jar": {"$any": {}}}}  => [2]
			as 1 list jar depth=0 filter={"cookies": {"$any": {"type": "b"}}}  => []
			as 1 list jar depth=0 filter={"cookies": {"$all": {"type": "a"}}}  => [1]
			as 2 list cookie depth=0 sort=["-jar.id"]                        => [2, 3]`,
			ownerGuard()),
		script("an unknown field in a filter is named", Cookies, `
			list cookie filter={"price": 1}   => FIELD_DOES_NOT_EXIST {"object_name": "cookie", "field_name": "price"}
			list cookie filter={"": 1}        => BAD_PARAM_VALUE {"param_name": "filter", "accepted_values": "JSON object of conditions; in this one, : must be a field, $and, $or or $not"}`),
	}
}
