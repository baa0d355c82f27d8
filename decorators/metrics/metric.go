package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// metric is one time series as the client library reads it.
type metric struct {
	desc   *prometheus.Desc
	labels []*dto.LabelPair
	fill   fill
}

// fill writes what a metric is at the moment.
type fill func(*dto.Metric)

// Desc implements [prometheus.Metric].
func (m *metric) Desc() *prometheus.Desc { return m.desc }

// Write implements [prometheus.Metric].
func (m *metric) Write(to *dto.Metric) error {
	to.Label = m.labels
	m.fill(to)
	return nil
}

// counts fills a counter.
func counts(created *timestamppb.Timestamp, value func() uint64) fill {
	return func(m *dto.Metric) {
		m.Counter = &dto.Counter{Value: new(float64(value())), CreatedTimestamp: created}
	}
}
