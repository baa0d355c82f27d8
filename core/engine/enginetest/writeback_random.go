package enginetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// randomModels is the number of models that writeBackRandom draws.
const randomModels = 20

// writeBackRandom draws models, records of two owners and references between them. It reads every record as every
// principal, sends it back by PATCH and by PUT, and compares all stored records. One field is unreadable for the owners.
func writeBackRandom(t *testing.T, newBackend NewBackend) {
	for seed := range uint64(randomModels) {
		t.Run(fmt.Sprint("model ", seed), func(t *testing.T) {
			d := modelDrawer{rand.New(rand.NewPCG(seed, 0))}
			m := d.model()
			columns := m.Resource("r0").Columns()
			hidden := columns[2+d.IntN(len(columns)-2)].Name() // neither the key nor the owner
			store := openStore(t, newBackend, m, ownerGuard(), hideField("r0", hidden))
			api := engine.New(store, engine.Options{MaxMembers: 3})
			d.fill(t, store)
			for _, as := range []func(context.Context) context.Context{core.System, ownerContext(1), ownerContext(2)} {
				sendAllBack(as(t.Context()), t, api, store)
			}
		})
	}
}

func ownerContext(id int64) func(context.Context) context.Context {
	return func(ctx context.Context) context.Context {
		return core.WithPrincipal(ctx, &core.Principal{ID: core.IntValue(id)})
	}
}

// sendAllBack sends each record that the principal of ctx reads back, by PATCH and by PUT.
func sendAllBack(ctx context.Context, t *testing.T, api *engine.Engine, store *core.Store) {
	t.Helper()
	before, records := allStored(t, store), 0
	for _, r := range api.Model().Resources() {
		list, err := api.List(ctx, r.APIName(), engine.Query{})
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range list.Views {
			records++
			key := v.Key()
			for _, depth := range []int{0, 1} {
				shown, err := api.Get(ctx, r.APIName(), key, depth)
				if err != nil {
					t.Fatal(err)
				}
				body, whole := shown.Any().(map[string]any)
				if !whole { // at depth 0 the representation is the id
					body = map[string]any{r.Key().APIName(): shown.Any()}
				}
				patched, err := api.Update(ctx, r.APIName(), key, engine.Write{Depth: depth}, body)
				if err != nil || text(patched) != text(shown) {
					t.Fatalf("patch %s %s %s: %s, %v", r, key, text(shown), text(patched), err)
				}
				if whole {
					replaced, created, err := api.Replace(ctx, r.APIName(), key, engine.Write{Depth: depth}, body)
					if err != nil || created || text(replaced) != text(shown) {
						t.Fatalf("put %s %s %s: created %v, %s, %v", r, key, text(shown), created, text(replaced), err)
					}
				}
				if after := allStored(t, store); after != before {
					t.Fatalf("%s %s %s changed the records\n%s\nto\n%s", r, key, text(shown), before, after)
				}
			}
		}
	}
	if records == 0 {
		t.Error("the principal reads no record")
	}
}

// allStored returns all records with all columns as text.
func allStored(t *testing.T, store *core.Store) string {
	t.Helper()
	var lines []string
	for _, r := range store.Model().Resources() {
		page, err := store.Select(core.System(t.Context()), r, core.Query{})
		if err != nil {
			t.Fatal(err)
		}
		for _, rec := range page.Records {
			words := []string{r.Name()}
			for i, f := range r.Columns() {
				words = append(words, f.Name()+"="+rec.At(i).String())
			}
			lines = append(lines, strings.Join(words, " "))
		}
	}
	return strings.Join(lines, "\n")
}

// modelDrawer draws models and records.
type modelDrawer struct{ *rand.Rand }

func (d modelDrawer) oneIn(n int) bool { return d.IntN(n) == 0 }

// columnTypes are the types of columns that are drawn.
var columnTypes = []core.Type{
	core.Int, core.Float, core.Text, core.Bool, core.Time, core.UUID, core.Bytes, core.JSON, core.List, core.Date,
}

// model draws up to three resources with columns, computed fields and relations of each kind.
func (d modelDrawer) model() *core.Model {
	specs := make([]core.ResourceSpec, 1+d.IntN(3))
	for i := range specs {
		specs[i] = core.ResourceSpec{Name: fmt.Sprint("r", i), Fields: []core.FieldSpec{
			key(), {Name: "owner", Type: core.Int, Hidden: true}, {Name: "name", Type: core.Text},
			{Name: "runs", Type: core.Int, ReadOnly: true},
		}}
		for c := range d.IntN(5) {
			specs[i].Fields = append(specs[i].Fields, d.column(fmt.Sprint("c", c)))
		}
		specs[i].Fields = append(specs[i].Fields, core.FieldSpec{Name: "size", Computed: &core.Computed{
			Get: func(_ context.Context, rec core.Record) (any, error) { return len(rec.Get("name").Text()), nil },
		}})
		if d.oneIn(2) {
			loud := core.FieldSpec{Name: "loud", Computed: &core.Computed{Get: loudName, Set: quietName}}
			at := 2 + d.IntN(len(specs[i].Fields)-1)
			specs[i].Fields = append(specs[i].Fields[:at], append([]core.FieldSpec{loud}, specs[i].Fields[at:]...)...)
		}
	}
	for n := range 1 + d.IntN(5) {
		d.relate(specs, n)
	}
	return core.MustModel("drawn", specs...)
}

func (d modelDrawer) column(name string) core.FieldSpec {
	f := core.FieldSpec{Name: name, Type: columnTypes[d.IntN(len(columnTypes))]}
	switch d.IntN(6) {
	case 0:
		f.Hidden = true
	case 1, 2:
		f.ReadOnly = true
	case 3:
		f.Writable = core.Never
	case 4:
		f.Default = d.value(f.Type)
	}
	return f
}

// relate adds a relation between two resources, which may be the same.
func (d modelDrawer) relate(specs []core.ResourceSpec, n int) {
	from, to := &specs[d.IntN(len(specs))], &specs[d.IntN(len(specs))]
	name := fmt.Sprint("f", n)
	if d.oneIn(4) {
		from.Fields = append(from.Fields, core.FieldSpec{Name: name, ToMany: to.Name, ReadOnly: d.oneIn(3)})
		return
	}
	stored := core.FieldSpec{Name: name, ToOne: to.Name, ReadOnly: d.oneIn(3), OnDelete: []core.OnDelete{core.Detach, core.Cascade, core.Restrict}[d.IntN(3)]}
	inverse := core.FieldSpec{Name: name + "i", Inverse: name, ReadOnly: d.oneIn(3)}
	switch d.IntN(3) {
	case 0:
		from.Fields = append(from.Fields, stored)
		return
	case 1:
		inverse.ToOne = from.Name
		stored.Partner = []core.Partner{core.ReassignPartner, core.RefusePartner}[d.IntN(2)]
	case 2:
		inverse.ToMany = from.Name
	}
	stored.Orphans = []core.Orphans{core.KeepOrphans, core.DeleteOrphans}[d.IntN(2)]
	from.Fields = append(from.Fields, stored)
	to.Fields = append(to.Fields, inverse)
}

// value draws a value of the type.
func (d modelDrawer) value(t core.Type) any {
	n := d.Int64N(3)
	switch t {
	case core.Int:
		return n - 1
	case core.Float:
		return float64(n) / 4
	case core.Bool:
		return n == 0
	case core.Time:
		return fmt.Sprintf("2026-01-0%dT00:00:00.00%dZ", 1+n, n)
	case core.Date:
		return fmt.Sprintf("2026-01-0%d", 1+n)
	case core.UUID:
		return fmt.Sprintf("00000000-0000-4000-8000-00000000000%d", n)
	case core.Bytes:
		return []byte{byte(n), 0xff} //nolint:gosec // any byte will do
	case core.JSON:
		return []any{"a", map[string]any{"b": n, "a": nil}, 1.5}[n]
	case core.List:
		return []any{n, "x", nil}[:n]
	}
	return []string{"", "Ann", "bob"}[n]
}

// fill stores records of the owners 1 and 2, and sets every column to random values, also to hidden records.
func (d modelDrawer) fill(t *testing.T, store *core.Store) {
	t.Helper()
	ctx := core.System(t.Context())
	keys := make(map[*core.Resource][]core.Value)
	for _, r := range store.Model().Resources() {
		for n := range 3 + d.IntN(4) {
			rec, err := r.NewRecord(map[string]any{"owner": 1 + n%2})
			if err != nil {
				t.Fatal(err)
			}
			inserted, err := store.Insert(ctx, r, rec)
			if err != nil {
				t.Fatal(err)
			}
			keys[r] = append(keys[r], inserted[0].Key())
		}
	}
	for _, r := range store.Model().Resources() {
		taken := make(map[*core.Field]map[core.Value]bool)
		for _, key := range keys[r] {
			values := map[string]any{r.Key().Name(): key}
			for _, f := range r.Columns() {
				if f.Key() || f.Name() == "owner" || d.oneIn(3) {
					continue
				}
				targets := keys[f.Target()]
				switch {
				case f.Target() == nil:
					values[f.Name()] = d.value(f.Type())
				case f.Many():
					var list []any
					for range d.IntN(4) {
						list = append(list, targets[d.IntN(len(targets))].Any())
					}
					values[f.Name()] = list
				default:
					target := targets[d.IntN(len(targets))]
					if taken[f] == nil {
						taken[f] = make(map[core.Value]bool)
					}
					if f.Inverse() == nil || f.Inverse().Many() || !taken[f][target] {
						values[f.Name()] = target
						taken[f][target] = true
					}
				}
			}
			rec, err := r.NewRecord(values)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := store.Update(ctx, r, rec); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func loudName(_ context.Context, rec core.Record) (any, error) {
	return strings.ToUpper(rec.Get("name").Text()), nil
}

// quietName sets the name, and counts how often it ran.
func quietName(_ context.Context, rec core.Record, value any) (map[string]any, error) {
	return map[string]any{"name": strings.ToLower(fmt.Sprint(value)), "runs": rec.Get("runs").Int() + 1}, nil
}
