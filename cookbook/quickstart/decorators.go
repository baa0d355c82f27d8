package main

import (
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

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
func compose(registry *prometheus.Registry, log *slog.Logger) ([]core.Decorator, error) {
	stack := []core.Decorator{
		logging.NewSlog(log, logging.Options{}),
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

// openLog returns the logger of operations and of failed requests. It writes JSON to the standard error.
func openLog() (*slog.Logger, error) {
	if *logLevel == "off" {
		return slog.New(slog.DiscardHandler), nil
	}
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
		if *logLevel == strings.ToLower(level.String()) {
			return slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level})), nil
		}
	}
	return nil, fmt.Errorf("-log-level: no level %q; use debug, info, warn, error or off", *logLevel)
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
