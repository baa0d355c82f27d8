package limit

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/larder-go/larder/core"
)

// queue grants places to requests: at most perKey of one key, and at most total; 0 means any number. Requests of one key wait
// in their order, and keys take turns.
type queue struct {
	perKey, total int

	mu      sync.Mutex
	running int
	lines   map[core.Value]*line // of keys with running or waiting requests
	turns   []*line              // lines with waiting requests; the next one first
}

// line has the requests of one key.
type line struct {
	key     core.Value
	running int
	waiting []chan struct{} // closed when the request gets its place
}

func newQueue(r Rule) *queue {
	return &queue{perKey: r.Concurrent, total: r.Total, lines: make(map[core.Value]*line)}
}

// enter waits for a place, at most for the given time, and reports whether the request has got one. leave must follow then. The
// error is that of the context.
func (q *queue) enter(ctx context.Context, key core.Value, wait time.Duration) (*line, error) {
	l, place := q.arrive(key, wait > 0)
	if place == nil {
		return l, nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-place:
		return l, nil
	case <-timer.C:
	case <-ctx.Done():
	}
	if q.giveUp(l, place) {
		return nil, ctx.Err()
	}
	return l, nil // it got its place at the last moment
}

// arrive takes a place if one is free, and otherwise joins the line and returns the channel that announces a place. Without
// both, it returns nil.
func (q *queue) arrive(key core.Value, mayWait bool) (*line, chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lines[key]
	if l == nil {
		l = &line{key: key}
	}
	switch {
	case len(l.waiting) == 0 && q.free(l):
		q.start(l)
	case !mayWait:
		return nil, nil
	default:
		place := make(chan struct{})
		if l.waiting = append(l.waiting, place); len(l.waiting) == 1 {
			q.turns = append(q.turns, l)
		}
		q.lines[key] = l
		return l, place
	}
	q.lines[key] = l
	return l, nil
}

func (q *queue) free(l *line) bool {
	return (q.perKey == 0 || l.running < q.perKey) && (q.total == 0 || q.running < q.total)
}

func (q *queue) start(l *line) {
	q.running++
	l.running++
}

// giveUp leaves the line and reports whether the request had no place yet.
func (q *queue) giveUp(l *line, place chan struct{}) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(l.waiting, place)
	if i < 0 {
		return false
	}
	l.waiting = slices.Delete(l.waiting, i, i+1)
	if len(l.waiting) == 0 {
		q.turns = slices.DeleteFunc(q.turns, func(other *line) bool { return other == l })
	}
	q.forget(l)
	return true
}

// leave gives the place back, and to the next request that may run.
func (q *queue) leave(l *line) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.running--
	l.running--
	if i := slices.IndexFunc(q.turns, q.free); i >= 0 {
		next := q.turns[i]
		q.start(next)
		close(next.waiting[0])
		next.waiting = next.waiting[1:]
		if q.turns = slices.Delete(q.turns, i, i+1); len(next.waiting) > 0 {
			q.turns = append(q.turns, next)
		}
	}
	q.forget(l)
}

// forget removes a line without requests.
func (q *queue) forget(l *line) {
	if l.running == 0 && len(l.waiting) == 0 {
		delete(q.lines, l.key)
	}
}
