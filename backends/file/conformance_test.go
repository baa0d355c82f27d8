package file_test

import (
	"path/filepath"
	"sync"
	"testing"

	"github.com/larder-go/larder/backends/file"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
)

// paths remembers where the kit's backends keep their files.
type paths struct{ m sync.Map }

func (p *paths) open(tb testing.TB, path string) core.Backend {
	tb.Helper()
	b := file.New(path, file.Options{})
	p.m.Store(b, path)
	return b
}

func TestConformance(t *testing.T) {
	var p paths
	storetest.Options{
		Reopen: func(tb testing.TB, closed core.Backend) core.Backend {
			path, _ := p.m.Load(closed)
			return p.open(tb, path.(string))
		},
	}.Run(t, func(tb testing.TB, _ *core.Model) core.Backend {
		return p.open(tb, filepath.Join(tb.TempDir(), "kit.db"))
	})
}
