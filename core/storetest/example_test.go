package storetest_test

import (
	"fmt"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
	"github.com/larder-go/larder/core/storetest/internal/kittest"
)

// TestConformance, in the package of a backend, is all that it takes.
func ExampleRun() {
	TestConformance := func(t *testing.T) {
		storetest.Run(t, func(testing.TB, *core.Model) core.Backend {
			return new(kittest.Naive) // mybackend.New()
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
				return closed.(*kittest.Naive).Reopen() // mybackend.Open(path)
			},
		}
		opts.Run(t, func(testing.TB, *core.Model) core.Backend { return new(kittest.Naive) })
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
