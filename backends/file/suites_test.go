package file

import (
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine/enginetest"
	"github.com/larder-go/larder/core/rest/resttest"
)

// inMemory returns a backend that has nothing to wait for: the suites are about
// what it answers.
func inMemory(testing.TB, *core.Model) core.Backend {
	return openIn(newStrictFilesystem(), path, quiet())
}

func TestTheEnginesRules(t *testing.T) { enginetest.Run(t, inMemory) }

func TestTheRulesOfTheRestFace(t *testing.T) { resttest.Run(t, inMemory) }

func TestACrowdAtAListSide(t *testing.T) { enginetest.Crowd(t, inMemory) }
