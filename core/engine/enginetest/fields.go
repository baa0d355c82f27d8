package enginetest

func fieldCases() []Case {
	return []Case{
		script("API names appear in bodies, answers and errors", renamed, `
			post jar {}                                 => {"id": 1, "cookies": []}
			post cookie {"says": "a", "jar": 1, "k": "x"} => {"id": 1, "type": "a", "jar": 1, "k": "x"}
			get jar/1 depth=2                           => {"id": 1, "cookies": [{"id": 1, "type": "a", "jar": 1, "k": "x"}]}
			list cookie filter={"type": "a", "jar": 1} sort=["-type", "id"] => [{"id": 1, "type": "a", "jar": 1, "k": "x"}]
			get c/1                                     => OBJECT_DOES_NOT_EXIST {"object_name": "resource", "object_id": "c"}
			get cookie/9                                => OBJECT_DOES_NOT_EXIST {"object_name": "cookie", "object_id": 9}
			patch cookie/1 {"t": "b"}                   => FIELD_DOES_NOT_EXIST {"object_name": "cookie", "field_name": "t"}
			patch cookie/1 {"f": "b"}                   => FIELD_DOES_NOT_EXIST {"object_name": "cookie", "field_name": "f"}
			patch cookie/1 {"id": 2}                    => FIELD_IS_READONLY {"object_name": "cookie", "field_name": "id"}
			patch cookie/1 {"fixed": "b"}               => FIELD_IS_READONLY {"object_name": "cookie", "field_name": "fixed"}
			patch cookie/1 {"k": "b"}                   => FIELD_UPDATE_FORBIDDEN {"object_name": "cookie", "field_name": "k"}
			patch cookie/1 {"type": []}                 => BAD_FIELD_VALUE {"object_name": "cookie", "field_name": "type", "type": "text", "value": []}
			patch cookie/1 {"jar": 9}                   => OBJECT_DOES_NOT_EXIST {"object_name": "jar", "object_id": 9}
			patch jar/1 {"cookies": ["x"]}              => BAD_FIELD_VALUE {"object_name": "jar", "field_name": "cookies", "type": "int", "value": "x"}
			list cookie filter={"t": "a"}               => FIELD_DOES_NOT_EXIST {"object_name": "cookie", "field_name": "t"}
			list cookie sort=["-t"]                     => FIELD_DOES_NOT_EXIST {"object_name": "cookie", "field_name": "t"}
			list jar filter={"cookies": 1}              => SEARCH_FORBIDDEN {"object_name": "jar", "field_name": "cookies"}
			list jar sort=["cookies"]                   => SEARCH_FORBIDDEN {"object_name": "jar", "field_name": "cookies"}`),
		script("the key is not settable in any body", Cookies, `
			post jar {}
			post jar {"id": 5}                       => FIELD_IS_READONLY {"object_name": "jar", "field_name": "id"}
			patch jar/1 {"id": 2}                    => FIELD_IS_READONLY {"object_name": "jar", "field_name": "id"}
			put jar/1 {"id": 2}                      => FIELD_IS_READONLY {"object_name": "jar", "field_name": "id"}
			put jar/9 {"id": 8}                      => FIELD_IS_READONLY {"object_name": "jar", "field_name": "id"}
			patch jar/1 {"cookies": [{"id": 1}]}     => FIELD_IS_READONLY {"object_name": "cookie", "field_name": "id"}`),
		script("readonly fields cannot be set by clients", notes, `
			post note {}                  => {"id": 1, "title": "untitled", "stamp": 7, "shout": "UNTITLED", "size": {"secret": 6}, "made": "now"}
			post note {"stamp": 8}        => FIELD_IS_READONLY {"object_name": "note", "field_name": "stamp"}
			patch note/1 {"stamp": 8}     => FIELD_IS_READONLY {"object_name": "note", "field_name": "stamp"}
			patch note/1 {"stamp": null}  => FIELD_IS_READONLY {"object_name": "note", "field_name": "stamp"}
			put note/1 {"stamp": 8}       => FIELD_IS_READONLY {"object_name": "note", "field_name": "stamp"}`),
		script("a program sets readonly fields with SetReadOnly", numberedIssues, `
			post project {"issues": [{}, {}]}
			post issue {"closed": 1}                               => FIELD_IS_READONLY {"object_name": "issue", "field_name": "closed"}
			post issue readonly=true {"closed": 1, "project": 1}   => {"id": 3, "project": 1, "number": 3, "closed": 1}
			patch issue/3 readonly=true {"closed": 2, "number": 7} => {"id": 3, "project": 1, "number": 7, "closed": 2}
			put issue/3 readonly=true {"closed": 3, "project": 1}  => replaced {"id": 3, "project": 1, "number": 7, "closed": 3}
			put issue/3 {"project": 1}                             => replaced {"id": 3, "project": 1, "number": 7, "closed": 3}
			post project readonly=true {"issues": [{"closed": 4}]} => {"id": 2, "issues": [4]}
			patch issue/1 readonly=true {"project": 2, "number": null} => {"id": 1, "project": 2, "number": 2}
			patch project/2 readonly=true {"issues": [1, {"number": 9}]} => {"id": 2, "issues": [1, 5]}
			list issue sort=["id"] => [{"id": 1, "project": 2, "number": 2}, {"id": 2, "project": 1, "number": 2}, {"id": 3, "project": 1, "number": 7, "closed": 3}, {"id": 4, "number": 1, "closed": 4}, {"id": 5, "project": 2, "number": 9}]
			patch issue/1 readonly=true {"id": 9}                  => FIELD_IS_READONLY {"object_name": "issue", "field_name": "id"}
			patch issue/1 readonly=true {"secret": "x"}            => FIELD_DOES_NOT_EXIST {"object_name": "issue", "field_name": "secret"}
			patch issue/1 readonly=true {"fixed": "x"}             => FIELD_IS_READONLY {"object_name": "issue", "field_name": "fixed"}`),
		script("readonly fields can be filtered and sorted by", notes, `
			post note {}
			list note depth=0 filter={"stamp": 7} sort=["-stamp"] => [1]`),
		script("hidden fields answer exactly as unknown fields do", notes, `
			post note {}
			post note {"secret": "x"}                  => FIELD_DOES_NOT_EXIST {"object_name": "note", "field_name": "secret"}
			patch note/1 {"secret": "s3cret"}          => FIELD_DOES_NOT_EXIST {"object_name": "note", "field_name": "secret"}
			put note/1 {"secret": null}                => FIELD_DOES_NOT_EXIST {"object_name": "note", "field_name": "secret"}
			list note filter={"secret": "s3cret"}      => FIELD_DOES_NOT_EXIST {"object_name": "note", "field_name": "secret"}
			list note filter={"secret": {"prefix": "s"}} => FIELD_DOES_NOT_EXIST {"object_name": "note", "field_name": "secret"}
			list note filter={"secret": {"nope": 1}}   => BAD_PARAM_VALUE {"param_name": "filter", "accepted_values": "JSON object of conditions; in this one, secret: nope: unknown operator; use eq, ne, lt, le, gt, ge, in, prefix, contains, icontains, between, or $any, $all or $none for a relation"}
			list note filter={"nope": {"nope": 1}}     => BAD_PARAM_VALUE {"param_name": "filter", "accepted_values": "JSON object of conditions; in this one, nope: nope: unknown operator; use eq, ne, lt, le, gt, ge, in, prefix, contains, icontains, between, or $any, $all or $none for a relation"}
			list note sort=["secret"]                  => FIELD_DOES_NOT_EXIST {"object_name": "note", "field_name": "secret"}
			list note sort=["-secret"]                 => FIELD_DOES_NOT_EXIST {"object_name": "note", "field_name": "secret"}
			post note {"nope": "x"}                    => FIELD_DOES_NOT_EXIST {"object_name": "note", "field_name": "nope"}
			list note filter={"nope": "x"}             => FIELD_DOES_NOT_EXIST {"object_name": "note", "field_name": "nope"}
			list note sort=["-nope"]                   => FIELD_DOES_NOT_EXIST {"object_name": "note", "field_name": "nope"}`),
		script("a hidden field is stored and getters see it", notes, `
			post note {}   => {"id": 1, "title": "untitled", "stamp": 7, "shout": "UNTITLED", "size": {"secret": 6}, "made": "now"}`),
		script("a default applies to unnamed fields, not to null", notes, `
			post note {"title": null, "made": null}  => {"id": 1, "stamp": 7, "size": {"secret": 6}}
			post note {"title": ""}                  => {"id": 2, "title": "", "stamp": 7, "shout": "", "size": {"secret": 6}, "made": "now"}`),
		script("a unique value that is taken is a conflict", notes, `
			post note {"code": "a"}
			post note {"code": "a"}        => CONFLICT {"object_name": "note", "field_name": "code"}
			put note/9 {"code": null}
			patch note/9 {"code": "a"}     => CONFLICT {"object_name": "note", "field_name": "code"}
			patch note/1 {"code": "a"}     => {"id": 1, "title": "untitled", "stamp": 7, "shout": "UNTITLED", "size": {"secret": 6}, "code": "a", "made": "now"}`),
	}
}
