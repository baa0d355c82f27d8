package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/cookbook/internal/program"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/access"
	"github.com/larder-go/larder/decorators/logging"
	"github.com/larder-go/larder/decorators/metrics"
	"github.com/larder-go/larder/decorators/ownership"
	"github.com/larder-go/larder/decorators/readonly"
)

// layers is what the flags say of the decorators around the backend.
type layers struct {
	readOnly string // names of resources, separated by commas
	auth     bool
	policy   string // file
	level    string

	messages io.Writer
}

func layerFlags(p *program.Program) *layers {
	l := &layers{messages: p.Messages}
	p.Flags.StringVar(&l.readOnly, "read-only", "", "`resources` that nobody can write, separated by commas")
	p.Flags.BoolVar(&l.auth, "auth", false, "take bearer tokens, for demonstration: alice, bob and admin; each sees what she created, admin sees all")
	p.Flags.StringVar(&l.policy, "policy", "", "JSON `file` of rules; with -auth alice and bob have the role user and admin has admin, without it everybody is anonymous")
	p.Flags.StringVar(&l.level, "log-level", "info", "`level` from which on operations, and why requests failed, are logged: debug, info, warn, error or off")
	return l
}

// decorators composes the layers, outermost first.
func (l *layers) decorators(registry *prometheus.Registry, log *zap.Logger) ([]core.Decorator, error) {
	all := []core.Decorator{
		logging.New(log, logging.Options{}),
		metrics.New(registry, metrics.Options{}),
	}
	if l.readOnly != "" {
		all = append(all, readonly.New(readonly.Options{Resources: strings.Split(l.readOnly, ",")}))
	}
	if l.auth {
		all = append(all, ownership.New("owner", ownership.Options{Bypass: []string{"admin"}}))
	}
	if l.policy != "" {
		policy, err := readPolicy(l.policy)
		if err != nil {
			return nil, fmt.Errorf("-policy: %w", err)
		}
		all = append(all, access.New(policy, access.Options{}))
	}
	return append(all, metrics.New(registry, metrics.Options{Subsystem: "backend"})), nil
}

// watch has the registry show the pool of connections, if the backend has one.
func watch(registry *prometheus.Registry, backend core.Backend) {
	if server, ok := backend.(*postgres.Backend); ok {
		registry.MustRegister(metrics.PoolCollector(server.Stat))
	}
}

// logs are where operations, and where answers leave a line. Both are of JSON.
type logs struct {
	operations *zap.Logger
	answers    *slog.Logger
}

func (l *layers) logs() (logs, error) {
	if l.level == "off" {
		return logs{zap.NewNop(), slog.New(slog.DiscardHandler)}, nil
	}
	level, err := zapcore.ParseLevel(l.level)
	if err != nil || level > zapcore.ErrorLevel {
		return logs{}, fmt.Errorf("-log-level: no level %q; use debug, info, warn, error or off", l.level)
	}
	out := zapcore.Lock(zapcore.AddSync(l.messages))
	const apart = slog.LevelInfo - slog.LevelDebug // what is 1 to zap
	return logs{
		zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), out, level)),
		slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: slog.Level(level) * apart})),
	}, nil
}

func readPolicy(file string) (access.Policy, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	policy, err := access.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return policy, nil
}
