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
