package storetest_test

import (
	"context"
	"errors"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kittest"
)

var closingDefects = []defect{
	{
		name:   "a closed backend goes on",
		breaks: []string{"closing/a closed backend begins nothing"},
		bend:   func(h *hooks) { h.close = func(*kittest.Naive) error { return nil } },
	},
	{
		name:   "a ping never fails",
		breaks: []string{"closing/a ping tells whether the backend can be used"},
		bend:   func(h *hooks) { h.ping = func(*kittest.Naive, context.Context) error { return nil } },
	},
	{
		name:   "nothing can be closed once it was used",
		breaks: []string{"closing/a closed store does nothing"},
		bend: func(h *hooks) {
			h.close = func(b *kittest.Naive) error {
				for _, all := range b.Rows {
					if len(all) > 0 {
						return errors.New("in use")
					}
				}
				return b.Close()
			}
		},
	},
	{
		name:   "closing waits for the open transaction",
		breaks: []string{"closing/closing waits for no transaction"},
		bend: func(h *hooks) {
			h.close = func(b *kittest.Naive) error {
				b.Turn <- struct{}{}
				return b.Close()
			}
		},
	},
	{
		name:   "every failure is unknown",
		breaks: []string{"errors/what did not happen is not called unknown"},
		bend: func(h *hooks) {
			h.commit = func(tx *kittest.NaiveTx, ctx context.Context) error {
				err := tx.Commit(ctx)
				if err != nil {
					err = errors.Join(core.ErrCommitUnknown, err)
				}
				return err
			}
		},
	},
}
