// Logging serves cookies and logs every operation and transaction of their store as a line of JSON with the id of the
// request. The level can be changed while the program runs:
//
//	go run ./cookbook/logging -log shop.log -log-level debug
//
// README.md shows it step by step; -help lists the flags.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"time"

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
	output = flag.String("log", "", "`file` to append the log to; default: the standard error")
	slow   = flag.Duration("slow", time.Second, "an operation that takes this long is a warning")
	oneIn  = flag.Int("one-in", 1, "of the lines at level debug, one in this many is written")
)

// levelFlag declares the flag of the level, which the program can change later.
func levelFlag() *slog.LevelVar {
	level := new(slog.LevelVar)
	flag.TextVar(level, "log-level", level, "lowest `level` of lines that are written: debug, info, warn or error")
	return level
}

func run(ctx context.Context) (err error) {
	to, err := openLog()
	if err != nil {
		return fmt.Errorf("-log: %w", err)
	}
	if to != os.Stderr {
		defer func() { err = errors.Join(err, to.Close()) }()
	}
	logger := slog.New(slog.NewJSONHandler(to, &slog.HandlerOptions{Level: level, ReplaceAttr: readable}))
	backend, err := openBackend(ctx, model)
	if err != nil {
		return err
	}
	store, err := core.New(ctx, model, backend,
		logging.NewSlog(logger, logging.Options{Slow: *slow, DebugSampling: *oneIn, Values: []string{"cookie.id", "cookie.type"}}))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	api, err := rest.New(engine.New(store, engine.Options{}), rest.Options{Logger: logger})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/", rest.WithRequestID(api))
	mux.HandleFunc("PUT /log-level", setLevel) // serve it on an internal address only
	return serve(ctx, store, mux)
}

// openLog opens the file of the log.
func openLog() (*os.File, error) {
	if *output == "" {
		return os.Stderr, nil
	}
	return os.OpenFile(*output, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
}

// readable writes durations as text.
func readable(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}

// setLevel sets the level to the text of the request.
func setLevel(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(io.LimitReader(r.Body, 100))
	if err == nil {
		err = level.UnmarshalText(text)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
