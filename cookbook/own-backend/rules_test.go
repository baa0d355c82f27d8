//go:build !race

package main

import (
	"testing"

	"github.com/larder-go/larder/core/engine/enginetest"
)

// TestEngineRulesOnMaps runs without the race detector only: one rule reads maps of 10,000 records 10,000 times, which takes
// 20 seconds with the detector.
func TestEngineRulesOnMaps(t *testing.T) { enginetest.Run(t, fresh) }
