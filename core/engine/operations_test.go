package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/engine/enginetest"
	"github.com/larder-go/larder/core/seed"
)

// recorder records the operations that reach a backend, and transactions of several operations.
type recorder struct{ ops []string }

// recording is a backend that records its operations.
type recording struct {
	core.Backend

	by *recorder
}

func (b recording) Begin(ctx context.Context, opts core.BackendTxOptions) (core.BackendTx, error) {
	if !opts.Single {
		b.by.ops = append(b.by.ops, "tx")
	}
	tx, err := b.Backend.Begin(ctx, opts)
	return recordingTx{tx, b.by}, err
}

type recordingTx struct {
	core.BackendTx

	by *recorder
}

func (t recordingTx) note(op *core.Op) { t.by.ops = append(t.by.ops, describe(op)) }

func (t recordingTx) Read(ctx context.Context, op *core.Op) (core.Result, error) {
	t.note(op)
	return t.BackendTx.Read(ctx, op)
}

func (t recordingTx) Insert(ctx context.Context, op *core.Op) ([]core.Record, error) {
	t.note(op)
	return t.BackendTx.Insert(ctx, op)
}

func (t recordingTx) Update(ctx context.Context, op *core.Op) ([]core.Record, error) {
	t.note(op)
	return t.BackendTx.Update(ctx, op)
}

func (t recordingTx) Delete(ctx context.Context, op *core.Op) error {
	t.note(op)
	return t.BackendTx.Delete(ctx, op)
}

// describe formats an operation: kind, resource, number of keys or records, fields, limit, and whether it ends a
// transaction of several operations.
func describe(op *core.Op) string {
	text := op.Kind.String() + " " + op.Resource.Name()
	if n := max(len(op.Keys), len(op.Records)); n > 0 {
		text += fmt.Sprint(" ", n)
	}
	var fields []string
	for _, f := range op.Fields {
		fields = append(fields, f.Name())
	}
	if fields != nil {
		text += " (" + strings.Join(fields, " ") + ")"
	}
	if op.Limit > 0 {
		text += fmt.Sprint(" limit ", op.Limit)
	}
	if op.Final && op.Tx != nil {
		text += " final"
	}
	return text
}

const hundred = 100

// plain returns n copies of a body.
func plain(n int, body map[string]any) []map[string]any {
	return slices.Repeat([]map[string]any{body}, n)
}

func TestOperations(t *testing.T) {
	ctx := t.Context()
	for _, c := range []struct {
		rule  string
		model func() *core.Model
		do    func(api *engine.Engine) error
		want  []string
	}{
		{
			"one record as its id: one operation", enginetest.Cookies,
			func(api *engine.Engine) error { _, err := api.Get(ctx, "cookie", 1, 0); return err },
			[]string{"load cookie 1 (id)"},
		},
		{
			"a record with the id of a to-one relation: one operation", enginetest.Cookies,
			func(api *engine.Engine) error { _, err := api.Get(ctx, "cookie", 1, 1); return err },
			[]string{"load cookie 1"},
		},
		{
			"a page with ids of to-one relations: one operation", enginetest.Cookies,
			func(api *engine.Engine) error {
				_, err := api.List(ctx, "cookie", engine.Query{Depth: 1, Limit: hundred})
				return err
			},
			[]string{"select cookie limit 100"},
		},
		{
			"a list of ids: one operation", enginetest.Cookies,
			func(api *engine.Engine) error { _, err := api.List(ctx, "cookie", engine.Query{}); return err },
			[]string{"select cookie (id) limit 300"},
		},
		{
			"a list reads at most MaxRecords", enginetest.Cookies,
			func(api *engine.Engine) error {
				_, err := api.List(ctx, "cookie", engine.Query{Limit: 1000})
				return err
			},
			[]string{"select cookie (id) limit 300"},
		},
		{
			"each relation of a level: one operation", enginetest.Cookies,
			func(api *engine.Engine) error { _, err := api.Get(ctx, "cookie", 1, 2); return err },
			[]string{"tx", "load cookie 1", "load jar 1", "select cookie (id jar) limit 299 final"},
		},
		{
			"the id of a parent needs no read", enginetest.Cookies,
			func(api *engine.Engine) error { _, err := api.Get(ctx, "jar", 1, 2); return err },
			[]string{"tx", "load jar 1", "select cookie limit 100 final"},
		},
		{
			"the id of a grandparent needs no read", enginetest.Cookies,
			func(api *engine.Engine) error { _, err := api.Get(ctx, "cookie", 1, 3); return err },
			[]string{"tx", "load cookie 1", "load jar 1", "select cookie limit 100 final"},
		},
		{
			"a list side at depth 1 reads ids only", enginetest.Cookies,
			func(api *engine.Engine) error { _, err := api.Get(ctx, "jar", 1, 1); return err },
			[]string{"tx", "load jar 1", "select cookie (id jar) limit 300 final"},
		},
		{
			"a null relation needs no read", enginetest.Cookies,
			func(api *engine.Engine) error { _, err := api.Get(ctx, "cookie", hundred+1, 1); return err },
			[]string{"load cookie 1"},
		},
		{
			"a filter by a stored relation needs no read", enginetest.Cookies,
			func(api *engine.Engine) error {
				_, err := api.List(ctx, "cookie", engine.Query{Filter: map[string]any{"jar": 1}})
				return err
			},
			[]string{"select cookie (id) limit 300"},
		},
		{
			"a filter by an inverse relation: one operation", enginetest.Family,
			func(api *engine.Engine) error {
				_, err := api.List(ctx, "female", engine.Query{Filter: map[string]any{"husband": 1}})
				return err
			},
			[]string{"select female (id) limit 300"},
		},
		{
			"plain records: one insert, no transaction", enginetest.Cookies,
			func(api *engine.Engine) error {
				_, err := api.Create(ctx, "cookie", engine.Write{}, plain(hundred, map[string]any{"type": "a"})...)
				return err
			},
			[]string{"insert cookie 100"},
		},
		{
			"records with relations: one load, one insert", enginetest.Cookies,
			func(api *engine.Engine) error {
				_, err := api.Create(ctx, "cookie", engine.Write{Depth: 1}, plain(hundred, map[string]any{"jar": 1})...)
				return err
			},
			[]string{"tx", "load jar 1 (id)", "insert cookie 100"},
		},
		{
			"nested plain records: one insert", enginetest.Cookies,
			func(api *engine.Engine) error {
				_, err := api.Create(ctx, "jar", engine.Write{}, map[string]any{"cookies": plain(hundred, map[string]any{"type": "a"})})
				return err
			},
			[]string{"tx", "insert jar 1", "insert cookie 100", "select cookie (id jar)"},
		},
		{
			"an update of scalars: one operation", enginetest.Cookies,
			func(api *engine.Engine) error {
				_, err := api.Update(ctx, "cookie", 1, engine.Write{}, map[string]any{"type": "b", "jar": nil})
				return err
			},
			[]string{"update cookie 1"},
		},
		{
			"an update without write rules does not read the record", enginetest.Cookies,
			func(api *engine.Engine) error {
				_, err := api.Update(ctx, "cookie", 1, engine.Write{Depth: 1}, map[string]any{"jar": 1})
				return err
			},
			[]string{"tx", "load jar 1 (id)", "update cookie 1"},
		},
		{
			"setting a list: the members are updated in parts", enginetest.Cookies,
			func(api *engine.Engine) error {
				_, err := api.Update(ctx, "jar", 1, engine.Write{}, map[string]any{"cookies": []int{1, 2, hundred + 1}})
				return err
			},
			[]string{"tx", "load jar 1", "load cookie 3 (id jar)", "select cookie (id jar) limit 300", "update cookie 16", "update cookie 64", "update cookie 19"},
		},
		{
			"a write commits after its answer is complete", enginetest.Cookies,
			func(api *engine.Engine) error {
				_, err := api.Update(ctx, "jar", 1, engine.Write{Depth: 1}, nil)
				return err
			},
			[]string{"tx", "load jar 1", "select cookie (id jar) limit 300"},
		},
		{
			"an update with stored ids in the view: one operation", enginetest.Cookies,
			func(api *engine.Engine) error {
				_, err := api.Update(ctx, "cookie", 1, engine.Write{Depth: 1}, map[string]any{"type": "b"})
				return err
			},
			[]string{"update cookie 1"},
		},
		{
			"a write does not read records twice", enginetest.Cookies,
			func(api *engine.Engine) error {
				_, err := api.Update(ctx, "jar", 1, engine.Write{}, map[string]any{"cookies": []any{map[string]any{"jar": 1}}})
				return err
			},
			[]string{"tx", "load jar 1", "insert cookie 1", "select cookie (id jar) limit 301", "update cookie 16", "update cookie 64", "update cookie 20"},
		},
		{
			"relations to one resource are expanded together", enginetest.Family,
			func(api *engine.Engine) error {
				_, err := api.Create(ctx, "child", engine.Write{Depth: 4}, map[string]any{"father": map[string]any{}, "mother": map[string]any{}})
				return err
			},
			[]string{
				"tx", "insert male 1", "insert female 1", "insert child 1", "load male 1", "load female 1",
				"select child limit 100", "select male", "select child limit 100", "load male 1", "load female 1",
				"select child (id father) limit 292", "select male (id wife)", "select child (id mother) limit 290",
			},
		},
		{
			"a delete without referrers: one operation", enginetest.Cookies,
			func(api *engine.Engine) error { return api.Delete(ctx, "cookie", 1, engine.Write{}) },
			[]string{"delete cookie 1"},
		},
		{
			"a delete detaches in parts and ends the transaction", enginetest.Cookies,
			func(api *engine.Engine) error { return api.Delete(ctx, "jar", 1, engine.Write{}) },
			[]string{"tx", "load jar 1", "select cookie (id jar) limit 10000", "update cookie 16", "update cookie 64", "update cookie 20", "delete jar 1 final"},
		},
	} {
		t.Run(c.rule, func(t *testing.T) {
			checkOperations(t, c.model(), c.do, c.want)
		})
	}
}

// TestOperationsUnderPolicy checks the operations for ids of to-one relations where a policy may hide their targets.
func TestOperationsUnderPolicy(t *testing.T) {
	ctx := t.Context()
	policy := core.Decorator{Name: "policy", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(m *core.Model, next core.Handler) (core.Handler, error) {
		return func(ctx context.Context, op *core.Op) (core.Result, error) {
			if narrows := core.PrincipalOf(ctx).HasRole("reader"); narrows && op.Resource == m.Resource("jar") {
				op.Guard(core.Ne("id", 7))
			}
			return next(ctx, op)
		}, nil
	}}
	narrowed := core.WithPrincipal(ctx, &core.Principal{Roles: []string{"reader"}})
	for _, c := range []struct {
		rule string
		do   func(api *engine.Engine) error
		want []string
	}{
		{
			"a record with a to-one relation to visible records: one operation",
			func(api *engine.Engine) error { _, err := api.Get(ctx, "cookie", 1, 1); return err },
			[]string{"load cookie 1"},
		},
		{
			"a page with ids of visible records: one operation",
			func(api *engine.Engine) error {
				_, err := api.List(ctx, "cookie", engine.Query{Depth: 1, Limit: hundred})
				return err
			},
			[]string{"select cookie limit 100"},
		},
		{
			"an update with ids of visible records in the view: one operation",
			func(api *engine.Engine) error {
				_, err := api.Update(ctx, "cookie", 1, engine.Write{Depth: 1}, map[string]any{"type": "b"})
				return err
			},
			[]string{"update cookie 1"},
		},
		{
			"a record with a to-one relation: two operations",
			func(api *engine.Engine) error { _, err := api.Get(narrowed, "cookie", 1, 1); return err },
			[]string{"tx", "load cookie 1", "load jar 1 (id) final"},
		},
		{
			"a page: one operation and one for each relation",
			func(api *engine.Engine) error {
				_, err := api.List(narrowed, "cookie", engine.Query{Depth: 1, Limit: hundred})
				return err
			},
			[]string{"tx", "select cookie limit 100", "load jar 1 (id) final"},
		},
		{
			"a null relation needs no read",
			func(api *engine.Engine) error { _, err := api.Get(narrowed, "cookie", hundred+1, 1); return err },
			[]string{"tx", "load cookie 1"},
		},
		{
			"a safe answer ends the transaction of its write",
			func(api *engine.Engine) error {
				_, err := api.Update(narrowed, "cookie", 1, engine.Write{Depth: 1}, map[string]any{"type": "b"})
				return err
			},
			[]string{"tx", "update cookie 1", "load jar 1 (id) final"},
		},
	} {
		t.Run(c.rule, func(t *testing.T) { checkOperations(t, enginetest.Cookies(), c.do, c.want, policy) })
	}
}

// checkOperations compares the operations of a request at the backend with the expected ones.
func checkOperations(
	t *testing.T, m *core.Model, do func(api *engine.Engine) error, want []string, decorators ...core.Decorator,
) {
	t.Helper()
	var r recorder
	store, err := core.New(t.Context(), m, recording{memory.New(), &r}, decorators...)
	if err != nil {
		t.Fatal(err)
	}
	api := engine.New(store, engine.Options{MaxRecords: 3 * hundred})
	if m.Name() == "cookies" {
		cookies := append(plain(hundred, map[string]any{"jar": 1}), nil)
		if _, _, err := api.Replace(t.Context(), "jar", 1, engine.Write{}, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := api.Create(t.Context(), "cookie", engine.Write{}, cookies...); err != nil {
			t.Fatal(err)
		}
	}
	r.ops = nil
	if err := do(api); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(r.ops, want) {
		t.Errorf("operations are\n %s, want\n %s", strings.Join(r.ops, "\n "), strings.Join(want, "\n "))
	}
}

// tracks has tracks that are deleted with their album and relate to other tracks.
func tracks() *core.Model {
	return core.MustModel("tracks",
		core.ResourceSpec{Name: "album", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}},
		core.ResourceSpec{Name: "track", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "album", ToOne: "album", OnDelete: core.Cascade},
			{Name: "next", ToOne: "track"},
			{Name: "likes", ToMany: "track", Writable: core.Never},
		}},
	)
}

func TestOperationsLeftOut(t *testing.T) {
	ctx := t.Context()
	var likes []any
	for id := range 2500 { // three of them exist
		likes = append(likes, id)
	}
	for _, c := range []struct {
		rule string
		do   func(api *engine.Engine) error
		fail error
		want []string
	}{
		{
			"deleted records are not detached first",
			func(api *engine.Engine) error { return api.Delete(ctx, "album", 1, engine.Write{}) }, nil,
			[]string{"tx", "load album 1", "select track limit 3", "select track limit 3", "delete track 2", "delete album 1 final"},
		},
		{
			"records without relations need no transaction",
			func(api *engine.Engine) error {
				_, errCreate := api.Create(ctx, "album", engine.Write{Depth: 1}, nil)
				_, errGet := api.Get(ctx, "album", 1, 1)
				return errors.Join(errCreate, errGet)
			}, nil,
			[]string{"insert album 1", "load album 1"},
		},
		{
			"a stored list is not read beyond MaxRecords",
			func(api *engine.Engine) error { _, err := api.Get(ctx, "track", 3, 1); return err }, core.TooLarge,
			[]string{"tx", "load track 1", "load track 1000 (id)"},
		},
		{
			"an answer that must be too large writes nothing",
			func(api *engine.Engine) error {
				_, err := api.Create(ctx, "track", engine.Write{}, nil, nil, nil)
				return err
			}, core.TooLarge, nil,
		},
		{
			"a body names too many records",
			func(api *engine.Engine) error {
				_, err := api.Update(ctx, "track", 1, engine.Write{}, map[string]any{"likes": []any{1, 2, 3, 4}})
				return err
			}, core.TooLarge, nil,
		},
		{
			"a body creates too many records",
			func(api *engine.Engine) error {
				body := func() map[string]any { return map[string]any{"next": map[string]any{}} }
				_, err := api.Create(ctx, "track", engine.Write{}, map[string]any{"likes": []any{body(), body()}}, body())
				return err
			}, core.TooLarge, nil,
		},
	} {
		t.Run(c.rule, func(t *testing.T) {
			var r recorder
			store, err := core.New(ctx, tracks(), recording{memory.NewWith(seed.Data{
				"album": {1: nil},
				"track": {1: {"album": 1}, 2: {"album": 1, "next": 1}, 3: {"likes": likes}},
			}), &r})
			if err != nil {
				t.Fatal(err)
			}
			if err := c.do(engine.New(store, engine.Options{MaxRecords: 2, MaxWritten: 3})); !errors.Is(err, c.fail) {
				t.Errorf("error is %v, want %v", err, c.fail)
			}
			if !slices.Equal(r.ops, c.want) {
				t.Errorf("operations are\n %s, want\n %s", strings.Join(r.ops, "\n "), strings.Join(c.want, "\n "))
			}
		})
	}
}

func TestSortUnderPolicyIsOneOperation(t *testing.T) {
	var r recorder
	policy := core.Decorator{Name: "pass", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) { return next, nil }}
	store, err := core.New(t.Context(), tracks(), recording{memory.NewWith(seed.Data{"track": {1: {"next": 1}}}), &r}, policy)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := engine.New(store, engine.Options{MaxRecords: 2}).List(t.Context(), "track", engine.Query{Sort: []string{"next"}}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"select track (id) limit 2"}; !slices.Equal(r.ops, want) {
		t.Errorf("operations are %q, want %q", r.ops, want)
	}
}
