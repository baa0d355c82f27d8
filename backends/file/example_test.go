package file_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/larder-go/larder/backends/file"
	"github.com/larder-go/larder/core"
)

var cookies = core.MustModel("cookies", core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
	{Name: "id", Type: core.Int, Key: true},
	{Name: "type", Type: core.Text},
}})

// directory returns a directory for an example, and a function that removes it.
func directory() (dir string, remove func()) {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	return dir, func() { _ = os.RemoveAll(dir) }
}

// bake opens the file, adds a cookie and closes the file.
func bake(path, kind string) {
	ctx := context.Background()
	store, err := core.New(ctx, cookies, file.New(path, file.Options{}))
	if err != nil {
		panic(err)
	}
	rec, _ := cookies.Resource("cookie").NewRecord(map[string]any{"type": kind})
	if _, err := store.Insert(ctx, cookies.Resource("cookie"), rec); err != nil {
		panic(err)
	}
	if err := store.Close(); err != nil {
		panic(err)
	}
}

func ExampleNew() {
	dir, remove := directory()
	defer remove()
	path := filepath.Join(dir, "cookies.db")
	bake(path, "muffin")
	bake(path, "oat") // in another process, perhaps

	journal, err := os.ReadFile(path)
	fmt.Printf("%s%v\n", journal, err)
	// Output:
	// {"larder":"journal","version":2,"model":"cookies","resources":[{"name":"cookie","fields":[{"name":"id","type":"int","key":true},{"name":"type","type":"text"}]}],"crc":"7c91a940"}
	// {"n":1,"synced":179,"seq":{},"crc":"14c2f647"}
	// {"n":2,"synced":226,"seq":{"cookie":1},"crc":"59df6791"}
	// {"n":3,"synced":283,"put":{"cookie":[{"id":1,"type":"muffin"}]},"crc":"3f3a002e"}
	// {"n":4,"synced":365,"seq":{"cookie":1},"crc":"b15dea45"}
	// {"n":5,"synced":422,"seq":{"cookie":2},"crc":"fee4a789"}
	// {"n":6,"synced":479,"put":{"cookie":[{"id":2,"type":"oat"}]},"crc":"30b94087"}
	// {"n":7,"synced":558,"seq":{"cookie":2},"crc":"e4c04a83"}
	// <nil>
}

func ExampleBackend_Backup() {
	dir, remove := directory()
	defer remove()
	ctx := context.Background()
	backend := file.New(filepath.Join(dir, "cookies.db"), file.Options{})
	store, err := core.New(ctx, cookies, backend)
	if err != nil {
		panic(err)
	}
	defer func() { _ = store.Close() }()

	copied, err := os.Create(filepath.Join(dir, "backup.db"))
	if err != nil {
		panic(err)
	}
	fmt.Println(backend.Backup(ctx, copied), copied.Close())
	// Output: <nil> <nil>
}

func ExampleBackend_Compact() {
	dir, remove := directory()
	defer remove()
	ctx := context.Background()
	backend := file.New(filepath.Join(dir, "cookies.db"), file.Options{CompactRatio: -1})
	store, err := core.New(ctx, cookies, backend)
	if err != nil {
		panic(err)
	}
	defer func() { _ = store.Close() }()
	fmt.Println(backend.Compact(ctx))
	// Output: <nil>
}

func ExampleVerify() {
	dir, remove := directory()
	defer remove()
	path := filepath.Join(dir, "cookies.db")
	bake(path, "muffin")
	report, err := file.Verify(path)
	fmt.Println(report.Records, report.Torn, err)
	// Output: 1 0 <nil>
}

func ExampleRecover() {
	dir, remove := directory()
	defer remove()
	path := filepath.Join(dir, "cookies.db")
	bake(path, "muffin")
	bake(path, "oat")
	report, err := file.Recover(path, path+".recovered")
	fmt.Println(report.Records, report.Lost, report.Mended, err)
	// Output: 2 [] [] <nil>
}

func ExampleDump() {
	dir, remove := directory()
	defer remove()
	path := filepath.Join(dir, "cookies.db")
	bake(path, "muffin")
	bake(path, "oat")
	fmt.Println(file.Dump(path, os.Stdout))
	// Output:
	// {"cookie":{
	// "1": {"id":1,"type":"muffin"},
	// "2": {"id":2,"type":"oat"}
	// }}
	// <nil>
}

func ExampleModel() {
	dir, remove := directory()
	defer remove()
	path := filepath.Join(dir, "cookies.db")
	bake(path, "muffin")
	model, err := file.Model(path)
	fmt.Println(model.Name(), model.Resources(), err)
	// Output: cookies [cookie] <nil>
}

func ExampleOptions() {
	dir, remove := directory()
	defer remove()
	path := filepath.Join(dir, "cookies.db")
	bake(path, "muffin")
	store, err := core.New(context.Background(), cookies, file.New(path, file.Options{
		Progress: func(done, total int64) { fmt.Printf("%d %% read\n", 100*done/total) },
		Logger:   slog.New(slog.DiscardHandler),
	}))
	fmt.Println(err, store.Close())
	// Output:
	// 100 % read
	// <nil> <nil>
}
