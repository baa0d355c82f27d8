package fault_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
	"github.com/larder-go/larder/decorators/fault"
)

var (
	model = core.MustModel("cookies",
		core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, {Name: "type", Type: core.Text}}},
		core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}}})
	cookie, jar = model.Resource("cookie"), model.Resource("jar")
	commit      = []core.Kind{core.Tx}
)

func open(tb testing.TB, backend core.Backend) *core.Store {
	tb.Helper()
	store, err := core.New(tb.Context(), model, backend)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = store.Close() })
	return store
}

func empty(r *core.Resource) core.Record { return r.RecordOf(make([]core.Value, len(r.Columns()))) }

func TestFaultsAndTheirErrors(t *testing.T) {
	disk := errors.New("disk full")
	for name, c := range map[string]struct {
		rule    fault.Rule
		insert  error // nil for success
		stored  int
		outcome core.Outcome
	}{
		"no match by resource":           {fault.Rule{Resources: []string{"jar"}, Err: disk}, nil, 1, core.OutcomeOK},
		"no match by kind":               {fault.Rule{Kinds: []core.Kind{core.Delete}, Err: disk}, nil, 1, core.OutcomeOK},
		"error without a code":           {fault.Rule{Kinds: []core.Kind{core.Insert}, Err: disk}, core.ServerError, 0, core.OutcomeFailed},
		"unavailable":                    {fault.Rule{Kinds: []core.Kind{core.Insert}, Err: core.Unavailable}, core.Unavailable, 0, core.OutcomeUnavailable},
		"one conflict":                   {fault.Rule{Kinds: []core.Kind{core.Insert}, Times: 1, Err: core.ErrConflict}, nil, 1, core.OutcomeOK},
		"one conflict of the commit":     {fault.Rule{Kinds: commit, Times: 1, Err: core.ErrConflict}, nil, 1, core.OutcomeOK},
		"conflicts without end":          {fault.Rule{Kinds: commit, Err: core.ErrConflict}, core.ErrConflict, 0, core.OutcomeConflict},
		"commit of a resource":           {fault.Rule{Kinds: commit, Resources: []string{"cookie"}, Err: disk}, core.ServerError, 0, core.OutcomeFailed},
		"commit of another resource":     {fault.Rule{Kinds: commit, Resources: []string{"jar"}, Err: disk}, nil, 1, core.OutcomeOK},
		"commit unknown, not done":       {fault.Rule{Kinds: commit, Err: core.ErrCommitUnknown}, core.OutcomeUnknown, 0, core.OutcomeUnavailable},
		"commit unknown, done":           {fault.Rule{Kinds: commit, Err: core.ErrCommitUnknown, Committed: true}, core.OutcomeUnknown, 1, core.OutcomeUnavailable},
		"commits of transactions":        {fault.Rule{Kinds: []core.Kind{core.Tx, core.Insert}, Skip: 2, Err: disk}, nil, 1, core.OutcomeOK},
		"commits and the rest are apart": {fault.Rule{Skip: 1, Err: disk}, nil, 1, core.OutcomeOK},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // pauses after conflicts take no time in it
				backend := fault.New(memory.New(), 1, c.rule)
				store := open(t, backend)
				for _, insert := range []func() error{
					func() error { _, err := store.Insert(t.Context(), cookie, empty(cookie)); return err },
					func() error {
						return store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
							_, err := tx.Insert(ctx, cookie, empty(cookie))
							return err
						})
					},
					func() error {
						return store.Tx(t.Context(), func(ctx context.Context, tx *core.Transaction) error {
							_, err := tx.Final().Insert(ctx, cookie, empty(cookie))
							return err
						})
					},
				} {
					backend.Enable(false)
					before, _ := store.Count(t.Context(), cookie, core.All())
					backend.Enable(true)
					err := insert()
					backend.Enable(false)
					after, countErr := store.Count(t.Context(), cookie, core.All())
					if !errors.Is(err, c.insert) || core.OutcomeOf(err) != c.outcome || after-before != c.stored || countErr != nil {
						t.Errorf("%v (%s), %d stored, %v", err, core.OutcomeOf(err), after-before, countErr)
					}
					if c.rule.Times > 0 || c.rule.Skip > 0 {
						break // the rule has had its effect
					}
				}
			})
		})
	}
}

func TestDelaysAddUpAndEndWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := open(t, fault.New(memory.New(), 1, fault.Rule{Delay: time.Second}, fault.Rule{Kinds: commit, Delay: time.Minute}))
		start := time.Now()
		if _, err := store.Insert(t.Context(), cookie, empty(cookie)); err != nil || time.Since(start) != time.Minute+time.Second {
			t.Errorf("insert: %v, after %v", err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		start = time.Now()
		if _, err := store.Get(ctx, cookie, core.IntValue(1)); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second/2 {
			t.Errorf("get: %v, after %v", err, time.Since(start))
		}
		ctx, cancel = context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if _, err := store.Insert(ctx, cookie, empty(cookie)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("commit: %v", err)
		}
		if n, err := store.Count(t.Context(), cookie, core.All()); n != 1 || err != nil {
			t.Errorf("%d cookies, %v", n, err)
		}
	})
}

func TestSameSeedGivesTheSameFaults(t *testing.T) {
	run := func(seed uint64, rules ...fault.Rule) string {
		var outcomes []string
		store := open(t, fault.New(memory.New(), seed, rules...))
		for range 64 {
			_, err := store.Count(t.Context(), cookie, core.All())
			_, _ = store.Count(t.Context(), jar, core.All())
			outcomes = append(outcomes, core.OutcomeOf(err).String())
		}
		return strings.Join(outcomes, " ")
	}
	half := fault.Rule{Resources: []string{"cookie"}, Probability: 0.5, Err: core.Unavailable}
	first := run(7, half)
	if n := strings.Count(first, "unavailable"); n < 16 || n > 48 {
		t.Errorf("%d of 64 operations fail", n)
	}
	if again := run(7, half); again != first {
		t.Errorf("the same seed gives\n%s\nand\n%s", first, again)
	}
	if beside := run(7, half, fault.Rule{Resources: []string{"jar"}, Probability: 0.5, Err: core.Unavailable}); beside != first {
		t.Errorf("a rule changes the faults of another one:\n%s\nand\n%s", first, beside)
	}
	if other := run(8, half); other == first {
		t.Error("another seed gives the same faults")
	}
}

func TestCountsAndEnable(t *testing.T) {
	backend := fault.New(memory.New(), 1, fault.Rule{Kinds: []core.Kind{core.Count}, Skip: 1, Times: 2, Err: core.Unavailable})
	store := open(t, backend)
	var failed []bool
	for i := range 6 {
		backend.Enable(i != 2)
		_, err := store.Count(t.Context(), cookie, core.All())
		failed = append(failed, err != nil)
	}
	if got, want := fmt.Sprint(failed, backend.Counts()), "[false true false true false false] [{5 2}]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestInvalidRulesAreRejected(t *testing.T) {
	for mistake, rule := range map[string]fault.Rule{
		`rule 2: option Resources: the model "cookies" has no resource "biscuit"`:                     {Resources: []string{"biscuit"}},
		"rule 2: option Kinds: no backend sees an operation of the kind visib":                        {Kinds: []core.Kind{core.Visibility}},
		"rule 2: option Kinds: no backend sees an operation of the kind restore":                      {Kinds: []core.Kind{core.Restore}},
		"rule 2: an empty list matches nothing":                                                       {Kinds: []core.Kind{}},
		"rule 2: option Probability: 1.5 is out of range":                                             {Probability: 1.5},
		"rule 2: options Skip, Times and Delay must not be negative":                                  {Skip: -1},
		"rule 2: option Err: only a commit has an unknown outcome":                                    {Err: core.ErrCommitUnknown},
		"rule 2: option Err: only a commit has an unknown outcome; ":                                  {Kinds: []core.Kind{core.Tx, core.Insert}, Err: core.ErrCommitUnknown},
		"rule 2: option Committed: a committed transaction must not report another error; set Err to": {Kinds: commit, Err: core.ErrConflict, Committed: true},
	} {
		_, err := core.New(t.Context(), model, fault.New(memory.New(), 1, fault.Rule{}, rule))
		if err == nil || !strings.Contains(err.Error(), mistake) {
			t.Errorf("%v, want %s", err, mistake)
		}
	}
}

// honest runs programs against a backend and compares the outcomes that it reports with the records that it stores: an
// acknowledged insert is stored once, a failed one not at all, and one of unknown outcome at most once.
func honest(tb testing.TB, backend core.Backend) error {
	store := open(tb, backend)
	for i := range 100 {
		mark := strconv.Itoa(i)
		rec, err := cookie.NewRecord(map[string]any{"type": mark})
		if err != nil {
			return err
		}
		_, failed := store.Insert(tb.Context(), cookie, rec)
		n, err := store.Count(core.System(tb.Context()), cookie, core.Eq("type", mark))
		if err != nil {
			return err
		}
		unknown := errors.Is(failed, core.OutcomeUnknown)
		if failed == nil && n != 1 || failed != nil && !unknown && n != 0 || n > 1 {
			return errors.Join(fmt.Errorf("insert %d stored %d records", i, n), failed)
		}
	}
	return nil
}

func TestReportedOutcomesAreTrue(t *testing.T) {
	rules := []fault.Rule{
		{Kinds: commit, Probability: 0.1, Err: core.ErrConflict},
		{Kinds: commit, Probability: 0.1, Err: core.Unavailable},
		{Kinds: commit, Probability: 0.1, Err: core.ErrCommitUnknown, Committed: true},
		{Kinds: commit, Probability: 0.1, Err: core.ErrCommitUnknown},
	}
	for name, open := range map[string]storetest.Factory{"memory": inMemory, "file": inFile, "postgres": inPostgres} {
		t.Run(name, func(t *testing.T) {
			backend := fault.New(open(t, model), 3, rules...)
			if err := honest(t, backend); err != nil {
				t.Error(err)
			}
			for i, n := range backend.Counts() {
				if n.Faults == 0 {
					t.Errorf("rule %d has never applied", i+1)
				}
			}
		})
	}
}

// lying is a fault injector that reports a conflict after the commit of a write.
type lying struct{ core.Backend }

type lyingTx struct{ core.BackendTx }

func (l lying) Begin(ctx context.Context, opts core.BackendTxOptions) (core.BackendTx, error) {
	tx, err := l.Backend.Begin(ctx, opts)
	if opts.ReadOnly {
		return tx, err
	}
	return lyingTx{tx}, err
}

func (l lyingTx) Commit(ctx context.Context) error {
	if err := l.BackendTx.Commit(ctx); err != nil {
		return err
	}
	return core.ErrConflict
}

func TestLyingInjectorIsCaught(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := honest(t, lying{memory.New()})
		if err == nil || !strings.Contains(err.Error(), "stored 10 records") {
			t.Errorf("the property does not catch a conflict after a commit: %v", err)
		}
	})
}
