package enginetest

import "github.com/larder-go/larder/core/engine"

func readingCases() []Case {
	return []Case{
		script("depth 0 is the id, depth n the fields with relations at n-1", Cookies, `
			post jar {"cookies": [{"type": "muffin"}, {}]}
			get jar/1 depth=0      => 1
			get jar/1 depth=1      => {"id": 1, "cookies": [1, 2]}
			get jar/1 depth=2      => {"id": 1, "cookies": [{"id": 1, "type": "muffin", "jar": 1}, {"id": 2, "jar": 1}]}
			get jar/1 depth=3      => {"id": 1, "cookies": [{"id": 1, "type": "muffin", "jar": {"id": 1, "cookies": [1, 2]}}, {"id": 2, "jar": {"id": 1, "cookies": [1, 2]}}]}
			get cookie/2 depth=2   => {"id": 2, "jar": {"id": 1, "cookies": [1, 2]}}
			list cookie depth=0    => [1, 2]
			list cookie depth=2    => [{"id": 1, "type": "muffin", "jar": {"id": 1, "cookies": [1, 2]}}, {"id": 2, "jar": {"id": 1, "cookies": [1, 2]}}]`),
		script("both sides of a one-to-one relation are shown to the depth", Family, `
			post male {"name": "m", "wife": {"name": "f"}}
			get male/1 depth=1    => {"id": 1, "name": "m", "wife": 1, "children": [], "url": "/male/1"}
			get female/1 depth=1  => {"id": 1, "name": "f", "husband": 1, "children": [], "url": "/female/1"}
			get female/1 depth=2  => {"id": 1, "name": "f", "husband": {"id": 1, "name": "m", "wife": 1, "children": [], "url": "/male/1"}, "children": [], "url": "/female/1"}
			get male/1 depth=3    => {"id": 1, "name": "m", "wife": {"id": 1, "name": "f", "husband": {"id": 1, "name": "m", "wife": 1, "children": [], "url": "/male/1"}, "children": [], "url": "/female/1"}, "children": [], "url": "/male/1"}`),
		script("several relations to one resource are independent", Family, `
			post male {"name": "a", "children": [{"name": "x", "mother": {"name": "b"}}, {"name": "y"}]}
			get child/1 depth=2  => {"id": 1, "name": "x", "father": {"id": 1, "name": "a", "children": [1, 2], "url": "/male/1"}, "mother": {"id": 1, "name": "b", "children": [1], "url": "/female/1"}, "url": "/child/1"}
			get male/1 depth=2   => {"id": 1, "name": "a", "children": [{"id": 1, "name": "x", "father": 1, "mother": 1, "url": "/child/1"}, {"id": 2, "name": "y", "father": 1, "url": "/child/2"}], "url": "/male/1"}
			post child {"mother": 1}
			get child/1 depth=3  => {"id": 1, "name": "x", "father": {"id": 1, "name": "a", "children": [{"id": 1, "name": "x", "father": 1, "mother": 1, "url": "/child/1"}, {"id": 2, "name": "y", "father": 1, "url": "/child/2"}], "url": "/male/1"}, "mother": {"id": 1, "name": "b", "children": [{"id": 1, "name": "x", "father": 1, "mother": 1, "url": "/child/1"}, {"id": 3, "mother": 1, "url": "/child/3"}], "url": "/female/1"}, "url": "/child/1"}`),
		script("relations of a resource to itself are shown to the depth", people, `
			put person/1 {"name": "a", "friends": [], "idol": 1}
			put person/2 {"boss": 1, "partner": 1, "friends": [1]}
			get person/1 depth=1   => {"id": 1, "name": "a", "team": [2], "partner_of": 2, "friends": [], "idol": 1}
			get person/2 depth=2   => {"id": 2, "boss": {"id": 1, "name": "a", "team": [2], "partner_of": 2, "friends": [], "idol": 1}, "team": [], "partner": {"id": 1, "name": "a", "team": [2], "partner_of": 2, "friends": [], "idol": 1}, "friends": [{"id": 1, "name": "a", "team": [2], "partner_of": 2, "friends": [], "idol": 1}]}`),
		script("to-many values are sets in ascending order of ids", people, `
			put person/10 {}
			put person/9 {}
			put person/2 {}
			put person/11 {"friends": [10, 2, "9", 2], "team": [10, 9, 10]}
			get person/11 => {"id": 11, "team": [9, 10], "friends": [2, 9, 10]}`),
		script("ids of deleted records in stored lists are not shown", people, `
			put person/1 {}
			put person/2 {"friends": [1, 2]}
			delete person/1
			get person/2 depth=1   => {"id": 2, "team": [], "friends": [2]}
			get person/2 depth=2   => {"id": 2, "team": [], "friends": [{"id": 2, "team": [], "friends": [2]}]}
			list person            => [{"id": 2, "team": [], "friends": [2]}]`),
		script("a missing record is reported with its id", Cookies, `
			get jar/1     => OBJECT_DOES_NOT_EXIST {"object_name": "jar", "object_id": 1}
			get jar/1 depth=0 => OBJECT_DOES_NOT_EXIST {"object_name": "jar", "object_id": 1}
			get cookie/-5 => OBJECT_DOES_NOT_EXIST {"object_name": "cookie", "object_id": -5}`),
		script("an unknown resource is reported by every method", Cookies, `
			get tin/1         => OBJECT_DOES_NOT_EXIST {"object_name": "resource", "object_id": "tin"}
			list tin          => OBJECT_DOES_NOT_EXIST {"object_name": "resource", "object_id": "tin"}
			post tin {}       => OBJECT_DOES_NOT_EXIST {"object_name": "resource", "object_id": "tin"}
			patch tin/1 {}    => OBJECT_DOES_NOT_EXIST {"object_name": "resource", "object_id": "tin"}
			put tin/1 {}      => OBJECT_DOES_NOT_EXIST {"object_name": "resource", "object_id": "tin"}
			delete tin/1      => OBJECT_DOES_NOT_EXIST {"object_name": "resource", "object_id": "tin"}`),
		script("a depth outside the limits is rejected first", Cookies, `
			get jar/1 depth=-1          => BAD_PARAM_VALUE {"param_name": "depth", "accepted_values": "non-negative integer"}
			get jar/1 depth=6           => BAD_PARAM_VALUE {"param_name": "depth", "accepted_values": "at most 5"}
			list jar depth=60           => BAD_PARAM_VALUE {"param_name": "depth", "accepted_values": "at most 5"}
			post jar {} depth=6         => BAD_PARAM_VALUE {"param_name": "depth", "accepted_values": "at most 5"}
			put jar/1 {} depth=6        => BAD_PARAM_VALUE {"param_name": "depth", "accepted_values": "at most 5"}
			patch jar/1 {} depth=6      => BAD_PARAM_VALUE {"param_name": "depth", "accepted_values": "at most 5"}
			delete jar/1 depth=6        => BAD_PARAM_VALUE {"param_name": "depth", "accepted_values": "at most 5"}
			list jar                    => []
			post jar {} depth=5         => {"id": 1, "cookies": []}`),
		scriptWith("MaxDepth limits the depth", Cookies, engine.Options{MaxDepth: 1}, `
			post jar {} depth=1   => {"id": 1, "cookies": []}
			get jar/1 depth=2     => BAD_PARAM_VALUE {"param_name": "depth", "accepted_values": "at most 1"}`),
	}
}
