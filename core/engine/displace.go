package engine

import (
	"context"

	"github.com/larder-go/larder/core"
)

// displace collects what becomes of those who hold the partners that the change
// takes in one-to-one relations.
func (w *writer) detachHolders(ctx context.Context, c *change, pending *pendingWrites) error {
	for _, f := range c.info.resource.References() {
		v := c.values[f.Column()]
		if !v.IsSet() || f.Inverse() == nil || f.Inverse().Many() {
			continue
		}
		holders, _, err := w.referrers(ctx, f, []core.Value{v}, 0)
		if err != nil {
			return err
		}
		for _, holder := range holders {
			if holder.Key() == c.key() {
				continue
			}
			if err := w.detachOrDelete(ctx, f, holder, pending); err != nil {
				return err
			}
		}
	}
	return nil
}
