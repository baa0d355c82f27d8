package fault_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/fault"
)

func ExampleNew() {
	ctx := context.Background()
	faults := fault.New(memory.New(), 1,
		fault.Rule{Kinds: []core.Kind{core.Insert}, Times: 2, Err: core.ErrConflict},
		fault.Rule{Kinds: []core.Kind{core.Tx}, Skip: 1, Err: core.ErrCommitUnknown, Committed: true})
	store, err := core.New(ctx, model, faults)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = store.Close() }()
	fmt.Print(store.Describe())
	_, err = store.Insert(ctx, jar, empty(jar)) // two conflicts, then it succeeds
	fmt.Println(err)
	_, err = store.Insert(ctx, jar, empty(jar)) // stored, and the caller cannot know
	fmt.Println(errors.Is(err, core.OutcomeUnknown))
	n, _ := store.Count(ctx, jar, core.All())
	fmt.Println(n, faults.Counts())
	// Output:
	// model cookies
	//   memory with 2 rules for faults
	// <nil>
	// true
	// 2 [{4 2} {2 1}]
}

func ExampleBackend_Enable() {
	ctx := context.Background()
	faults := fault.New(memory.New(), 1, fault.Rule{Err: core.Unavailable})
	faults.Enable(false) // while the test stores its fixture
	store, err := core.New(ctx, model, faults)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = store.Close() }()
	_, err = store.Insert(ctx, jar, empty(jar))
	fmt.Println(err)
	faults.Enable(true)
	_, err = store.Get(ctx, jar, core.IntValue(1))
	fmt.Println(err)
	// Output:
	// <nil>
	// UNAVAILABLE
}
