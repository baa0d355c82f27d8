package memory

import (
	"fmt"
	"math"
	"sync/atomic"

	"github.com/larder-go/larder/core"
)

// sequence hands out the whole numbers from 1 that it neither handed out nor saw
// before. It belongs to no transaction, so nothing that it did is undone.
type sequence struct {
	last atomic.Int64
}

// take returns the first of n numbers; false if there are not so many left.
func (s *sequence) take(n int) (first int64, ok bool) {
	for {
		last := s.last.Load()
		if int64(n) > math.MaxInt64-last {
			return 0, false
		}
		if s.last.CompareAndSwap(last, last+int64(n)) {
			return last + 1, true
		}
	}
}

// follow makes the sequence go on behind a key that was chosen elsewhere.
func (s *sequence) follow(key core.Value) {
	for {
		last := s.last.Load()
		if key.Int() <= last || s.last.CompareAndSwap(last, key.Int()) {
			return
		}
	}
}

// nextKeys hands out n keys of the resource.
func (b *Backend) nextKeys(r *core.Resource, n int) ([]core.Value, error) {
	next := core.NewUUID
	switch r.Key().Type() {
	case core.Int:
		first, ok := b.sequences[r.Index()].take(n)
		if !ok {
			return nil, fmt.Errorf("memory: %s: no %d keys are left up to the largest number", r, n)
		}
		next = func() core.Value {
			first++
			return core.IntValue(first - 1)
		}
	case core.Text:
		return nil, &core.Error{Code: core.BadRequest, Message: "the keys of " + r.External() + " are texts, of which none is next"}
	}
	keys := make([]core.Value, n)
	for i := range keys {
		keys[i] = next()
	}
	return keys, nil
}
