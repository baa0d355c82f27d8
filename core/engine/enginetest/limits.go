package enginetest

import "github.com/larder-go/larder/core/engine"

func limitCases() []Case {
	const tooLarge = `TOO_LARGE {"msg": "the answer would hold more than 5 records; use a smaller depth"}`
	five := engine.Options{MaxRecords: 5}
	return []Case{
		scriptWith("a list longer than the limit of records is a page", Cookies, five, `
			post cookie [{}, {}, {}, {}, {}] depth=0   => [1, 2, 3, 4, 5]
			list cookie depth=0                        => [1, 2, 3, 4, 5]
			post cookie {}
			pages cookie depth=0                       => [[1, 2, 3, 4, 5], [6]]
			pages cookie depth=0 limit=6               => [[1, 2, 3, 4, 5], [6]]
			list cookie depth=0 limit=5                => [1, 2, 3, 4, 5]
			list cookie depth=0 limit=6 filter={"id": {"gt": 1}} => [2, 3, 4, 5, 6]
			post cookie [{}, {}, {}, {}, {}, {}]       => TOO_LARGE {"msg": "the list has more than 5 records; send it in parts"}`),
		scriptWith("members of lists count, ids of to-one relations do not", Cookies, five, `
			post jar {"cookies": [{}, {}, {}, {}]}     => {"id": 1, "cookies": [1, 2, 3, 4]}
			list cookie                                => [{"id": 1, "jar": 1}, {"id": 2, "jar": 1}, {"id": 3, "jar": 1}, {"id": 4, "jar": 1}]
			post cookie {"jar": 1}
			get jar/1                                  => {"id": 1, "cookies": [1, 2, 3, 4], "cookies@next": "*"}
			get jar/1 depth=0                          => 1
			list cookie                                => [{"id": 1, "jar": 1}, {"id": 2, "jar": 1}, {"id": 3, "jar": 1}, {"id": 4, "jar": 1}, {"id": 5, "jar": 1}]
			list cookie depth=2                        => [{"id": 1, "jar": {"id": 1, "cookies": [1, 2, 3], "cookies@next": "*"}}]
			delete cookie/5
			patch cookie/2 {"jar": null}
			patch cookie/3 {"jar": null}
			pages cookie depth=2 sort=["-id"]          => [[{"id": 4, "jar": {"id": 1, "cookies": [1, 4]}}, {"id": 3}], [{"id": 2}, {"id": 1, "jar": {"id": 1, "cookies": [1, 4]}}]]`),
		scriptWith("records count as often as they are shown", Cookies, five, `
			post jar {"cookies": [{}, {}]} depth=1     => {"id": 1, "cookies": [1, 2]}
			get jar/1 depth=2                          => {"id": 1, "cookies": [{"id": 1, "jar": 1}, {"id": 2, "jar": 1}]}
			get jar/1 depth=3                          => {"id": 1, "cookies": [{"id": 1, "jar": {"id": 1, "cookies": [], "cookies@next": "*"}}, {"id": 2, "jar": {"id": 1, "cookies": [], "cookies@next": "*"}}]}`),
		scriptWith("related records count once for each parent", Cookies, engine.Options{MaxRecords: 8}, `
			post jar {"cookies": [{}, {}]} depth=0
			get cookie/1 depth=3    => {"id": 1, "jar": {"id": 1, "cookies": [{"id": 1, "jar": 1}, {"id": 2, "jar": 1}]}}
			get jar/1 depth=3       => {"id": 1, "cookies": [{"id": 1, "jar": {"id": 1, "cookies": [1], "cookies@next": "*"}}, {"id": 2, "jar": {"id": 1, "cookies": [1], "cookies@next": "*"}}]}`),
		scriptWith("inverse to-one relations count towards MaxRecords", Family, five, `
			post male [{"wife": {}}, {"wife": {}}, {"wife": {}}, {"wife": {}}, {"wife": {}}] depth=0  => [1, 2, 3, 4, 5]
			list female    => [{"id": 1, "husband": 1, "children": [], "url": "/female/1"}, {"id": 2, "husband": 2, "children": [], "url": "/female/2"}, {"id": 3, "husband": 3, "children": [], "url": "/female/3"}, {"id": 4, "husband": 4, "children": [], "url": "/female/4"}, {"id": 5, "husband": 5, "children": [], "url": "/female/5"}]
			list female depth=2 limit=2 sort=["-id"]  => [{"id": 5, "husband": {"id": 5, "wife": 5, "children": [], "url": "/male/5"}, "children": [], "url": "/female/5"}, {"id": 4, "husband": {"id": 4, "wife": 4, "children": [], "url": "/male/4"}, "children": [], "url": "/female/4"}]
			pages female depth=2 limit=3 filter={"id": {"gt": 2}}  => [[{"id": 3, "husband": {"id": 3, "wife": 3, "children": [], "url": "/male/3"}, "children": [], "url": "/female/3"}], [{"id": 4, "husband": {"id": 4, "wife": 4, "children": [], "url": "/male/4"}, "children": [], "url": "/female/4"}, {"id": 5, "husband": {"id": 5, "wife": 5, "children": [], "url": "/male/5"}, "children": [], "url": "/female/5"}]]`),
		scriptWith("one-directional lists count too", people, five, `
			put person/1 {}
			put person/2 {}
			put person/3 {}
			put person/4 {}
			put person/5 {"friends": [1, 2, 3, 4]}             => created {"id": 5, "team": [], "friends": [1, 2, 3, 4]}
			patch person/5 {"friends": [1, 2, 3, 4, 5]}        => `+tooLarge+`
			get person/5                                       => {"id": 5, "team": [], "friends": [1, 2, 3, 4]}`),
		scriptWith("a filter by related records has no limit", Family, five, `
			post male [{"wife": {}}, {"wife": {}}, {"wife": {}}] depth=0
			post male [{"wife": {}}, {"wife": {}}, {"wife": {}}] depth=0
			list female depth=0 limit=2 filter={"husband": null}   => []
			list female depth=0 limit=2 filter={"husband": 6}      => [6]`),
		scriptWith("records without partner do not count for a filter", Family, engine.Options{MaxRecords: 2}, `
			post male [{}, {}] depth=0
			post male {"wife": {}} depth=0
			post female {} depth=0
			list female depth=0 filter={"husband": null}   => [2]`),
		scriptWith("a sort by a relation is unlimited without policies", Cookies, engine.Options{MaxRecords: 2}, `
			post cookie [{}, {}] depth=0
			post cookie {"jar": {}} depth=0
			list cookie depth=0 limit=1 sort=["jar"]   => [3]`),
		scriptWith("a write with an answer above MaxRecords is undone", people, five, `
			post person [{}, {}, {}, {}, {}] depth=0
			post person {"friends": [1, 2, 3, 4, 5]}     => `+tooLarge+`
			list person depth=0                          => [1, 2, 3, 4, 5]`),
		scriptWith("a write is undone if the last read exceeds MaxRecords", boxes, engine.Options{MaxRecords: 1}, `
			put socket/1 {"plug": {}} depth=0
			patch socket/1 {"used": true} depth=2            => TOO_LARGE {"msg": "the answer would hold more than 1 records; use a smaller depth"}
			list socket depth=0 filter={"used": true}    => []`),
	}
}
