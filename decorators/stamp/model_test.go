package stamp_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/access"
	"github.com/larder-go/larder/decorators/stamp"
)

func TestUnsuitableModelsAndOptionsAreRejected(t *testing.T) {
	field := func(f core.FieldSpec) *core.Model {
		f.Name = "at"
		return core.MustModel("m",
			core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{id, f, {Name: "room", ToOne: "room"}, {Name: "cookies", ToMany: "cookie", Inverse: "jar"}}},
			core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{id, {Name: "jar", ToOne: "jar"}}},
			core.ResourceSpec{Name: "room", ReadOnly: true, Fields: []core.FieldSpec{id, {Name: "at", Type: core.Time}}},
		)
	}
	suitable := core.FieldSpec{Type: core.Time, ReadOnly: true}
	at, by := stamp.Options{Updated: "at"}, stamp.Options{UpdatedBy: "at"}
	touching := func(relation string) stamp.Options {
		resource, name, _ := strings.Cut(relation, ".")
		return stamp.Options{Updated: "at", Touch: map[string][]string{resource: {name}}}
	}
	for name, c := range map[string]struct {
		spec    core.FieldSpec
		options stamp.Options
		want    string
	}{
		"no options":      {suitable, stamp.Options{}, "the options name no field; name at least one, such as Updated"},
		"unknown":         {suitable, stamp.Options{Created: "on"}, `no resource of the model "m" has a field "on"; add it to a resource, or remove the name from the options`},
		"writable":        {core.FieldSpec{Type: core.Time}, at, "field jar.at: can be set by clients; set ReadOnly or Hidden in the model"},
		"type":            {core.FieldSpec{Type: core.Text, ReadOnly: true}, at, "field jar.at: has the type text; use time"},
		"type of author":  {core.FieldSpec{Type: core.Float, ReadOnly: true}, by, "field jar.at: has the type float; use int or text or uuid"},
		"type of request": {suitable, stamp.Options{Request: "at"}, "field jar.at: has the type time; use text"},
		"default":         {core.FieldSpec{Type: core.Int, ReadOnly: true, Default: 1}, by, "field jar.at: has a default, but the decorator writes it; remove Default in the model"},
		"list":            {core.FieldSpec{ToMany: "cookie", ReadOnly: true}, by, "field jar.at: cannot hold a stamp; use a stored field of its own"},
		"key":             {suitable, stamp.Options{CreatedBy: "id"}, "field jar.id: is part of the key; use another field"},
		"program":         {core.FieldSpec{Type: core.Int, ReadOnly: true}, stamp.Options{UpdatedBy: "at", Program: core.TextValue("x")}, "field jar.at: has the type int, and the option Program has the type text; use one type for both"},
		"touch resource":  {suitable, touching("pot.lid"), "option Touch: pot.lid names no resource of the model"},
		"touch list":      {suitable, touching("jar.cookies"), "option Touch: jar.cookies is no to-one relation that the resource stores"},
		"touch unstamped": {suitable, stamp.Options{Created: "at", Touch: map[string][]string{"cookie": {"jar"}}}, "option Touch: cookie.jar leads to jar, which has no field for the option Updated; add the field, or remove the relation from Touch"},
		"touch read-only": {suitable, touching("jar.room"), "option Touch: jar.room leads to room, which is read-only in the model; remove the relation from Touch"},
	} {
		t.Run(name, func(t *testing.T) {
			store, err := core.New(t.Context(), field(c.spec), memory.New(), stamp.New(c.options))
			if err == nil {
				_ = store.Close()
				t.Fatal("no error")
			}
			if !strings.HasPrefix(err.Error(), `decorator "stamp": `) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestPoliciesAndSoftDeleteStandOutside(t *testing.T) {
	soft := core.Decorator{Name: "softdelete", Kind: core.KindEffect, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) { return next, nil }}
	for _, outer := range []core.Decorator{access.New(policy, access.Options{}), soft} {
		if _, err := core.New(t.Context(), tracker, memory.New(), stamp.New(ofTracker), outer); err == nil || !strings.Contains(err.Error(), `put "`+outer.Name+`" before "stamp"`) {
			t.Errorf("got %v", err)
		}
	}
}

func TestOptionsAreCopied(t *testing.T) {
	opts := ofTracker
	opts.Touch = map[string][]string{"comment": {"issue"}}
	d := stamp.New(opts)
	opts.Touch["comment"][0], opts.Touch["x"] = "x", []string{"y"}
	c := openTracker(t, memory.New(), d)
	want := "created_at, created_by, updated_at, updated_by, request; comment touches issue"
	if got := c.store.Describe().Decorators[1].Note; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAuthorsHaveTheTypeOfTheField(t *testing.T) {
	c := openTracker(t, memory.New(), stamp.New(ofTracker))
	issue := tracker.Resource("issue")
	rec, err := issue.NewRecord(map[string]any{"title": "a"})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []core.Value{{}, core.IntValue(1), core.TextValue(""), core.TextValue("a\x00")} {
		ctx := core.WithPrincipal(t.Context(), &core.Principal{ID: id, Roles: []string{"editor"}})
		_, err := c.store.Insert(ctx, issue, rec)
		if e := core.AsError(err); !errors.Is(err, core.Forbidden) || !strings.Contains(e.Error(), "stamp: issue.created_by needs an id of type text, which the principal lacks") {
			t.Errorf("id %v: %v", id, err)
		}
	}
	ctx := core.WithPrincipal(t.Context(), &core.Principal{ID: core.TextValue("nobody"), Roles: []string{"editor"}})
	if _, err := c.store.Insert(ctx, issue, rec); !errors.Is(err, core.NotFound) {
		t.Errorf("an author that is no user: %v", err)
	}
}

func TestTheProgramMayHaveAnId(t *testing.T) {
	opts := ofTracker
	opts.Program = core.TextValue("visitor")
	c := openTracker(t, memory.New(), stamp.New(opts))
	issue, ctx := tracker.Resource("issue"), core.System(t.Context())
	rec, err := issue.NewRecord(map[string]any{"title": "a", "created_at": "2000-01-01T00:00:00Z", "created_by": "ada"})
	if err != nil {
		t.Fatal(err)
	}
	stamped, err := c.store.Insert(ctx, issue, rec)
	if err != nil || stamped[0].Get("created_by") != core.TextValue("visitor") || stamped[0].Get("updated_at").IsNull() {
		t.Errorf("%v %v", stamped, err)
	}
	imported, err := c.store.Insert(stamp.Unstamped(ctx), issue, rec)
	if err != nil || imported[0].Get("created_by") != core.TextValue("ada") || !imported[0].Get("updated_at").IsNull() {
		t.Errorf("%v %v", imported, err)
	}
	forged := stamp.Unstamped(core.WithPrincipal(t.Context(), principal("bob")))
	written, err := c.store.Insert(forged, issue, rec)
	if err != nil || written[0].Get("created_by") != core.TextValue("bob") {
		t.Errorf("only the program may leave records unstamped: %v %v", written, err)
	}
}

// An id of a request may come from a client.
func TestAnInvalidRequestIdIsLeftOut(t *testing.T) {
	c := openTracker(t, memory.New(), stamp.New(ofTracker))
	issue := tracker.Resource("issue")
	rec, _ := issue.NewRecord(map[string]any{"title": "a"})
	for _, id := range []string{"", "a\x00", "\xff"} {
		ctx := core.WithRequestID(core.System(t.Context()), id)
		if written, err := c.store.Insert(ctx, issue, rec); err != nil || !written[0].Get("request").IsNull() {
			t.Errorf("%q: %v %v", id, written, err)
		}
	}
}
