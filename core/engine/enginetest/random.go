package enginetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

func randomCases() []Case {
	return []Case{
		{"requests on cookies agree with a simple model", randomRequests(stock)},
		{"requests on a family agree with a simple model", randomRequests(Family)},
		{"requests on relations with rules agree with a simple model", randomRequests(ruled)},
		{"requests on lists through join resources agree with a simple model", randomRequests(clubs)},
	}
}

// stock is the cookies model with names for jars, so that the test can identify them.
func stock() *core.Model {
	return core.MustModel("stock",
		core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
			key(),
			{Name: "name", Type: core.Text},
			{Name: "jar", ToOne: "jar"},
		}},
		core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{
			key(),
			{Name: "name", Type: core.Text},
			{Name: "cookies", ToMany: "cookie", Inverse: "jar"},
		}},
	)
}

// ruled has a relation with each rule, and names for all records.
func ruled() *core.Model {
	resource := func(name string, fields ...core.FieldSpec) core.ResourceSpec {
		return core.ResourceSpec{Name: name, Fields: append([]core.FieldSpec{key(), {Name: "name", Type: core.Text}}, fields...)}
	}
	return core.MustModel("ruled",
		resource("tenant",
			core.FieldSpec{Name: "contracts", ToMany: "contract", Inverse: "tenant"},
			core.FieldSpec{Name: "pets", ToMany: "pet", Inverse: "tenant"},
			core.FieldSpec{Name: "visits", ToMany: "visit", Inverse: "tenant"},
			core.FieldSpec{Name: "card", ToOne: "card", Inverse: "tenant"},
			core.FieldSpec{Name: "bike", ToOne: "bike", Inverse: "tenant"}),
		resource("contract", core.FieldSpec{Name: "tenant", ToOne: "tenant", OnDelete: core.Restrict}),
		resource("pet", core.FieldSpec{Name: "tenant", ToOne: "tenant", OnDelete: core.Cascade}),
		resource("visit", core.FieldSpec{Name: "tenant", ToOne: "tenant", Orphans: core.DeleteOrphans}),
		resource("card", core.FieldSpec{Name: "tenant", ToOne: "tenant", OnDelete: core.Cascade, Partner: core.RefusePartner}),
		resource("bike", core.FieldSpec{Name: "tenant", ToOne: "tenant", Orphans: core.DeleteOrphans}),
		resource("clause", core.FieldSpec{Name: "tenant", ToOne: "tenant", OnDelete: core.Cascade}, core.FieldSpec{Name: "pet", ToOne: "pet", OnDelete: core.Restrict}),
	)
}

// clubs has clubs with members, and members who follow members, both through join resources.
func clubs() *core.Model {
	name := core.FieldSpec{Name: "name", Type: core.Text}
	return core.MustModel("clubs",
		core.ResourceSpec{Name: "club", Fields: []core.FieldSpec{key(), name, {Name: "members", ToMany: "person", Through: "membership"}}},
		core.ResourceSpec{Name: "person", Fields: []core.FieldSpec{
			key(), name,
			{Name: "clubs", ToMany: "club", Through: "membership"},
			{Name: "follows", ToMany: "person", Through: "follow.followee"},
			{Name: "followers", ToMany: "person", Through: "follow.follower"},
			{Name: "home", ToOne: "club"},
		}},
		core.ResourceSpec{
			Name: "membership", Fields: []core.FieldSpec{key(), {Name: "club", ToOne: "club"}, {Name: "member", ToOne: "person"}},
			Unique: [][]string{{"club", "member"}},
		},
		core.ResourceSpec{
			Name: "follow", Fields: []core.FieldSpec{key(), {Name: "follower", ToOne: "person"}, {Name: "followee", ToOne: "person"}},
			Unique: [][]string{{"follower", "followee"}},
		},
	)
}

func randomRequests(model func() *core.Model) func(t *testing.T, newBackend NewBackend) {
	return func(t *testing.T, newBackend NewBackend) {
		store := openStore(t, newBackend, model())
		api, limited := engine.New(store, engine.Options{}), engine.New(store, engine.Options{MaxRecords: 3})
		rapid.Check(t, func(t *rapid.T) {
			m := &machine{api: api, limited: limited, model: newReferenceModel(api.Model())}
			m.wipe(t)
			m.seed(t)
			t.Repeat(map[string]func(*rapid.T){
				"":        m.compare,
				"post":    m.post,
				"patch":   m.patch,
				"put":     m.put,
				"create":  m.putNew,
				"delete":  m.delete,
				"limited": m.patchLimited,
			})
		})
	}
}

// machine sends random requests to an engine and applies them to a reference model. It identifies records by their
// names (labels), because the backend chooses the ids.
type machine struct {
	api        *engine.Engine
	limited    *engine.Engine // fails after the write if the answer is large
	model      referenceModel
	ids        map[*core.Resource]map[string]core.Value
	labelCount int
}

func (m *machine) wipe(t *rapid.T) {
	for _, r := range slices.Backward(m.api.Model().Resources()) { // referring records first
		list, err := m.api.List(context.Background(), r.Name(), engine.Query{})
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range list.Views {
			if err := m.api.Delete(context.Background(), r.Name(), v.Key(), engine.Write{}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// seed creates some records of each resource.
func (m *machine) seed(t *rapid.T) {
	for _, r := range m.resources() {
		for range 3 {
			spec := recordSpec{label: m.newLabel(r), isNew: true}
			if _, err := m.api.Create(context.Background(), r.Name(), engine.Write{}, m.body(spec)); err != nil {
				t.Fatal(err)
			}
			if err := m.model.apply(r, spec, false); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// compare reads all records, learns their ids, and compares them with the reference model.
func (m *machine) compare(t *rapid.T) {
	m.ids = make(map[*core.Resource]map[string]core.Value)
	shown := make(map[*core.Resource][]map[string]any)
	names := make(map[*core.Resource]map[any]string)
	for _, r := range m.resources() {
		list, err := m.api.List(context.Background(), r.Name(), engine.Query{Depth: 1})
		if err != nil {
			t.Fatal(err)
		}
		m.ids[r], names[r] = make(map[string]core.Value), make(map[any]string)
		for _, v := range list.Views {
			object, _ := v.Any().(map[string]any)
			name, _ := object["name"].(string)
			m.ids[r][name], names[r][object["id"]] = v.Key(), name
			shown[r] = append(shown[r], object)
		}
	}
	var lines []string
	for r, objects := range shown {
		for _, object := range objects {
			lines = append(lines, shownLine(r, object, names))
		}
	}
	slices.Sort(lines)
	if got, want := strings.Join(lines, "\n"), m.model.String(); got != want {
		t.Fatalf("the store holds\n%s\nwant\n%s", got, want)
	}
}

// shownLine formats a record like [referenceModel.String].
func shownLine(r *core.Resource, object map[string]any, names map[*core.Resource]map[any]string) string {
	words := []string{fmt.Sprintf("%s %v", r.Name(), object["name"])}
	for _, f := range r.Fields() {
		if f.Target() == nil {
			continue
		}
		members, _ := object[f.APIName()].([]any)
		if id, one := object[f.APIName()]; one && !f.Many() {
			members = []any{id}
		}
		var labels []string
		for _, id := range members {
			labels = append(labels, names[f.Target()][id])
		}
		slices.Sort(labels)
		words = append(words, f.Name()+"="+strings.Join(labels, ","))
	}
	return strings.Join(words, " ")
}

func (m *machine) resource(t *rapid.T) *core.Resource {
	return rapid.SampledFrom(m.resources()).Draw(t, "resource")
}

// resources returns the resources whose records have labels.
func (m *machine) resources() []*core.Resource {
	return slices.DeleteFunc(slices.Clone(m.api.Model().Resources()), isJoin)
}

// label draws an existing record, or skips the request.
func (m *machine) label(t *rapid.T, r *core.Resource) string {
	labels := slices.Sorted(maps.Keys(m.model[r]))
	if len(labels) == 0 {
		t.Skip("no " + r.Name())
	}
	return rapid.SampledFrom(labels).Draw(t, r.Name())
}

func (m *machine) newLabel(r *core.Resource) string {
	m.labelCount++
	return fmt.Sprintf("%s%d", r.Name()[:1], m.labelCount)
}

// drawSpec draws the relations in the body of a request.
func (m *machine) drawSpec(t *rapid.T, r *core.Resource, label string, isNew bool, depth int) recordSpec {
	spec := recordSpec{label: label, isNew: isNew, body: make(map[*core.Field][]recordSpec)}
	for _, f := range r.Fields() {
		if f.Target() == nil || rapid.IntRange(0, 3).Draw(t, "leave out "+f.Name()) == 0 {
			continue
		}
		most := 1
		if f.Many() {
			most = 3
		}
		members := []recordSpec{}
		for range rapid.IntRange(0, most).Draw(t, "members") {
			members = append(members, m.drawMember(t, f.Target(), depth)...)
		}
		spec.body[f] = members
	}
	return spec
}

// drawMember draws an existing record or one to create. It returns neither if none exists and nesting is too deep.
func (m *machine) drawMember(t *rapid.T, r *core.Resource, depth int) []recordSpec {
	labels := slices.Sorted(maps.Keys(m.model[r]))
	if depth < 3 && rapid.IntRange(0, 2).Draw(t, "create") == 0 {
		return []recordSpec{m.drawSpec(t, r, m.newLabel(r), true, depth+1)}
	}
	if len(labels) == 0 {
		return nil
	}
	return []recordSpec{{label: rapid.SampledFrom(labels).Draw(t, r.Name())}}
}

// body returns the request body of a spec.
func (m *machine) body(spec recordSpec) map[string]any {
	body := make(map[string]any)
	if spec.isNew {
		body["name"] = spec.label
	}
	for f, members := range spec.body {
		var values []any
		for _, member := range members {
			if member.isNew {
				values = append(values, m.body(member))
			} else {
				values = append(values, m.ids[f.Target()][member.label])
			}
		}
		switch {
		case f.Many():
			body[f.APIName()] = values
		case len(values) > 0:
			body[f.APIName()] = values[0]
		default:
			body[f.APIName()] = nil
		}
	}
	return body
}

func (m *machine) post(t *rapid.T) {
	r := m.resource(t)
	var specs []recordSpec
	var bodies []map[string]any
	for range rapid.IntRange(1, 3).Draw(t, "bodies") {
		spec := m.drawSpec(t, r, m.newLabel(r), true, 1)
		specs, bodies = append(specs, spec), append(bodies, m.body(spec))
	}
	views, err := m.api.Create(context.Background(), r.Name(), engine.Write{Depth: depth(t)}, bodies...)
	if err == nil && len(views) != len(bodies) {
		t.Fatalf("post %s %v: %d views", r, bodies, len(views))
	}
	m.expect(t, fmt.Sprint("post ", r, bodies), err, func(model referenceModel) error { return model.request(r, false, specs...) })
}

// expect applies a request to the reference model, and ends the test unless both fail with the same code or not at all.
func (m *machine) expect(t *rapid.T, request string, got error, change func(referenceModel) error) {
	if want := m.model.try(change); want == nil && got != nil || !errors.Is(got, want) {
		t.Fatalf("%s: %v, want %v", request, got, want)
	}
}

func depth(t *rapid.T) int { return rapid.IntRange(0, 3).Draw(t, "depth") }

func (m *machine) patch(t *rapid.T) {
	r := m.resource(t)
	spec := m.drawSpec(t, r, m.label(t, r), false, 1)
	body := m.body(spec)
	_, err := m.api.Update(context.Background(), r.Name(), m.ids[r][spec.label], engine.Write{Depth: depth(t)}, body)
	m.expect(t, fmt.Sprint("patch ", r, spec.label, body), err, func(model referenceModel) error { return model.request(r, false, spec) })
}

func (m *machine) put(t *rapid.T) {
	r := m.resource(t)
	spec := m.drawSpec(t, r, m.label(t, r), false, 1)
	body := m.body(spec)
	body["name"] = spec.label
	_, created, err := m.api.Replace(context.Background(), r.Name(), m.ids[r][spec.label], engine.Write{Depth: depth(t)}, body)
	if created {
		t.Fatalf("put %s %s %v created a record", r, spec.label, body)
	}
	m.expect(t, fmt.Sprint("put ", r, spec.label, body), err, func(model referenceModel) error { return model.request(r, true, spec) })
}

func (m *machine) putNew(t *rapid.T) {
	r := m.resource(t)
	spec := m.drawSpec(t, r, m.newLabel(r), true, 1)
	body := m.body(spec)
	_, created, err := m.api.Replace(context.Background(), r.Name(), -m.labelCount, engine.Write{Depth: depth(t)}, body)
	if err == nil && !created {
		t.Fatalf("put %s %s %v replaced a record", r, spec.label, body)
	}
	m.expect(t, fmt.Sprint("put ", r, spec.label, body), err, func(model referenceModel) error { return model.request(r, false, spec) })
}

func (m *machine) delete(t *rapid.T) {
	r := m.resource(t)
	label := m.label(t, r)
	err := m.api.Delete(context.Background(), r.Name(), m.ids[r][label], engine.Write{})
	m.expect(t, fmt.Sprint("delete ", r, label), err, func(model referenceModel) error { return model.remove(r, label) })
}

// patchLimited sends a request that may fail after its writes. A failed request must have no effect.
func (m *machine) patchLimited(t *rapid.T) {
	r := m.resource(t)
	spec := m.drawSpec(t, r, m.label(t, r), false, 1)
	_, err := m.limited.Update(context.Background(), r.Name(), m.ids[r][spec.label], engine.Write{Depth: 3}, m.body(spec))
	if errors.Is(err, core.TooLarge) || errors.Is(err, core.BadRequest) { // a long list side cannot be set
		return
	}
	m.expect(t, fmt.Sprint("patch ", r, spec.label), err, func(model referenceModel) error { return model.request(r, false, spec) })
}
