package engine_test

import (
	"flag"
	"testing"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine/enginetest"
)

func TestMain(m *testing.M) {
	flag.IntVar(&enginetest.Rounds, "rounds", enginetest.Rounds, "how often the concurrent rules are played")
	flag.Parse()
	m.Run()
}

func TestRules(t *testing.T) {
	enginetest.Run(t, func(testing.TB, *core.Model) core.Backend { return memory.New() })
}

func TestACrowdAtAListSide(t *testing.T) {
	enginetest.Crowd(t, func(testing.TB, *core.Model) core.Backend { return memory.New() })
}
