package stamp

import (
	"time"

	"github.com/larder-go/larder/core"
)

// NewWithClock returns the decorator with another clock.
func NewWithClock(opts Options, now func(op *core.Op) time.Time) core.Decorator {
	return newWithClock(opts, now)
}
