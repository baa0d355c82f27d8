package storetest_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
	"github.com/larder-go/larder/core/storetest/internal/kittest"
)

// TestMain sets rapid up for broken backends: failures are neither shrunk nor kept in files.
func TestMain(m *testing.M) {
	flag.Parse()
	for name, value := range map[string]string{"rapid.nofailfile": "true", "rapid.shrinktime": "0s"} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// reopenable is a backend that can be reopened.
type reopenable interface{ Reopen() core.Backend }

func reopen(_ testing.TB, closed core.Backend) core.Backend { return closed.(reopenable).Reopen() }

func TestNaiveBackendPasses(t *testing.T) {
	storetest.Options{Reopen: reopen, Patience: 2 * time.Millisecond}.Run(t, func(testing.TB, *core.Model) core.Backend { return new(kittest.Naive) })
}

func TestOptimisticBackendPasses(t *testing.T) {
	storetest.Run(t, func(testing.TB, *core.Model) core.Backend {
		return &optimistic{validate: validateAll, lock: lockAndRenew}
	})
}

func caseNamed(t *testing.T, name string) storetest.Case {
	all := storetest.Cases()
	i := slices.IndexFunc(all, func(c storetest.Case) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("there is no case %q", name)
	}
	return all[i]
}

func TestChecksSetsNumberOfRandomPrograms(t *testing.T) {
	programs := caseNamed(t, "random programs agree with the oracle")
	for _, n := range []int{1, 7, 230} { // below and above rapid's default
		opened := 0
		r := kittest.Record(t, func(tb testing.TB) {
			programs.Check(tb, func(testing.TB, *core.Model) core.Backend { opened++; return new(kittest.Naive) }, storetest.Options{Checks: n})
		})
		if want := n + 1; r.Failed() || opened != want { // one more for the case itself
			t.Errorf("%d checks opened %d backends, want %d\n%s", n, opened, want, r.Text())
		}
	}
}

func TestDecoratorsWrapBackendInEveryCase(t *testing.T) {
	var mu sync.Mutex
	seen := make(map[core.Kind]int)
	stores := 0
	watch := func(testing.TB) []core.Decorator {
		stores++
		return []core.Decorator{{Name: "watch", Kind: core.KindPolicy, KnowsRelated: true, Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
			return func(ctx context.Context, op *core.Op) (core.Result, error) {
				mu.Lock()
				seen[op.Kind]++
				mu.Unlock()
				return next(ctx, op)
			}, nil
		}}}
	}
	opts := storetest.Options{Checks: 1, Patience: time.Millisecond, Decorators: watch}
	opts.Run(t, func(testing.TB, *core.Model) core.Backend { return new(kittest.Naive) })
	for _, kind := range core.Kinds() {
		if seen[kind] == 0 && kind != core.Restore { // no backend sees a restore
			t.Errorf("no case does a %v", kind)
		}
	}
	durable := func(c storetest.Case) bool { return c.Durable }
	if cases := len(slices.DeleteFunc(storetest.Cases(), durable)); stores < cases {
		t.Errorf("%d stores have the decorator, of %d cases", stores, cases)
	}
}

func TestBindErrorIsReported(t *testing.T) {
	r := kittest.Record(t, func(tb testing.TB) {
		storetest.Cases()[0].Check(tb, func(testing.TB, *core.Model) core.Backend { return unbindable{} }, storetest.Options{})
	})
	if !r.Failed() || !strings.Contains(r.Text(), "no room for jars") {
		t.Errorf("failed %v:\n%s", r.Failed(), r.Text())
	}
}

type unbindable struct{ core.Backend }

func (unbindable) Bind(context.Context, *core.Model) error { return errNoRoom }
func (unbindable) Close() error                            { return nil }

var errNoRoom = errors.New("no room for jars")

func TestCasesHaveUniqueNamesAndRules(t *testing.T) {
	names := make(map[string]bool)
	for _, c := range storetest.Cases() {
		full := c.Family + "/" + c.Name
		if names[full] || c.Family == "" || c.Name == "" {
			t.Errorf("%q: the name is taken or empty", full)
		}
		names[full] = true
		if !strings.HasSuffix(c.Rule, ".") || len(c.Rule) < len(c.Name) {
			t.Errorf("%q: %q is no rule in a sentence", full, c.Rule)
		}
	}
}
