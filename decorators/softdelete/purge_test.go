package softdelete_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/decorators/softdelete"
)

func TestPurge(t *testing.T) {
	onEach(t, func(t *testing.T, s *core.Store) {
		ctx, api := core.System(t.Context()), engine.New(s, engine.Options{})
		if err := api.Delete(ctx, "comment", 3, engine.Write{}); err != nil {
			t.Fatal(err)
		}
		if err := api.Delete(ctx, "issue", 1, engine.Write{}); err != nil {
			t.Fatal(err)
		}
		purge := func(before time.Time, want int, living, deleted string) {
			t.Helper()
			if n, err := softdelete.Purge(t.Context(), s, deletedAt, before, 2); n != want || err != nil {
				t.Fatalf("purged %d, %v; want %d", n, err, want)
			}
			expect(t, s, living, deleted)
		}
		const left = "project[1 2] user[1 2] issue[2 3] label[1 2] issue_label[3]"
		purge(s0, 0, left, "issue[1] comment[1 2 3 4] issue_label[1 2]")
		if v, err := api.Get(ctx, "issue", 2, 1); err != nil || strings.Contains(json(v), "duplicates") {
			t.Errorf("the duplicate is %s, %v", json(v), err)
		}
		purge(time.Now().Add(time.Minute), 6, left, "") // the answer 4 goes with the comment 2, in a batch before its own
		rec, err := s.Get(core.WithDeleted(ctx), s.Model().Resource("issue"), core.IntValue(2))
		if err != nil || rec.Get("duplicates") != core.Null { // detached from the purged issue
			t.Errorf("the duplicate is %v, %v", rec, err)
		}
		purge(time.Now().Add(time.Minute), 0, left, "")
	})
}

// TestPurgeLeavesWhatLivingRecordsNeed purges after a caller has restored a comment whose issue it may not restore.
func TestPurgeLeavesWhatLivingRecordsNeed(t *testing.T) {
	onEach(t, func(t *testing.T, s *core.Store) {
		all := core.WithDeleted(t.Context())
		api := engine.New(s, engine.Options{})
		if err := api.Delete(core.System(t.Context()), "issue", 1, engine.Write{}); err != nil {
			t.Fatal(err)
		}
		comment := s.Model().Resource("comment")
		if _, err := s.Update(all, comment, comment.Patch(core.IntValue(1)).Set(comment.Field(deletedAt), core.Null)); err != nil {
			t.Fatal(err)
		}
		if n, err := softdelete.Purge(t.Context(), s, deletedAt, time.Now().Add(time.Minute), 0); n != 4 || err != nil {
			t.Errorf("purged %d, %v", n, err)
		}
		expect(t, s, "project[1 2] user[1 2] issue[2 3] comment[1 3] label[1 2] issue_label[3]", "issue[1]")
		if v, err := api.Get(core.System(t.Context()), "comment", 1, 1); err != nil || json(v) != `{"id":1,"text":"one","author":1}` {
			t.Errorf("the comment is %s, %v", json(v), err)
		}
		if err := s.Delete(all, s.Model().Resource("comment"), core.IntValue(1)); err != nil {
			t.Fatal(err)
		}
		if err := s.Delete(all, s.Model().Resource("issue"), core.IntValue(1)); err != nil {
			t.Fatal(err)
		}
		expect(t, s, "project[1 2] user[1 2] issue[2 3] comment[3] label[1 2] issue_label[3]", "")
	})
}

func TestModelsThatDoNotFit(t *testing.T) {
	own := core.FieldSpec{Name: "jar", ToOne: "jar"}
	text := core.FieldSpec{Name: "name", Type: core.Text, Unique: true}
	jar := core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{id, gone}}
	for _, c := range []struct {
		want      string
		resources []core.ResourceSpec
		opts      softdelete.Options
	}{
		{"no resource has the field deleted_at", []core.ResourceSpec{{Name: "jar", Fields: []core.FieldSpec{id}}}, softdelete.Options{}},
		{
			`resource "jar": the field deleted_at does not fit; declare it as {Name: "deleted_at", Type: core.Time, Hidden: true}`,
			[]core.ResourceSpec{{Name: "jar", Fields: []core.FieldSpec{id, {Name: deletedAt, Type: core.Time}}}}, softdelete.Options{},
		},
		{
			`resource "jar": the field deleted_at does not fit`,
			[]core.ResourceSpec{{Name: "jar", Fields: []core.FieldSpec{id, {Name: deletedAt, Type: core.Int, Hidden: true}}}}, softdelete.Options{},
		},
		{
			`resource "jar": a delete also deletes records of cookie by cookie.jar, for good`,
			[]core.ResourceSpec{jar, {Name: "cookie", Fields: []core.FieldSpec{id, {Name: "jar", ToOne: "jar", OnDelete: core.Cascade}}}}, softdelete.Options{},
		},
		{
			`resource "cup": a deleted record would hold its name; declare it as an index {Fields: []string{"name"}, Where: core.Eq("deleted_at", nil), Unique: true}, or set KeepsUnique`,
			[]core.ResourceSpec{{Name: "cup", Fields: []core.FieldSpec{id, gone, text}}}, softdelete.Options{},
		},
		{
			`resource "cup": a deleted record would hold its a, b; give the unique index the condition core.Eq("deleted_at", nil), or set KeepsUnique`,
			[]core.ResourceSpec{{Name: "cup", Fields: []core.FieldSpec{id, gone, {Name: "a", Type: core.Int}, {Name: "b", Type: core.Int}}, Unique: [][]string{{"a", "b"}}}}, softdelete.Options{},
		},
		{
			`resource "lid": a deleted record would hold its one-to-one partner in jar; make jar.lid a to-many relation`,
			[]core.ResourceSpec{
				{Name: "jar", Fields: []core.FieldSpec{id, gone, {Name: "lid", ToOne: "lid", Inverse: "jar"}}}, {Name: "lid", Fields: []core.FieldSpec{id, gone, own}},
			}, softdelete.Options{},
		},
		{
			`resource "link": the key of a link is its two relations`,
			[]core.ResourceSpec{
				{Name: "jar", Fields: []core.FieldSpec{id, gone, {Name: "cups", ToMany: "cup", Through: "link"}}}, {Name: "cup", Fields: []core.FieldSpec{id}},
				{Name: "link", Fields: []core.FieldSpec{{Name: "jar", ToOne: "jar", Key: true}, {Name: "cup", ToOne: "cup", Key: true}, gone}},
			}, softdelete.Options{KeepsUnique: true},
		},
		{"", []core.ResourceSpec{{Name: "cup", Fields: []core.FieldSpec{id, gone, text}}}, softdelete.Options{KeepsUnique: true}},
	} {
		m, err := core.NewModel("m", c.resources...)
		if err != nil {
			t.Fatal(err)
		}
		_, err = core.New(t.Context(), m, memory.New(), softdelete.New(deletedAt, c.opts))
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

func TestPolicyInsideIsRejected(t *testing.T) {
	inner := core.Decorator{Name: "policy", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) { return next, nil }}
	_, err := core.New(t.Context(), issues(), memory.New(), softdelete.New(deletedAt, softdelete.Options{}), inner)
	if err == nil || !strings.Contains(err.Error(), `put "policy" before "softdelete"`) {
		t.Errorf("got %v", err)
	}
}

// TestOneTimeForATransaction deletes in two operations: what one transaction has deleted was deleted together.
func TestOneTimeForATransaction(t *testing.T) {
	onEach(t, func(t *testing.T, s *core.Store) {
		ctx, comment := core.System(t.Context()), s.Model().Resource("comment")
		err := s.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
			if err := tx.Delete(ctx, comment, core.IntValue(4)); err != nil {
				return err
			}
			return tx.Delete(ctx, comment, core.IntValue(3))
		})
		found, loadErr := s.Load(core.WithDeleted(ctx), comment, ints(3, 4))
		if err != nil || loadErr != nil || len(found) != 2 || found[0].Get(deletedAt) != found[1].Get(deletedAt) || !found[0].Get(deletedAt).IsSet() {
			t.Errorf("deleted are %v, %v, %v", found, err, loadErr)
		}
	})
}

// TestLivingUniqueValuesSwap exchanges two names in one update, while a deleted record has one of them.
func TestLivingUniqueValuesSwap(t *testing.T) {
	onEach(t, func(t *testing.T, s *core.Store) {
		ctx, project := core.System(t.Context()), s.Model().Resource("project")
		named := func(key int64, name string) core.Record {
			return project.Patch(core.IntValue(key)).Set(project.Field("name"), core.TextValue(name))
		}
		if _, err := s.Insert(ctx, project, named(3, "c")); err != nil {
			t.Fatal(err)
		}
		if err := s.Delete(ctx, project, core.IntValue(3)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Update(ctx, project, named(1, "c")); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Update(ctx, project, named(1, "b"), named(2, "c")); err != nil {
			t.Error(err)
		}
		if _, err := s.Restore(ctx, project, core.IntValue(3)); !errors.Is(err, core.AlreadyExists) {
			t.Errorf("restored a taken name: %v", err)
		}
	})
}
