package storetest_test

import (
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
)

func TestTheNaiveBackendPasses(t *testing.T) {
	storetest.Run(t, func(testing.TB, *core.Model) core.Backend { return new(naive) })
}
