package core_test

import (
	"context"
	"fmt"
	"log"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/typed"
)

func Example() {
	model, err := core.NewModel("cookies",
		core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "type", Type: core.Text},
			{Name: "jar", ToOne: "jar"},
		}},
		core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "cookies", ToMany: "cookie", Inverse: "jar"},
		}},
	)
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	store, err := core.New(ctx, model, memory.New()) // decorators go here, outermost first
	if err != nil {
		log.Fatal(err)
	}

	type Cookie struct {
		ID   int64
		Type string
		Jar  *int64 // null when nil
	}
	cookies, err := typed.New[Cookie](store, "cookie")
	if err != nil {
		log.Fatal(err)
	}
	err = store.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
		return cookies.In(tx).Insert(ctx, &Cookie{Type: "muffin"}, &Cookie{Type: "shortbread"})
	})
	if err != nil {
		log.Fatal(err)
	}
	for cookie, err := range cookies.All(ctx, core.Query{Where: core.Prefix("type", "m")}) {
		fmt.Println(cookie.ID, cookie.Type, err)
	}
	// Output: 1 muffin <nil>
}

// A hook counts the cookies of each jar, and reports new cookies once they are stored.
func ExampleOnWrite() {
	model := core.MustModel("cookies",
		core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "jar", ToOne: "jar"},
		}},
		core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "filled", Type: core.Int, Default: 0},
		}},
	)
	cookie, jar := model.Resource("cookie"), model.Resource("jar")
	count := core.OnWrite("cookie", func(ctx context.Context, tx *core.Transaction, changes []core.Change) error {
		ctx = core.System(ctx) // the program counts, whatever the principal may do with jars
		for _, c := range changes {
			key := c.After.Get("jar")
			if !c.Before.IsZero() || !key.IsSet() {
				continue
			}
			rec, err := tx.Get(ctx, jar, key)
			if err != nil {
				return err
			}
			filled := core.IntValue(rec.Get("filled").Int() + 1)
			if _, err := tx.Update(ctx, jar, jar.Patch(key).Set(jar.Field("filled"), filled)); err != nil {
				return err
			}
			tx.AfterCommit(func(context.Context) { fmt.Println("stored:", c.After) })
		}
		return nil
	})
	ctx := context.Background()
	store, err := core.New(ctx, model, memory.New(), count)
	if err != nil {
		log.Fatal(err)
	}
	empty, err := jar.NewRecord(nil)
	if err != nil {
		log.Fatal(err)
	}
	jars, err := store.Insert(ctx, jar, empty)
	if err != nil {
		log.Fatal(err)
	}
	inJar, err := cookie.NewRecord(map[string]any{"jar": jars[0].Key()})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := store.Insert(ctx, cookie, inJar, inJar); err != nil {
		log.Fatal(err)
	}
	full, err := store.Get(ctx, jar, jars[0].Key())
	fmt.Println(full, err)
	// Output:
	// stored: cookie{id:1 jar:1}
	// stored: cookie{id:2 jar:1}
	// jar{id:1 filled:2} <nil>
}
