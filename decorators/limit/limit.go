package limit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/larder-go/larder/core"
)

// New returns the decorator.
//
// [core.New] fails if there is no rule, and if a rule is invalid: without a name or a limit, with a name that another rule
// has, a negative number, a Window that is no whole number of seconds, an empty list or a kind that does not exist.
func New(all ...Rule) core.Decorator {
	var names []string
	for _, r := range all {
		names = append(names, r.Name)
	}
	return core.Decorator{
		Name: "limit", Note: strings.Join(names, ", "), Kind: core.KindPolicy, KnowsRelated: true,
		Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
			l := &limiter{next: next}
			seen := make(map[string]bool)
			var mistakes []error
			for _, r := range all {
				if err := r.check(); err != nil {
					mistakes = append(mistakes, fmt.Errorf("rule %q: %w", r.Name, err))
				}
				if seen[r.Name] {
					mistakes = append(mistakes, fmt.Errorf("rule %q: another rule has this name; use different names", r.Name))
				}
				seen[r.Name] = true
			}
			if mistakes != nil {
				return nil, errors.Join(mistakes...)
			}
			for _, r := range all {
				l.rules = append(l.rules, newRule(r))
			}
			if len(all) == 0 {
				return nil, errors.New("has no rule; pass at least one")
			}
			return l.handle, nil
		},
	}
}

// rule is a Rule with its state.
type rule struct {
	Rule

	rates *rates // nil without a limit of the rate
	queue *queue // nil without a limit of concurrency
}

func newRule(r Rule) *rule {
	r.Window, r.Keys = cmp.Or(r.Window, time.Second), cmp.Or(r.Keys, defaultKeys)
	if r.Key == nil {
		r.Key = ByPrincipal
	}
	state := &rule{Rule: r}
	if r.Requests > 0 {
		state.rates = newRates(r)
	}
	if r.Concurrent > 0 || r.Total > 0 {
		state.queue = newQueue(r)
	}
	return state
}

// limiter has the rules of one store.
type limiter struct {
	next  core.Handler
	rules []*rule
	mu    sync.Mutex // of all rates, so that an operation takes from all of them or from none
}

// requestKey is the key of the limiter in the context of a request that runs.
type requestKey struct{}

var errTime = errors.New("the operation exceeded the time of its caller")

// handle is the handler.
func (l *limiter) handle(ctx context.Context, op *core.Op) (core.Result, error) {
	if op.Principal.IsSystem() || op.Asks() {
		return l.next(ctx, op)
	}
	nested := op.Kind != core.Tx && op.Tx != nil || ctx.Value(requestKey{}) == l
	if op.Attempt() == 1 {
		if err := l.take(ctx, op, nested); err != nil {
			return core.Result{}, err
		}
	}
	if !nested {
		ctx = context.WithValue(ctx, requestKey{}, l)
	}
	limit := time.Duration(0)
	for _, r := range l.rules {
		if r.queue == nil && r.Time == 0 || !r.concerns(op, nested) {
			continue
		}
		if r.queue != nil {
			place, err := r.queue.enter(ctx, r.Key(ctx, op.Principal), r.Wait)
			if place == nil {
				return core.Result{}, cmp.Or(err, r.crowded())
			}
			defer r.queue.leave(place) //nolint:gocritic // a request holds the places of all rules until it ends
		}
		if r.Time > 0 && (limit == 0 || r.Time < limit) {
			limit = r.Time
		}
	}
	if limit > 0 {
		bounded, cancel := context.WithTimeoutCause(ctx, limit, errTime)
		defer cancel()
		ctx = bounded
	}
	res, err := l.next(ctx, op)
	if err != nil && !op.Writes() && context.Cause(ctx) == errTime { //nolint:errorlint // the cause is this value
		err = &core.Error{Code: core.QueryTooExpensive, Cause: err}
	}
	return res, err
}

// take takes the op from all rates that concern it, or from none and returns the error of the one that needs the longest time.
func (l *limiter) take(ctx context.Context, op *core.Op, nested bool) error {
	var keys []core.Value // of the rules that concern the op; the functions of the program run without the lock
	var concerned []*rule
	for _, r := range l.rules {
		if r.rates != nil && r.concerns(op, nested) {
			concerned, keys = append(concerned, r), append(keys, r.Key(ctx, op.Principal))
		}
	}
	if len(concerned) == 0 {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	quotas := make([]*rate.Limiter, len(concerned))
	var denied *core.Quota
	for i, r := range concerned {
		quotas[i] = r.rates.of(keys[i], now)
		if delay := wait(quotas[i], now); delay > 0 && (denied == nil || delay > denied.RetryAfter) {
			denied = &core.Quota{Name: r.Name, Limit: r.Requests, Window: r.Window, RetryAfter: delay}
		}
	}
	if denied != nil {
		return &core.Error{Code: core.TooManyRequests, Quota: denied}
	}
	for _, q := range quotas {
		q.AllowN(now, 1)
	}
	return nil
}

// crowded is the error of a request without a place.
func (r *rule) crowded() error {
	return &core.Error{Code: core.TooManyRequests, Quota: &core.Quota{
		Name: r.Name, Limit: cmp.Or(r.Concurrent, r.Total), RetryAfter: max(r.Wait, time.Second),
	}}
}
