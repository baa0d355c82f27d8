package softdelete_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/larder-go/larder/backends/file"
	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/backends/postgres/pgtest"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
	"github.com/larder-go/larder/decorators/softdelete"
)

const deletedAt = "deleted_at"

// The fields and conditions of resources whose deleted records are kept.
var (
	id     = core.FieldSpec{Name: "id", Type: core.Int, Key: true}
	gone   = core.FieldSpec{Name: deletedAt, Type: core.Time, Hidden: true, Indexed: true}
	living = core.Eq(deletedAt, nil)
	s0     = time.Unix(1, 0)
)

// issues is a model with relations of each rule. Labels and users are deleted for good.
func issues() *core.Model {
	return core.MustModel("issues",
		core.ResourceSpec{Name: "project", Fields: []core.FieldSpec{id, gone, {Name: "name", Type: core.Text}, {Name: "issues", ToMany: "issue", Inverse: "project"}},
			Indexes: []core.Index{{Fields: []string{"name"}, Where: living, Unique: true}}},
		core.ResourceSpec{Name: "user", Fields: []core.FieldSpec{id, {Name: "name", Type: core.Text}}},
		core.ResourceSpec{Name: "issue", Fields: []core.FieldSpec{
			id, gone, {Name: "title", Type: core.Text}, {Name: "project", ToOne: "project", Required: true},
			{Name: "duplicates", ToOne: "issue"}, {Name: "assignee", ToOne: "user"},
			{Name: "comments", ToMany: "comment", Inverse: "issue"}, {Name: "labels", ToMany: "label", Through: "issue_label"},
		}},
		core.ResourceSpec{Name: "comment", Fields: []core.FieldSpec{
			id, gone, {Name: "text", Type: core.Text, Searchable: true}, {Name: "issue", ToOne: "issue", OnDelete: core.Cascade},
			{Name: "answers", ToOne: "comment", OnDelete: core.Cascade}, {Name: "author", ToOne: "user", Required: true},
		}},
		core.ResourceSpec{Name: "label", Fields: []core.FieldSpec{id, {Name: "name", Type: core.Text}, {Name: "issues", ToMany: "issue", Through: "issue_label"}}},
		core.ResourceSpec{Name: "issue_label", Fields: []core.FieldSpec{id, gone, {Name: "issue", ToOne: "issue"}, {Name: "label", ToOne: "label"}},
			Indexes: []core.Index{{Fields: []string{"issue", "label"}, Where: living, Unique: true}}},
		core.ResourceSpec{Name: core.AnswersName},
	)
}

// rows has two projects with issues, comments and labels.
func rows() seed.Data {
	type row = map[string]any
	return seed.Data{
		"project": {1: row{"name": "a"}, 2: row{"name": "b"}},
		"user":    {1: row{"name": "ann"}, 2: row{"name": "bob"}},
		"issue": {
			1: row{"title": "x", "project": 1, "assignee": 1}, 2: row{"title": "y", "project": 1, "duplicates": 1}, 3: row{"title": "z", "project": 2},
		},
		"comment": {
			1: row{"text": "one", "issue": 1, "author": 1}, 2: row{"text": "two", "issue": 1, "answers": 1, "author": 2},
			3: row{"text": "three", "issue": 2, "author": 1}, 4: row{"text": "four", "answers": 2, "author": 1},
		},
		"label":       {1: row{"name": "bug"}, 2: row{"name": "easy"}},
		"issue_label": {1: row{"issue": 1, "label": 1}, 2: row{"issue": 1, "label": 2}, 3: row{"issue": 2, "label": 1}},
	}
}

// backends are the backends that tests run on.
var backends = map[string]func(tb testing.TB, m *core.Model) core.Backend{
	"memory": func(testing.TB, *core.Model) core.Backend { return memory.New() },
	"file": func(tb testing.TB, _ *core.Model) core.Backend {
		tb.Helper()
		return file.New(filepath.Join(tb.TempDir(), "kept.db"), file.Options{})
	},
	"postgres": func(tb testing.TB, _ *core.Model) core.Backend {
		tb.Helper()
		b, err := postgres.Open(tb.Context(), pgtest.URL(tb), pgtest.Schema(tb), postgres.Options{Migrate: true})
		if err != nil {
			tb.Fatal(err)
		}
		return b
	},
}

// onEach runs the test on a store of each backend, with the rows and the decorator inside the given ones.
func onEach(t *testing.T, test func(t *testing.T, s *core.Store), outer ...core.Decorator) {
	t.Helper()
	for name, open := range backends {
		t.Run(name, func(t *testing.T) {
			m := issues()
			s, err := core.New(t.Context(), m, open(t, m), append(slices.Clone(outer), softdelete.New(deletedAt, softdelete.Options{}))...)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			fill(t, s)
			test(t, s)
		})
	}
}

// fill inserts the rows.
func fill(t *testing.T, s *core.Store) {
	t.Helper()
	all, err := seed.Records(s.Model(), rows())
	if err != nil {
		t.Fatal(err)
	}
	err = s.Tx(core.System(t.Context()), func(ctx context.Context, tx *core.Transaction) error {
		for i, r := range s.Model().Resources() {
			if _, err := tx.Insert(ctx, r, all[i]...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// keys returns the keys of the records that exist for the context.
func keys(ctx context.Context, t *testing.T, q core.Querier, r *core.Resource) (all []int64) {
	t.Helper()
	page, err := q.Select(ctx, r, core.Query{})
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range page.Records {
		all = append(all, rec.Key().Int())
	}
	return all
}

func ints(n ...int64) (keys []core.Value) {
	for _, n := range n {
		keys = append(keys, core.IntValue(n))
	}
	return keys
}

func TestDeleteKeepsTheRecordOutOfSight(t *testing.T) {
	onEach(t, func(t *testing.T, s *core.Store) {
		ctx, comment := core.System(t.Context()), s.Model().Resource("comment")
		before := time.Now().Truncate(time.Microsecond)
		if err := s.Delete(ctx, comment, ints(3, 4)...); err != nil {
			t.Fatal(err)
		}
		if got := keys(ctx, t, s, comment); !slices.Equal(got, []int64{1, 2}) {
			t.Errorf("%v are left", got)
		}
		if _, err := s.Get(ctx, comment, core.IntValue(3)); !errors.Is(err, core.NotFound) {
			t.Errorf("got a deleted record: %v", err)
		}
		if n, err := s.Count(ctx, s.Model().Resource("issue"), core.Related("comments", core.Eq("text", "three"))); n != 0 || err != nil {
			t.Errorf("%d issues have the deleted comment, %v", n, err)
		}
		if _, err := s.Update(ctx, comment, comment.Patch(core.IntValue(3)).Set(comment.Field("text"), core.TextValue("x"))); !errors.Is(err, core.NotFound) {
			t.Errorf("updated a deleted record: %v", err)
		}
		if err := s.Delete(ctx, comment, core.IntValue(3)); !errors.Is(err, core.NotFound) {
			t.Errorf("deleted again: %v", err)
		}
		rec, err := s.Get(core.WithDeleted(ctx), comment, core.IntValue(3))
		if err != nil {
			t.Fatal(err)
		}
		if at := rec.Get(deletedAt).Time(); at.Before(before) || at.After(time.Now()) {
			t.Errorf("deleted at %v", at)
		}
		if got := keys(ctx, t, s.Deleted(), comment); !slices.Equal(got, []int64{3, 4}) {
			t.Errorf("%v are deleted", got)
		}
	})
}
