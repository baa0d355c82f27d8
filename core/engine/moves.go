package engine

import (
	"context"

	"github.com/larder-go/larder/core"
)

// moves is what becomes of records of one resource when a relation is set: they
// point somewhere else, or die if they are left without what they cannot live
// without.
type moves struct {
	patches *patches
	dying   []core.Value
}

func newMoves(s *shape) *moves { return &moves{patches: s.patches()} }

func (m *moves) any() bool { return len(m.patches.keys)+len(m.dying) > 0 }

// detach has a record lose what it points at through f.
func (w *work) detach(ctx context.Context, f *core.Field, rec core.Record, m *moves) error {
	if f.Cascade() {
		m.dying = append(m.dying, rec.Key())
		return nil
	}
	if err := w.judge(ctx, f, rec, f.Target()); err != nil {
		return err
	}
	m.patches.set(rec.Key(), f, core.Null)
	return nil
}

// settle writes what was collected. Those who die go first if others take what must
// be unique, because they may hold it.
func (w *work) settle(ctx context.Context, m *moves) error {
	first := m.patches.takes()
	if len(m.dying) > 0 && first {
		if err := w.remove(ctx, m, false); err != nil {
			return err
		}
	}
	if err := w.update(ctx, m.patches); err != nil {
		return err
	}
	if len(m.dying) == 0 || first {
		return nil
	}
	return w.remove(ctx, m, false)
}
