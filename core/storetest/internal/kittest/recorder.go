package kittest

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// Recorder is a testing.TB that records failures of a kit, so that a test can expect them.
type Recorder struct {
	testing.TB // the test around it, for the other methods

	ctx context.Context

	mu       sync.Mutex
	failed   bool
	log      strings.Builder
	cleanups []func()
}

// Record runs fn with a Recorder. It returns when fn and its clean-up functions have ended.
func Record(tb testing.TB, fn func(tb testing.TB)) *Recorder {
	ctx, cancel := context.WithCancel(context.Background())
	r := &Recorder{TB: tb, ctx: ctx}
	r.alone(func() { fn(r) })
	cancel()
	for len(r.cleanups) > 0 {
		last := r.cleanups[len(r.cleanups)-1]
		r.cleanups = r.cleanups[:len(r.cleanups)-1]
		r.alone(last)
	}
	return r
}

// alone runs fn in a goroutine of its own, because FailNow ends the goroutine.
func (r *Recorder) alone(fn func()) {
	var done sync.WaitGroup
	done.Go(func() {
		defer func() {
			if p := recover(); p != nil {
				r.Errorf("panic: %v", p)
			}
		}()
		fn()
	})
	done.Wait()
}

// Context returns a context that ends before the clean-up functions run.
func (r *Recorder) Context() context.Context { return r.ctx }

// Cleanup registers a clean-up function.
func (r *Recorder) Cleanup(fn func()) { r.cleanups = append(r.cleanups, fn) }

// Helper does nothing.
func (r *Recorder) Helper() {}

// Failed reports whether the recorded test failed.
func (r *Recorder) Failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

// Fail marks the recorded test as failed.
func (r *Recorder) Fail() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = true
}

// FailNow marks the recorded test as failed and ends its goroutine.
func (r *Recorder) FailNow() {
	r.Fail()
	runtime.Goexit()
}

// Log records a message.
func (r *Recorder) Log(args ...any) { r.Logf("%s", fmt.Sprintln(args...)) }

// Logf records a message.
func (r *Recorder) Logf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(&r.log, format+"\n", args...)
}

// Error records a message and a failure.
func (r *Recorder) Error(args ...any) {
	r.Log(args...)
	r.Fail()
}

// Errorf records a message and a failure.
func (r *Recorder) Errorf(format string, args ...any) {
	r.Logf(format, args...)
	r.Fail()
}

// Fatal records a message and a failure and ends the goroutine.
func (r *Recorder) Fatal(args ...any) {
	r.Log(args...)
	r.FailNow()
}

// Fatalf records a message and a failure and ends the goroutine.
func (r *Recorder) Fatalf(format string, args ...any) {
	r.Logf(format, args...)
	r.FailNow()
}

// Skip counts as a failure: no case of a kit may skip.
func (r *Recorder) Skip(args ...any) { r.Fatal(args...) }

// Skipf counts as a failure.
func (r *Recorder) Skipf(format string, args ...any) { r.Fatalf(format, args...) }

// SkipNow counts as a failure.
func (r *Recorder) SkipNow() { r.FailNow() }

// MustFail reports an error unless the recorded test failed and its log contains the text.
func MustFail(t *testing.T, r *Recorder, label string) {
	t.Helper()
	if log := r.Text(); !r.Failed() || !strings.Contains(log, label) {
		t.Errorf("failed: %v, and the log lacks %q:\n%s", r.Failed(), label, log)
	}
}

// Text returns everything that was logged.
func (r *Recorder) Text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.String()
}
