package rest_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
)

func Example() {
	model := core.MustModel("cookies",
		core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "cookies", ToMany: "cookie", Inverse: "jar"},
		}},
		core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
			{Name: "id", Type: core.Int, Key: true},
			{Name: "type", Type: core.Text},
			{Name: "jar", ToOne: "jar"},
		}},
	)
	ctx, stop := context.WithCancel(context.Background())
	store, err := core.New(ctx, model, memory.New())
	if err != nil {
		panic(err)
	}
	defer func() { _ = store.Close() }()
	h, err := rest.New(engine.New(store, engine.Options{}), rest.Options{})
	if err != nil {
		panic(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	served := make(chan error)
	go func() { served <- rest.Serve(ctx, ln, h) }()

	show := func(res *http.Response, err error) {
		if err != nil {
			panic(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		fmt.Println(res.StatusCode, string(body))
	}
	url := "http://" + ln.Addr().String()
	show(http.Post(url+"/jar?depth=2", "application/json", strings.NewReader(`{"cookies": [{"type": "muffin"}]}`)))
	show(http.Get(url + "/cookie/1"))
	show(http.Get(url + "/cookie/2"))

	stop()
	fmt.Println("served until the end:", <-served)
	// Output:
	// 201 {"id":1,"cookies":[{"id":1,"type":"muffin","jar":1}]}
	// 200 {"id":1,"type":"muffin","jar":1}
	// 404 {"error":{"code":"OBJECT_DOES_NOT_EXIST","message":"There is no cookie with the id 2, or you may not see it.","details":{"object_name":"cookie","object_id":2}}}
	// served until the end: <nil>
}
