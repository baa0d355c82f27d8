package main

import (
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/access"
	"github.com/larder-go/larder/decorators/logging"
	"github.com/larder-go/larder/decorators/metrics"
	"github.com/larder-go/larder/decorators/ownership"
	"github.com/larder-go/larder/decorators/readonly"
)

var (
	readOnly   = flag.String("read-only", "", "`resources` without writes, separated by commas, or * for all")
	policyFile = flag.String("policy", "", "JSON `file` of access rules; with -auth alice and bob have the role user and admin has admin, without it every client is anonymous")
	logLevel   = flag.String("log-level", "info", "lowest `level` of logged operations and failed requests: debug, info, warn, error or off")
)

// compose returns the decorators that the flags select, outermost first.
func compose(registry *prometheus.Registry, log *zap.Logger) ([]core.Decorator, error) {
	stack := []core.Decorator{
		logging.New(log, logging.Options{}),
		metrics.New(registry, metrics.Options{}),
	}
	switch *readOnly {
	case "":
	case "*":
		stack = append(stack, readonly.New(readonly.Options{}))
	default:
		stack = append(stack, readonly.New(readonly.Options{Resources: strings.Split(*readOnly, ",")}))
	}
	if *auth {
		stack = append(stack, ownership.New("owner", ownership.Options{Bypass: []string{"admin"}}))
	}
	if *policyFile != "" {
		policy, err := readPolicy(*policyFile)
		if err != nil {
			return nil, fmt.Errorf("-policy: %w", err)
		}
		stack = append(stack, access.New(policy, access.Options{}))
	}
	return append(stack, metrics.New(registry, metrics.Options{Subsystem: "backend"})), nil
}

// logs are the loggers of operations and of failed requests. Both write JSON to the standard error.
type logs struct {
	operations *zap.Logger
	requests   *slog.Logger
}

func openLogs() (logs, error) {
	if *logLevel == "off" {
		return logs{zap.NewNop(), slog.New(slog.DiscardHandler)}, nil
	}
	level, err := zapcore.ParseLevel(*logLevel)
	if err != nil || level > zapcore.ErrorLevel {
		return logs{}, fmt.Errorf("-log-level: no level %q; use debug, info, warn, error or off", *logLevel)
	}
	out := zapcore.Lock(os.Stderr)
	const step = slog.LevelInfo - slog.LevelDebug // the distance of two levels, which is 1 in zap
	return logs{
		zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), out, level)),
		slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: slog.Level(level) * step})),
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
