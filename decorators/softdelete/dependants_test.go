package softdelete_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/decorators/softdelete"
)

// present returns the keys of all records that exist for the program, or that are deleted, by resource.
func present(t *testing.T, s *core.Store, deleted bool) string {
	t.Helper()
	var q core.Querier = s
	var all []string
	for _, r := range s.Model().Resources() {
		if deleted && !s.Keeps(r) {
			continue
		}
		if deleted {
			q = s.Deleted()
		}
		if found := keys(core.System(t.Context()), t, q, r); len(found) > 0 {
			all = append(all, r.Name()+fmt.Sprint(found))
		}
	}
	return strings.Join(all, " ")
}

func json(v engine.View) string { return string(v.AppendJSON(nil)) }

const everything = "project[1 2] user[1 2] issue[1 2 3] comment[1 2 3 4] label[1 2] issue_label[1 2 3]"

func expect(t *testing.T, s *core.Store, living, deleted string) {
	t.Helper()
	if got := present(t, s, false); got != living {
		t.Errorf("living are  %s\nwant        %s", got, living)
	}
	if got := present(t, s, true); got != deleted {
		t.Errorf("deleted are %s\nwant        %s", got, deleted)
	}
}

func TestDependantsAreDeletedAndRestoredWithTheRecord(t *testing.T) {
	onEach(t, func(t *testing.T, s *core.Store) {
		ctx, api := core.System(t.Context()), engine.New(s, engine.Options{})
		if err := api.Delete(ctx, "comment", 1, engine.Write{}); err != nil { // with its answer, and the answer to that
			t.Fatal(err)
		}
		expect(t, s, strings.Replace(everything, "comment[1 2 3 4]", "comment[3]", 1), "comment[1 2 4]")
		if _, err := api.Restore(ctx, "comment", 4, engine.Write{}); !errors.Is(err, core.NotFound) || core.AsError(err).Key != core.IntValue(2) {
			t.Errorf("restored the answer to a deleted comment: %v", err)
		}
		v, err := api.Restore(ctx, "comment", 1, engine.Write{Depth: 1})
		if err != nil || json(v) != `{"id":1,"text":"one","issue":1,"author":1}` {
			t.Errorf("restored %s, %v", json(v), err)
		}
		expect(t, s, everything, "")

		if err := api.Delete(ctx, "comment", 2, engine.Write{}); err != nil {
			t.Fatal(err)
		}
		if err := api.Delete(ctx, "issue", 1, engine.Write{}); err != nil {
			t.Fatal(err)
		}
		expect(t, s, "project[1 2] user[1 2] issue[2 3] comment[3] label[1 2] issue_label[3]", "issue[1] comment[1 2 4] issue_label[1 2]")
		if v, err := api.Get(ctx, "issue", 2, 1); err != nil || json(v) != `{"id":2,"title":"y","project":1,"comments":[3],"labels":[1]}` {
			t.Errorf("the duplicate is %s, %v", json(v), err)
		}
		if v, err := api.GetDeleted(ctx, "issue", 1, 2); err != nil || json(v) != `{"id":1,"title":"x","project":{"id":1,"name":"a","issues":[2]},"assignee":{"id":1,"name":"ann"},"comments":[],"labels":[]}` {
			t.Errorf("the deleted issue is %s, %v", json(v), err)
		}
		if _, err := api.Restore(ctx, "issue", 1, engine.Write{}); err != nil {
			t.Fatal(err)
		}
		expect(t, s, strings.Replace(everything, "comment[1 2 3 4]", "comment[1 3]", 1), "comment[2 4]")
		if v, err := api.Get(ctx, "issue", 2, 1); err != nil || !strings.Contains(json(v), `"duplicates":1`) {
			t.Errorf("the duplicate is %s, %v", json(v), err)
		}
	})
}

func TestRestrictCountsLivingRecords(t *testing.T) {
	onEach(t, func(t *testing.T, s *core.Store) {
		ctx, api := core.System(t.Context()), engine.New(s, engine.Options{})
		want := (&core.Error{Code: core.StillReferenced, Resource: "project", Field: "issues"}).Error()
		if err := api.Delete(ctx, "project", 2, engine.Write{}); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		if err := s.Delete(ctx, s.Model().Resource("project"), core.IntValue(2)); err == nil || err.Error() != want {
			t.Errorf("at the store: got %v, want %s", err, want)
		}
		for _, step := range []string{"issue", "project"} {
			id := map[string]int{"issue": 3, "project": 2}[step]
			if err := api.Delete(ctx, step, id, engine.Write{}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := api.Restore(ctx, "issue", 3, engine.Write{}); !errors.Is(err, core.NotFound) || core.AsError(err).Resource != "project" {
			t.Errorf("restored an issue of a deleted project: %v", err)
		}
		if _, err := api.Create(ctx, "project", engine.Write{}, map[string]any{"name": "b"}); err != nil {
			t.Errorf("the name of a deleted project is taken: %v", err)
		}
		if _, err := api.Restore(ctx, "project", 2, engine.Write{}); !errors.Is(err, core.AlreadyExists) {
			t.Errorf("restored a project with a name that is taken: %v", err)
		}
		if _, _, err := api.Replace(ctx, "project", 2, engine.Write{}, map[string]any{"name": "c"}); !errors.Is(err, core.AlreadyExists) {
			t.Errorf("replaced a deleted project: %v", err)
		}
	})
}

// TestRecordsThatAreDeletedForGood deletes records of resources without the field, at which deleted records point.
func TestRecordsThatAreDeletedForGood(t *testing.T) {
	onEach(t, func(t *testing.T, s *core.Store) {
		ctx, api := core.System(t.Context()), engine.New(s, engine.Options{})
		steps := []struct {
			resource        string
			id              int
			living, deleted string
		}{
			{"label", 2, "project[1 2] user[1 2] issue[1 2 3] comment[1 2 3 4] label[1] issue_label[1 3]", ""}, // its link goes with it
			{"issue", 1, "project[1 2] user[1 2] issue[2 3] comment[3] label[1] issue_label[3]", "issue[1] comment[1 2 4] issue_label[1]"},
			{"label", 1, "project[1 2] user[1 2] issue[2 3] comment[3]", "issue[1] comment[1 2 4]"},
			{"user", 2, "project[1 2] user[1] issue[2 3] comment[3]", "issue[1] comment[1]"}, // a comment without its author cannot be restored
			{"comment", 3, "project[1 2] user[1] issue[2 3]", "issue[1] comment[1 3]"},
			{"user", 1, "project[1 2] issue[2 3]", "issue[1]"}, // the assignee can be null
		}
		for _, step := range steps {
			if err := api.Delete(ctx, step.resource, step.id, engine.Write{}); err != nil {
				t.Fatalf("delete of %s %d: %v", step.resource, step.id, err)
			}
			expect(t, s, step.living, step.deleted)
		}
		if v, err := api.Restore(ctx, "issue", 1, engine.Write{Depth: 1}); err != nil || json(v) != `{"id":1,"title":"x","project":1,"comments":[],"labels":[]}` {
			t.Errorf("restored %s, %v", json(v), err)
		}
	})
}

func TestLinksAreMadeAgain(t *testing.T) {
	onEach(t, func(t *testing.T, s *core.Store) {
		ctx, api := core.System(t.Context()), engine.New(s, engine.Options{})
		for _, labels := range [][]any{{1}, {1, 2}, {}, {2}} {
			v, err := api.Update(ctx, "issue", 1, engine.Write{Depth: 1}, map[string]any{"labels": labels})
			if err != nil || !strings.Contains(json(v), strings.ReplaceAll(fmt.Sprintf(`"labels":%v`, labels), " ", ",")) {
				t.Fatalf("labels %v: %s, %v", labels, json(v), err)
			}
		}
		if n, err := api.DeleteAll(ctx, "comment", engine.Bulk{Filter: map[string]any{"issue.title": "x"}, Max: 5}); n != 2 || err != nil {
			t.Errorf("deleted %d, %v", n, err)
		}
		expect(t, s, "project[1 2] user[1 2] issue[1 2 3] comment[3] label[1 2] issue_label[3 5]", "comment[1 2 4] issue_label[1 2 4]")
		list, err := api.List(ctx, "comment", engine.Query{Deleted: true, Filter: map[string]any{"issue.title": "x"}, Sort: []string{"-id"}, Limit: 1, Count: true, Depth: 1})
		if err != nil || list.Count != 2 || json(list.Views[0]) != `{"id":2,"text":"two","issue":1,"author":2}` || list.Next == "" {
			t.Errorf("deleted comments: %+v, %v", list, err)
		}
	})
}

func TestFailedDeleteChangesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, s *core.Store) {
		ctx := core.System(t.Context())
		issue := s.Model().Resource("issue")
		err := s.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
			if err := tx.Delete(ctx, issue, ints(1, 3)...); !errors.Is(err, core.StillReferenced) {
				t.Errorf("deleted an issue with comments: %v", err)
			}
			return nil // the transaction cannot commit all the same
		})
		if !errors.Is(err, core.StillReferenced) {
			t.Errorf("committed: %v", err)
		}
		expect(t, s, everything, "")
		for code, write := range map[error]func() error{
			core.NotFound:    func() error { _, err := s.Restore(ctx, issue, ints(1)...); return err }, // it is living
			core.BadRequest:  func() error { _, err := s.Restore(ctx, s.Model().Resource("user"), ints(1)...); return err },
			core.ServerError: func() error { return s.Deleted().Delete(ctx, issue, ints(1)...) },
			core.Forbidden: func() error {
				_, err := s.Update(ctx, issue, issue.Patch(core.IntValue(1)).Set(issue.Field(deletedAt), core.TimeValue(s0)))
				return err
			},
		} {
			if err := write(); !errors.Is(err, code) {
				t.Errorf("got %v, want %v", err, code)
			}
		}
	})
}

func TestRecordsInACircleAreRestoredTogether(t *testing.T) {
	onEach(t, func(t *testing.T, s *core.Store) {
		ctx, api := core.System(t.Context()), engine.New(s, engine.Options{})
		if _, err := api.Update(ctx, "comment", 1, engine.Write{}, map[string]any{"answers": 4}); err != nil { // 1, 4, 2, 1
			t.Fatal(err)
		}
		if err := api.Delete(ctx, "comment", 2, engine.Write{}); err != nil {
			t.Fatal(err)
		}
		expect(t, s, strings.Replace(everything, "comment[1 2 3 4]", "comment[3]", 1), "comment[1 2 4]")
		if _, err := api.Restore(ctx, "comment", 4, engine.Write{}); err != nil {
			t.Error(err)
		}
		expect(t, s, everything, "")
	})
}

// TestDependantsOfDependants restores an issue of a project and of a milestone of the same project, which is restored after it.
func TestDependantsOfDependants(t *testing.T) {
	for _, rule := range []core.OnDelete{core.Cascade, core.Restrict, core.Detach} {
		t.Run(rule.String(), func(t *testing.T) {
			project := core.FieldSpec{Name: "project", ToOne: "project", OnDelete: core.Cascade}
			m := core.MustModel("plans",
				core.ResourceSpec{Name: "project", Fields: []core.FieldSpec{id, gone}},
				core.ResourceSpec{Name: "issue", Fields: []core.FieldSpec{id, gone, project, {Name: "milestone", ToOne: "milestone", OnDelete: rule}}},
				core.ResourceSpec{Name: "milestone", Fields: []core.FieldSpec{id, gone, project}},
			)
			s, err := core.New(t.Context(), m, memory.New(), softdelete.New(deletedAt, softdelete.Options{}))
			if err != nil {
				t.Fatal(err)
			}
			ctx, api := core.System(t.Context()), engine.New(s, engine.Options{})
			_, err = api.Create(ctx, "project", engine.Write{}, map[string]any{})
			if err == nil {
				_, err = api.Create(ctx, "milestone", engine.Write{}, map[string]any{"project": 1})
			}
			if err == nil {
				_, err = api.Create(ctx, "issue", engine.Write{}, map[string]any{"project": 1, "milestone": 1})
			}
			if err == nil {
				err = api.Delete(ctx, "project", 1, engine.Write{})
			}
			if err != nil {
				t.Fatal(err)
			}
			const all = "project[1] issue[1] milestone[1]"
			expect(t, s, "", all)
			if _, err := api.Restore(ctx, "project", 1, engine.Write{}); err != nil {
				t.Error(err)
			}
			expect(t, s, all, "")
		})
	}
}
