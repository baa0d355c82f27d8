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
		{"requests on cookies do what an obviously right model does", randomRequests(stock)},
		{"requests on a family do what an obviously right model does", randomRequests(Family)},
	}
}

// stock is cookies where jars have names too, by which a test knows records.
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

func randomRequests(model func() *core.Model) func(t *testing.T, newBackend NewBackend) {
	return func(t *testing.T, newBackend NewBackend) {
		store := openStore(t, newBackend, model())
		api, narrow := engine.New(store, engine.Options{}), engine.New(store, engine.Options{MaxRecords: 3})
		rapid.Check(t, func(t *rapid.T) {
			m := &machine{api: api, narrow: narrow, world: newWorld(api.Model())}
			m.wipe(t)
			m.seed(t)
			t.Repeat(map[string]func(*rapid.T){
				"":       m.compare,
				"post":   m.post,
				"patch":  m.patch,
				"put":    m.put,
				"create": m.putNew,
				"delete": m.delete,
				"refuse": m.refuse,
			})
		})
	}
}

// machine sends random requests to an engine and to the model of it. Records are
// known by their names, which are labels; which ids they have is the backend's
// affair.
type machine struct {
	api    *engine.Engine
	narrow *engine.Engine // fails after the write if there is much to show
	world  world
	ids    map[*core.Resource]map[string]core.Value
	made   int
}

func (m *machine) wipe(t *rapid.T) {
	for _, r := range m.api.Model().Resources() {
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

// seed makes some records of each resource.
func (m *machine) seed(t *rapid.T) {
	for _, r := range m.api.Model().Resources() {
		for range 3 {
			w := wish{label: m.newLabel(r), isNew: true}
			if _, err := m.api.Create(context.Background(), r.Name(), engine.Write{}, m.body(w)); err != nil {
				t.Fatal(err)
			}
			m.world.apply(r, w, false)
		}
	}
}

// compare reads everything, learns the ids, and compares it with the model.
func (m *machine) compare(t *rapid.T) {
	m.ids = make(map[*core.Resource]map[string]core.Value)
	shown := make(map[*core.Resource][]map[string]any)
	names := make(map[*core.Resource]map[any]string)
	for _, r := range m.api.Model().Resources() {
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
	if got, want := strings.Join(lines, "\n"), m.world.String(); got != want {
		t.Fatalf("the store holds\n%s\nwant\n%s", got, want)
	}
}

// shownLine spells a record as [world.String] does.
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
	return rapid.SampledFrom(m.api.Model().Resources()).Draw(t, "resource")
}

// label draws a record that is there, or skips the request.
func (m *machine) label(t *rapid.T, r *core.Resource) string {
	labels := slices.Sorted(maps.Keys(m.world[r]))
	if len(labels) == 0 {
		t.Skip("no " + r.Name())
	}
	return rapid.SampledFrom(labels).Draw(t, r.Name())
}

func (m *machine) newLabel(r *core.Resource) string {
	m.made++
	return fmt.Sprintf("%s%d", r.Name()[:1], m.made)
}

// wish draws what a request says of a record's relations.
func (m *machine) wish(t *rapid.T, r *core.Resource, label string, isNew bool, depth int) wish {
	w := wish{label: label, isNew: isNew, body: make(map[*core.Field][]wish)}
	for _, f := range r.Fields() {
		if f.Target() == nil || rapid.IntRange(0, 3).Draw(t, "leave out "+f.Name()) == 0 {
			continue
		}
		most := 1
		if f.Many() {
			most = 3
		}
		members := []wish{}
		for range rapid.IntRange(0, most).Draw(t, "members") {
			members = append(members, m.member(t, f.Target(), depth)...)
		}
		w.body[f] = members
	}
	return w
}

// member draws a record that is there or one to create; neither if there is none
// and it would be nested too deep.
func (m *machine) member(t *rapid.T, r *core.Resource, depth int) []wish {
	labels := slices.Sorted(maps.Keys(m.world[r]))
	if depth < 3 && rapid.IntRange(0, 2).Draw(t, "create") == 0 {
		return []wish{m.wish(t, r, m.newLabel(r), true, depth+1)}
	}
	if len(labels) == 0 {
		return nil
	}
	return []wish{{label: rapid.SampledFrom(labels).Draw(t, r.Name())}}
}

// body spells a wish as a request does.
func (m *machine) body(w wish) map[string]any {
	body := make(map[string]any)
	if w.isNew {
		body["name"] = w.label
	}
	for f, members := range w.body {
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
	var wishes []wish
	var bodies []map[string]any
	for range rapid.IntRange(1, 3).Draw(t, "bodies") {
		w := m.wish(t, r, m.newLabel(r), true, 1)
		wishes, bodies = append(wishes, w), append(bodies, m.body(w))
	}
	views, err := m.api.Create(context.Background(), r.Name(), engine.Write{Depth: depth(t)}, bodies...)
	if err != nil || len(views) != len(bodies) {
		t.Fatalf("post %s %v: %d views, %v", r, bodies, len(views), err)
	}
	for _, w := range wishes {
		m.world.apply(r, w, false)
	}
}

func depth(t *rapid.T) int { return rapid.IntRange(0, 3).Draw(t, "depth") }

func (m *machine) patch(t *rapid.T) {
	r := m.resource(t)
	w := m.wish(t, r, m.label(t, r), false, 1)
	body := m.body(w)
	if _, err := m.api.Update(context.Background(), r.Name(), m.ids[r][w.label], engine.Write{Depth: depth(t)}, body); err != nil {
		t.Fatalf("patch %s %s %v: %v", r, w.label, body, err)
	}
	m.world.apply(r, w, false)
}

func (m *machine) put(t *rapid.T) {
	r := m.resource(t)
	w := m.wish(t, r, m.label(t, r), false, 1)
	body := m.body(w)
	body["name"] = w.label
	_, created, err := m.api.Replace(context.Background(), r.Name(), m.ids[r][w.label], engine.Write{Depth: depth(t)}, body)
	if err != nil || created {
		t.Fatalf("put %s %s %v: created %v, %v", r, w.label, body, created, err)
	}
	m.world.apply(r, w, true)
}

func (m *machine) putNew(t *rapid.T) {
	r := m.resource(t)
	w := m.wish(t, r, m.newLabel(r), true, 1)
	body := m.body(w)
	_, created, err := m.api.Replace(context.Background(), r.Name(), -m.made, engine.Write{Depth: depth(t)}, body)
	if err != nil || !created {
		t.Fatalf("put %s %s %v: created %v, %v", r, w.label, body, created, err)
	}
	m.world.apply(r, w, false)
}

func (m *machine) delete(t *rapid.T) {
	r := m.resource(t)
	label := m.label(t, r)
	if err := m.api.Delete(context.Background(), r.Name(), m.ids[r][label], engine.Write{}); err != nil {
		t.Fatalf("delete %s %s: %v", r, label, err)
	}
	m.world.remove(r, label)
}

// refuse sends a request that may fail after everything was written, which then
// must not have happened.
func (m *machine) refuse(t *rapid.T) {
	r := m.resource(t)
	w := m.wish(t, r, m.label(t, r), false, 1)
	_, err := m.narrow.Update(context.Background(), r.Name(), m.ids[r][w.label], engine.Write{Depth: 3}, m.body(w))
	switch {
	case err == nil:
		m.world.apply(r, w, false)
	case !errors.Is(err, core.TooLarge) && !errors.Is(err, core.BadRequest): // a list side that does not fit cannot be set
		t.Fatalf("patch %s %s: %v, want %s or %s", r, w.label, err, core.TooLarge, core.BadRequest)
	}
}
