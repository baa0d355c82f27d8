package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/larder-go/larder/cookbook/internal/program"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
	"github.com/larder-go/larder/decorators/logging"
)

var model = core.MustModel("cookies",
	core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "type", Type: core.Text},
		{Name: "recipe", Type: core.Text}, // a family secret: it is in no log
		{Name: "jar", ToOne: "jar"},
	}},
	core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{
		{Name: "id", Type: core.Int, Key: true},
		{Name: "cookies", ToMany: "cookie", Inverse: "jar"},
	}},
)

func main() { program.Main(run) }

func run(ctx context.Context, p *program.Program) (err error) {
	p.AddrFlag()
	where := p.StoreFlags()
	level := zap.NewAtomicLevelAt(zapcore.InfoLevel)
	p.Flags.TextVar(&level, "log-level", level, "`level` from which on lines are written: debug, info, warn or error")
	file := p.Flags.String("log", "stderr", "`file` to append the log to")
	slow := p.Flags.Duration("slow", time.Second, "what takes so long is a warning")
	oneIn := p.Flags.Int("one-in", 1, "of the lines for debugging, one in so many is written")
	if err := p.Parse(); err != nil {
		return err
	}
	logger, err := newLogger(*file, level)
	if err != nil {
		return fmt.Errorf("-log: %w", err)
	}
	defer logger.Sync() //nolint:errcheck // it is not buffered
	backend, err := where.Backend(ctx, model)
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
	mux.Handle("/log-level", level) // GET tells it, PUT changes it; not for the whole world
	return p.Serve(ctx, store, mux)
}

// newLogger writes lines of JSON whose times and durations people can read.
func newLogger(file string, level zap.AtomicLevel) (*zap.Logger, error) {
	config := zap.NewProductionConfig()
	config.Level = level
	config.OutputPaths = []string{file}
	config.Sampling = nil // the decorator's DebugSampling thins lines for debugging, and no others
	config.EncoderConfig.EncodeTime = zapcore.ISO8601TimeEncoder
	config.EncoderConfig.EncodeDuration = zapcore.StringDurationEncoder
	return config.Build(zap.AddStacktrace(zapcore.PanicLevel))
}

// identify gives each request an id, its own or a new one, which the client is
// told and the log has.
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
