package core_test

import (
	"testing"

	"github.com/larder-go/larder/core"
)

func TestWhatIsInTheWayIsNamedByWhatClientsKnowOfIt(t *testing.T) {
	model := func(toOne, toMany bool) *core.Model { // which sides are hidden
		return core.MustModel("cookies",
			core.ResourceSpec{Name: "cookie", APIName: "biscuit", Fields: []core.FieldSpec{id(), {Name: "jar", APIName: "tin", ToOne: "jar", Hidden: toOne}}},
			core.ResourceSpec{Name: "jar", APIName: "tin", Fields: []core.FieldSpec{id(), {Name: "cookies", APIName: "biscuits", ToMany: "cookie", Inverse: "jar", Hidden: toMany}}},
		)
	}
	alone := core.MustModel("cookies",
		core.ResourceSpec{Name: "cookie", APIName: "biscuit", Fields: []core.FieldSpec{id(), {Name: "jar", ToOne: "jar", Hidden: true}}},
		core.ResourceSpec{Name: "jar", APIName: "tin", Fields: []core.FieldSpec{id()}},
	)
	for name, c := range map[string]struct {
		model       *core.Model
		taken, kept string // what is named when a cookie is written, and when a jar is
	}{
		"visible":     {model(false, true), `object_name="biscuit" field_name="tin"`, `object_name="biscuit" field_name="tin"`},
		"hidden":      {model(true, false), `object_name="tin" field_name="biscuits"`, `object_name="tin" field_name="biscuits"`},
		"both hidden": {model(true, true), `object_name="biscuit"`, `object_name="tin"`},
		"no pair":     {alone, `object_name="biscuit"`, `object_name="tin"`},
	} {
		f := c.model.Resource("cookie").Field("jar")
		for got, want := range map[*core.Error]string{
			f.AlreadyExists():               "CONFLICT " + c.taken,
			f.StillReferenced():             "FIELD_UPDATE_FORBIDDEN " + c.kept,
			f.UpdateForbidden(f.Target()):   "FIELD_UPDATE_FORBIDDEN " + c.kept,
			f.UpdateForbidden(f.Resource()): "FIELD_UPDATE_FORBIDDEN " + c.taken,
		} {
			if got.Error() != want {
				t.Errorf("%s: got %s, want %s", name, got, want)
			}
		}
	}
}
