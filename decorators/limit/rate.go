package limit

import (
	"container/list"
	"math"
	"time"

	"golang.org/x/time/rate"

	"github.com/larder-go/larder/core"
)

// rates are the quotas of the keys of one rule. The caller locks.
type rates struct {
	requests int
	window   time.Duration
	keys     int
	byKey    map[core.Value]*list.Element // of a *quota
	used     *list.List                   // the most recently used key first
	shared   *rate.Limiter                // of keys without a quota of their own
}

type quota struct {
	key  core.Value
	rate *rate.Limiter
}

func newRates(r Rule) *rates {
	t := &rates{requests: r.Requests, window: r.Window, keys: r.Keys, byKey: make(map[core.Value]*list.Element), used: list.New()}
	t.shared = t.full()
	return t
}

// full returns an unused quota.
func (t *rates) full() *rate.Limiter {
	return rate.NewLimiter(rate.Limit(float64(t.requests)/t.window.Seconds()), t.requests)
}

// of returns the quota of a key.
func (t *rates) of(key core.Value, now time.Time) *rate.Limiter {
	if e, ok := t.byKey[key]; ok {
		t.used.MoveToFront(e)
		return e.Value.(*quota).rate
	}
	if len(t.byKey) >= t.keys {
		oldest := t.used.Back().Value.(*quota)
		if oldest.rate.TokensAt(now) < float64(t.requests) {
			return t.shared // a key without its used quota could begin with a full one
		}
		t.used.Remove(t.used.Back())
		delete(t.byKey, oldest.key)
	}
	q := &quota{key, t.full()}
	t.byKey[key] = t.used.PushFront(q)
	return q.rate
}

// wait returns how long it takes until the quota has one more request; 0 if it has one now.
func wait(q *rate.Limiter, now time.Time) time.Duration {
	missing := 1 - q.TokensAt(now)
	if missing <= 0 {
		return 0
	}
	microseconds := math.Ceil(missing / float64(q.Limit()) * 1e6) // rounded up, so that the request passes then
	return time.Duration(microseconds) * time.Microsecond
}
