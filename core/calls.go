package core

import "sync"

// calls are the runs of a transaction's function. A decorator that calls the next
// handler in a goroutine may return before the function has: the caller of the
// transaction waits for it in close, and no later run begins.
type calls struct {
	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
}

// begin reports whether the function may run; end follows it.
func (c *calls) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.running.Add(1)
	}
	return !c.closed
}

func (c *calls) end() { c.running.Done() }

// close waits for the run that has begun and lets none begin.
func (c *calls) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.running.Wait()
}
