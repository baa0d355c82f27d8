package file

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine/enginetest"
	"github.com/larder-go/larder/core/rest/resttest"
	"github.com/larder-go/larder/core/storetest"
)

// reopeningBackend closes and reopens its file before transactions that begin while no other one is open: before each of
// the first hundred, before every tenth of them if the file is large, and before every hundredth of the later ones. So the
// suites read the content of the file.
type reopeningBackend struct {
	fs    *strictFilesystem
	model *core.Model

	mu      sync.Mutex
	current *Backend
	open    int // transactions
	begun   int
	closed  bool
}

func newReopening(testing.TB, *core.Model) core.Backend {
	return &reopeningBackend{fs: newStrictFilesystem()}
}

func (r *reopeningBackend) Bind(ctx context.Context, m *core.Model) error {
	r.model, r.current = m, newBackend(r.fs, path, quiet())
	return r.current.Bind(ctx, m)
}

func (r *reopeningBackend) KeySource(of *core.Resource) core.KeySource {
	return core.DefaultKeySource(of)
}

func (r *reopeningBackend) Begin(ctx context.Context, opts core.BackendTxOptions) (core.BackendTx, error) {
	b, err := r.enter()
	if err != nil {
		return nil, err
	}
	tx, err := b.Begin(ctx, opts)
	if err != nil {
		r.leave()
		return nil, err
	}
	return &reopeningTx{tx, r}, nil
}

func (r *reopeningBackend) Ping(ctx context.Context) error {
	b, err := r.enter()
	if err != nil {
		return err
	}
	defer r.leave()
	return b.Ping(ctx)
}

func (r *reopeningBackend) enter() (*Backend, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, core.ErrClosed
	}
	r.begun++
	every := 1
	switch {
	case r.begun > 100:
		every = 100
	case r.fs.size() > 1<<20:
		every = 10
	}
	if r.open == 0 && r.begun%every == 0 {
		next := newBackend(r.fs, path, quiet())
		if err := errors.Join(r.current.Close(), next.Bind(context.Background(), r.model)); err != nil {
			return nil, err
		}
		r.current = next
	}
	r.open++
	return r.current, nil
}

func (r *reopeningBackend) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open--
}

func (r *reopeningBackend) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	return r.current.Close()
}

type reopeningTx struct {
	core.BackendTx

	of *reopeningBackend
}

func (t *reopeningTx) Commit(ctx context.Context) error {
	defer t.of.leave()
	return t.BackendTx.Commit(ctx)
}

func (t *reopeningTx) Rollback(ctx context.Context) error {
	defer t.of.leave()
	return t.BackendTx.Rollback(ctx)
}

// make test samples the suites on a backend that reopens its file: rules about values and changes that a file must keep. make
// soak runs all rules.
var reopenedSample = map[string]bool{
	// of the kit for backends
	"write": true, "batch": true, "ids": true, "integrity": true, "key parts": true, "transaction": true, "numbers": true, "answers": true,
	"random": true, "durability": true,
	// of the engine and of REST
	"fields": true, "values": true, "relations": true, "relation rules": true, "replacing": true, "assigned keys": true, "bytes": true,
	"types": true, "assigned ids": true,
}

func isReopened(family string) bool { return reopenedSample[family] || os.Getenv("LARDER_SOAK") != "" }

func TestConformanceReopened(t *testing.T) {
	opts := storetest.Options{
		Reopen: func(_ testing.TB, closed core.Backend) core.Backend {
			return &reopeningBackend{fs: closed.(*reopeningBackend).fs}
		},
	}
	for _, c := range storetest.Cases() {
		if isReopened(c.Family) {
			t.Run(c.Family+"/"+c.Name, func(t *testing.T) { c.Check(t, newReopening, opts) })
		}
	}
}

func TestEngineRulesReopened(t *testing.T) {
	for _, c := range enginetest.Cases() {
		if family, _, _ := strings.Cut(c.Name, "/"); isReopened(family) {
			t.Run(c.Name, func(t *testing.T) { c.Check(t, newReopening) })
		}
	}
}

func TestRESTRulesReopened(t *testing.T) {
	for _, c := range resttest.Cases() {
		if isReopened(c.Name) {
			t.Run(c.Name, func(t *testing.T) { c.Check(t, newReopening) })
		}
	}
}

// newInMemory returns a backend without a disk to wait for, since the suites check its answers only.
func newInMemory(testing.TB, *core.Model) core.Backend {
	return newBackend(newStrictFilesystem(), path, quiet())
}

func TestEngineRules(t *testing.T) { enginetest.Run(t, newInMemory) }

func TestRESTRules(t *testing.T) { resttest.Run(t, newInMemory) }

func TestConcurrentListChanges(t *testing.T) { enginetest.Crowd(t, newInMemory) }

// paths are the paths of the backends of the kit.
type paths struct{ m sync.Map }

func (p *paths) open(tb testing.TB, path string) core.Backend {
	tb.Helper()
	b := New(path, Options{})
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
