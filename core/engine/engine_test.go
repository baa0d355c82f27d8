package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/engine/enginetest"
	"github.com/larder-go/larder/core/seed"
)

func TestRules(t *testing.T) {
	enginetest.Run(t, func(testing.TB, *core.Model) core.Backend { return memory.New() })
}

func TestCrowd(t *testing.T) {
	enginetest.Crowd(t, func(testing.TB, *core.Model) core.Backend { return memory.New() })
}

var errBroken = errors.New("broken")

// broken has a computed field with the given functions.
func broken(get func() (any, error), set func() (map[string]any, error)) *core.Model {
	return core.MustModel("broken", core.ResourceSpec{Name: "thing", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "made", Computed: &core.Computed{
			Get: func(context.Context, core.Record) (any, error) { return get() },
			Set: func(context.Context, core.Record, any) (map[string]any, error) { return set() },
		}},
	}})
}

func TestFailedComputedFieldUndoesRequest(t *testing.T) {
	fine := func() (any, error) { return 1, nil }
	nothing := func() (map[string]any, error) { return nil, nil }
	refusal := &core.Error{Code: core.BadRequest, Message: "not today"}
	for _, c := range []struct {
		rule string
		get  func() (any, error)
		set  func() (map[string]any, error)
		want core.Code
	}{
		{"a failed getter is a server error", func() (any, error) { return nil, errBroken }, nothing, core.ServerError},
		{"a getter's value without JSON is a server error", func() (any, error) { return make(chan int), nil }, nothing, core.ServerError},
		{"a failed setter is a server error", fine, func() (map[string]any, error) { return nil, errBroken }, core.ServerError},
		{"a getter's bare code is a server error", func() (any, error) { return nil, core.NotFound }, nothing, core.ServerError},
		{"a setter's wrapped bare code is a server error", fine,
			func() (map[string]any, error) { return nil, fmt.Errorf("lost: %w", core.NotFound) }, core.ServerError},
		{"an error with a code keeps it", fine, func() (map[string]any, error) { return nil, refusal }, core.BadRequest},
	} {
		t.Run(c.rule, func(t *testing.T) {
			store, err := core.New(t.Context(), broken(c.get, c.set), memory.New())
			if err != nil {
				t.Fatal(err)
			}
			api := engine.New(store, engine.Options{})
			_, err = api.Create(t.Context(), "thing", engine.Write{Depth: 1}, map[string]any{"made": 1})
			if !errors.Is(err, c.want) || errors.Is(err, core.NotFound) || c.want == core.ServerError && !strings.Contains(err.Error(), "thing.made") {
				t.Errorf("create: %v, want %s naming thing.made", err, c.want)
			}
			if list, err := api.List(t.Context(), "thing", engine.Query{}); err != nil || len(list.Views) > 0 {
				t.Errorf("%d records are there, %v", len(list.Views), err)
			}
		})
	}
}

func TestOptionsDefaults(t *testing.T) {
	nothing := func() (any, error) { return nil, nil }
	store, err := core.New(t.Context(), broken(nothing, nil), memory.New())
	if err != nil {
		t.Fatal(err)
	}
	want := engine.Options{
		MaxDepth: 5, MaxRecords: 10_000, MaxMembers: 1000, MaxBytes: 16 << 20, MaxValue: 1 << 20, MaxWritten: 10_000, MaxNesting: 16, Attempts: 7,
	}
	if got := engine.New(store, engine.Options{MaxDepth: -1, Attempts: 7}).Options(); got != want {
		t.Errorf("options are %+v, want %+v", got, want)
	}
}

func TestNewRejectsNilStore(t *testing.T) {
	defer func() {
		if got := recover(); got != "engine: the store is nil; pass the result of core.New" {
			t.Errorf("panic: %v", got)
		}
	}()
	engine.New(nil, engine.Options{})
}

// friends returns an engine over a store in which every read returns these ids in the list of friends.
func friends(t *testing.T, ids ...core.Value) *engine.Engine {
	model := core.MustModel("m", core.ResourceSpec{Name: "thing", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "friends", ToMany: "thing", Writable: core.Never},
	}})
	stored := core.Decorator{Name: "stored", Kind: core.KindAnswer, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			res, err := next(ctx, op)
			found := make([]core.Record, len(res.Records))
			for i, rec := range res.Records {
				found[i] = rec.With(1, core.ListOf(ids...))
			}
			res.Records = found
			return res, err
		}, nil
	}}
	data := seed.Data{"thing": {1: nil, 2: nil, 3: nil}}
	store, err := core.New(t.Context(), model, memory.NewWith(data), stored)
	if err != nil {
		t.Fatal(err)
	}
	return engine.New(store, engine.Options{})
}

func TestStoredIDOfWrongTypeIsServerError(t *testing.T) {
	_, err := friends(t, core.TextValue("x")).Get(t.Context(), "thing", 1, 1)
	if !errors.Is(err, core.ServerError) {
		t.Fatalf("get: %v, want %s", err, core.ServerError)
	}
	if cause := core.AsError(err).Cause.Error(); !strings.HasPrefix(cause, "reading the ids that a record stores in thing.friends: ") {
		t.Errorf("cause: %s", cause)
	}
}

func TestStoredIDsAreShownAsSet(t *testing.T) {
	api := friends(t, core.IntValue(3), core.IntValue(1), core.IntValue(9), core.IntValue(3))
	for depth, want := range map[int]string{
		1: `{"id":2,"friends":[1,3]}`,
		2: `{"id":2,"friends":[{"id":1,"friends":[1,3]},{"id":3,"friends":[1,3]}]}`,
	} {
		view, err := api.Get(t.Context(), "thing", 2, depth)
		if got := string(view.AppendJSON(nil)); err != nil || got != want {
			t.Errorf("depth %d: %s, %v, want %s", depth, got, err, want)
		}
	}
}

func TestEmptyListEqualsNull(t *testing.T) {
	if _, err := friends(t).Update(t.Context(), "thing", 1, engine.Write{}, map[string]any{"friends": nil}); err != nil {
		t.Error(err)
	}
	_, err := friends(t).Update(t.Context(), "thing", 1, engine.Write{}, map[string]any{"friends": []int{1}})
	if !errors.Is(err, core.FieldUpdateForbidden) {
		t.Errorf("one instead of none: %v, want %s", err, core.FieldUpdateForbidden)
	}
	_, err = friends(t, core.IntValue(1)).Update(t.Context(), "thing", 1, engine.Write{}, map[string]any{"friends": nil})
	if !errors.Is(err, core.FieldUpdateForbidden) {
		t.Errorf("none instead of one: %v, want %s", err, core.FieldUpdateForbidden)
	}
}

func TestReadOnlyResourceOverRequests(t *testing.T) {
	m := core.MustModel("m",
		core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true}, {Name: "label", Type: core.Text}, {Name: "reports", ToMany: "report", Inverse: "jar"}, {Name: "latest", ToOne: "report"},
		}},
		core.ResourceSpec{Name: "report", ReadOnly: true, Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "jar", ToOne: "jar"}}},
	)
	store, err := core.New(t.Context(), m, memory.NewWith(seed.Data{"jar": {1: nil, 2: nil}, "report": {1: {"jar": 1}}}))
	if err != nil {
		t.Fatal(err)
	}
	api, one := engine.New(store, engine.Options{}), engine.Write{Depth: 1}
	type body = map[string]any
	for _, c := range []struct {
		request string
		do      func() error
		want    *core.Error
	}{
		{"create", func() error { _, err := api.Create(t.Context(), "report", one, body{}); return err }, &core.Error{Code: core.ReadOnly, Resource: "report"}},
		{"update", func() error { _, err := api.Update(t.Context(), "report", 1, one, body{"jar": 2}); return err }, &core.Error{Code: core.ReadOnly, Resource: "report"}},
		{"update of nothing", func() error { _, err := api.Update(t.Context(), "report", 1, one, body{}); return err }, &core.Error{Code: core.ReadOnly, Resource: "report"}},
		{"update of an absent record", func() error { _, err := api.Update(t.Context(), "report", 9, one, body{}); return err }, &core.Error{Code: core.ReadOnly, Resource: "report"}},
		{"create of nothing", func() error { _, err := api.Create(t.Context(), "report", one); return err }, &core.Error{Code: core.ReadOnly, Resource: "report"}},
		{"nested create", func() error { _, err := api.Create(t.Context(), "jar", one, body{"latest": body{}}); return err }, &core.Error{Code: core.ReadOnly, Resource: "report"}},
		{"replace", func() error { _, _, err := api.Replace(t.Context(), "report", 1, one, body{"jar": 2}); return err }, &core.Error{Code: core.ReadOnly, Resource: "report"}},
		{"replace a new record", func() error { _, _, err := api.Replace(t.Context(), "report", 2, one, body{}); return err }, &core.Error{Code: core.ReadOnly, Resource: "report"}},
		{"delete", func() error { return api.Delete(t.Context(), "report", 1, one) }, &core.Error{Code: core.ReadOnly, Resource: "report"}},
		{"list side", func() error { _, err := api.Update(t.Context(), "jar", 2, one, body{"reports": []any{1}}); return err }, &core.Error{Code: core.FieldReadOnly, Resource: "jar", Field: "reports"}},
		{"replacement of a target keeps the list side", func() error { _, _, err := api.Replace(t.Context(), "jar", 1, one, body{"label": "x"}); return err }, nil},
		{"delete of a target that nothing refers to", func() error { return api.Delete(t.Context(), "jar", 2, one) }, nil},
		{"delete of a target detaches nothing", func() error { return api.Delete(t.Context(), "jar", 1, one) }, &core.Error{Code: core.StillReferenced, Resource: "jar", Field: "reports"}},
	} {
		err := c.do()
		if e := (*core.Error)(nil); c.want == nil && err != nil || c.want != nil && (!errors.As(err, &e) || e.Public() != c.want.Public()) {
			t.Errorf("%s: %v, want %v", c.request, err, c.want)
		}
	}
	view, err := api.Get(t.Context(), "jar", 1, 1)
	if got := string(view.AppendJSON(nil)); err != nil || got != `{"id":1,"label":"x","reports":[1]}` {
		t.Errorf("%s %v", got, err)
	}
}

func TestReadOnlyJoinResource(t *testing.T) {
	id := core.FieldSpec{Name: "id", Type: core.Int, Key: true}
	m := core.MustModel("m",
		core.ResourceSpec{Name: "issue", Fields: []core.FieldSpec{id, {Name: "title", Type: core.Text}, {Name: "labels", ToMany: "label", Through: "link"}}},
		core.ResourceSpec{Name: "label", Fields: []core.FieldSpec{id}},
		core.ResourceSpec{
			Name: "link", ReadOnly: true, Fields: []core.FieldSpec{id, {Name: "issue", ToOne: "issue"}, {Name: "label", ToOne: "label"}},
			Unique: [][]string{{"issue", "label"}},
		},
	)
	store, err := core.New(t.Context(), m, memory.NewWith(seed.Data{"issue": {1: nil}, "label": {1: nil, 2: nil}, "link": {1: {"issue": 1, "label": 2}}}))
	if err != nil {
		t.Fatal(err)
	}
	api, one := engine.New(store, engine.Options{}), engine.Write{Depth: 1}
	_, err = api.Update(t.Context(), "issue", 1, one, map[string]any{"labels": []any{1}})
	if e := core.AsError(err); e == nil || e.Public() != (&core.Error{Code: core.FieldReadOnly, Resource: "issue", Field: "labels"}).Public() {
		t.Errorf("setting the list: %v", err)
	}
	view, _, err := api.Replace(t.Context(), "issue", 1, one, map[string]any{"title": "x", "labels": []any{2}})
	if got := string(view.AppendJSON(nil)); err != nil || got != `{"id":1,"title":"x","labels":[2]}` {
		t.Errorf("a replacement that repeats the list: %s %v", got, err)
	}
}

func TestAfterCommitOutsideOfATransactionPanics(t *testing.T) {
	store, err := core.New(t.Context(), enginetest.Cookies(), memory.New())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if reason := fmt.Sprint(recover()); !strings.Contains(reason, "call it with the engine that Tx passes to its function") {
			t.Errorf("the panic is %s", reason)
		}
	}()
	engine.New(store, engine.Options{}).AfterCommit(func(context.Context) {})
}
