package fault

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/larder-go/larder/core"
)

// Rule describes one fault and the operations that meet it. The zero value matches every operation and does nothing.
type Rule struct {
	// Kinds of the operations. [core.Tx] stands for the commit of a transaction that has written, also that of a single
	// write. nil means all kinds but core.Tx.
	Kinds []core.Kind
	// Resources of the operations, by their names in the model. A commit matches if its transaction has written to one of
	// them. nil means all.
	Resources []string
	// Probability of the fault for an operation that matches, at most 1. 0 means 1.
	Probability float64
	// Skip is the number of operations that match and pass before the first one that may fail.
	Skip int
	// Times is the greatest number of faults. 0 means any number.
	Times int
	// Delay is the time before the operation, or before the error. The delays of several rules add up. 0 means none.
	Delay time.Duration
	// Err is the error in place of the operation, which does not run. Of several rules, the first one with an error applies.
	// nil means that the operation runs.
	Err error
	// Committed means that the transaction commits before the error, which must be [core.ErrCommitUnknown].
	Committed bool
}

// Count says how often a rule has applied.
type Count struct {
	Matched int // operations of the kinds and resources of the rule, while faults were enabled
	Faults  int // operations among them that were delayed or failed
}

func (r Rule) check(m *core.Model) error {
	for _, k := range r.Kinds {
		if !slices.Contains(core.Kinds(), k) || k == core.Restore {
			return fmt.Errorf("option Kinds: no backend sees an operation of the kind %s; use the kinds of core.Kinds other than Restore", k)
		}
	}
	for _, name := range r.Resources {
		if m.Resource(name) == nil {
			return fmt.Errorf("option Resources: the model %q has no resource %q", m.Name(), name)
		}
	}
	onlyCommits := len(r.Kinds) > 0 && !slices.ContainsFunc(r.Kinds, func(k core.Kind) bool { return k != core.Tx })
	unknown := errors.Is(r.Err, core.ErrCommitUnknown)
	switch {
	case r.Kinds != nil && len(r.Kinds) == 0 || r.Resources != nil && len(r.Resources) == 0:
		return errors.New("an empty list matches nothing; use nil for all")
	case !(r.Probability >= 0 && r.Probability <= 1): // NaN is out of range, too
		return fmt.Errorf("option Probability: %v is out of range; use a number from 0 to 1", r.Probability)
	case r.Skip < 0 || r.Times < 0 || r.Delay < 0:
		return errors.New("options Skip, Times and Delay must not be negative")
	case unknown && !onlyCommits:
		return errors.New("option Err: only a commit has an unknown outcome; set Kinds to core.Tx")
	case r.Committed && !unknown:
		return errors.New("option Committed: a committed transaction must not report another error; set Err to core.ErrCommitUnknown")
	}
	return nil
}

// matches reports whether the rule concerns an operation of the kind on one of the resources.
func (r Rule) matches(k core.Kind, resources ...*core.Resource) bool {
	if r.Kinds == nil && k == core.Tx || r.Kinds != nil && !slices.Contains(r.Kinds, k) {
		return false
	}
	return r.Resources == nil || slices.ContainsFunc(resources, func(on *core.Resource) bool { return slices.Contains(r.Resources, on.Name()) })
}

// rules are the rules of one backend with their state.
type rules struct {
	all []Rule // never changes

	mu      sync.Mutex
	off     bool
	counts  []Count      // by position in all
	sources []*rand.Rand // by position in all
}

func newRules(seed uint64, all []Rule) *rules {
	rs := &rules{all: slices.Clone(all), counts: make([]Count, len(all))}
	for i := range all {
		rs.sources = append(rs.sources, rand.New(rand.NewPCG(seed, uint64(i))))
	}
	return rs
}

// commits reports whether a rule concerns commits.
func (rs *rules) commits() bool {
	return slices.ContainsFunc(rs.all, func(r Rule) bool { return slices.Contains(r.Kinds, core.Tx) })
}

// apply delays an operation as the rules say and returns the error in its place. committed reports that the transaction
// commits before the error.
func (rs *rules) apply(ctx context.Context, k core.Kind, resources ...*core.Resource) (committed bool, err error) {
	delay, failing := rs.draw(k, resources...)
	if delay > 0 {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-timer.C:
		}
	}
	if failing == nil {
		return false, nil
	}
	return failing.Committed, failing.Err
}

// draw returns the delay of an operation, and the rule whose error is in place of it; nil for none.
func (rs *rules) draw(k core.Kind, resources ...*core.Resource) (delay time.Duration, failing *Rule) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.off {
		return 0, nil
	}
	for i := range rs.all {
		r, count := &rs.all[i], &rs.counts[i]
		if !r.matches(k, resources...) {
			continue
		}
		count.Matched++
		drawn := r.Probability == 0 || rs.sources[i].Float64() < r.Probability
		if !drawn || count.Matched <= r.Skip || r.Times > 0 && count.Faults == r.Times {
			continue
		}
		count.Faults++
		delay += r.Delay
		if failing == nil && r.Err != nil {
			failing = r
		}
	}
	return delay, failing
}
