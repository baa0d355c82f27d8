package stacks_test

import (
	"context"
	"io"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
	"github.com/larder-go/larder/decorators/access"
	"github.com/larder-go/larder/decorators/logging"
	"github.com/larder-go/larder/decorators/metrics"
	"github.com/larder-go/larder/decorators/ownership"
	"github.com/larder-go/larder/decorators/readonly"
)

// layers to measure: the log is at info, and a get that succeeds has nothing to log.
func layers() map[string][]core.Decorator {
	config := zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig())
	logger := zap.New(zapcore.NewCore(config, zapcore.AddSync(io.Discard), zap.InfoLevel))
	var all access.Policy
	for _, r := range storetest.OwnedModel().Resources() {
		all = append(all, access.Rule{Roles: []string{"baker"}, Resource: r.Name(), Operations: access.Read | access.Update})
	}
	one := map[string]core.Decorator{
		"logging":   logging.New(logger, logging.Options{}),
		"metrics":   metrics.New(prometheus.NewRegistry(), metrics.Options{}),
		"readonly":  readonly.Resources(sealed),
		"ownership": ownership.Field("owner"),
		"access":    all.Decorator(),
	}
	sets := map[string][]core.Decorator{"none": nil}
	for name, d := range one {
		sets[name] = []core.Decorator{d}
	}
	sets["five"] = []core.Decorator{
		logging.New(logger, logging.Options{}),
		metrics.New(prometheus.NewRegistry(), metrics.Options{}),
		one["readonly"], one["ownership"], one["access"],
	}
	return sets
}
