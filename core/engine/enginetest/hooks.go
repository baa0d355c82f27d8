package enginetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
)

// hookFunc is the function of a [core.OnWrite].
type hookFunc = func(ctx context.Context, tx *core.Transaction, changes []core.Change) error

// hooking is [core.OnWrite] with [core.Transaction.AfterCommit], or a broken implementation of the two.
type hooking struct {
	onWrite     func(resource string, fn hookFunc) core.Decorator
	afterCommit func(ctx context.Context, tx *core.Transaction, fn func(context.Context))
}

var correctHooks = hooking{core.OnWrite, func(_ context.Context, tx *core.Transaction, fn func(context.Context)) { tx.AfterCommit(fn) }}

// hookRules are the rules of hooks. Each returns a description of the promise that the implementation breaks; empty for none.
var hookRules = []struct {
	name   string
	breaks func(tb testing.TB, newBackend NewBackend, h hooking) string
}{
	{"a hook sees every change with its images", hookImages},
	{"the error or panic of a hook changes nothing", hookErrors},
	{"the violations of a hook name the records of the request", hookViolations},
	{"the answer shows the writes of a hook", hookWrites},
	{"functions run once after the commit of their attempt", hooksAfterCommit},
	{"a hook sees true images and works for the principal", hooksUnderPolicies},
	{"hooks that call each other without end fail", hooksWithoutEnd},
}

func hookCases() []Case {
	var all []Case
	for _, rule := range hookRules {
		all = append(all, Case{rule.name, func(t *testing.T, newBackend NewBackend) {
			if broken := rule.breaks(t, newBackend, correctHooks); broken != "" {
				t.Error(broken)
			}
		}})
	}
	return all
}

// journal is a hook that keeps a line for each change.
type journal struct{ lines []string }

func (j *journal) hook(_ context.Context, _ *core.Transaction, changes []core.Change) error {
	for _, c := range changes {
		j.lines = append(j.lines, fmt.Sprintf("%s > %s", c.Before, c.After))
	}
	return nil
}

func hookImages(tb testing.TB, newBackend NewBackend, h hooking) string {
	var j journal
	api := open(tb, newBackend, chains(), engine.Options{}, h.onWrite("album", j.hook), h.onWrite("track", j.hook))
	none := core.Record{}.String()
	ctx := context.Background()
	body := func(members ...any) map[string]any { return map[string]any{"tracks": members} }
	for _, step := range []struct {
		name string
		send func() error
		want []string
	}{
		{"create with nested records", func() error {
			_, err := api.Create(ctx, "album", engine.Write{}, body(map[string]any{}, map[string]any{}))
			return err
		}, []string{none + " > album{id:1 single:null}", none + " > track{id:1 album:1 next:null}", none + " > track{id:2 album:1 next:null}"}},
		{"a change to the same value", func() error {
			_, err := api.Update(ctx, "track", 1, engine.Write{}, map[string]any{"album": 1})
			return err
		}, nil},
		{"a change of one field", func() error {
			_, err := api.Update(ctx, "track", 2, engine.Write{}, map[string]any{"next": 1})
			return err
		}, []string{"track{id:2 album:1 next:null} > track{id:2 album:1 next:1}"}},
		{"a delete that detaches", func() error { return api.Delete(ctx, "track", 1, engine.Write{}) }, []string{
			"track{id:2 album:1 next:1} > track{id:2 album:1 next:null}", "track{id:1 album:1 next:null} > " + none,
		}},
		{"a delete that cascades", func() error { return api.Delete(ctx, "album", 1, engine.Write{}) }, []string{
			"track{id:2 album:1 next:null} > " + none, "album{id:1 single:null} > " + none,
		}},
		{"a delete of a record that does not exist", func() error {
			if err := api.Delete(ctx, "album", 1, engine.Write{}); !errors.Is(err, core.NotFound) {
				return fmt.Errorf("got %w", err)
			}
			return nil
		}, nil},
	} {
		if err := step.send(); err != nil {
			return fmt.Sprintf("%s: %v", step.name, err)
		}
		slices.Sort(j.lines) // the order of the operations is no promise
		slices.Sort(step.want)
		if !slices.Equal(j.lines, step.want) {
			return fmt.Sprintf("%s: the hooks saw\n%s\nwant\n%s", step.name, strings.Join(j.lines, "\n"), strings.Join(step.want, "\n"))
		}
		j.lines = nil
	}
	return ""
}

func hookErrors(tb testing.TB, newBackend NewBackend, h hooking) string {
	own := errors.New("the program's own")
	var failure error
	store := openStore(tb, newBackend, Cookies(), h.onWrite("cookie", func(context.Context, *core.Transaction, []core.Change) error {
		if failure == nil {
			panic(own)
		}
		return failure
	}))
	api, ctx := engine.New(store, engine.Options{}), context.Background()
	create := func(api *engine.Engine) func(ctx context.Context) error {
		return func(ctx context.Context) (err error) {
			defer func() {
				if reason := recover(); reason != nil {
					err, _ = reason.(error)
				}
			}()
			_, err = api.Create(ctx, "jar", engine.Write{}, map[string]any{"cookies": []any{map[string]any{}}})
			return err
		}
	}
	cookie := store.Model().Resource("cookie")
	insert := func(ctx context.Context, into core.Querier) (err error) {
		defer func() {
			if reason := recover(); reason != nil {
				err, _ = reason.(error)
			}
		}()
		rec, err := cookie.NewRecord(nil)
		if err == nil {
			_, err = into.Insert(ctx, cookie, rec)
		}
		return err
	}
	for _, failure = range []error{own, &core.Error{Code: core.Forbidden, Cause: own}, nil} {
		if err := create(api)(ctx); !errors.Is(err, own) || failure != nil && errors.Is(err, core.Forbidden) != errors.Is(failure, core.Forbidden) {
			return fmt.Sprintf("%v: a create ends with %v", failure, err)
		}
		if err := insert(ctx, store); !errors.Is(err, own) {
			return fmt.Sprintf("%v: an insert ends with %v", failure, err)
		}
		err := store.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
			if err := insert(ctx, tx); !errors.Is(err, own) {
				return fmt.Errorf("an insert in a transaction: %w", err)
			}
			return nil // ignores the error
		})
		if err == nil {
			return fmt.Sprintf("%v: a transaction that ignores the error has committed", failure)
		}
		if n, err := store.Count(ctx, cookie, core.All()); n > 0 || err != nil {
			return fmt.Sprintf("%v: %d cookies are stored, %v", failure, n, err)
		}
	}
	return ""
}

// hookWrites has a hook that changes the written record, and a hook that changes the record that another one refers to.
// hookViolations rejects the track 1 as the next one of new tracks and of the track 3.
func hookViolations(tb testing.TB, newBackend NewBackend, h hooking) string {
	api := open(tb, newBackend, chains(), engine.Options{}, h.onWrite("track", func(_ context.Context, _ *core.Transaction, changes []core.Change) error {
		e := &core.Error{Code: core.ValidationFailed}
		for i, c := range changes {
			if c.After.Get("next") == core.IntValue(1) && (c.Before.IsZero() || c.After.Key() == core.IntValue(3)) {
				e.Violations = append(e.Violations, core.Violation{Resource: "track", Path: []any{"next"}, Rule: "first", Accepted: "another track", Record: i})
			}
		}
		if e.Violations == nil {
			return nil
		}
		return e
	}))
	ctx := context.Background()
	if _, err := api.Create(ctx, "track", engine.Write{}, map[string]any{}, map[string]any{}, map[string]any{}); err != nil {
		return fmt.Sprintf("create: %v", err)
	}
	if _, err := api.Update(ctx, "track", 2, engine.Write{}, map[string]any{"next": 1}); err != nil {
		return fmt.Sprintf("update: %v", err)
	}
	const violation = `"accepted":"another track","object_name":"track","path":[%s],%s"rule":"first"`
	_, err := api.UpdateAll(ctx, "track", engine.Bulk{Max: 9}, map[string]any{"next": 1})
	if got, want := errorText(err), fmt.Sprintf(violation, `"next"`, `"record_ids":[3],`); !strings.Contains(got, want) {
		return fmt.Sprintf("change of many records, of which one is no change: %s", got)
	}
	_, err = api.Create(ctx, "album", engine.Write{}, map[string]any{"tracks": []any{map[string]any{}, map[string]any{"next": 1}}})
	if got, want := errorText(err), fmt.Sprintf(violation, `"tracks",1,"next"`, ""); !strings.Contains(got, want) {
		return fmt.Sprintf("nested record: %s", got)
	}
	return ""
}

func hookWrites(tb testing.TB, newBackend NewBackend, h hooking) string {
	number := func(ctx context.Context, tx *core.Transaction, changes []core.Change) error {
		for _, c := range changes {
			if c.Before.IsZero() {
				r := c.After.Resource()
				patch := r.Patch(c.After.Key()).Set(r.Field("name"), core.TextValue("no. "+c.After.Key().String()))
				if _, err := tx.Update(ctx, r, patch); err != nil {
					return err
				}
			}
		}
		return nil
	}
	greet := func(ctx context.Context, tx *core.Transaction, changes []core.Change) error {
		male := tx.Model().Resource("male")
		for _, c := range changes {
			if father := c.After.Get("father"); father.IsSet() {
				if _, err := tx.Update(ctx, male, male.Patch(father).Set(male.Field("name"), core.TextValue("father"))); err != nil {
					return err
				}
			}
		}
		return nil
	}
	api, ctx := open(tb, newBackend, Family(), engine.Options{}, h.onWrite("male", number), h.onWrite("child", greet)), context.Background()
	for _, step := range []struct {
		resource string
		body     map[string]any
		want     string
	}{
		{"male", map[string]any{}, `{"id":1,"name":"no. 1","children":[],"url":"/male/1"}`},
		{"male", map[string]any{"children": []any{map[string]any{}}}, `{"id":2,"name":"father","children":[1],"url":"/male/2"}`},
		{"female", map[string]any{"husband": map[string]any{}}, `{"id":1,"husband":3,"children":[],"url":"/female/1"}`},
	} {
		views, err := api.Create(ctx, step.resource, engine.Write{Depth: 1}, step.body)
		if err != nil {
			return err.Error()
		}
		view, err := api.Get(ctx, step.resource, views[0].Key().Any(), 1)
		if err != nil {
			return err.Error()
		}
		for _, v := range []engine.View{views[0], view} {
			if got := string(v.AppendJSON(nil)); got != step.want {
				return fmt.Sprintf("%s %v is shown as %s, want %s", step.resource, step.body, got, step.want)
			}
		}
	}
	// the only write of this request is that of another record, and the hook changes the shown one
	if _, err := api.Create(ctx, "child", engine.Write{}, map[string]any{}); err != nil {
		return err.Error()
	}
	view, err := api.Update(ctx, "male", 1, engine.Write{Depth: 1}, map[string]any{"children": []any{2}})
	if err != nil {
		return err.Error()
	}
	if got, want := string(view.AppendJSON(nil)), `{"id":1,"name":"father","children":[2],"url":"/male/1"}`; got != want {
		return fmt.Sprintf("a father of a child is shown as %s, want %s", got, want)
	}
	return ""
}

// hooksAfterCommit counts functions that were registered in a transaction, against the commits of the backend.
func hooksAfterCommit(tb testing.TB, newBackend NewBackend, h hooking) string {
	var ran, stored atomic.Int64
	commit := &commits{}
	var store *core.Store
	notify := func(ctx context.Context, tx *core.Transaction, changes []core.Change) error {
		h.afterCommit(ctx, tx, func(ctx context.Context) {
			ran.Add(1)
			if n, err := store.Count(ctx, changes[0].After.Resource(), core.All()); err == nil {
				stored.Store(int64(n))
			}
		})
		return nil
	}
	store = openStore(tb, func(tb testing.TB, m *core.Model) core.Backend {
		commit.Backend = newBackend(tb, m)
		return commit
	}, Cookies(), h.onWrite("cookie", notify))
	api, ctx := engine.New(store, engine.Options{}), context.Background()
	own := errors.New("the program's own")
	create := func(ctx context.Context, api *engine.Engine) error {
		_, err := api.Create(ctx, "cookie", engine.Write{}, map[string]any{})
		return err
	}
	both := func(failure error) error {
		return api.Tx(ctx, core.TxOptions{}, func(ctx context.Context, tx *engine.Engine) error {
			tx.AfterCommit(func(context.Context) { ran.Add(1) })
			err := tx.Tx(ctx, core.TxOptions{}, create)
			if ran.Load() > 0 {
				return errors.New("a function has run before the commit of the outer transaction")
			}
			return errors.Join(err, failure)
		})
	}
	for _, step := range []struct {
		name     string
		outcomes []error // of the next commits that write
		send     func() error
		want     error
		ran      int64
		stored   int64
	}{
		{"one operation", nil, func() error { return create(ctx, api) }, nil, 1, 1},
		{"a transaction in a transaction", nil, func() error { return both(nil) }, nil, 2, 2},
		{"a rollback", nil, func() error { return both(own) }, own, 0, 2},
		{"one operation after a conflict", []error{core.ErrConflict, core.ErrConflict}, func() error { return create(ctx, api) }, nil, 1, 3},
		{"a transaction after a conflict", []error{core.ErrConflict}, func() error { return both(nil) }, nil, 2, 4},
		{"a commit of unknown outcome", []error{core.ErrCommitUnknown}, func() error { return both(nil) }, core.ErrCommitUnknown, 0, 4},
	} {
		ran.Store(0)
		commit.next = step.outcomes
		if err := step.send(); !errors.Is(err, step.want) {
			return fmt.Sprintf("%s: ends with %v", step.name, err)
		}
		if ran.Load() != step.ran || stored.Load() != step.stored {
			return fmt.Sprintf("%s: %d functions have run, with %d records, want %d and %d", step.name, ran.Load(), stored.Load(), step.ran, step.stored)
		}
	}
	return ""
}

// commits is a backend whose next commits of transactions that write fail.
type commits struct {
	core.Backend

	next []error
}

type commitsTx struct {
	core.BackendTx

	of *commits
}

func (c *commits) Begin(ctx context.Context, opts core.BackendTxOptions) (core.BackendTx, error) {
	opts.Single = false // the commit decides
	tx, err := c.Backend.Begin(ctx, opts)
	if err != nil || opts.ReadOnly {
		return tx, err
	}
	return commitsTx{tx, c}, nil
}

func (t commitsTx) Commit(ctx context.Context) error {
	if len(t.of.next) == 0 {
		return t.BackendTx.Commit(ctx)
	}
	err := t.of.next[0]
	t.of.next = t.of.next[1:]
	return errors.Join(err, t.Rollback(ctx))
}

// hooksUnderPolicies has a hook look for a hidden record, for the principal and for the program.
func hooksUnderPolicies(tb testing.TB, newBackend NewBackend, h hooking) string {
	var seen []string
	look := func(ctx context.Context, tx *core.Transaction, changes []core.Change) error {
		r := changes[0].After.Resource()
		own, err := tx.Load(ctx, r, []core.Value{core.IntValue(1)})
		if err != nil {
			return err
		}
		all, err := tx.Load(core.System(ctx), r, []core.Value{core.IntValue(1)})
		seen = append(seen, fmt.Sprintf("%s %d %d", changes[0].After.Get("owner"), len(own), len(all)))
		return err
	}
	api := open(tb, newBackend, owned(), engine.Options{}, ownerGuard(), h.onWrite("cookie", look))
	as := func(id int64) context.Context {
		return core.WithPrincipal(context.Background(), &core.Principal{ID: core.IntValue(id)})
	}
	for _, id := range []int64{1, 2} {
		if _, err := api.Create(as(id), "cookie", engine.Write{}, map[string]any{}); err != nil {
			return err.Error()
		}
	}
	if _, err := api.Update(as(2), "cookie", 1, engine.Write{}, map[string]any{"type": "x"}); !errors.Is(err, core.NotFound) {
		return fmt.Sprintf("a change of a hidden record ends with %v", err)
	}
	if got := strings.Join(seen, ", "); got != "1 1 1, 2 0 1" {
		return "the hook saw " + got
	}
	return hookGivesAway(tb, newBackend, h)
}

// hookGivesAway has a hook of the program give the written record to another owner. The answer does not show the record as it
// is then.
func hookGivesAway(tb testing.TB, newBackend NewBackend, h hooking) string {
	give := func(ctx context.Context, tx *core.Transaction, changes []core.Change) error {
		r := changes[0].After.Resource()
		if changes[0].After.Get("owner") == core.IntValue(9) {
			return nil
		}
		given := r.Patch(changes[0].After.Key()).Set(r.Field("owner"), core.IntValue(9)).Set(r.Field("type"), core.TextValue("secret"))
		_, err := tx.Update(core.System(ctx), r, given)
		return err
	}
	api := open(tb, newBackend, owned(), engine.Options{}, ownerGuard(), h.onWrite("cookie", give))
	ctx := core.WithPrincipal(context.Background(), &core.Principal{ID: core.IntValue(1)})
	for resource, body := range map[string]map[string]any{"cookie": {}, "jar": {"cookies": []any{map[string]any{}}}, "crumb": {"cookie": map[string]any{}}} {
		views, err := api.Create(ctx, resource, engine.Write{Depth: 2}, body)
		if err != nil {
			return err.Error()
		}
		if text := string(views[0].AppendJSON(nil)); strings.Contains(text, "secret") {
			return fmt.Sprintf("a new %s shows %s", resource, text)
		}
	}
	return ""
}

func hooksWithoutEnd(tb testing.TB, newBackend NewBackend, h hooking) string {
	api := open(tb, newBackend, Cookies(), engine.Options{}, h.onWrite("jar", func(ctx context.Context, tx *core.Transaction, changes []core.Change) error {
		_, err := tx.Insert(ctx, changes[0].After.Resource(), changes[0].After.Resource().RecordOf(make([]core.Value, 1)))
		return err
	}))
	if _, err := api.Create(context.Background(), "jar", engine.Write{}, map[string]any{}); !errors.Is(err, core.ServerError) {
		return fmt.Sprintf("got %v", err)
	}
	if list, err := api.List(context.Background(), "jar", engine.Query{}); err != nil || len(list.Views) > 0 {
		return fmt.Sprintf("%d jars are stored, %v", len(list.Views), err)
	}
	return ""
}
