package file

import (
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine/enginetest"
	"github.com/larder-go/larder/core/rest/resttest"
)

// newInMemory returns a backend that has nothing to wait for: the suites are about
// what it answers.
func newInMemory(testing.TB, *core.Model) core.Backend {
	return newBackend(newStrictFilesystem(), path, quiet())
}

func TestTheEnginesRules(t *testing.T) { enginetest.Run(t, newInMemory) }

func TestTheRulesOfTheRestFace(t *testing.T) { resttest.Run(t, newInMemory) }

func TestACrowdAtAListSide(t *testing.T) { enginetest.Crowd(t, newInMemory) }
