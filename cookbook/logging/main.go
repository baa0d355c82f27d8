// Logging serves cookies and logs every operation and transaction of their store as a line of JSON with the id of the
// request. The level can be changed while the program runs:
//
//	go run ./cookbook/logging -log shop.log -log-level debug
//
// README.md shows it step by step; -help lists the flags.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
	"github.com/larder-go/larder/decorators/logging"
)

var model = core.MustModel("cookies",
	core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "type", Type: core.Text},
		{Name: "recipe", Type: core.Text}, // never logged
		{Name: "jar", ToOne: "jar"},
	}},
	core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "cookies", ToMany: "cookie", Inverse: "jar"},
	}},
)

var (
	level  = levelFlag()
	output = flag.String("log", "stderr", "`file` to append the log to")
	slow   = flag.Duration("slow", time.Second, "an operation that takes this long is a warning")
	oneIn  = flag.Int("one-in", 1, "of the lines at level debug, one in this many is written")
)

// levelFlag declares the flag of the level, which the program can change later.
func levelFlag() zap.AtomicLevel {
	level := zap.NewAtomicLevelAt(zapcore.InfoLevel)
	flag.TextVar(&level, "log-level", level, "lowest `level` of lines that are written: debug, info, warn or error")
	return level
}

func run(ctx context.Context) (err error) {
	logger, err := newLogger(*output)
	if err != nil {
		return fmt.Errorf("-log: %w", err)
	}
	defer logger.Sync() //nolint:errcheck // the log has no buffer
	backend, err := openBackend(ctx, model)
	if err != nil {
		return err
	}
	store, err := core.New(ctx, model, backend,
		logging.New(logger, logging.Options{Slow: *slow, DebugSampling: *oneIn, Values: []string{"cookie.id", "cookie.type"}}))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	api, err := rest.New(engine.New(store, engine.Options{}), rest.Options{})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/", identify(api))
	mux.Handle("/log-level", level) // GET returns the level, PUT changes it; serve it on an internal address only
	return serve(ctx, store, mux)
}

// newLogger writes lines of JSON with readable times and durations.
func newLogger(file string) (*zap.Logger, error) {
	config := zap.NewProductionConfig()
	config.Level = level
	config.OutputPaths = []string{file}
	config.Sampling = nil // DebugSampling of the decorator drops lines at level debug only
	config.EncoderConfig.EncodeTime = zapcore.ISO8601TimeEncoder
	config.EncoderConfig.EncodeDuration = zapcore.StringDurationEncoder
	return config.Build(zap.AddStacktrace(zapcore.PanicLevel))
}

// identify gives each request an id, which the answer and the log show. A client may choose the id.
func identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("X-Request-Id")
		if id == "" {
			id = rand.Text()
		}
		w.Header().Set("X-Request-Id", id)
		next.ServeHTTP(w, r.WithContext(logging.WithRequestID(r.Context(), id)))
	})
}
