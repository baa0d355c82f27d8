package enginetest

func updatingCases() []Case {
	return []Case{
		script("PATCH changes named fields and answers with all", Cookies, `
			post jar {}
			post cookie {"type": "a", "jar": 1}
			patch cookie/1 {"type": "b"}        => {"id": 1, "type": "b", "jar": 1}
			patch cookie/1 {"jar": null}        => {"id": 1, "type": "b"}
			patch cookie/1 {}                   => {"id": 1, "type": "b"}
			patch cookie/1 {"type": null}       => {"id": 1}
			patch cookie/1 {"type": "c"} depth=0 => 1
			patch cookie/1 {"jar": 1} depth=2   => {"id": 1, "type": "c", "jar": {"id": 1, "cookies": [1]}}`),
		script("PATCH of a missing record is not found", Cookies, `
			patch cookie/1 {"type": "a"}          => OBJECT_DOES_NOT_EXIST {"object_name": "cookie", "object_id": 1}
			patch cookie/1 {"type": "a"} depth=0  => OBJECT_DOES_NOT_EXIST {"object_name": "cookie", "object_id": 1}
			patch cookie/1 {}                     => OBJECT_DOES_NOT_EXIST {"object_name": "cookie", "object_id": 1}
			patch jar/1 {"cookies": []}           => OBJECT_DOES_NOT_EXIST {"object_name": "jar", "object_id": 1}
			patch jar/1 {"cookies": [1]}          => OBJECT_DOES_NOT_EXIST {"object_name": "jar", "object_id": 1}`),
		script("a failed PATCH changes nothing", Cookies, `
			post jar {"cookies": [{}, {}]}
			patch jar/1 {"cookies": [2, 9]}              => OBJECT_DOES_NOT_EXIST {"object_name": "cookie", "object_id": 9}
			patch jar/1 {"cookies": [{"jar": 7}]}        => OBJECT_DOES_NOT_EXIST {"object_name": "jar", "object_id": 7}
			patch cookie/1 {"type": "x", "jar": 7}       => OBJECT_DOES_NOT_EXIST {"object_name": "jar", "object_id": 7}
			list cookie   => [{"id": 1, "jar": 1}, {"id": 2, "jar": 1}]`),
		script("the same PATCH twice equals once", Family, `
			post female {}
			post male {}
			patch male/1 {"name": "m", "wife": 1}   => {"id": 1, "name": "m", "wife": 1, "children": [], "url": "/male/1"}
			patch male/1 {"name": "m", "wife": 1}   => {"id": 1, "name": "m", "wife": 1, "children": [], "url": "/male/1"}
			patch female/1 {"husband": 1}           => {"id": 1, "husband": 1, "children": [], "url": "/female/1"}`),
	}
}
