package metrics

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"regexp"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/larder-go/larder/core"
)

// Options are what may be measured differently. The zero value works.
type Options struct {
	// Subsystem stands in the names of the metrics, between "larder_" and the
	// rest, and tells several decorators of one stack apart: lower-case letters,
	// digits and underscores. Default: none.
	Subsystem string
	// Buckets are the upper bounds, in seconds and ascending, of the classic
	// histogram of durations; nil means [DefaultBuckets], an empty slice that
	// there is only the native histogram.
	Buckets []float64
	// TraceID returns the id of the trace that an operation belongs to, empty if
	// there is none; it becomes the exemplar of the operation's duration, which
	// Prometheus keeps with the bucket. nil means no exemplars. With OpenTelemetry:
	//
	//	func(ctx context.Context) string {
	//		if span := trace.SpanContextFromContext(ctx); span.IsSampled() {
	//			return span.TraceID().String()
	//		}
	//		return ""
	//	}
	TraceID func(ctx context.Context) string
}

// DefaultBuckets returns the bounds of the durations in seconds, from what memory
// takes to what nobody waits for: 10 µs to 10 s.
func DefaultBuckets() []float64 {
	return []float64{.00001, .0001, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}
}

// New returns the decorator. It may stand anywhere: outermost it measures what was
// asked for, innermost what reached the backend. A stack can hold several with
// different subsystems.
//
// Stores that share a registerer share the metrics, which are registered once; to
// tell them apart, give each its own [prometheus.WrapRegistererWith], with a label of
// the same name.
//
// [core.New] fails if the registerer is nil or has other metrics of these names, or
// these with other buckets, or an option is out of its range.
func New(registerer prometheus.Registerer, opts Options) core.Decorator {
	name := "metrics"
	if opts.Subsystem != "" {
		name += " " + opts.Subsystem
	}
	return core.Decorator{
		Name: name, Note: prometheus.BuildFQName(namespace, opts.Subsystem, "*"), Kind: core.KindObserve,
		Observe: func(m *core.Model) (core.Observer, error) {
			if v := reflect.ValueOf(registerer); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
				return nil, errors.New("there is no registerer")
			}
			if err := opts.check(); err != nil {
				return nil, err
			}
			v, err := register(registerer, opts)
			if err != nil {
				return nil, err
			}
			return newObserver(m, v, opts), nil
		},
	}
}

var goodSubsystem = regexp.MustCompile(`^([a-z][a-z0-9_]*)?$`)

func (o Options) check() error {
	if !goodSubsystem.MatchString(o.Subsystem) {
		return fmt.Errorf("option Subsystem: %q is not of lower-case letters, digits and underscores", o.Subsystem)
	}
	last := math.Inf(-1)
	for _, bound := range o.Buckets {
		if !(bound > last) { // nor is it NaN
			return fmt.Errorf("option Buckets: %v does not ascend from %v", bound, last)
		}
		last = bound
	}
	return nil
}
