package metrics

import (
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const traceLabel = "trace_id"

// exemplify keeps the trace of an operation as the example of its bucket, unless there
// is none or it does not fit: OpenMetrics limits what an exemplar holds to 128
// characters.
func (s *series) exemplify(traceID string, d time.Duration) {
	if traceID == "" || len(traceLabel)+len(traceID) > prometheus.ExemplarMaxRunes || !utf8.ValidString(traceID) {
		return
	}
	bucket := s.bounds.classicOf[s.bounds.index(d)]
	s.exemplars[bucket].Store(&dto.Exemplar{
		Label: []*dto.LabelPair{{Name: new(traceLabel), Value: &traceID}},
		Value: new(d.Seconds()), Timestamp: timestamppb.Now(),
	})
}
