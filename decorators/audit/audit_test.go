package audit_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/storetest"
	"github.com/larder-go/larder/decorators/audit"
)

type body = map[string]any

// tracker has issues with comments, which are deleted with them, and notes, which are not.
func tracker() *core.Model {
	id := core.FieldSpec{Name: "id", Type: core.Int, Key: true}
	return core.MustModel("tracker",
		core.ResourceSpec{Name: "user", Fields: []core.FieldSpec{id, {Name: "public", Type: core.Bool}}},
		core.ResourceSpec{Name: "issue", Fields: []core.FieldSpec{
			id, {Name: "owner", Type: core.Int}, {Name: "title", Type: core.Text}, {Name: "open", Type: core.Bool},
			{Name: "token", Type: core.Text, Hidden: true}, {Name: "views", Type: core.Int},
			{Name: "cost", Type: core.Int},   // for the owner
			{Name: "secret", Type: core.Int}, // for no principal
			{Name: "assignee", ToOne: "user"}, {Name: "watchers", ToMany: "user"},
			{Name: "comments", ToMany: "comment", Inverse: "issue"}, {Name: "history", ToMany: "entry", Inverse: "issue", ReadOnly: true},
			{Name: "gone", Type: core.Time, Hidden: true},
		}},
		core.ResourceSpec{Name: "comment", APIName: "Comment", Fields: []core.FieldSpec{
			id, {Name: "text", APIName: "Text", Type: core.Text}, {Name: "issue", ToOne: "issue", OnDelete: core.Cascade},
		}},
		core.ResourceSpec{Name: "note", Fields: []core.FieldSpec{id, {Name: "issue", ToOne: "issue"}}},
		core.ResourceSpec{Name: "plain", Fields: []core.FieldSpec{id, {Name: "text", Type: core.Text}}},
		audit.Resource("entry", "issue", "comment", "note"),
	)
}

// rules are the policy of the tracker: principals read their own issues and open ones, public users, and everything else. They
// read the cost of their own issues, and no secret. Principals with the role "none" read no comments.
func rules() core.Decorator {
	return core.Decorator{Name: "rules", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			p := op.Principal
			if p.IsSystem() || op.Kind == core.Tx || op.Kind == core.NextID || op.Kind.Writes() {
				return next(ctx, op)
			}
			if p == nil {
				return core.Result{}, core.Unauthorized
			}
			own := func() core.Filter { return op.Resource.Field("owner").Equals(p.ID) }
			switch op.Resource.Name() {
			case "user":
				op.Guard(core.Eq("public", true))
			case "issue":
				op.Guard(core.Or(own(), core.Eq("open", true)))
				for _, f := range op.Fields {
					switch {
					case op.Kind == core.Visibility && f.Name() == "cost":
						op.Guard(own())
					case op.Kind == core.Visibility && f.Name() == "secret":
						return core.Result{}, &core.Error{Code: core.UnknownField, Resource: "issue", Field: "secret"}
					}
				}
			case "comment":
				if p.HasRole("none") {
					return core.Result{}, op.Resource.Forbidden()
				}
			}
			return next(ctx, op)
		}, nil
	}}
}

func options() audit.Options {
	return audit.Options{
		Resource: "entry", Omit: []string{"issue.views"}, DeletedAt: "gone",
		ReadsDeleted: func(p *core.Principal, r *core.Resource) bool { return p.HasRole("auditor") && r.Name() == "issue" },
	}
}

// fixture is a store of the tracker with an engine.
type fixture struct {
	store  *core.Store
	engine *engine.Engine
}

func newFixture(t *testing.T, open storetest.Factory, decorators ...core.Decorator) *fixture {
	t.Helper()
	m := tracker()
	store, err := core.New(t.Context(), m, open(t, m), decorators...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	f := &fixture{store, engine.New(store, engine.Options{})}
	sys := core.System(t.Context())
	if _, err := f.engine.Create(sys, "user", engine.Write{}, body{"public": true}, body{}); err != nil {
		t.Fatal(err)
	}
	return f
}

func as(ctx context.Context, id int64, roles ...string) context.Context {
	return core.WithPrincipal(ctx, &core.Principal{ID: core.IntValue(id), Roles: roles})
}

// entries returns what the caller reads of the entries, by id: kind, record, before and after.
func (f *fixture) entries(ctx context.Context) (lines []string, err error) {
	page, err := f.store.Select(ctx, f.store.Model().Resource("entry"), core.Query{})
	for _, rec := range page.Records {
		lines = append(lines, fmt.Sprintf("%s %s %s %s", rec.Get("kind").Text(), rec.Get("record").Text(), rec.Get("before"), rec.Get("after")))
	}
	return lines, err
}

// reads returns an error unless the caller reads these entries.
func (f *fixture) reads(ctx context.Context, want ...string) error {
	got, err := f.entries(ctx)
	if err == nil && !slices.Equal(got, want) {
		err = fmt.Errorf("got the entries\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
	return err
}

// do runs steps until one fails.
func do(steps ...func() error) error {
	for i, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	return nil
}

func (f *fixture) create(ctx context.Context, resource string, b ...body) func() error {
	return func() error { _, err := f.engine.Create(ctx, resource, engine.Write{}, b...); return err }
}

func (f *fixture) update(ctx context.Context, resource string, id int, b body) func() error {
	return func() error { _, err := f.engine.Update(ctx, resource, id, engine.Write{}, b); return err }
}

func (f *fixture) remove(ctx context.Context, resource string, id int) func() error {
	return func() error { return f.engine.Delete(ctx, resource, id, engine.Write{}) }
}

var errDeliberate = errors.New("deliberate")

// promises are what the decorator promises. Each runs on a store of its own.
var promises = []struct {
	name  string
	check func(ctx context.Context, f *fixture) error
}{
	{"every effect has an entry, and nothing else", func(ctx context.Context, f *fixture) error {
		one, sys := as(ctx, 1), core.System(ctx)
		return do(
			f.create(one, "issue", body{"owner": 1, "title": "a", "comments": []any{body{"Text": "x"}, body{}}}),
			f.create(one, "note", body{"issue": 1}), f.create(one, "plain", body{"text": "x"}),
			f.update(one, "issue", 1, body{"title": "b", "open": true}), f.update(one, "issue", 1, body{"title": "b"}),
			f.update(one, "issue", 1, body{"views": 7}),
			f.remove(one, "issue", 1),
			func() error {
				return f.reads(sys,
					`created issue/1 null {"owner":1,"title":"a"}`,
					`created Comment/1 null {"Text":"x","issue":1}`, `created Comment/2 null {"issue":1}`, `created note/1 null {"issue":1}`,
					`updated issue/1 {"open":null,"title":"a"} {"open":true,"title":"b"}`,
					`updated note/1 {"issue":1} {"issue":null}`,
					`deleted Comment/1 {"Text":"x","issue":1} null`, `deleted Comment/2 {"issue":1} null`,
					`deleted issue/1 {"open":true,"owner":1,"title":"b"} null`,
				)
			},
		)
	}},
	{"entries name principal, request and time", func(ctx context.Context, f *fixture) error {
		begun := time.Now().Add(-time.Millisecond)
		if err := do(
			f.create(core.WithRequestID(as(ctx, 7), "r1"), "note", body{}), f.create(core.System(ctx), "note", body{}),
			f.create(core.WithPrincipal(ctx, &core.Principal{ID: core.TextValue("ann")}), "note", body{}, body{}),
		); err != nil {
			return err
		}
		page, err := f.store.Select(core.System(ctx), f.store.Model().Resource("entry"), core.Query{})
		if err != nil {
			return err
		}
		var got []string
		for i, rec := range page.Records {
			if at := rec.Get("at").Time(); at.Before(begun) || at.After(time.Now()) || i == 3 && rec.Get("at") != page.Records[2].Get("at") {
				return fmt.Errorf("entry of the time %v", at)
			}
			got = append(got, rec.Get("by").String()+" "+rec.Get("request").String())
		}
		if want := []string{"7 r1", "null null", "ann null", "ann null"}; !slices.Equal(got, want) {
			return fmt.Errorf("got %v, want %v", got, want)
		}
		return nil
	}},
	{"an entry is in the transaction of its change", func(ctx context.Context, f *fixture) error {
		one, issue, entry := as(ctx, 1), f.store.Model().Resource("issue"), f.store.Model().Resource("entry")
		err := f.store.Tx(one, func(ctx context.Context, tx *core.Transaction) error {
			if _, err := tx.Insert(ctx, issue, issue.Patch(core.IntValue(3))); err != nil {
				return err
			}
			if n, err := tx.Count(core.System(ctx), entry, core.All()); err != nil || n != 1 {
				return fmt.Errorf("%d entries in the transaction: %w", n, err)
			}
			return errDeliberate
		})
		if !errors.Is(err, errDeliberate) {
			return err
		}
		if err := f.reads(core.System(ctx)); err != nil {
			return err
		}
		if err := f.create(one, "issue", body{"owner": 1, "title": "a"})(); err != nil {
			return err
		}
		// An entry that cannot be written undoes the change, and the program cannot ignore it.
		failing := context.WithValue(one, failKey{}, true)
		if err := f.update(failing, "issue", 1, body{"title": "b"})(); !errors.Is(err, errDeliberate) {
			return fmt.Errorf("update without an entry: %w", err)
		}
		change := issue.Patch(core.IntValue(1)).Set(issue.Field("title"), core.TextValue("c"))
		if _, err := f.store.Update(failing, issue, change); !errors.Is(err, errDeliberate) {
			return fmt.Errorf("update without an entry: %w", err)
		}
		err = f.store.Tx(failing, func(ctx context.Context, tx *core.Transaction) error {
			_, _ = tx.Update(ctx, issue, change)
			return nil
		})
		rec, readErr := f.store.Get(one, issue, core.IntValue(1))
		if err == nil || readErr != nil || rec.Get("title").Text() != "a" {
			return fmt.Errorf("after updates without entries (%w): %v, %w", err, rec, readErr)
		}
		return f.reads(core.System(ctx), `created issue/1 null {"owner":1,"title":"a"}`)
	}},
	{"an entry is as visible as its record today", func(ctx context.Context, f *fixture) error {
		one, two, none := as(ctx, 1), as(ctx, 2), as(ctx, 2, "none")
		titled := func(id int) string { return fmt.Sprintf(`created issue/%d null {"owner":%d,"title":"t"}`, id, id) }
		comment := `created Comment/1 null {"Text":"x"}`
		return do(
			f.create(core.System(ctx), "issue", body{"owner": 1, "title": "t"}, body{"owner": 2, "title": "t"}),
			f.create(one, "Comment", body{"Text": "x"}),
			func() error { return f.reads(one, titled(1), comment) },
			func() error { return f.reads(two, titled(2), comment) },
			func() error { return f.reads(none, titled(2)) },
			func() error { return expectCount(two, f, 2) },
			f.update(one, "issue", 1, body{"open": true}),
			func() error {
				return f.reads(two, titled(1), titled(2), comment, `updated issue/1 {"open":null} {"open":true}`)
			},
			f.update(core.System(ctx), "issue", 1, body{"open": false}),
			func() error { return f.reads(two, titled(2), comment) },
			func() error { return expectCount(two, f, 2) },
			func() error {
				list, err := f.engine.List(two, "issue", engine.Query{Filter: body{"history": body{"$any": body{"kind": "updated"}}}})
				if err == nil && len(list.Views) != 0 {
					err = errors.New("a condition finds the entry of a hidden issue")
				}
				return err
			},
			func() error {
				list, err := f.engine.List(one, "entry", engine.Query{Filter: body{"issue": 1}, Sort: []string{"-id"}})
				if err == nil && len(list.Views) != 3 {
					err = fmt.Errorf("the history of issue 1 has %d entries", len(list.Views))
				}
				return err
			},
		)
	}},
	{"entries of deleted records take a right", func(ctx context.Context, f *fixture) error {
		one, auditor := as(ctx, 1), as(ctx, 9, "auditor")
		return do(
			f.create(one, "issue", body{"owner": 1, "title": "t", "cost": 3, "secret": 4}), f.create(one, "Comment", body{"Text": "x"}),
			func() error { return f.reads(auditor, `created Comment/1 null {"Text":"x"}`) },
			f.remove(one, "issue", 1), f.remove(one, "Comment", 1),
			func() error { return f.reads(one) },
			func() error {
				return f.reads(auditor, `created issue/1 null {"owner":1,"title":"t"}`, `deleted issue/1 {"owner":1,"title":"t"} null`)
			},
			func() error {
				if _, err := f.entries(ctx); !errors.Is(err, core.Unauthorized) {
					return fmt.Errorf("an anonymous caller: %w", err)
				}
				return nil
			},
		)
	}},
	{"before and after show readable fields only", func(ctx context.Context, f *fixture) error {
		one, two := as(ctx, 1), as(ctx, 2)
		return do(
			f.create(one, "issue", body{"owner": 1, "open": true, "cost": 3, "secret": 4}),
			f.update(one, "issue", 1, body{"cost": 5}),
			func() error {
				return f.reads(one, `created issue/1 null {"cost":3,"open":true,"owner":1}`, `updated issue/1 {"cost":3} {"cost":5}`)
			},
			func() error {
				return f.reads(two, `created issue/1 null {"open":true,"owner":1}`, `updated issue/1 {} {}`)
			},
			func() error {
				page, err := f.store.Select(two, f.store.Model().Resource("entry"), core.Query{Fields: []string{"after"}, Limit: 1})
				if err == nil && (page.Records[0].Get("after").String() != `{"open":true,"owner":1}` || !page.Records[0].Get("issue").IsAbsent()) {
					err = fmt.Errorf("projection: %v", page.Records[0])
				}
				return err
			},
			func() error {
				for _, where := range []core.Filter{core.Eq("after", nil), core.Or(core.Eq("kind", "x"), core.Not(core.Eq("before", body{"cost": 3})))} {
					if _, err := f.store.Count(one, f.store.Model().Resource("entry"), where); !errors.Is(err, core.SearchForbidden) {
						return fmt.Errorf("condition %s: %w", where, err)
					}
				}
				where := core.Related("history", core.Ne("after", nil))
				if _, err := f.store.Count(one, f.store.Model().Resource("issue"), where); !errors.Is(err, core.SearchForbidden) {
					return fmt.Errorf("condition %s: %w", where, err)
				}
				return nil
			},
		)
	}},
	{"before and after show visible related records only", func(ctx context.Context, f *fixture) error {
		one := as(ctx, 1)
		return do(
			f.create(core.System(ctx), "issue", body{"owner": 1, "assignee": 1, "watchers": []any{1, 2}}),
			f.update(core.System(ctx), "issue", 1, body{"assignee": 2}),
			func() error {
				return f.reads(one, `created issue/1 null {"assignee":1,"owner":1,"watchers":[1]}`, `updated issue/1 {"assignee":1} {"assignee":null}`)
			},
			func() error {
				return f.reads(core.System(ctx), `created issue/1 null {"assignee":1,"owner":1,"watchers":[1,2]}`, `updated issue/1 {"assignee":1} {"assignee":2}`)
			},
		)
	}},
	{"entries are append-only", func(ctx context.Context, f *fixture) error {
		entry := f.store.Model().Resource("entry")
		if err := f.create(as(ctx, 1), "note", body{})(); err != nil {
			return err
		}
		rec := entry.Patch(core.IntValue(1)).Set(entry.Field("kind"), core.TextValue(audit.Deleted))
		writes := func(ctx context.Context) []error {
			_, inserted := f.store.Insert(ctx, entry, rec.Set(entry.Key(), core.IntValue(50)).Set(entry.Field("at"), core.TimeValue(time.Now())))
			_, updated := f.store.Update(ctx, entry, rec)
			_, allocated := f.store.NextIDs(ctx, entry, 1)
			return []error{inserted, updated, allocated, f.store.Delete(ctx, entry, core.IntValue(1))}
		}
		for _, ctx := range []context.Context{as(ctx, 1), core.System(ctx), as(audit.AllowWrites(ctx), 1)} {
			for i, err := range writes(ctx) {
				if !errors.Is(err, core.ReadOnly) {
					return fmt.Errorf("write %d: %w", i, err)
				}
			}
		}
		if err := f.reads(core.System(ctx), `created note/1 null null`); err != nil {
			return err
		}
		return errors.Join(writes(audit.AllowWrites(ctx))...)
	}},
	{"a soft delete is a delete", func(ctx context.Context, f *fixture) error {
		one, issue := as(ctx, 1), f.store.Model().Resource("issue")
		gone := func(v core.Value) func() error {
			return func() error {
				_, err := f.store.Update(one, issue, issue.Patch(core.IntValue(1)).Set(issue.Field("gone"), v))
				return err
			}
		}
		return do(
			f.create(one, "issue", body{"owner": 1}), gone(core.TimeValue(time.Now())), gone(core.Null),
			func() error {
				return f.reads(one, `created issue/1 null {"owner":1}`, `deleted issue/1 null null`, `restored issue/1 null null`)
			},
		)
	}},
	{"purge deletes old entries in batches", func(ctx context.Context, f *fixture) error {
		one := as(ctx, 1)
		if err := do(f.create(one, "note", body{}, body{}, body{}), f.create(one, "note", body{}, body{})); err != nil {
			return err
		}
		entry := f.store.Model().Resource("entry")
		last, err := f.store.Get(core.System(ctx), entry, core.IntValue(4))
		if err != nil {
			return err
		}
		n, err := audit.Purge(ctx, f.store, "entry", last.Get("at").Time(), 2)
		if err != nil || n != 3 {
			return fmt.Errorf("purged %d: %w", n, err)
		}
		if _, err := audit.Purge(ctx, f.store, "entry", time.Now(), 0); !errors.Is(err, core.BadParam) {
			return fmt.Errorf("a batch of none: %w", err)
		}
		if _, err := audit.Purge(ctx, f.store, "journal", time.Now(), 1); !errors.Is(err, core.ServerError) {
			return fmt.Errorf("no such resource: %w", err)
		}
		return f.reads(core.System(ctx), `created note/4 null null`, `created note/5 null null`)
	}},
	{"writes of hooks have entries", func(ctx context.Context, f *fixture) error {
		return do(f.create(as(ctx, 1), "plain", body{"text": "note"}), func() error { return f.reads(core.System(ctx), `created note/1 null null`) })
	}},
}

func expectCount(ctx context.Context, f *fixture, want int) error {
	n, err := f.store.Count(ctx, f.store.Model().Resource("entry"), core.All())
	if err == nil && n != want {
		err = fmt.Errorf("counted %d entries, want %d", n, want)
	}
	return err
}

type failKey struct{}

// failing is an inner decorator that rejects entries in contexts with the failKey.
func failing() core.Decorator {
	return core.Decorator{
		Name: "failing", Kind: core.KindEffect, KnowsRelated: true, InsidePolicies: true,
		Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
			return func(ctx context.Context, op *core.Op) (core.Result, error) {
				if op.Kind == core.Insert && op.Resource.Name() == "entry" && ctx.Value(failKey{}) != nil {
					return core.Result{}, errDeliberate
				}
				return next(ctx, op)
			}, nil
		},
	}
}

// hook creates a note with a plain record that asks for it.
func hook() core.Decorator {
	return core.OnWrite("plain", func(ctx context.Context, tx *core.Transaction, changes []core.Change) error {
		if changes[0].After.Get("text").Text() != "note" {
			return nil
		}
		note := tx.Model().Resource("note")
		_, err := tx.Insert(ctx, note, note.RecordOf(make([]core.Value, len(note.Columns()))))
		return err
	})
}

func stack(trail core.Decorator) []core.Decorator {
	return []core.Decorator{rules(), hook(), trail, failing()}
}

func TestPromises(t *testing.T) {
	for name, open := range backends {
		for _, p := range promises {
			t.Run(name+"/"+p.name, func(t *testing.T) {
				if name != "file" { // a server that starts would hold its lock for a moment
					t.Parallel()
				}
				if err := p.check(t.Context(), newFixture(t, open, stack(audit.New(options()))...)); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func TestLeaksAreCaught(t *testing.T) {
	caughtBy := map[string]string{
		"entries of hidden records are visible": "an entry is as visible as its record today",
		"fields are not masked":                 "before and after show readable fields only",
		"entries are outside the transaction":   "an entry is in the transaction of its change",
		"cascades have no entries":              "every effect has an entry, and nothing else",
		"unchanged records have entries":        "every effect has an entry, and nothing else",
		"the program writes entries":            "entries are append-only",
	}
	for name := range audit.Leaks {
		t.Run(name, func(t *testing.T) {
			for _, p := range promises {
				if p.name != caughtBy[name] {
					continue
				}
				err := p.check(t.Context(), newFixture(t, inMemory, stack(audit.NewLeaking(options(), name))...))
				if err == nil {
					t.Errorf("%q holds", p.name)
				}
				t.Log(err)
				return
			}
			t.Error("no promise is named for the leak")
		})
	}
}

func TestARequestIDThatIsNoTextIsLeftOut(t *testing.T) {
	for name, open := range backends {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, open, audit.New(options()))
			for _, id := range []string{"", "a\x00", "a\xff", "a"} {
				if err := f.create(core.WithRequestID(as(t.Context(), 1), id), "issue", body{})(); err != nil {
					t.Errorf("id %q: %v", id, err)
				}
			}
			entry := f.store.Model().Resource("entry")
			with, err := f.store.Count(core.System(t.Context()), entry, core.Eq("request", "a"))
			without, err2 := f.store.Count(core.System(t.Context()), entry, core.Eq("request", nil))
			if err != nil || err2 != nil || with != 1 || without != 3 {
				t.Errorf("%d entries with an id, %d without; %v, %v", with, without, err, err2)
			}
		})
	}
}

// TestEveryJSONValueFitsIntoAnEntry writes the deepest value that clients may write, and values that only other programs write.
func TestEveryJSONValueFitsIntoAnEntry(t *testing.T) {
	for name, open := range backends {
		t.Run(name, func(t *testing.T) {
			m := core.MustModel("values", core.ResourceSpec{Name: "thing", Fields: []core.FieldSpec{
				{Name: "id", Type: core.Int, Key: true}, {Name: "value", Type: core.JSON},
			}}, audit.Resource("entry", "thing"))
			s, err := core.New(t.Context(), m, open(t, m), audit.New(audit.Options{Resource: "entry"}))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			ctx, thing, entry := as(t.Context(), 1), m.Resource("thing"), m.Resource("entry")
			for i, text := range []string{strings.Repeat("[", 64) + strings.Repeat("]", 64), strings.Repeat("[", 200) + strings.Repeat("]", 200), "1e400", `"<\u2028"`} {
				value, err := core.JSON.StoredJSON([]byte(text))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := s.Insert(ctx, thing, thing.RecordOf(make([]core.Value, len(thing.Columns()))).Set(thing.Field("value"), value)); err != nil {
					t.Fatalf("value %d: %v", i, err)
				}
				page, err := s.Select(ctx, entry, core.Query{Order: []string{"-id"}, Limit: 1})
				if err != nil || len(page.Records) != 1 {
					t.Fatalf("value %d: %d entries, %v", i, len(page.Records), err)
				}
				all, err := s.Get(core.System(ctx), entry, page.Records[0].Key())
				if got := page.Records[0].Get("after"); err != nil || got != all.Get("after") || !strings.HasPrefix(got.String(), `{"value":`) {
					t.Errorf("value %d: read %v of %v, %v", i, got, all.Get("after"), err)
				}
			}
		})
	}
}
