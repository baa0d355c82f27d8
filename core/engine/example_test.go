package engine_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/engine/enginetest"
)

func open() *engine.Engine {
	store, err := core.New(context.Background(), enginetest.Cookies(), memory.New())
	if err != nil {
		log.Fatal(err)
	}
	return engine.New(store, engine.Options{})
}

func show(view engine.View, err error) {
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(view.AppendJSON(nil)))
}

func Example() {
	ctx, api := context.Background(), open()
	_, err := api.Create(ctx, "jar", engine.Write{}, map[string]any{
		"cookies": []any{map[string]any{"type": "muffin"}, map[string]any{"type": "shortbread"}},
	}, nil)
	if err != nil {
		log.Fatal(err)
	}
	show(api.Get(ctx, "jar", 1, engine.DefaultDepth))
	show(api.Update(ctx, "cookie", 2, engine.Write{Depth: 2}, map[string]any{"jar": 2}))
	show(api.Get(ctx, "jar", 1, 0))
	show(api.Get(ctx, "jar", 3, 1))
	// Output:
	// {"id":1,"cookies":[1,2]}
	// {"id":2,"type":"shortbread","jar":{"id":2,"cookies":[2]}}
	// 1
	// OBJECT_DOES_NOT_EXIST object_name="jar" object_id=3
}

func ExampleEngine_List() {
	ctx, api := context.Background(), open()
	for _, kind := range []string{"muffin", "shortbread", "macaron", "biscuit"} {
		if _, err := api.Create(ctx, "cookie", engine.Write{}, map[string]any{"type": kind}); err != nil {
			log.Fatal(err)
		}
	}
	q := engine.Query{
		Filter: map[string]any{"type": map[string]any{"ge": "c"}}, Sort: []string{"-type"}, Limit: 2, Depth: 1,
	}
	for {
		list, err := api.List(ctx, "cookie", q)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("page:")
		for _, view := range list.Views {
			show(view, nil)
		}
		if q.After = list.Next; q.After == "" {
			return
		}
	}
	// Output:
	// page:
	// {"id":2,"type":"shortbread"}
	// {"id":1,"type":"muffin"}
	// page:
	// {"id":3,"type":"macaron"}
}

func ExampleEngine_Replace() {
	ctx, api := context.Background(), open()
	for range 2 {
		view, created, err := api.Replace(ctx, "jar", 7, engine.Write{Depth: 1}, nil)
		show(view, err)
		fmt.Println("created:", created)
	}
	// Output:
	// {"id":7,"cookies":[]}
	// created: true
	// {"id":7,"cookies":[]}
	// created: false
}

func ExampleEngine_Delete() {
	ctx, api := context.Background(), open()
	_, err := api.Create(ctx, "jar", engine.Write{}, map[string]any{"cookies": []any{map[string]any{}}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(api.Delete(ctx, "jar", 1, engine.Write{}))
	show(api.Get(ctx, "cookie", 1, 1))
	// Output:
	// <nil>
	// {"id":1}
}

// A jar is created with the muffins that there are; without any, it is not created.
func ExampleEngine_Tx() {
	ctx, api := context.Background(), open()
	err := api.Tx(ctx, core.TxOptions{}, func(ctx context.Context, tx *engine.Engine) error {
		if _, err := tx.Create(ctx, "jar", engine.Write{}, map[string]any{}); err != nil {
			return err
		}
		n, err := tx.UpdateAll(ctx, "cookie", engine.Bulk{Filter: map[string]any{"type": "muffin"}, Max: 10}, map[string]any{"jar": 1})
		if err == nil && n == 0 {
			err = errors.New("no muffins for the jar")
		}
		return err
	})
	fmt.Println(err)
	show(api.Get(ctx, "jar", 1, 1))
	// Output:
	// no muffins for the jar
	// OBJECT_DOES_NOT_EXIST object_name="jar" object_id=1
}

func ExampleWrite_match() {
	ctx, api := context.Background(), open()
	if _, _, err := api.Replace(ctx, "cookie", 1, engine.Write{}, map[string]any{"type": "muffin"}); err != nil {
		log.Fatal(err)
	}
	// Changes the cookie only if it is unchanged since it was read.
	unchanged := func(current *engine.View) error {
		if current == nil || string(current.AppendJSON(nil)) != `{"id":1,"type":"biscuit"}` {
			return &core.Error{Code: core.PreconditionFailed}
		}
		return nil
	}
	show(api.Update(ctx, "cookie", 1, engine.Write{Depth: 1, Match: unchanged}, map[string]any{"type": "shortbread"}))
	// Output: PRECONDITION_FAILED
}

// Two requests are one transaction, and a message is sent once it has committed.
func ExampleEngine_AfterCommit() {
	ctx, api := context.Background(), open()
	err := api.Tx(ctx, core.TxOptions{}, func(ctx context.Context, tx *engine.Engine) error {
		jars, err := tx.Create(ctx, "jar", engine.Write{}, map[string]any{})
		if err != nil {
			return err
		}
		tx.AfterCommit(func(context.Context) { fmt.Println("a new jar:", jars[0].Key()) })
		_, err = tx.Create(ctx, "cookie", engine.Write{}, map[string]any{"jar": jars[0].Key()})
		fmt.Println("a new cookie:", err)
		return err
	})
	fmt.Println("committed:", err)
	// Output:
	// a new cookie: <nil>
	// a new jar: 1
	// committed: <nil>
}
