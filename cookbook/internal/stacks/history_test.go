package stacks_test

import (
	"context"
	"slices"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/decorators/access"
	"github.com/larder-go/larder/decorators/audit"
	"github.com/larder-go/larder/decorators/softdelete"
	"github.com/larder-go/larder/decorators/stamp"
)

// A softly deleted record takes its entries along, until it is restored. The entries show what softdelete and stamp do.
func TestHistoryOfSoftlyDeletedRecords(t *testing.T) {
	id, gone := core.FieldSpec{Name: "id", Type: core.Int, Key: true}, core.FieldSpec{Name: "deleted_at", Type: core.Time, Hidden: true}
	model := core.MustModel("tracker",
		core.ResourceSpec{Name: "issue", Fields: []core.FieldSpec{
			id, gone, {Name: "title", Type: core.Text}, {Name: "author", Type: core.Text, ReadOnly: true}, {Name: "changed", Type: core.Time, ReadOnly: true},
		}},
		core.ResourceSpec{Name: "comment", Fields: []core.FieldSpec{id, gone, {Name: "issue", ToOne: "issue", OnDelete: core.Cascade}}},
		audit.Resource("entry", "issue", "comment"),
	)
	policy, err := access.Parse([]byte(`{"rules": [
		{"name": "users write", "roles": ["user"], "resource": "issue", "operations": ["read", "insert", "update", "delete", "restore"]},
		{"name": "users comment", "roles": ["user"], "resource": "comment", "operations": ["read", "insert", "update", "delete", "restore"]},
		{"name": "users read entries", "roles": ["user", "auditor"], "resource": "entry", "operations": ["read"]},
		{"name": "auditors read issues", "roles": ["auditor"], "resource": "issue", "operations": ["read"]}
	]}`))
	if err != nil {
		t.Fatal(err)
	}
	store, err := core.New(t.Context(), model, memory.New(),
		access.New(policy, access.Options{}),
		softdelete.New("deleted_at", softdelete.Options{}),
		stamp.New(stamp.Options{CreatedBy: "author", Updated: "changed"}),
		audit.New(audit.Options{
			Resource: "entry", Omit: []string{"issue.changed"}, DeletedAt: "deleted_at",
			ReadsDeleted: func(p *core.Principal, _ *core.Resource) bool { return p.HasRole("auditor") },
		}),
	)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	as := func(role string) context.Context {
		return core.WithPrincipal(t.Context(), &core.Principal{ID: core.TextValue("ann"), Roles: []string{role}})
	}
	user, auditor, api := as("user"), as("auditor"), engine.New(store, engine.Options{})
	reads := func(ctx context.Context, want ...string) {
		t.Helper()
		page, err := store.Select(ctx, model.Resource("entry"), core.Query{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, rec := range page.Records {
			got = append(got, rec.Get("kind").Text()+" "+rec.Get("record").Text()+" "+rec.Get("after").String())
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	createdIssue, createdComment := `created issue/1 {"author":"ann","title":"a"}`, `created comment/1 {"issue":1}`
	_, err = api.Create(user, "issue", engine.Write{}, map[string]any{"title": "a"})
	must(err)
	_, err = api.Create(user, "comment", engine.Write{}, map[string]any{"issue": 1})
	must(err)
	reads(user, createdIssue, createdComment)
	must(api.Delete(user, "issue", 1, engine.Write{}))
	reads(user)
	reads(auditor, createdIssue, `created comment/1 {}`, "deleted comment/1 null", "deleted issue/1 null")
	_, err = store.Restore(user, model.Resource("issue"), core.IntValue(1))
	must(err)
	reads(user, createdIssue, createdComment, "deleted comment/1 null", "deleted issue/1 null", "restored issue/1 null", "restored comment/1 null")
	must(api.Delete(user, "issue", 1, engine.Write{}))
	reads(user)
}
