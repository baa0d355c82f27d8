package enginetest

import (
	"context"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// tenants has a relation with each rule. Contracts, notes and stains forbid the delete of their tenant; a contract has a
// list side, a note has none, a stain's field is hidden. Pets and keys are deleted with their tenant, but kept as
// orphans; visits the other way round. A clause is deleted with its tenant and forbids the delete of its pet. Tenants may
// sublet to tenants, and a key opens one door.
func tenants() *core.Model {
	return core.MustModel("tenants",
		core.ResourceSpec{Name: "tenant", Fields: []core.FieldSpec{
			key(),
			{Name: "name", Type: core.Text},
			{Name: "contracts", ToMany: "contract", Inverse: "tenant"},
			{Name: "pets", ToMany: "pet", Inverse: "tenant"},
			{Name: "visits", ToMany: "visit", Inverse: "tenant"},
			{Name: "key", ToOne: "key", Inverse: "tenant"},
			{Name: "host", ToOne: "tenant", OnDelete: core.Restrict},
			{Name: "visitors", ToMany: "tenant", Inverse: "host"},
		}},
		core.ResourceSpec{Name: "contract", Fields: []core.FieldSpec{
			key(), {Name: "tenant", ToOne: "tenant", OnDelete: core.Restrict}, {Name: "owner", Type: core.Int},
		}},
		core.ResourceSpec{Name: "note", Fields: []core.FieldSpec{key(), {Name: "on", ToOne: "tenant", OnDelete: core.Restrict}}},
		core.ResourceSpec{Name: "stain", Fields: []core.FieldSpec{
			key(), {Name: "by", ToOne: "tenant", OnDelete: core.Restrict, Hidden: true}, {Name: "blames", Computed: sets("by")},
		}},
		core.ResourceSpec{Name: "pet", Fields: []core.FieldSpec{key(), {Name: "tenant", ToOne: "tenant", OnDelete: core.Cascade}}},
		core.ResourceSpec{Name: "visit", Fields: []core.FieldSpec{key(), {Name: "tenant", ToOne: "tenant", Orphans: core.DeleteOrphans}}},
		core.ResourceSpec{Name: "clause", Fields: []core.FieldSpec{
			key(),
			{Name: "tenant", ToOne: "tenant", OnDelete: core.Cascade},
			{Name: "pet", ToOne: "pet", OnDelete: core.Restrict},
		}},
		core.ResourceSpec{Name: "key", Fields: []core.FieldSpec{
			key(),
			{Name: "tenant", ToOne: "tenant", OnDelete: core.Cascade, Partner: core.RefusePartner},
			{Name: "door", ToOne: "door", Orphans: core.DeleteOrphans, Partner: core.RefusePartner},
		}},
		core.ResourceSpec{Name: "door", Fields: []core.FieldSpec{key(), {Name: "key", ToOne: "key", Inverse: "door"}}},
	)
}

// histories has a relation that keeps its reference, with a list side.
func histories() *core.Model {
	return core.MustModel("histories",
		core.ResourceSpec{Name: "shelf", Fields: []core.FieldSpec{key(), {Name: "name", Type: core.Text}, {Name: "entries", ToMany: "entry", Inverse: "shelf", ReadOnly: true}}},
		core.ResourceSpec{Name: "entry", Fields: []core.FieldSpec{
			key(), {Name: "shelf", ToOne: "shelf", OnDelete: core.Keep}, {Name: "text", Type: core.Text}, {Name: "owner", Type: core.Int},
		}},
	)
}

func relationRuleCases() []Case {
	return []Case{
		script("a kept reference without a record is null", histories, `
			post shelf [{}, {}]
			post entry [{"shelf": 1}, {"shelf": 2}, {"text": "x"}]
			get shelf/1                                    => {"id": 1, "entries": [1]}
			delete shelf/1                                 => null
			list entry                                     => [{"id": 1}, {"id": 2, "shelf": 2}, {"id": 3, "text": "x"}]
			list entry depth=2                             => [{"id": 1}, {"id": 2, "shelf": {"id": 2, "entries": [2]}}, {"id": 3, "text": "x"}]
			list entry filter={"shelf": 1}                 => []
			list entry filter={"shelf": null} depth=0      => [1, 3]
			list entry sort=["shelf"] depth=0              => [2, 1, 3]
			put shelf/1 {}                                 => created {"id": 1, "entries": [1]}
			list entry filter={"shelf": 1} depth=0         => [1]`),
		script("a request cannot set a kept reference to a record that does not exist", histories, `
			post entry {"shelf": 1}     => OBJECT_DOES_NOT_EXIST
			post shelf {}
			post entry {"shelf": 1}     => {"id": 1, "shelf": 1}
			patch entry/1 {"shelf": 2}  => OBJECT_DOES_NOT_EXIST
			delete shelf/1
			patch entry/1 {"text": "x"} => {"id": 1, "text": "x"}
			put entry/1 {"text": "y"}   => replaced {"id": 1, "text": "y"}
			post shelf {}
			put shelf/1 {"name": "new"} => created {"id": 1, "name": "new", "entries": [1]}
			patch entry/1 {"shelf": null} => {"id": 1, "text": "y"}`),
		script("restrict refuses a delete and names the list side", tenants, `
			post tenant {"contracts": [{}, {}], "pets": [{}], "visits": [{}]}
			delete tenant/1                   => STILL_REFERENCED {"object_name": "tenant", "field_name": "contracts"}
			get tenant/1                      => {"id": 1, "contracts": [1, 2], "pets": [1], "visits": [1], "visitors": []}
			patch contract/1 {"tenant": null}
			delete tenant/1                   => STILL_REFERENCED {"object_name": "tenant", "field_name": "contracts"}
			delete contract/2
			delete tenant/1                   => null
			list pet                          => []
			list visit                        => [{"id": 1}]
			list contract                     => [{"id": 1}]`),
		script("restrict without a list side names the referring field", tenants, `
			post note {"on": {}}
			delete tenant/1   => STILL_REFERENCED {"object_name": "note", "field_name": "on"}
			delete note/1
			delete tenant/1   => null`),
		script("restrict by a hidden field names the resource only", tenants, `
			post tenant {}
			post stain {"blames": 1}
			delete tenant/1   => STILL_REFERENCED {"object_name": "tenant"}
			delete stain/1
			delete tenant/1   => null`),
		script("restrict ignores records that the request deletes", tenants, `
			post tenant [{"pets": [{}]}, {}]
			put tenant/1 {"host": 1, "pets": [1]}
			post clause {"tenant": 1, "pet": 1}
			delete tenant/1   => null
			list clause       => []
			list pet          => []`),
		script("restrict stops a cascade before it writes", tenants, `
			post tenant [{"pets": [{}], "visits": [{}]}, {}]
			post clause {"tenant": 2, "pet": 1}
			delete tenant/1   => STILL_REFERENCED {"object_name": "clause", "field_name": "pet"}
			list pet          => [{"id": 1, "tenant": 1}]
			list visit        => [{"id": 1, "tenant": 1}]
			delete tenant/2   => null
			delete tenant/1   => null`),
		script("restrict holds between records of one resource", tenants, `
			post tenant {"visitors": [{}, {}]}
			delete tenant/1   => STILL_REFERENCED {"object_name": "tenant", "field_name": "visitors"}
			delete tenant/2
			delete tenant/3
			delete tenant/1   => null`),
		scriptWith("restrict has the same words for hidden records", tenants, engine.Options{}, `
			as system post tenant [{"contracts": [{}]}, {}]
			delete tenant/1                          => STILL_REFERENCED {"object_name": "tenant", "field_name": "contracts"}
			as system delete tenant/1                => STILL_REFERENCED {"object_name": "tenant", "field_name": "contracts"}
			as system post note {"on": 2}
			as system post stain {"blames": 2}
			as system delete note/1
			delete tenant/2                          => STILL_REFERENCED {"object_name": "tenant"}`,
			hideRecords("contract"), withName(hideRecords("stain"), "hidden stains")),
		script("a cascade child that leaves its list is kept by default", tenants, `
			post tenant {"pets": [{}, {}, {}]}
			patch tenant/1 {"pets": [2]}   => {"id": 1, "contracts": [], "pets": [2], "visits": [], "visitors": []}
			put tenant/1 {"name": "x"}     => replaced {"id": 1, "name": "x", "contracts": [], "pets": [], "visits": [], "visitors": []}
			list pet                       => [{"id": 1}, {"id": 2}, {"id": 3}]`),
		script("orphans are deleted where the relation declares it", tenants, `
			post tenant [{"visits": [{}, {}, {}]}, {}]
			patch tenant/1 {"visits": [2, 3]}
			list visit                        => [{"id": 2, "tenant": 1}, {"id": 3, "tenant": 1}]
			patch tenant/2 {"visits": [3]}
			put tenant/1 {}
			list visit                        => [{"id": 3, "tenant": 2}]
			patch visit/3 {"tenant": null}    => {"id": 3}
			list visit                        => [{"id": 3}]`),
		script("a restrict child that leaves its list is kept", tenants, `
			post tenant {"contracts": [{}, {}]}
			patch tenant/1 {"contracts": [1]}
			list contract                     => [{"id": 1, "tenant": 1}, {"id": 2}]`),
		script("a refused partner is a conflict and changes nothing", tenants, `
			post tenant [{"key": {}}, {"key": {}}, {}]
			post key {"tenant": 1}            => CONFLICT {"object_name": "key", "field_name": "tenant"}
			post key [{}, {"tenant": 1}]      => CONFLICT
			put key/7 {"tenant": 1}           => CONFLICT {"object_name": "key", "field_name": "tenant"}
			patch key/2 {"tenant": 1}         => CONFLICT {"object_name": "key", "field_name": "tenant"}
			put key/2 {"tenant": 1}           => CONFLICT {"object_name": "key", "field_name": "tenant"}
			patch tenant/1 {"key": 2}         => CONFLICT {"object_name": "key", "field_name": "tenant"}
			patch tenant/1 {"key": {}}        => CONFLICT {"object_name": "key", "field_name": "tenant"}
			patch tenant/3 {"key": 2}         => CONFLICT {"object_name": "key", "field_name": "tenant"}
			post tenant {"key": 2}            => CONFLICT {"object_name": "key", "field_name": "tenant"}
			list key                          => [{"id": 1, "tenant": 1}, {"id": 2, "tenant": 2}]
			list tenant depth=0               => [1, 2, 3]`),
		script("a partner that is free or the own one is not refused", tenants, `
			post tenant [{"key": {}}, {}, {}]
			patch tenant/1 {"key": 1}
			put key/1 {"tenant": 1}           => replaced {"id": 1, "tenant": 1}
			patch key/1 {"tenant": 2}         => {"id": 1, "tenant": 2}
			patch tenant/2 {"key": null}
			list key                          => [{"id": 1}]
			patch tenant/3 {"key": 1}
			list key                          => [{"id": 1, "tenant": 3}]
			put tenant/3 {"key": 1, "name": "x"}
			put tenant/3 {}
			list key                          => [{"id": 1}]
			put door/1 {"key": {}}
			patch door/1 {"key": null}
			list key                          => [{"id": 1}]
			put tenant/3 {"key": 1}
			delete tenant/3
			list key                          => []`),
		scriptWith("a refused partner has the same words for hidden records", tenants, engine.Options{}, `
			as system post tenant [{"key": {}}, {"key": {}}]
			as system patch key/2 {"door": {}}
			post key {"tenant": 1}            => CONFLICT {"object_name": "key", "field_name": "tenant"}
			patch tenant/1 {"key": {}}        => CONFLICT {"object_name": "key", "field_name": "tenant"}
			as system list key                => [{"id": 1, "tenant": 1}, {"id": 2, "tenant": 2, "door": 1}]`,
			hideRecords("key")),
		scriptWith("a read-only store says so before it names a relation", tenants, engine.Options{}, `
			as system post tenant [{"key": {}, "contracts": [{}]}, {"visitors": [{}]}] depth=0
			as system post key {}
			delete tenant/1                   => READ_ONLY {"object_name": "tenant"}
			delete tenant/2                   => READ_ONLY {"object_name": "tenant"}
			post key {"tenant": 1}            => READ_ONLY {"object_name": "key"}
			patch tenant/1 {"key": 2}         => READ_ONLY {"object_name": "key"}
			patch tenant/2 {"key": 1}         => READ_ONLY {"object_name": "key"}`, readOnly()),
	}
}

// readOnly rejects all writes, except those of the program itself.
func readOnly() core.Decorator {
	return core.Decorator{
		Name: "read-only", Kind: core.KindPolicy, KnowsRelated: true, ReadOnly: func(*core.Resource) bool { return true },
		Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
			return func(ctx context.Context, op *core.Op) (core.Result, error) {
				if op.Kind != core.Tx && op.Kind.Writes() && !op.Principal.IsSystem() {
					return core.Result{}, &core.Error{Code: core.ReadOnly, Resource: op.Resource.APIName()}
				}
				return next(ctx, op)
			}, nil
		},
	}
}
