package enginetest

func relationCases() []Case {
	return []Case{
		script("setting the to-one side moves the record", Cookies, `
			post jar [{"cookies": [{}, {}]}, {}]
			patch cookie/1 {"jar": 2}       => {"id": 1, "jar": 2}
			list jar                        => [{"id": 1, "cookies": [2]}, {"id": 2, "cookies": [1]}]
			patch cookie/1 {"jar": null}    => {"id": 1}
			list jar                        => [{"id": 1, "cookies": [2]}, {"id": 2, "cookies": []}]`),
		script("setting the list side moves and detaches records", Cookies, `
			post jar [{"cookies": [{}, {}, {}]}, {"cookies": [{}]}]
			post cookie {}
			patch jar/2 {"cookies": [2, 5]}   => {"id": 2, "cookies": [2, 5]}
			list jar                          => [{"id": 1, "cookies": [1, 3]}, {"id": 2, "cookies": [2, 5]}]
			list cookie                       => [{"id": 1, "jar": 1}, {"id": 2, "jar": 2}, {"id": 3, "jar": 1}, {"id": 4}, {"id": 5, "jar": 2}]
			patch jar/1 {"cookies": []}       => {"id": 1, "cookies": []}
			patch jar/2 {"cookies": null}     => {"id": 2, "cookies": []}
			list cookie filter={"jar": null} depth=0  => [1, 2, 3, 4, 5]`),
		script("ids in a list are converted and deduplicated", Cookies, `
			post jar {"cookies": [{}, {}]}
			patch jar/1 {"cookies": ["2", 2, 1.0, "1"]}   => {"id": 1, "cookies": [1, 2]}
			patch jar/1 {"cookies": ["02"]}               => BAD_FIELD_VALUE {"object_name": "jar", "field_name": "cookies", "type": "int", "value": "02"}`),
		script("setting a one-to-one relation detaches former partners", Family, `
			post female [{}, {}, {}, {}]
			post male [{"wife": 1}, {"wife": 2}, {"wife": 3}]
			patch male/1 {"wife": 2}
			list male depth=1      => [{"id": 1, "wife": 2, "children": [], "url": "/male/1"}, {"id": 2, "children": [], "url": "/male/2"}, {"id": 3, "wife": 3, "children": [], "url": "/male/3"}]
			list female depth=1    => [{"id": 1, "children": [], "url": "/female/1"}, {"id": 2, "husband": 1, "children": [], "url": "/female/2"}, {"id": 3, "husband": 3, "children": [], "url": "/female/3"}, {"id": 4, "children": [], "url": "/female/4"}]
			patch female/2 {"husband": 3}
			list male depth=1      => [{"id": 1, "children": [], "url": "/male/1"}, {"id": 2, "children": [], "url": "/male/2"}, {"id": 3, "wife": 2, "children": [], "url": "/male/3"}]
			list female depth=1    => [{"id": 1, "children": [], "url": "/female/1"}, {"id": 2, "husband": 3, "children": [], "url": "/female/2"}, {"id": 3, "children": [], "url": "/female/3"}, {"id": 4, "children": [], "url": "/female/4"}]`),
		script("null detaches one-to-one partners from either side", Family, `
			post male [{"wife": {}}, {"wife": {}}]
			patch male/1 {"wife": null}        => {"id": 1, "children": [], "url": "/male/1"}
			patch female/2 {"husband": null}   => {"id": 2, "children": [], "url": "/female/2"}
			list male                          => [{"id": 1, "children": [], "url": "/male/1"}, {"id": 2, "children": [], "url": "/male/2"}]`),
		script("partners can be swapped", Family, `
			post male [{"wife": {}}, {"wife": {}}]
			patch male/1 {"wife": 2}
			patch male/2 {"wife": 1}
			list female     => [{"id": 1, "husband": 2, "children": [], "url": "/female/1"}, {"id": 2, "husband": 1, "children": [], "url": "/female/2"}]
			patch female/1 {"husband": 1}
			patch female/2 {"husband": 2}
			list male       => [{"id": 1, "wife": 1, "children": [], "url": "/male/1"}, {"id": 2, "wife": 2, "children": [], "url": "/male/2"}]`),
		script("self relations agree on both sides", people, `
			post person [{"name": "a"}, {"name": "b", "boss": 1}, {"name": "c", "boss": 1}] => OBJECT_DOES_NOT_EXIST
			put person/1 {}
			put person/2 {"boss": 1, "partner": 1}
			put person/3 {"boss": 1}
			patch person/3 {"team": [2, 1], "partner": 3}   => {"id": 3, "boss": 1, "team": [1, 2], "partner": 3, "partner_of": 3, "friends": []}
			get person/1                                    => {"id": 1, "boss": 3, "team": [3], "partner_of": 2, "friends": []}
			patch person/1 {"partner_of": 3}                => {"id": 1, "boss": 3, "team": [3], "partner_of": 3, "friends": []}
			list person filter={"partner": null} depth=0    => [1, 2]`),
		script("a record with several new partners detaches the old ones", people, `
			put person/1 {}
			put person/2 {"partner": 1, "mentor": 1}
			put person/3 {"partner": 1, "mentor": 1}   => created {"id": 3, "team": [], "partner": 1, "mentor": 1, "friends": []}
			get person/2                               => {"id": 2, "team": [], "friends": []}`),
		script("a record in its own list is shown in full", people, `
			put person/1 {"name": "a", "boss": 1}
			patch person/1 {"team": [1]}    => {"id": 1, "name": "a", "boss": 1, "team": [1], "friends": []}`),
		script("a one-directional list does not change its members", people, `
			put person/1 {}
			put person/2 {"friends": [1]}      => created {"id": 2, "team": [], "friends": [1]}
			get person/1                       => {"id": 1, "team": [], "friends": []}
			patch person/2 {"friends": [{"name": "x"}, 2]}
			list person filter={"name": "x"}
			patch person/2 {"friends": [9]}    => OBJECT_DOES_NOT_EXIST {"object_name": "person", "object_id": 9}
			patch person/2 {"friends": null}   => {"id": 2, "team": [], "friends": []}`),
		script("a removed cascade child is deleted, a moved one kept", chains, `
			post album [{"tracks": [{}, {}]}, {}]
			patch album/2 {"tracks": [2]}      => {"id": 2, "tracks": [2]}
			patch album/1 {"tracks": []}       => {"id": 1, "tracks": []}
			list track                         => [{"id": 2, "album": 2}]
			patch track/2 {"album": null}      => {"id": 2}
			patch album/1 {"tracks": [{}]}     => {"id": 1, "tracks": [3]}
			patch album/1 {"tracks": [2]}      => {"id": 1, "tracks": [2]}
			list track                         => [{"id": 2, "album": 1}]`),
		script("a replaced cascade partner is deleted", chains, `
			put holder/1 {"licence": {}}
			patch holder/1 {"licence": {}}     => {"id": 1, "licence": 2}
			list licence                       => [{"id": 2, "holder": 1}]
			post licence {"holder": 1}         => {"id": 3, "holder": 1}
			list licence                       => [{"id": 3, "holder": 1}]
			put licence/8 {}
			patch licence/8 {"holder": 1}      => {"id": 8, "holder": 1}
			put licence/9 {}
			patch holder/1 {"licence": 9}      => {"id": 1, "licence": 9}
			list licence                       => [{"id": 9, "holder": 1}]
			put licence/10 {"renews": 9}
			put licence/11 {"renews": 9}
			patch licence/10 {"holder": 1, "renews": null}  => {"id": 10, "holder": 1}
			list licence                       => [{"id": 10, "holder": 1}]
			patch holder/1 {"licence": null}   => {"id": 1}
			list licence                       => []
			put licence/20 {"holder": 1}
			put licence/21 {"renews": 20}
			patch holder/1 {"licence": 21}     => {"id": 1}
			list licence                       => []
			put licence/30 {"holder": 1}
			put photo/31 {"of": 30}
			put licence/31 {}
			patch holder/1 {"licence": 31}     => {"id": 1, "licence": 31}
			list photo                         => []`),
		script("a patch that deletes its own record is undone", chains, `
			put node/1 {}
			put node/2 {"parent": 1}
			patch node/1 {"parent": 2}
			patch node/1 {"children": []}   => OBJECT_DOES_NOT_EXIST {"object_name": "node", "object_id": 1}
			list node                       => [{"id": 1, "parent": 2, "children": [2]}, {"id": 2, "parent": 1, "children": [1]}]
			put holder/1 {"licence": {}}
			put licence/2 {"renews": 1}
			patch licence/2 {"holder": 1}   => OBJECT_DOES_NOT_EXIST {"object_name": "licence", "object_id": 2}
			patch licence/2 {"holder": 1, "renews": 1}  => OBJECT_DOES_NOT_EXIST {"object_name": "licence", "object_id": 2}
			list licence                    => [{"id": 1, "holder": 1}, {"id": 2, "renews": 1}]`),
	}
}
