//go:build ha

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	writers = 8
	// The least time between two orders of a writer, and between two reads of a reader.
	writeInterval, readInterval = 100 * time.Millisecond, 20 * time.Millisecond
	// calm is the number of orders that each writer creates before and after a fault.
	calm = 20
	// greatestLag is the setting of the third program.
	greatestLag = time.Second
)

// clients write to two programs and read from three: one that reads from the primary, one that reads from replicas too, and one
// that only reads, from replicas with a greatest lag.
type clients struct {
	bases    []string
	counters [writers]string // ids of the orders whose quantity a writer counts up
	rounds   int
	current  *round
	http     *http.Client
}

func newClients(t *testing.T, bases ...string) *clients {
	t.Helper()
	c := &clients{bases: bases, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2 * writers}, Timeout: time.Minute}}
	for i := range c.counters {
		c.counters[i] = randomID()
		own := client{base: bases[0], user: "counter", http: c.http, onFailure: func(string) {}}
		if err := withChosenID(t.Context(), own, "counter", c.counters[i]); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// round is the record of one round.
type round struct {
	*clients

	ctx     context.Context
	cancel  context.CancelFunc
	writing sync.WaitGroup
	reading sync.WaitGroup
	stop    chan struct{} // closed when writers should end
	done    chan struct{} // closed when readers should end

	mu      sync.Mutex
	changed *sync.Cond
	ways    []way
	acked   map[string]bool // items of acknowledged orders
	count   [writers]int    // acknowledged orders of each writer
	counted [writers]int    // acknowledged values of the counters
	history [writers][]acknowledgement
	codes   map[string]int
	wrong   []string
	written []time.Time
	read    [3][]time.Time // by program
	reads   int
	back    int // reads of less than was acknowledged before
	less    int // reads from the primary of less than an earlier one showed

	lost, doubled int
}

// acknowledgement is an acknowledged value of a counter.
type acknowledgement struct {
	at    time.Time
	value int
}

// begin starts the writers and readers of a round.
func (c *clients) begin(ctx context.Context, ways []way) *round {
	c.rounds++
	r := &round{clients: c, ways: ways, stop: make(chan struct{}), done: make(chan struct{}), acked: make(map[string]bool), codes: make(map[string]int)}
	r.ctx, r.cancel = context.WithCancel(ctx)
	r.changed = sync.NewCond(&r.mu)
	c.current = r
	context.AfterFunc(r.ctx, r.changed.Broadcast)
	for i := range writers {
		r.writing.Go(func() { r.write(i) })
	}
	for program := range c.bases {
		for range 2 {
			r.reading.Go(func() { r.readAll(program) })
		}
	}
	return r
}

// end waits for the writers and readers.
func (r *round) end() {
	close(r.stop)
	r.writing.Wait()
	close(r.done)
	r.reading.Wait()
	r.cancel()
}

// await waits until each writer has created n orders more, or the context ends.
func (r *round) await(ctx context.Context, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer context.AfterFunc(ctx, r.changed.Broadcast)()
	before := r.count
	for i := range writers {
		for r.count[i] < before[i]+n && ctx.Err() == nil {
			r.changed.Wait()
		}
	}
}

// program returns the program of a writer.
func program(writer int) int { return writer % 2 }

func (r *round) client(program int, user string) client {
	return client{base: r.bases[program], user: user, http: r.http, onFailure: func(code string) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.codes[code]++
	}}
}

// write creates orders and counts them, one at a time.
func (r *round) write(i int) {
	c, way := r.client(program(i), fmt.Sprint("writer ", i)), r.ways[i%len(r.ways)]
	ticks := time.NewTicker(writeInterval)
	defer ticks.Stop()
	for n := 1; ; n++ {
		select {
		case <-r.stop:
			return
		case <-r.ctx.Done():
			return
		case <-ticks.C:
		}
		item, value := fmt.Sprint(r.rounds, "-", i, "-", n), r.rounds*1_000_000+n
		if err := way(r.ctx, c, item, randomID()); err != nil {
			r.fail(err)
			return
		}
		r.note(func(now time.Time) {
			r.acked[item] = true
			r.count[i]++
			r.written = append(r.written, now)
		})
		status, body, _, err := c.do(r.ctx, request{http.MethodPatch, "/order/" + r.counters[i], "", fmt.Sprintf(`{"quantity": %d}`, value)})
		if err := expect(status, body, err, http.StatusOK); err != nil {
			r.fail(err)
			return
		}
		r.note(func(now time.Time) {
			r.counted[i] = value
			r.history[i] = append(r.history[i], acknowledgement{now, value})
			r.written = append(r.written, now)
		})
	}
}

func (r *round) note(change func(now time.Time)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(time.Now())
	r.changed.Broadcast()
}

func (r *round) fail(err error) {
	if r.ctx.Err() == nil {
		r.note(func(time.Time) { r.wrong = append(r.wrong, err.Error()) })
	}
}

// readAll reads the counters in turn.
func (r *round) readAll(from int) {
	c := r.client(from, "reader")
	ticks := time.NewTicker(readInterval)
	defer ticks.Stop()
	var seen [writers]int
	for n := 0; ; n++ {
		select {
		case <-r.done:
			return
		case <-r.ctx.Done():
			return
		case <-ticks.C:
		}
		i := n % writers
		least := r.acknowledged(i, from)
		status, body, _, err := c.do(r.ctx, request{http.MethodGet, "/order/" + r.counters[i], "", ""})
		if err := expect(status, body, err, http.StatusOK); err != nil {
			r.fail(err)
			return
		}
		var order struct{ Quantity int }
		if err := json.Unmarshal(body, &order); err != nil {
			r.fail(err)
			return
		}
		r.note(func(now time.Time) {
			r.reads++
			r.read[from] = append(r.read[from], now)
			if order.Quantity < least {
				r.back++
			}
			if from == 0 && order.Quantity < seen[i] {
				r.less++
			}
		})
		seen[i] = max(seen[i], order.Quantity)
	}
}

// acknowledged returns the value that a read of a counter by a program must show at least: the last acknowledged one from the
// primary and to the program that wrote it, and that of greatestLag ago otherwise.
func (r *round) acknowledged(i, from int) (value int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case from == 0, from == program(i):
		return r.counted[i]
	case from == 1:
		return 0
	}
	until := time.Now().Add(-greatestLag)
	for _, a := range slices.Backward(r.history[i]) {
		if a.at.Before(until) {
			return a.value
		}
	}
	return 0
}

const format = "%-40s %6v %5v %7v %6v %5v %5v %9s %18s  %s"

var header = fmt.Sprintf(format, "fault", "acked", "lost", "doubled", "reads", "back", "less", "no writes", "no reads p/r/l", "failed attempts by code")

// row describes the round: seconds without writes, and without reads of each program.
func (r *round) row(name string) string {
	var codes []string
	for _, code := range slices.Sorted(maps.Keys(r.codes)) {
		codes = append(codes, fmt.Sprintf("%s %d", code, r.codes[code]))
	}
	return fmt.Sprintf(format, name, len(r.written), r.lost, r.doubled, r.reads, r.back, r.less,
		gap(r.written), gap(r.read[0])+"/"+gap(r.read[1])+"/"+gap(r.read[2]), strings.Join(codes, ", "))
}

// gap returns the longest time between two of the times, in seconds.
func gap(times []time.Time) string {
	longest := time.Duration(0)
	for i := 1; i < len(times); i++ {
		longest = max(longest, times[i].Sub(times[i-1]))
	}
	return fmt.Sprintf("%.1f", longest.Seconds())
}

// compare counts acknowledged orders that are not stored, and orders that are stored more than once.
func (r *round) compare(stored map[string]int) {
	for item := range r.acked {
		if stored[item] == 0 {
			r.lost++
		}
	}
	for item, n := range stored {
		if n > 1 && strings.HasPrefix(item, fmt.Sprint(r.rounds, "-")) {
			r.doubled++
		}
	}
}

// problems returns errors that no fault explains.
func (r *round) problems() []string {
	all := r.wrong
	for code, n := range r.codes {
		if !slices.Contains([]string{"no answer", "UNAVAILABLE", "OUTCOME_UNKNOWN"}, code) {
			all = append(all, fmt.Sprintf("%d failed attempts of the code %s", n, code))
		}
	}
	return all
}

// blindly creates an order in a way that is not safe to repeat.
func blindly(ctx context.Context, c client, item, _ string) error {
	status, body, _, err := c.do(ctx, request{http.MethodPost, "/order", "", fmt.Sprintf(`{"item": %q}`, item)})
	return expect(status, body, err, http.StatusCreated)
}
