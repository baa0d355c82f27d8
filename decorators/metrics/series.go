package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/larder-go/larder/core"
)

// series are those of one kind of operation on one resource.
type series struct {
	outcomes []prometheus.Counter
	failures prometheus.Counter
	duration prometheus.Observer
	rows     prometheus.Counter // nil for transactions
	inFlight prometheus.Gauge
}

// table has the series of a model by resource and kind, that of transactions
// last.
type table struct {
	model *core.Model
	all   []series
}

var kinds = len(core.Kinds()) + 1 // they count from 1

// series makes all that there will be.
func (f families) series(m *core.Model) table {
	t := table{m, make([]series, len(m.Resources())*kinds+1)}
	for _, r := range m.Resources() {
		for _, k := range core.Kinds() {
			if k != core.Tx {
				t.all[r.Index()*kinds+int(k)] = f.of(k, r.Name())
			}
		}
	}
	t.all[len(t.all)-1] = f.of(core.Tx, "")
	return t
}

func (f families) of(k core.Kind, resource string) series {
	operation := k.String()
	s := series{
		failures: f.failures.WithLabelValues(operation, resource),
		duration: f.duration.WithLabelValues(operation, resource),
		inFlight: f.inFlight.WithLabelValues(operation, resource),
	}
	if k != core.Tx {
		s.rows = f.rows.WithLabelValues(operation, resource)
	}
	for _, o := range core.Outcomes() {
		s.outcomes = append(s.outcomes, f.operations.WithLabelValues(operation, resource, o.String()))
	}
	return s
}

// of returns the series of an op; nil for one that the store will refuse,
// because a decorator has spoiled it.
func (t *table) of(kind core.Kind, r *core.Resource) *series {
	switch {
	case kind == core.Tx:
		return &t.all[len(t.all)-1]
	case r == nil || r.Model() != t.model || kind < 1 || int(kind) >= kinds:
		return nil
	default:
		return &t.all[r.Index()*kinds+int(kind)]
	}
}
