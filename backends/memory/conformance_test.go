package memory_test

import (
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, func(testing.TB, *core.Model) core.Backend { return memory.New() })
}
