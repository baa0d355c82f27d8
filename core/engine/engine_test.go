package engine_test

import (
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine/enginetest"
)

func TestRules(t *testing.T) {
	enginetest.Run(t, func(testing.TB, *core.Model) core.Backend { return memory.New() })
}

func TestACrowdAtAListSide(t *testing.T) {
	enginetest.Crowd(t, func(testing.TB, *core.Model) core.Backend { return memory.New() })
}
