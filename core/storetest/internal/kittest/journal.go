package kittest

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/larder-go/larder/core"
)

// Journal is a simple observer: it keeps one line for each op.
type Journal struct {
	mu    sync.Mutex
	lines []string
}

// Line adds a line.
func (j *Journal) Line(op string, rows int, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf("%s %d %v", op, rows, err))
}

// Decorator returns the decorator that writes the journal.
func (j *Journal) Decorator() core.Decorator {
	return core.Decorator{Name: "journal", Kind: core.KindObserve, Observe: func(*core.Model) (core.Observer, error) { return j, nil }}
}

// Begin implements [core.Observer]. It does nothing: the journal has a line for each op that ended.
func (j *Journal) Begin(context.Context, core.Kind, *core.Resource) (context.Context, bool) {
	return nil, true
}

// End implements [core.Observer]. It adds a line for the op.
func (j *Journal) End(_ context.Context, event *core.Event) {
	rows := len(event.Result.Records)
	switch {
	case event.Err != nil:
	case event.Kind == core.Count:
		rows = event.Result.Count
	case event.Kind == core.Delete:
		rows = len(event.Keys)
	case event.Kind == core.NextID:
		rows = len(event.Result.Keys)
	case event.Kind == core.Aggregate:
		rows = len(event.Result.Groups)
	}
	j.Line(fmt.Sprint(event.Kind, event.Resource, event.Principal), rows, event.Err)
}

// Drain returns the lines since the last call as one string.
func (j *Journal) Drain() string { return strings.Join(j.Take(), "\n") }

// Take returns the lines since the last call.
func (j *Journal) Take() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	lines := j.lines
	j.lines = nil
	return lines
}

// Drop removes the last line.
func (j *Journal) Drop() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = j.lines[:len(j.lines)-1]
}
