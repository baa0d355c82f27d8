package memory_test

import (
	"context"
	"fmt"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/seed"
)

var cookies = core.MustModel("cookies",
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

func ExampleNew() {
	ctx := context.Background()
	store, err := core.New(ctx, cookies, memory.New())
	if err != nil {
		panic(err)
	}
	defer func() { _ = store.Close() }()

	cookie := cookies.Resource("cookie")
	muffin, _ := cookie.NewRecord(map[string]any{"type": "muffin"})
	stored, err := store.Insert(ctx, cookie, muffin)
	fmt.Println(stored, err)
	// Output: [cookie{id:1 type:muffin jar:null}] <nil>
}

func ExampleNewWith() {
	data, err := seed.Parse([]byte(`{
		"cookie": {"1": {"type": "muffin"}, "2": {"type": "shortbread", "jar": 1}},
		"jar":    {"1": {"cookies": [2]}}
	}`))
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	store, err := core.New(ctx, cookies, memory.NewWith(data))
	if err != nil {
		panic(err)
	}
	defer func() { _ = store.Close() }()

	page, err := store.Select(ctx, cookies.Resource("cookie"), core.Query{Where: core.Eq("jar", 1)})
	fmt.Println(page.Records, err)
	// Output: [cookie{id:2 type:shortbread jar:1}] <nil>
}

func ExampleBackend_Dump() {
	ctx := context.Background()
	backend := memory.New()
	store, err := core.New(ctx, cookies, backend)
	if err != nil {
		panic(err)
	}
	defer func() { _ = store.Close() }()

	jar := cookies.Resource("jar")
	empty, _ := jar.NewRecord(nil)
	_, err = store.Insert(ctx, jar, empty)
	fmt.Println(backend.Dump(), err)
	// Output: map[cookie:map[] jar:map[1:map[id:1]]] <nil>
}
