package metrics

import (
	"math"
	"sync/atomic"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/larder-go/larder/core"
)

// series are the time series of one kind of operation on one resource. What an
// operation increments lies together: between two round trips to a server it leaves the
// CPU's caches, and then each cache line counts.
type series struct {
	inFlight atomic.Int64
	rows     atomic.Uint64
	seconds  atomic.Uint64 // sum of the durations, bits of a float64
	outcomes [core.OutcomeFailed + 1]atomic.Uint64
	took     []atomic.Uint64 // operations by duration, as bounds has them

	bounds    *bounds
	exemplars []atomic.Pointer[dto.Exemplar] // by bucket of the classic histogram, +Inf included
	created   *timestamppb.Timestamp
}

func newSeries(b *bounds) *series {
	return &series{
		bounds: b, took: make([]atomic.Uint64, len(b.upTo)),
		exemplars: make([]atomic.Pointer[dto.Exemplar], len(b.classic)+1), created: timestamppb.Now(),
	}
}

// ended counts how an operation ended, and its rows.
func (s *series) ended(event *core.Event) {
	s.outcomes[core.OutcomeOf(event.Err)].Add(1)
	switch {
	case event.Err != nil || event.Kind == core.Tx:
	case event.Kind == core.Delete:
		s.rows.Add(uint64(len(event.Keys)))
	case event.Kind == core.NextID:
		s.rows.Add(uint64(len(event.Result.Keys)))
	default:
		s.rows.Add(uint64(len(event.Result.Records)))
	}
}

// observe counts a duration.
func (s *series) observe(d time.Duration) {
	s.took[s.bounds.index(d)].Add(1)
	seconds := d.Seconds()
	for {
		sum := s.seconds.Load()
		if s.seconds.CompareAndSwap(sum, math.Float64bits(math.Float64frombits(sum)+seconds)) {
			return
		}
	}
}

// failures counts the operations that failed.
func (s *series) failures() (n uint64) {
	for _, o := range core.Outcomes() {
		if o.Failure() {
			n += s.outcomes[o].Load()
		}
	}
	return n
}
