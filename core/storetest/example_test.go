package storetest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
	"github.com/larder-go/larder/core/storetest"
)

// TestConformance, in the package of a backend, is all that it takes.
func ExampleRun() {
	TestConformance := func(t *testing.T) {
		storetest.Run(t, func(testing.TB, *core.Model) core.Backend {
			return new(naive) // mybackend.New()
		})
	}
	fmt.Printf("%T", TestConformance)
	// Output: func(*testing.T)
}

// A backend that is durable says how it is opened again; a slow one may ask for
// fewer random checks.
func ExampleOptions() {
	TestConformance := func(t *testing.T) {
		opts := storetest.Options{
			Checks: 20,
			Reopen: func(_ testing.TB, closed core.Backend) core.Backend {
				return closed.(*naive).reopen() // mybackend.Open(path)
			},
		}
		opts.Run(t, func(testing.TB, *core.Model) core.Backend { return new(naive) })
	}
	fmt.Printf("%T", TestConformance)
	// Output: func(*testing.T)
}

func ExampleCases() {
	for _, c := range storetest.Cases() {
		if c.Family == "check" {
			fmt.Println(c.Name)
		}
	}
	// Output:
	// insert checks the row as it is then
	// update checks the row as it is then
	// check sees columns that are not named
	// check sees null and the handed out key
	// one bad record fails all
	// not found comes before forbidden
	// reads and deletes do not look at check
	// check does not hide
}

// A policy that shows everybody their own rows needs no more than this; any other
// one says on which rows it is tried, for whom, and what they may see.
func ExampleGuard() {
	TestNobodyGetsRound := func(t *testing.T) {
		guarded := storetest.PolicySpec{
			Stack: func(testing.TB) storetest.Stack {
				return storetest.Stack{Decorators: []core.Decorator{owning()}} // mypolicy.New()
			},
		}
		open := func(testing.TB, *core.Model) core.Backend { return new(naive) }
		storetest.Guard(t, open, guarded)
		storetest.NonInterference(t, open, guarded)
	}
	fmt.Printf("%T", TestNobodyGetsRound)
	// Output: func(*testing.T)
}

// A policy on a model of its own: a page is seen by everybody once it is
// published, and else by its author.
func ExamplePolicySpec() {
	guarded := storetest.PolicySpec{
		Model: core.MustModel("blog", core.ResourceSpec{Name: "page", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "author", Type: core.Text},
			{Name: "published", Type: core.Bool},
		}}),
		Rows: seed.Data{"page": {
			1: {"author": "ann", "published": true}, 2: {"author": "ann", "published": false},
			3: {"author": "bob", "published": true}, 4: {"author": "bob", "published": false},
			5: {"published": false},
		}},
		Principals: []*core.Principal{{ID: core.TextValue("ann")}, {ID: core.TextValue("bob")}},
		CanRead: func(p *core.Principal, row core.Record) bool {
			return row.Get("published").Bool() || p.ID.IsSet() && row.Get("author") == p.ID
		},
		Denies: func(_ *core.Principal, kind core.Kind, _ *core.Resource) bool { return kind.Writes() },
		Stack:  func(testing.TB) storetest.Stack { return storetest.Stack{Decorators: []core.Decorator{publishing()}} },
	}
	TestNobodyGetsRound := func(t *testing.T) {
		storetest.Guard(t, func(testing.TB, *core.Model) core.Backend { return new(naive) }, guarded)
	}
	fmt.Printf("%T", TestNobodyGetsRound)
	// Output: func(*testing.T)
}

func ExampleGuardCases() {
	for _, c := range storetest.GuardCases()[:3] {
		fmt.Println(c.Name)
	}
	// Output:
	// reads meet what is seen
	// updates meet what may be changed
	// deletes meet what may be deleted
}

// A log that has a line for each operation and each transaction, and no more.
func ExampleTransparent() {
	TestItOnlyWatches := func(t *testing.T) {
		storetest.Transparent(t, func(testing.TB, *core.Model) core.Backend { return new(naive) }, storetest.Transparency{
			Stack: func(testing.TB) storetest.ObservedStack {
				log := new(journal) // mylog.New()
				return storetest.ObservedStack{
					Decorators: []core.Decorator{log.observing()},
					Check: func(tb testing.TB, happened []storetest.Event) {
						if lines := strings.Count(log.drain(), "\n") + 1; lines != max(1, len(happened)) {
							tb.Errorf("%d lines for %v", lines, happened)
						}
					},
				}
			},
		})
	}
	fmt.Printf("%T", TestItOnlyWatches)
	// Output: func(*testing.T)
}
