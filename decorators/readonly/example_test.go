package readonly_test

import (
	"context"
	"fmt"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/readonly"
)

func ExampleNew() {
	ctx := context.Background()
	store, err := core.New(ctx, model, memory.New(), readonly.New(readonly.Options{}))
	if err != nil {
		panic(err)
	}
	_, err = store.NextIDs(ctx, jar, 1)
	fmt.Println(err)
	// Output: READ_ONLY object_name="Jar"
}

func ExampleOptions() {
	ctx := context.Background()
	store, err := core.New(ctx, model, memory.New(), readonly.New(readonly.Options{Resources: []string{"jar"}}))
	if err != nil {
		panic(err)
	}
	muffin, _ := cookie.NewRecord(map[string]any{"type": "muffin"})
	stored, err := store.Insert(ctx, cookie, muffin)
	fmt.Println(stored, err)
	empty, _ := jar.NewRecord(nil)
	_, err = store.Insert(ctx, jar, empty)
	fmt.Println(err)
	// Output:
	// [cookie{id:1 type:muffin jar:null}] <nil>
	// READ_ONLY object_name="Jar"
}

func ExampleSwitch() {
	ctx := context.Background()
	var maintenance readonly.Switch
	store, err := core.New(ctx, model, memory.New(), readonly.New(readonly.Options{Switch: &maintenance}))
	if err != nil {
		panic(err)
	}
	maintenance.Set(true)
	if err := maintenance.Wait(ctx); err != nil {
		panic(err)
	}
	fmt.Println(store.Delete(ctx, jar, core.IntValue(1)))
	maintenance.Set(false)
	fmt.Println(store.Delete(ctx, jar, core.IntValue(1)))
	// Output:
	// READ_ONLY object_name="Jar"
	// OBJECT_DOES_NOT_EXIST object_name="Jar" object_id=1
}
