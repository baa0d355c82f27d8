package logging_test

import (
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/policytest"
	"github.com/larder-go/larder/decorators/logging"
	"github.com/larder-go/larder/decorators/ownership"
)

// The lines about the operations of a principal contain no more about hidden rows than the answers do. (Through an engine
// they contain a little more: the operations on hidden related rows, which find no row.)
func TestLinesRevealNoHiddenRows(t *testing.T) {
	policytest.NonInterferenceOfStore(t, func(testing.TB, *core.Model) core.Backend { return memory.New() }, policytest.PolicySpec{
		Operations: 2000,
		Stack: func(testing.TB) policytest.Stack {
			zapCore, logs := observer.New(zapcore.DebugLevel)
			logger := zap.New(zapCore)
			return policytest.Stack{
				Decorators: []core.Decorator{logging.New(logger, logging.Options{Slow: -1}), ownership.New("owner", ownership.Options{}), logging.New(logger, logging.Options{Slow: -1})},
				Observe:    func() string { return linesOf(logs) },
			}
		},
	})
}
