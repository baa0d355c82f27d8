package metrics

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"regexp"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/larder-go/larder/core"
)

// Options are the settings of the decorator. The zero value has no subsystem and the default buckets.
type Options struct {
	// Subsystem is a part of the metric names, after "larder_". It distinguishes several decorators in one stack. It must
	// consist of lower-case letters, digits and underscores and begin with a letter. Default: none.
	Subsystem string
	// Buckets are the upper bounds of the classic histogram of durations, in seconds and ascending. nil means
	// [DefaultBuckets]; an empty slice leaves only the native histogram.
	Buckets []float64
}

// DefaultBuckets returns the default bounds of durations in seconds, from 10 µs for a read from memory to 10 s.
func DefaultBuckets() []float64 {
	return []float64{.00001, .0001, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}
}

// New returns the decorator. It may stand anywhere in a stack: outermost it measures the requests, innermost the operations
// of the backend. A stack may have several with different subsystems.
//
// Stores with the same registerer share its metrics. To distinguish them, give each store a registerer from
// [prometheus.WrapRegistererWith] with a label of the same name.
//
// [core.New] fails if the registerer is nil, has other metrics of these names, or has these metrics with other buckets, and
// if an option is invalid.
func New(registerer prometheus.Registerer, opts Options) core.Decorator {
	name := "metrics"
	if opts.Subsystem != "" {
		name += " " + opts.Subsystem
	}
	return core.Decorator{
		Name: name, Note: prometheus.BuildFQName(namespace, opts.Subsystem, "*"), Kind: core.KindObserve,
		Observe: func(m *core.Model) (core.Observer, error) {
			if v := reflect.ValueOf(registerer); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
				return nil, errors.New("the registerer is nil; pass one, such as prometheus.NewRegistry()")
			}
			if err := opts.check(); err != nil {
				return nil, err
			}
			v, err := register(registerer, opts)
			if err != nil {
				return nil, err
			}
			return newObserver(m, v), nil
		},
	}
}

var validSubsystem = regexp.MustCompile(`^([a-z][a-z0-9_]*)?$`)

func (o Options) check() error {
	if !validSubsystem.MatchString(o.Subsystem) {
		return fmt.Errorf("option Subsystem: %q is invalid; use lower-case letters, digits and underscores, with a letter first", o.Subsystem)
	}
	last := math.Inf(-1)
	for _, bound := range o.Buckets {
		if !(bound > last) { // NaN is not greater either
			return fmt.Errorf("option Buckets: %v follows %v; list the bounds in ascending order", bound, last)
		}
		last = bound
	}
	return nil
}
