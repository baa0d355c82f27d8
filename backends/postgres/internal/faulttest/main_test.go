// Package faulttest tests the backend while connections break, servers restart or fail over, and resources run out.
package faulttest

import (
	"testing"

	"github.com/larder-go/larder/backends/postgres/internal/servertest"
)

func TestMain(m *testing.M) { servertest.Main(m) }
