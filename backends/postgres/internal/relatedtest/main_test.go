package relatedtest

import (
	"testing"

	"github.com/larder-go/larder/backends/postgres/internal/servertest"
)

func TestMain(m *testing.M) { servertest.Main(m) }
