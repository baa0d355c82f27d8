package engine

import (
	"context"

	"github.com/larder-go/larder/core"
)

// displacement is what happens to the records whose partners in one-to-one
// relations are taken by another record: they are left without, or die if they
// cannot live without.
type displacement struct {
	patches *patches
	dying   []core.Value
}

func newDisplacement(s *shape) *displacement { return &displacement{patches: s.patches()} }

// displace collects those who hold the partners that the change takes.
func (w *work) displace(ctx context.Context, c *change, d *displacement) error {
	for _, f := range c.shape.resource.References() {
		v := c.values[f.Column()]
		if !v.IsSet() || f.Inverse() == nil || f.Inverse().Many() {
			continue
		}
		holders, err := w.pointing(ctx, f, []core.Value{v})
		if err != nil {
			return err
		}
		for _, holder := range holders {
			if holder.Key() == c.key() {
				continue
			}
			if err := w.detach(f, holder, d); err != nil {
				return err
			}
		}
	}
	return nil
}

// detach has a record lose what it points at through f.
func (w *work) detach(f *core.Field, rec core.Record, d *displacement) error {
	if f.Cascade() {
		d.dying = append(d.dying, rec.Key())
		return nil
	}
	if err := w.judge(f, rec); err != nil {
		return err
	}
	d.patches.set(rec.Key(), f, core.Null)
	return nil
}

// settle writes what was collected.
func (w *work) settle(ctx context.Context, d *displacement) error {
	if len(d.patches.keys) > 0 {
		if err := w.update(ctx, d.patches); err != nil {
			return err
		}
	}
	if len(d.dying) == 0 {
		return nil
	}
	return w.remove(ctx, d.patches.shape, d.dying, false)
}
