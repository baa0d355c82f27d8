package audit_test

import (
	"context"
	"errors"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/audit"
)

func TestAuthorMayBeARelation(t *testing.T) {
	id := core.FieldSpec{Name: "id", Type: core.Int, Key: true}
	entries := audit.Resource("entry", "issue")
	for i := range entries.Fields {
		if entries.Fields[i].Name == "by" {
			entries.Fields[i] = core.FieldSpec{Name: "by", ToOne: "user", OnDelete: core.Keep, ReadOnly: true}
		}
	}
	m := core.MustModel("authors", core.ResourceSpec{Name: "user", Fields: []core.FieldSpec{id}}, core.ResourceSpec{Name: "issue", Fields: []core.FieldSpec{id}}, entries)
	store, err := core.New(t.Context(), m, memory.New(), audit.New(audit.Options{Resource: "entry", Program: core.IntValue(0)}))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	issue := m.Resource("issue")
	for _, ctx := range []context.Context{as(t.Context(), 4), core.System(t.Context()), t.Context()} {
		if _, err := store.Insert(ctx, issue, issue.RecordOf(make([]core.Value, 1))); err != nil {
			t.Fatal(err)
		}
	}
	page, err := store.Select(core.System(t.Context()), m.Resource("entry"), core.Query{})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []core.Value{core.IntValue(4), core.IntValue(0), core.Null} {
		if got := page.Records[i].Get("by"); got != want {
			t.Errorf("entry %d is by %v, want %v", i, got, want)
		}
	}
	ann := core.WithPrincipal(t.Context(), &core.Principal{ID: core.TextValue("ann")})
	if _, err := store.Insert(ann, issue, issue.RecordOf(make([]core.Value, 1))); !errors.Is(err, core.ServerError) {
		t.Errorf("a principal with an id of another type: %v", err)
	}
	if n, err := store.Count(core.System(t.Context()), issue, core.All()); err != nil || n != 3 {
		t.Errorf("%d issues, %v", n, err)
	}
}
