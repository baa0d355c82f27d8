package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// PoolStat is a snapshot of the statistics of a connection pool. A *pgxpool.Stat is one, with the meaning of the methods,
// and pgxpool.Pool.Stat returns it. Counts begin with the pool.
type PoolStat interface {
	MaxConns() int32
	AcquiredConns() int32
	IdleConns() int32
	ConstructingConns() int32
	AcquireCount() int64
	AcquireDuration() time.Duration
	CanceledAcquireCount() int64
	EmptyAcquireCount() int64
	EmptyAcquireWaitTime() time.Duration
	NewConnsCount() int64
	MaxLifetimeDestroyCount() int64
	MaxIdleDestroyCount() int64
}

// PoolCollector returns a collector of the metrics of a connection pool. It calls stat once for each scrape.
//
//	registry.MustRegister(metrics.PoolCollector(pool.Stat))
//
// The metrics:
//
//	larder_pool_connections{state}                 gauge: acquired, idle, constructing
//	larder_pool_connections_max                    gauge
//	larder_pool_acquires_total                     counter: acquired connections
//	larder_pool_acquires_canceled_total            counter: acquires that a context cancelled
//	larder_pool_acquires_waited_total              counter: acquires that had to wait
//	larder_pool_acquire_duration_seconds_total     counter: time of all successful acquires
//	larder_pool_acquire_wait_seconds_total         counter: time waited because no connection was idle
//	larder_pool_connections_opened_total           counter
//	larder_pool_connections_closed_total{reason}   counter: lifetime, idle
//
// For several pools on one registry, use [prometheus.WrapRegistererWith].
func PoolCollector[S PoolStat](stat func() S) prometheus.Collector {
	return poolCollector(func() PoolStat { return stat() })
}

type poolCollector func() PoolStat

// poolMetric is one value of a snapshot.
type poolMetric struct {
	desc   *prometheus.Desc
	kind   prometheus.ValueType
	labels []string
	value  func(PoolStat) float64
}

func gauge(name, help, label, labelValue string, value func(PoolStat) int32) poolMetric {
	return newPoolMetric(prometheus.GaugeValue, name, help, label, labelValue, func(s PoolStat) float64 { return float64(value(s)) })
}

func counter(name, help, label, labelValue string, value func(PoolStat) int64) poolMetric {
	return newPoolMetric(prometheus.CounterValue, name, help, label, labelValue, func(s PoolStat) float64 { return float64(value(s)) })
}

func seconds(name, help string, value func(PoolStat) time.Duration) poolMetric {
	return newPoolMetric(prometheus.CounterValue, name, help, "", "", func(s PoolStat) float64 { return value(s).Seconds() })
}

func newPoolMetric(kind prometheus.ValueType, name, help, label, labelValue string, value func(PoolStat) float64) poolMetric {
	var names, values []string
	if label != "" {
		names, values = []string{label}, []string{labelValue}
	}
	desc := prometheus.NewDesc(prometheus.BuildFQName(namespace, "pool", name), help, names, nil)
	return poolMetric{desc, kind, values, value}
}

const (
	connectionsHelp = "Connections of the pool, by state."
	closedHelp      = "Connections that the pool has closed, because of their age or because they were idle."
)

var poolMetrics = []poolMetric{
	gauge("connections", connectionsHelp, "state", "acquired", PoolStat.AcquiredConns),
	gauge("connections", connectionsHelp, "state", "idle", PoolStat.IdleConns),
	gauge("connections", connectionsHelp, "state", "constructing", PoolStat.ConstructingConns),
	gauge("connections_max", "Most connections that the pool may have.", "", "", PoolStat.MaxConns),
	counter("acquires_total", "Connections that were acquired.", "", "", PoolStat.AcquireCount),
	counter("acquires_canceled_total", "Acquires of a connection that were cancelled by a context.", "", "", PoolStat.CanceledAcquireCount),
	counter("acquires_waited_total", "Acquires of a connection that had to wait because none was idle.", "", "", PoolStat.EmptyAcquireCount),
	seconds("acquire_duration_seconds_total", "Time of all successful acquires of a connection.", PoolStat.AcquireDuration),
	seconds("acquire_wait_seconds_total", "Time that acquires waited because no connection was idle.", PoolStat.EmptyAcquireWaitTime),
	counter("connections_opened_total", "Connections that were opened.", "", "", PoolStat.NewConnsCount),
	counter("connections_closed_total", closedHelp, "reason", "lifetime", PoolStat.MaxLifetimeDestroyCount),
	counter("connections_closed_total", closedHelp, "reason", "idle", PoolStat.MaxIdleDestroyCount),
}

// Describe implements [prometheus.Collector].
func (c poolCollector) Describe(to chan<- *prometheus.Desc) {
	for i, m := range poolMetrics {
		if i == 0 || m.desc.String() != poolMetrics[i-1].desc.String() {
			to <- m.desc
		}
	}
}

// Collect implements [prometheus.Collector].
func (c poolCollector) Collect(to chan<- prometheus.Metric) {
	s := c()
	for _, m := range poolMetrics {
		to <- prometheus.MustNewConstMetric(m.desc, m.kind, m.value(s), m.labels...)
	}
}
