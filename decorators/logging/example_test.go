package logging_test

import (
	"context"
	"fmt"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/logging"
)

// quiet returns a logger for examples, which omits the duration.
func quiet() *zap.Logger {
	return zap.NewExample(zap.WrapCore(func(c zapcore.Core) zapcore.Core { return withoutDuration{c} }))
}

type withoutDuration struct{ zapcore.Core }

func (c withoutDuration) Check(e zapcore.Entry, to *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	return to.AddCore(e, c)
}

func (c withoutDuration) Write(e zapcore.Entry, fields []zapcore.Field) error {
	var kept []zapcore.Field
	for _, f := range fields {
		if f.Key != "duration" {
			kept = append(kept, f)
		}
	}
	return c.Core.Write(e, kept)
}

func ExampleNew() {
	ctx := context.Background()
	store, err := core.New(ctx, model, memory.New(),
		logging.New(quiet(), logging.Options{Values: []string{"cookie.type"}}))
	if err != nil {
		fmt.Println(err)
		return
	}
	muffin, _ := cookie.NewRecord(map[string]any{"type": "muffin", "price": 2.5})
	_, _ = store.Insert(ctx, cookie, muffin)
	_ = store.Delete(core.WithRequestID(ctx, "r-17"), cookie, core.IntValue(7))
	// Output:
	// {"level":"debug","msg":"insert cookie","kind":"insert","resource":"cookie","outcome":"ok","rows":1,"attempt":1,"values":[{"type":"muffin"}]}
	// {"level":"debug","msg":"delete cookie","kind":"delete","resource":"cookie","outcome":"not_found","rows":0,"attempt":1,"request_id":"r-17","code":"OBJECT_DOES_NOT_EXIST","at":"cookie"}
}
