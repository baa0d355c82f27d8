//go:build !race

package main

import (
	"testing"

	"github.com/larder-go/larder/core/engine/enginetest"
)

// In one of the rules, maps of 10,000 records are looked through 10,000 times, for
// which the race detector needs 20 seconds.
func TestTheEnginesRulesOnMaps(t *testing.T) { enginetest.Run(t, fresh) }
