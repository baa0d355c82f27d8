package enginetest

func creatingCases() []Case {
	return []Case{
		script("an object creates one record, a list several in order", Cookies, `
			post cookie {"type": "a"}                 => {"id": 1, "type": "a"}
			post cookie [{"type": "b"}, {}, {"type": "c"}] => [{"id": 2, "type": "b"}, {"id": 3}, {"id": 4, "type": "c"}]
			post cookie []                            => []
			post cookie {"type": "d"} depth=0         => 5`),
		script("a list is all or nothing", Cookies, `
			post jar {}
			post cookie [{"jar": 1}, {"type": []}]    => BAD_FIELD_VALUE
			post cookie [{"jar": 1}, {"jar": 9}]      => OBJECT_DOES_NOT_EXIST {"object_name": "jar", "object_id": 9, "index": 1}
			post cookie [{"jar": 1}, {"jar": {"cookies": [9]}}] => OBJECT_DOES_NOT_EXIST {"object_name": "cookie", "object_id": 9, "index": 1}
			list cookie  => []
			list jar     => [{"id": 1, "cookies": []}]`),
		script("a record is created with its relations from either side", Cookies, `
			post cookie [{}, {}]
			post jar {"cookies": [2, 1]}              => {"id": 1, "cookies": [1, 2]}
			post cookie {"jar": 1} depth=2            => {"id": 3, "jar": {"id": 1, "cookies": [1, 2, 3]}}
			post jar {"cookies": null}                => {"id": 2, "cookies": []}
			post cookie {"jar": null}                 => {"id": 4}`),
		script("records of a list apply in order", Family, `
			post female [{}, {}]
			post male [{"wife": 1}, {"wife": 1}, {"wife": 2}] => [{"id": 1, "children": [], "url": "/male/1"}, {"id": 2, "wife": 1, "children": [], "url": "/male/2"}, {"id": 3, "wife": 2, "children": [], "url": "/male/3"}]
			list female  => [{"id": 1, "husband": 2, "children": [], "url": "/female/1"}, {"id": 2, "husband": 3, "children": [], "url": "/female/2"}]`),
		script("nested records precede the next record of a list", Cookies, `
			post cookie [{"jar": {"cookies": [{}]}}, {"jar": {"cookies": [{}]}}, {}, {}] depth=0  => [2, 4, 5, 6]`),
		script("nested records precede the next in a self relation", people, `
			post person [{"team": [{}]}, {}] depth=0  => [1, 3]`),
		script("ids of deleted records are not generated again", Cookies, `
			post cookie [{}, {}]
			delete cookie/2
			post cookie {}      => {"id": 3}
			put cookie/20 {}
			delete cookie/20
			delete cookie/3
			post cookie {}
			get cookie/2        => OBJECT_DOES_NOT_EXIST
			get cookie/3        => OBJECT_DOES_NOT_EXIST
			get cookie/20       => OBJECT_DOES_NOT_EXIST`),
		script("a missing related id creates nothing", Cookies, `
			post jar {"cookies": [7]}     => OBJECT_DOES_NOT_EXIST {"object_name": "cookie", "object_id": 7}
			post jar {"cookies": [8, 7]}  => OBJECT_DOES_NOT_EXIST {"object_name": "cookie", "object_id": 8}
			post cookie {"jar": 7}        => OBJECT_DOES_NOT_EXIST {"object_name": "jar", "object_id": 7}
			post cookie {"jar": "x"}      => BAD_FIELD_VALUE {"object_name": "cookie", "field_name": "jar", "type": "int", "value": "x"}
			post cookie {"jar": [1]}      => BAD_FIELD_VALUE {"object_name": "cookie", "field_name": "jar", "type": "int", "value": [1]}
			post jar {"cookies": 1}       => BAD_FIELD_VALUE {"object_name": "jar", "field_name": "cookies", "type": "list", "value": 1}
			post jar {"cookies": {}}      => BAD_FIELD_VALUE {"object_name": "jar", "field_name": "cookies", "type": "list", "value": {}}
			post jar {"cookies": [null]}  => BAD_FIELD_VALUE {"object_name": "jar", "field_name": "cookies", "type": "int", "value": null}
			list jar                      => []
			list cookie                   => []`),
		script("an unknown field is named", Cookies, `
			post cookie {"type": "a", "price": 1}  => FIELD_DOES_NOT_EXIST {"object_name": "cookie", "field_name": "price"}
			post cookie {"type": "a", "zest": 1}   => FIELD_DOES_NOT_EXIST {"object_name": "cookie", "field_name": "zest"}
			list cookie                            => []`),
	}
}
