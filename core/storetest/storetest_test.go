package storetest_test

import (
	"flag"
	"os"
	"testing"
	"time"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
	"github.com/larder-go/larder/core/storetest/internal/kittest"
)

// TestMain has rapid neither shrink nor keep what the broken backends are meant
// to fail with.
func TestMain(m *testing.M) {
	flag.Parse()
	for name, value := range map[string]string{"rapid.nofailfile": "true", "rapid.shrinktime": "0s"} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// reopenable is a backend of this package that can be opened again.
type reopenable interface{ Reopen() core.Backend }

func reopen(_ testing.TB, closed core.Backend) core.Backend { return closed.(reopenable).Reopen() }

func TestTheNaiveBackendPasses(t *testing.T) {
	storetest.Options{Reopen: reopen, Patience: 2 * time.Millisecond}.Run(t, func(testing.TB, *core.Model) core.Backend { return new(kittest.Naive) })
}

func TestABackendThatDoesNotWaitPasses(t *testing.T) {
	storetest.Run(t, func(testing.TB, *core.Model) core.Backend { return &optimistic{validate: validateAll} })
}
