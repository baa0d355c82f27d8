package rest_test

import (
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/rest/resttest"
)

func TestRules(t *testing.T) {
	resttest.Run(t, func(testing.TB, *core.Model) core.Backend { return memory.New() })
}
