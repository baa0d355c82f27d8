package enginetest

import (
	"context"
	"slices"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// owned has an owner in every record, and every kind of relation.
func owned() *core.Model {
	owner := core.FieldSpec{Name: "owner", Type: core.Int, Hidden: true}
	return core.MustModel("owned",
		core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{
			key(), owner,
			{Name: "cookies", ToMany: "cookie", Inverse: "jar"},
			{Name: "lid", ToOne: "lid", Inverse: "jar"},
		}},
		core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
			key(), owner,
			{Name: "type", Type: core.Text, Searchable: true},
			{Name: "jar", ToOne: "jar"},
		}},
		core.ResourceSpec{Name: "lid", Fields: []core.FieldSpec{key(), owner, {Name: "jar", ToOne: "jar"}}},
		core.ResourceSpec{Name: "plate", Fields: []core.FieldSpec{key(), owner, {Name: "cookies", ToMany: "cookie"}}},
		core.ResourceSpec{Name: "shelf", Fields: []core.FieldSpec{
			key(), owner,
			{Name: "books", ToMany: "book", Inverse: "shelf", Writable: func(core.Record) bool { return true }},
		}},
		core.ResourceSpec{Name: "book", Fields: []core.FieldSpec{key(), owner, {Name: "shelf", ToOne: "shelf"}}},
		core.ResourceSpec{Name: "crumb", Fields: []core.FieldSpec{key(), owner, {Name: "cookie", ToOne: "cookie", OnDelete: core.Cascade}}},
	)
}

// chained has a relation that can change while the record is open, and a field that can change while that relation
// is null.
func chained() *core.Model {
	owner := core.FieldSpec{Name: "owner", Type: core.Int, Hidden: true}
	return core.MustModel("chained",
		core.ResourceSpec{Name: "shelf", Fields: []core.FieldSpec{key(), owner}},
		core.ResourceSpec{Name: "book", Fields: []core.FieldSpec{
			key(), owner,
			{Name: "title", Type: core.Text, Writable: func(book core.Record) bool { return book.Get("shelf").IsNull() }},
			{Name: "open", Type: core.Bool},
			{Name: "shelf", ToOne: "shelf", Writable: func(book core.Record) bool { return book.Get("open").Bool() }},
		}},
	)
}

// dashed has a relation with a name like a descending sort.
func dashed() *core.Model {
	return core.MustModel("dashed", core.ResourceSpec{Name: "worm", Fields: []core.FieldSpec{
		key(),
		{Name: "owner", Type: core.Int, Hidden: true},
		{Name: "-host", APIName: "host", ToOne: "worm"},
	}})
}

// ownerGuard hides records of other owners, and sets the owner of inserted records.
func ownerGuard() core.Decorator {
	return core.Decorator{Name: "owner", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			switch {
			case op.Principal == nil:
				return core.Result{}, &core.Error{Code: core.Unauthorized}
			case op.Principal.IsSystem() || op.Resource == nil:
				return next(ctx, op)
			}
			owner := op.Resource.Field("owner")
			op.Guard(owner.Compare(core.FilterEq, op.Principal.ID))
			if op.Kind == core.Insert {
				op.Records = withField(op.Records, owner, op.Principal.ID)
			}
			return next(ctx, op)
		}, nil
	}}
}

// memberTeams has teams with members.
func memberTeams() *core.Model {
	return core.MustModel("memberTeams",
		core.ResourceSpec{Name: "team", Fields: []core.FieldSpec{
			key(), {Name: "name", Type: core.Text}, {Name: "members", ToMany: "member", Inverse: "team"},
		}},
		core.ResourceSpec{Name: "member", Fields: []core.FieldSpec{key(), {Name: "team", ToOne: "team"}, {Name: "user", Type: core.Int}}},
	)
}

// membersRead hides teams from all but their members. Every principal may add a team, and gets its key back.
func membersRead() core.Decorator {
	return core.Decorator{Name: "members", Kind: core.KindPolicy, UsesRelated: true, Wrap: func(m *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if op.Resource != m.Resource("team") || op.Principal.IsSystem() {
				return next(ctx, op)
			}
			isMember, err := op.Resource.Bind(core.Related("members", core.Eq("user", op.Principal.ID)))
			if err != nil {
				return core.Result{}, err
			}
			if op.Kind != core.Insert {
				op.Using = core.And(op.Using, isMember)
			}
			if !op.Kind.Writes() {
				return next(ctx, op)
			}
			at := len(op.Conditions)
			op.Conditions = append(slices.Clone(op.Conditions), isMember)
			res, err := next(ctx, op)
			for i, rec := range res.Records {
				if !res.Conditions[i][at] {
					res.Records[i] = op.Resource.RecordOf(make([]core.Value, rec.Len())).With(op.Resource.Key().Column(), rec.Key())
				}
			}
			return res, err
		}, nil
	}}
}

// asAnswer returns the decorator with the kind answer.
func asAnswer(d core.Decorator) core.Decorator {
	d.Kind = core.KindAnswer
	return d
}

func withField(records []core.Record, f *core.Field, v core.Value) []core.Record {
	out := make([]core.Record, len(records))
	for i, rec := range records {
		out[i] = rec.With(f.Column(), v)
	}
	return out
}

// forbidReads rejects every read of a resource.
func forbidReads(resource string, code core.Code) core.Decorator {
	return core.Decorator{Name: "unreadable", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if op.Resource != nil && op.Resource.Name() == resource && !op.Kind.Writes() {
				return core.Result{}, &core.Error{Code: code, Resource: op.Resource.APIName()}
			}
			return next(ctx, op)
		}, nil
	}}
}

// forbidUpdates rejects every update of a resource.
func forbidUpdates(resource string) core.Decorator {
	return core.Decorator{Name: "fixed", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if op.Kind == core.Update && op.Resource.Name() == resource {
				return core.Result{}, op.Resource.Forbidden()
			}
			return next(ctx, op)
		}, nil
	}}
}

// forbidField rejects updates that set a field.
func forbidField(resource, field string) core.Decorator {
	return core.Decorator{Name: "unwritable", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(m *core.Model, next core.Handler) (core.Handler, error) {
		f := m.Resource(resource).Field(field)
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if op.Kind == core.Update && slices.ContainsFunc(op.Records, func(rec core.Record) bool {
				return rec.Resource() == f.Resource() && !rec.At(f.Column()).IsAbsent()
			}) {
				return core.Result{}, &core.Error{Code: core.FieldReadOnly, Resource: f.Resource().APIName(), Field: f.APIName()}
			}
			return next(ctx, op)
		}, nil
	}}
}

func policyCases() []Case {
	guarded := func(rule, text string) Case {
		return scriptWith(rule, owned, engine.Options{}, ownedFixture+text, ownerGuard())
	}
	return []Case{
		guarded("anonymous callers are unauthorized", `
			get jar/1            => UNAUTHORIZED {}
			list jar             => UNAUTHORIZED {}
			post jar {}          => UNAUTHORIZED {}
			post crumb [] depth=0  => UNAUTHORIZED {}
			put jar/1 {}         => UNAUTHORIZED {}
			patch jar/1 {}       => UNAUTHORIZED {}
			delete jar/1         => UNAUTHORIZED {}`),
		scriptWith("an answer shows records as they read after the write", memberTeams, engine.Options{}, `
			as 1 post team {"name": "a"}                             => {"id": 1, "members": []}
			as 1 post team {"name": "b", "members": [{"user": 1}]}   => {"id": 2, "name": "b", "members": [1]}
			as 1 post team [{"name": "c", "members": [{"user": 2}]}, {"name": "d", "members": [{"user": 1}]}]  => [{"id": 3, "members": [2]}, {"id": 4, "name": "d", "members": [3]}]
			as 1 patch team/2 {"name": "e", "members": [{"user": 2}]}  => {"id": 2, "members": [4]}
			as 2 get team/2                                          => {"id": 2, "name": "e", "members": [4]}
			as 2 put team/2 {"name": "f", "members": [4, {"user": 1}]}  => replaced {"id": 2, "name": "f", "members": [4, 5]}
			as 1 get team/2                                          => {"id": 2, "name": "f", "members": [4, 5]}`,
			membersRead()),
		guarded("hidden related records are not shown", `
			as 1 get jar/1                  => {"id": 1, "cookies": [1], "lid": 1}
			as 1 get jar/1 depth=2          => {"id": 1, "cookies": [{"id": 1, "type": "a", "jar": 1}], "lid": {"id": 1, "jar": 1}}
			as 2 get cookie/2               => {"id": 2, "type": "b"}
			as 2 get cookie/2 depth=2       => {"id": 2, "type": "b"}
			as 2 get jar/2                  => {"id": 2, "cookies": []}
			as 2 get plate/2                => {"id": 2, "cookies": [2]}
			as 2 get plate/2 depth=2        => {"id": 2, "cookies": [{"id": 2, "type": "b"}]}
			as 1 list jar                   => [{"id": 1, "cookies": [1], "lid": 1}]
			as system get jar/1             => {"id": 1, "cookies": [1, 2], "lid": 1}`),
		guarded("a hidden record equals a missing one", `
			as 2 get jar/1                  => OBJECT_DOES_NOT_EXIST {"object_name": "jar", "object_id": 1}
			as 2 get jar/9                  => OBJECT_DOES_NOT_EXIST {"object_name": "jar", "object_id": 9}
			as 2 patch jar/1 {}             => OBJECT_DOES_NOT_EXIST {"object_name": "jar", "object_id": 1}
			as 2 patch cookie/1 {"type": "x"} depth=0  => OBJECT_DOES_NOT_EXIST {"object_name": "cookie", "object_id": 1}
			as 2 delete jar/1               => OBJECT_DOES_NOT_EXIST {"object_name": "jar", "object_id": 1}
			as 2 delete crumb/1             => OBJECT_DOES_NOT_EXIST {"object_name": "crumb", "object_id": 1}`),
		guarded("hidden records cannot be related to", `
			as 2 patch cookie/2 {"jar": 1}               => OBJECT_DOES_NOT_EXIST {"object_name": "jar", "object_id": 1}
			as 2 patch jar/2 {"cookies": [1]}            => OBJECT_DOES_NOT_EXIST {"object_name": "cookie", "object_id": 1}
			as 2 patch jar/2 {"lid": 1}                  => OBJECT_DOES_NOT_EXIST {"object_name": "lid", "object_id": 1}
			as 2 patch plate/2 {"cookies": [1]}          => OBJECT_DOES_NOT_EXIST {"object_name": "cookie", "object_id": 1}
			as 2 post cookie {"jar": 1}                  => OBJECT_DOES_NOT_EXIST {"object_name": "jar", "object_id": 1}
			as 2 post jar {"cookies": [1]}               => OBJECT_DOES_NOT_EXIST {"object_name": "cookie", "object_id": 1}
			as 2 post jar {"cookies": [{"jar": 1}]}      => OBJECT_DOES_NOT_EXIST {"object_name": "jar", "object_id": 1}
			as 2 put jar/2 {"cookies": [{"jar": {"cookies": [1]}}]}  => OBJECT_DOES_NOT_EXIST {"object_name": "cookie", "object_id": 1}
			as system list cookie                        => [{"id": 1, "type": "a", "jar": 1}, {"id": 2, "type": "b", "jar": 1}]`),
		guarded("PUT over a hidden id is a conflict", `
			as 2 put jar/1 {}                            => CONFLICT {"object_name": "jar", "field_name": "id"}
			as 2 put jar/1 {"cookies": [2]}              => CONFLICT {"object_name": "jar", "field_name": "id"}
			as 2 put cookie/1 {"type": "x"}              => CONFLICT {"object_name": "cookie", "field_name": "id"}
			as 1 get jar/1 depth=2                       => {"id": 1, "cookies": [{"id": 1, "type": "a", "jar": 1}], "lid": {"id": 1, "jar": 1}}`),
		guarded("writes keep relations of hidden records", `
			as 1 patch jar/1 {"cookies": []}             => {"id": 1, "cookies": [], "lid": 1}
			as system get jar/1                          => {"id": 1, "cookies": [2], "lid": 1}
			as 1 put jar/1 {}                            => replaced {"id": 1, "cookies": []}
			as system get jar/1                          => {"id": 1, "cookies": [2]}
			as 2 patch cookie/2 {"type": "c"}            => {"id": 2, "type": "c"}
			as system get cookie/2                       => {"id": 2, "type": "c", "jar": 1}`),
		guarded("a partner of a hidden record is a conflict", `
			as system patch lid/1 {"jar": 2}
			as 2 get jar/2                               => {"id": 2, "cookies": []}
			as 2 patch jar/2 {"lid": {}}                 => CONFLICT {"object_name": "lid", "field_name": "jar"}
			as 2 post lid {"jar": 2}                     => CONFLICT {"object_name": "lid", "field_name": "jar"}
			as 1 get lid/1                               => {"id": 1}
			as system get lid/1                          => {"id": 1, "jar": 2}`),
		guarded("deleting a target of a hidden record is rejected", `
			as 1 delete jar/1       => STILL_REFERENCED {"object_name": "jar", "field_name": "cookies"}
			as system get jar/1     => {"id": 1, "cookies": [1, 2], "lid": 1}
			as system patch crumb/1 {"cookie": 2}
			as 2 delete cookie/2    => STILL_REFERENCED {"object_name": "crumb", "field_name": "cookie"}
			as 1 get crumb/1        => {"id": 1}
			as 1 delete cookie/1    => null
			as system list crumb    => [{"id": 1, "cookie": 2}]`),
		scriptWith("hidden members of a list do not count", owned, engine.Options{MaxRecords: 5}, ownedFixture+`
			as 1 post cookie [{}, {}, {}, {}, {}] depth=0
			as system patch plate/2 {"cookies": [1, 3, 4, 5, 6, 7]} depth=0
			as 2 get plate/2                => {"id": 2, "cookies": []}
			as system patch plate/2 {"cookies": [1, 2, 3, 4, 5, 6, 7]} depth=0
			as 2 get plate/2 depth=2        => {"id": 2, "cookies": [{"id": 2, "type": "b"}]}
			as 2 post cookie [{}, {}, {}] depth=0
			as system patch plate/2 {"cookies": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]} depth=0
			as 2 get plate/2                => {"id": 2, "cookies": [2, 8, 9, 10]}
			as 2 post cookie {} depth=0
			as system patch plate/2 {"cookies": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]} depth=0
			as 2 get plate/2                => TOO_LARGE {"msg": "the answer would hold more than 5 records; use a smaller depth"}`,
			ownerGuard()),
		{"visible members are shown after many hidden ones", manyHidden},
		scriptWith("a conflict on a hidden field names its inverse", discreet, engine.Options{}, `
			as system put user/1 {}
			as system put cookie/1 {"sign": 1}
			delete user/1                                => STILL_REFERENCED {"object_name": "user"}
			as system put account/1 {"token": "t"}
			post account {"token": "t"}                  => CONFLICT {"object_name": "account"}
			as system put user/2 {"badge": {}, "letters": [{}]}
			put user/3 {}
			patch user/2 {"badge": {}}                   => CONFLICT {"object_name": "user", "field_name": "badge"}
			delete user/2                                => STILL_REFERENCED {"object_name": "user", "field_name": "badge"}
			as system patch user/2 {"badge": null}
			delete user/2                                => STILL_REFERENCED {"object_name": "user", "field_name": "letters"}
			delete user/3                                => null`,
			hideRecords("cookie"), withName(hideRecords("badge"), "hiding badges"), withName(hideRecords("letter"), "hiding letters")),
		guarded("a hidden partner with a write rule rejects the change", `
			as 1 put shelf/1 {}
			as 2 put shelf/2 {}
			as 2 put book/2 {"shelf": 2}
			as 2 patch book/2 {"shelf": null}            => {"id": 2}
			as system patch book/2 {"shelf": 1}
			as 2 patch book/2 {"shelf": null}            => FIELD_UPDATE_FORBIDDEN {"object_name": "shelf", "field_name": "books"}
			as 2 delete book/2                           => FIELD_UPDATE_FORBIDDEN {"object_name": "shelf", "field_name": "books"}
			as system get book/2                         => {"id": 2, "shelf": 1}`),
		scriptWith("a write rule does not reveal a hidden target", chained, engine.Options{}, `
			as 1 put shelf/1 {}
			as 2 put shelf/2 {}
			as 2 post book [{}, {"open": true}, {"shelf": 2}] depth=0
			as system patch book/2 {"shelf": 1, "open": null}
			as 2 patch book/1 {"shelf": null}            => {"id": 1}
			as 2 patch book/2 {"shelf": null}            => {"id": 2}
			as 2 put book/1 {}                           => replaced {"id": 1}
			as 2 put book/2 {}                           => replaced {"id": 2}
			as 2 patch book/1 {"title": "x"}             => {"id": 1, "title": "x"}
			as 2 patch book/2 {"title": "x"}             => {"id": 2, "title": "x"}
			as 2 patch book/1 {"shelf": 2}               => FIELD_UPDATE_FORBIDDEN {"object_name": "book", "field_name": "shelf"}
			as 2 patch book/2 {"shelf": 2}               => FIELD_UPDATE_FORBIDDEN {"object_name": "book", "field_name": "shelf"}
			as 2 patch book/3 {"shelf": null}            => FIELD_UPDATE_FORBIDDEN {"object_name": "book", "field_name": "shelf"}
			as 2 patch book/3 {"title": "x"}             => FIELD_UPDATE_FORBIDDEN {"object_name": "book", "field_name": "title"}
			as system get book/2                         => {"id": 2, "title": "x", "shelf": 1}`, ownerGuard()),
		guarded("filters by relations see visible records only", `
			as 1 list jar depth=0 filter={"lid": 1}      => [1]
			as system patch lid/1 {"jar": 2}
			as 2 list jar depth=0 filter={"lid": 1}      => []
			as 2 list jar depth=0 filter={"lid": null}   => [2]
			as 2 list jar depth=0 filter={"id": {"ge": 1}}  => [2]
			as 2 list cookie depth=0 filter={"jar": 2}               => []
			as 2 list cookie depth=0 filter={"jar": 1}               => []
			as 2 list cookie depth=0 filter={"jar": {"in": [1, 7]}}  => []
			as 2 list cookie depth=0 filter={"jar": {"ge": 1}}       => []
			as 2 list cookie depth=0 filter={"jar": {"ne": 1}}       => [2]
			as 2 list cookie depth=0 filter={"jar": null}            => [2]
			as 2 list cookie depth=0 filter={"jar": {"ne": null}}    => []
			as 2 list cookie depth=0 filter={"jar": {"in": [null, 1]}}  => [2]
			as 1 list cookie depth=0 filter={"jar": null}            => []
			as system list cookie depth=0 filter={"jar": null}       => []
			as 1 list cookie depth=0 filter={"jar": {"in": [1, 2]}}  => [1]
			as 1 list cookie depth=0 filter={"jar": {"ne": 1}}       => []
			as system list cookie depth=0 filter={"jar": 1}          => [1, 2]
			as 2 list jar filter={"owner": 2}            => FIELD_DOES_NOT_EXIST {"object_name": "jar", "field_name": "owner"}`),
		scriptWith("a guard of kind answer hides like one of kind policy", owned, engine.Options{}, ownedFixture+`
			as 2 list cookie depth=0 filter={"jar": 1}   => []
			as 2 list cookie depth=0 filter={"jar": null}  => [2]
			as 2 put jar/3 {}
			as 2 put cookie/3 {"jar": 3}
			as 2 list cookie depth=0 sort=["jar"]        => [3, 2]`, asAnswer(ownerGuard())),
		guarded("a relation to a hidden record sorts as null", `
			as 2 put jar/3 {}
			as 2 put jar/4 {}
			as 2 put cookie/3 {"jar": 4}
			as 2 put cookie/4 {"jar": 3}
			as 2 put cookie/5 {}
			as 2 list cookie depth=0 sort=["jar"]                 => [4, 3, 2, 5]
			as 2 list cookie depth=0 sort=["-jar"]                => [2, 5, 3, 4]
			as 2 list cookie depth=0 sort=["-jar", "-id"]         => [5, 2, 3, 4]
			as 2 list cookie depth=0 sort=["jar"] filter={"jar": null}       => [2, 5]
			as 2 list cookie depth=0 sort=["jar"] filter={"id": {"lt": 4}}   => [3, 2]
			as 2 list cookie sort=["jar"] limit=1                 => [{"id": 4, "jar": 3}]
			as 2 list cookie depth=0 sort=["jar"] limit=-1        => BAD_PARAM_VALUE {"param_name": "limit", "accepted_values": "non-negative integer"}
			as system list cookie depth=0 sort=["jar"]            => [1, 2, 4, 3, 5]
			as 2 list jar depth=0 sort=["id", "lid"]        => [2, 3, 4]
			as 2 list plate depth=0 sort=["id", "cookies"]  => [2]
			as 2 list plate sort=["-cookies"]  => SEARCH_FORBIDDEN {"object_name": "plate", "field_name": "cookies"}`),
		scriptWith("a relation with a name like -x sorts as null", dashed, engine.Options{}, `
			as 1 put worm/1 {}
			as 2 put worm/2 {}
			as 2 put worm/3 {"host": 2}
			as 2 put worm/4 {}
			as system patch worm/4 {"host": 1}
			as 2 list worm depth=0 sort=["host"]    => [3, 2, 4]
			as 2 list worm depth=0 sort=["-host"]   => [2, 4, 3]`, ownerGuard()),
		scriptWith("a relation to a forbidden resource is left out", owned, engine.Options{}, `
			post jar {}              => {"id": 1}
			post jar {} depth=2      => {"id": 2}
			put jar/3 {}             => created {"id": 3}
			get jar/1 depth=2        => {"id": 1}
			get cookie/1             => FORBIDDEN {"object_name": "cookie"}
			list cookie              => FORBIDDEN {"object_name": "cookie"}
			list jar                 => [{"id": 1}, {"id": 2}, {"id": 3}]
			patch jar/1 {"cookies": [1]}   => FORBIDDEN {"object_name": "cookie"}
			delete jar/1             => FORBIDDEN {"object_name": "cookie"}
			put jar/1 {}             => replaced {"id": 1}
			list jar filter={"lid": 1}     => FORBIDDEN {"object_name": "lid"}
			list crumb filter={"cookie": 1}     => FORBIDDEN {"object_name": "cookie"}
			list crumb filter={"cookie": null}  => FORBIDDEN {"object_name": "cookie"}
			list crumb sort=["-cookie"]         => FORBIDDEN {"object_name": "cookie"}
			post crumb {"cookie": {}}      => {"id": 1}
			post crumb {}                  => {"id": 2}
			post crumb {"cookie": {}}      => {"id": 3}
			list crumb depth=0 sort=["-id"]  => [3, 2, 1]`,
			forbidReads("cookie", core.Forbidden), withName(forbidReads("lid", core.Forbidden), "unreadable lids")),
		scriptWith("a relation to an unauthorized resource is left out", owned, engine.Options{}, `
			post cookie {"jar": {}}  => {"id": 1}
			get cookie/1 depth=2     => {"id": 1}
			post jar {"cookies": [1]} depth=2  => {"id": 2, "cookies": [{"id": 1}]}
			get jar/1                => UNAUTHORIZED {}`, forbidReads("jar", core.Unauthorized)),
		scriptWith("a delete cannot detach through an unwritable field", owned, engine.Options{}, `
			post jar {}
			post cookie {"jar": 1}
			delete jar/1                     => FIELD_UPDATE_FORBIDDEN {"object_name": "cookie", "field_name": "jar"}
			patch cookie/1 {"jar": null}     => FIELD_IS_READONLY {"object_name": "cookie", "field_name": "jar"}
			get cookie/1                     => {"id": 1, "jar": 1}`, forbidField("cookie", "jar")),
		scriptWith("a denied consequence of a delete is named", owned, engine.Options{}, `
			post crumb {"cookie": {"jar": {}}}
			delete jar/1      => FORBIDDEN {"object_name": "cookie", "msg": "the delete of jar also changes records of cookie"}
			delete cookie/1   => FORBIDDEN {"object_name": "crumb", "msg": "the delete of cookie also deletes records of crumb"}
			delete crumb/1    => FORBIDDEN {"object_name": "crumb"}
			get crumb/1       => {"id": 1, "cookie": 1}`, forbidUpdates("cookie"), withName(forbidDeletes("crumb"), "undeletable crumbs")),
		scriptWith("setting an inverse relation is no update of the record", Family, engine.Options{}, `
			post male {}
			patch male/1 {"children": [{}]}  => {"id": 1, "children": [1], "url": "/male/1"}
			patch male/1 {}                  => {"id": 1, "children": [1], "url": "/male/1"}
			patch male/1 {} depth=0          => 1
			post male {"children": [1]}      => {"id": 2, "children": [1], "url": "/male/2"}
			patch male/1 {"name": "m"}       => FORBIDDEN {"object_name": "male"}`, forbidUpdates("male")),
		scriptWith("a field that a policy hides is not shown", partlyVisible, engine.Options{}, libraryFixture+`
			get shelf/1                 => {"id": 1, "state": "closed"}
			get shelf/2 depth=2         => {"id": 2, "state": "open"}
			get book/1 depth=2          => {"id": 1, "title": "a"}
			get plate/1                 => {"id": 1}
			as system get plate/1       => {"id": 1, "books": [1, 2]}
			list book filter={"shelf": null}  => FIELD_DOES_NOT_EXIST {"object_name": "book", "field_name": "shelf"}
			patch book/1 {"title": "c"} => {"id": 1, "title": "c"}`,
			hideField("book", "shelf"), hideField("plate", "books")),
		scriptWith("a field hidden by a policy is unknown to filters", owned, engine.Options{}, `
			as system post crumb {"cookie": {}}
			list crumb filter={"cookie": 1}             => FIELD_DOES_NOT_EXIST {"object_name": "crumb", "field_name": "cookie"}
			list crumb filter={"cookie": 7}             => FIELD_DOES_NOT_EXIST {"object_name": "crumb", "field_name": "cookie"}
			list crumb filter={"cookie": {"ne": 1}}     => FIELD_DOES_NOT_EXIST {"object_name": "crumb", "field_name": "cookie"}
			list crumb filter={"cookie": null}          => FIELD_DOES_NOT_EXIST {"object_name": "crumb", "field_name": "cookie"}
			list jar filter={"lid": 1}                  => FIELD_DOES_NOT_EXIST {"object_name": "jar", "field_name": "lid"}
			list jar filter={"lid": null}               => FIELD_DOES_NOT_EXIST {"object_name": "jar", "field_name": "lid"}
			list cookie filter={"jar": 1}               => FORBIDDEN {"object_name": "cookie"}
			list cookie                                 => FORBIDDEN {"object_name": "cookie"}`,
			hideField("crumb", "cookie"), hideField("lid", "jar"), forbidReads("cookie", core.Forbidden)),
		scriptWith("a hidden field without targets is unknown to filters", owned, engine.Options{}, `
			post crumb {}
			list crumb filter={"cookie": 1}             => FIELD_DOES_NOT_EXIST {"object_name": "crumb", "field_name": "cookie"}
			list crumb filter={"cookie": {"ne": 1}}     => FIELD_DOES_NOT_EXIST {"object_name": "crumb", "field_name": "cookie"}
			list crumb filter={"cookie": null}          => FIELD_DOES_NOT_EXIST {"object_name": "crumb", "field_name": "cookie"}`,
			hideField("crumb", "cookie")),
		scriptWith("a partly visible record rejects changes by write rule", partlyVisible, engine.Options{}, libraryFixture+`
			patch shelf/2 {"label": "x"}     => FIELD_UPDATE_FORBIDDEN {"object_name": "shelf", "field_name": "label"}
			put shelf/2 {"label": "x"}       => FIELD_UPDATE_FORBIDDEN {"object_name": "shelf", "field_name": "books"}
			patch book/2 {"shelf": 2}        => FIELD_UPDATE_FORBIDDEN {"object_name": "shelf", "field_name": "books"}
			patch book/3 {"shelf": null}     => FIELD_UPDATE_FORBIDDEN {"object_name": "shelf", "field_name": "books"}
			patch shelf/2 {"books": [1, 2]}  => FIELD_UPDATE_FORBIDDEN {"object_name": "shelf", "field_name": "books"}
			post book {"shelf": 2}           => FIELD_UPDATE_FORBIDDEN {"object_name": "shelf", "field_name": "books"}
			delete book/3                    => FIELD_UPDATE_FORBIDDEN {"object_name": "shelf", "field_name": "books"}
			patch book/2 {"title": "c"}      => {"id": 2, "title": "c"}
			post shelf {"label": "new"}      => {"id": 3, "label": "new", "books": []}
			as system list book depth=1      => [{"id": 1, "title": "a", "shelf": 2}, {"id": 2, "title": "c"}, {"id": 3, "shelf": 1}]`,
			hideField("shelf", "state")),
		scriptWith("a partner behind a hidden field rejects the change", partlyVisible, engine.Options{}, libraryFixture+`
			patch book/3 {"shelf": null}     => FIELD_UPDATE_FORBIDDEN {"object_name": "shelf", "field_name": "books"}
			patch book/1 {"shelf": null}     => FIELD_UPDATE_FORBIDDEN {"object_name": "shelf", "field_name": "books"}
			patch book/3 {"shelf": 2}        => FIELD_UPDATE_FORBIDDEN {"object_name": "shelf", "field_name": "books"}
			post book {"shelf": 2}           => FIELD_UPDATE_FORBIDDEN {"object_name": "shelf", "field_name": "books"}
			delete book/3                    => FIELD_UPDATE_FORBIDDEN {"object_name": "shelf", "field_name": "books"}
			delete plate/1                   => null
			as system get book/3             => {"id": 3, "shelf": 1}`,
			hideField("book", "shelf")),
		scriptWith("a search does not look into a hidden field", partlyVisible, engine.Options{}, libraryFixture+`
			as system put shelf/5 {"label": "closed", "state": "open"}  => created {"id": 5, "label": "closed", "state": "open", "books": []}
			as system list shelf depth=0 search="closed" => [1, 5]
			list shelf depth=0 search="CLOSED"           => [5]
			list shelf depth=0 search="open"             => []
			list shelf depth=0 search="closed open"      => []
			list book search="a"                         => BAD_PARAM_VALUE {"param_name": "search", "accepted_values": "no search, because book has no searchable field"}`,
			hideField("shelf", "state")),
		scriptWith("an aggregation counts visible records only", owned, engine.Options{}, `
			as 1 post cookie [{"type": "oat"}, {"type": "rye"}] depth=0   => [1, 2]
			as 2 post cookie {"type": "oat"} depth=0                      => 3
			as 1 post jar {"cookies": [1]} depth=0                        => 1
			as 2 post jar {"cookies": [3]} depth=0                        => 2
			as system patch cookie/2 {"jar": 2} depth=0                   => 2
			as 1 aggregate cookie group=["type"]            => [{"group": {"type": "oat"}, "count": 1}, {"group": {"type": "rye"}, "count": 1}]
			as 2 aggregate cookie group=["type"] max=["id"] => [{"group": {"type": "oat"}, "count": 1, "max": {"id": 3}}]
			as 1 aggregate cookie group=["jar"]             => [{"group": {"jar": 1}, "count": 1}, {"group": {"jar": null}, "count": 1}]
			as 1 aggregate cookie group=["jar.id"]          => [{"group": {"jar.id": 1}, "count": 1}, {"group": {"jar.id": null}, "count": 1}]
			as 1 aggregate cookie group=["owner"]           => FIELD_DOES_NOT_EXIST {"object_name": "cookie", "field_name": "owner"}
			as 1 aggregate cookie max=["owner"]             => FIELD_DOES_NOT_EXIST {"object_name": "cookie", "field_name": "owner"}
			as 3 aggregate cookie                           => [{"count": 0}]
			aggregate cookie                                => UNAUTHORIZED`, ownerGuard()),
		scriptWith("a search finds visible records only", owned, engine.Options{}, `
			as 1 post cookie [{"type": "oat"}, {"type": "Oat with nuts"}, {}] depth=0   => [1, 2, 3]
			as 2 post cookie {"type": "oat"} depth=0  => 4
			as 1 post jar {"cookies": [1, 3]} depth=0 => 1
			as 1 list cookie depth=0 search="oat"     => [1, 2]
			as 2 list cookie depth=0 search="oat"     => [4]
			as 1 list jar/1/cookies depth=0 search="oat"   => [1]
			as 1 pages cookie depth=0 limit=1 search="OAT" => [[1], [2]]
			as system list cookie depth=0 search="oat"     => [1, 2, 4]
			list cookie search="oat"                       => UNAUTHORIZED`, ownerGuard()),
	}
}

// hideField hides a field and rejects conditions on it, except for the program itself.
func hideField(resource, field string) core.Decorator {
	return core.Decorator{Name: "hiding " + resource + "." + field, Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(m *core.Model, next core.Handler) (core.Handler, error) {
		f := m.Resource(resource).Field(field)
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if op.Resource != f.Resource() || op.Principal.IsSystem() {
				return next(ctx, op)
			}
			if slices.Contains(op.Where.Fields(), f) || op.Kind == core.Visibility && slices.Contains(op.Fields, f) {
				return core.Result{}, &core.Error{Code: core.UnknownField, Resource: f.Resource().APIName(), Field: f.APIName()}
			}
			res, err := next(ctx, op)
			for i, rec := range res.Records {
				res.Records[i] = rec.With(f.Column(), core.Value{})
			}
			return res, err
		}, nil
	}}
}

// partlyVisible has write rules on fields, and on a relation that other records store.
func partlyVisible() *core.Model {
	open := func(rec core.Record) bool { return rec.Get("state").Text() != "closed" }
	return core.MustModel("partly",
		core.ResourceSpec{Name: "shelf", Fields: []core.FieldSpec{
			key(),
			{Name: "state", Type: core.Text, Searchable: true},
			{Name: "label", Type: core.Text, Writable: open, Searchable: true},
			{Name: "books", ToMany: "book", Inverse: "shelf", Writable: open},
		}},
		core.ResourceSpec{Name: "book", Fields: []core.FieldSpec{
			key(), {Name: "title", Type: core.Text}, {Name: "shelf", ToOne: "shelf"},
		}},
		core.ResourceSpec{Name: "plate", Fields: []core.FieldSpec{key(), {Name: "books", ToMany: "book"}}},
	)
}

// libraryFixture is the data for the cases of hidden fields.
const libraryFixture = `
	as system put shelf/1 {"state": "closed"}
	as system put shelf/2 {"state": "open"}
	as system put book/1 {"title": "a", "shelf": 2}
	as system put book/2 {"title": "b"}
	as system patch shelf/1 {"state": "open"}
	as system put book/3 {"shelf": 1}
	as system patch shelf/1 {"state": "closed"}
	as system put plate/1 {"books": [1, 2]}
`

func withName(d core.Decorator, name string) core.Decorator {
	d.Name = name
	return d
}

// ownedFixture is the data for cases with ownerGuard: odd ids belong to principal 1, even ones to 2. Jar 1 and
// plate 2 also hold a cookie of the other owner.
const ownedFixture = `
	as 1 put jar/1 {}
	as 2 put jar/2 {}
	as 1 put cookie/1 {"type": "a", "jar": 1}
	as 2 put cookie/2 {"type": "b"}
	as 1 put lid/1 {"jar": 1}
	as 1 put crumb/1 {"cookie": 1}
	as 2 put plate/2 {"cookies": [2]}
	as system patch jar/1 {"cookies": [1, 2]}
	as system patch plate/2 {"cookies": [1, 2]}
`
