package storetest_test

import (
	"fmt"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
	"github.com/larder-go/larder/core/storetest/internal/kittest"
)

// The conformance test in the package of a backend.
func ExampleRun() {
	TestConformance := func(t *testing.T) {
		storetest.Run(t, func(testing.TB, *core.Model) core.Backend {
			return new(kittest.Naive) // mybackend.New()
		})
	}
	fmt.Printf("%T", TestConformance)
	// Output: func(*testing.T)
}

// A durable backend sets Reopen. A slow one may draw fewer random checks.
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
	// insert checks the after image
	// update checks the after image
	// check applies to all columns
	// check applies to nulls and generated keys
	// one rejected record fails the batch
	// not found comes before forbidden
	// reads and deletes ignore check
	// check ignores the before image
}
