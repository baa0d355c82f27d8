package kittest

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/larder-go/larder/core"
)

// journal is a log as simple as can be: a line for each op.
type Journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *Journal) Line(op string, rows int, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf("%s %d %v", op, rows, err))
}

// observing is the decorator that writes the journal.
func (j *Journal) Decorator() core.Decorator {
	return core.Decorator{Name: "journal", Kind: core.KindObserve, Observe: func(*core.Model) (core.Observer, error) { return j, nil }}
}

// Begin does nothing: there is a line for what has ended.
func (j *Journal) Begin(core.Kind, *core.Resource) {}

// End writes the line.
func (j *Journal) End(_ context.Context, event *core.Event) {
	rows := len(event.Result.Records)
	switch {
	case event.Err != nil:
	case event.Kind == core.Count:
		rows = event.Result.Count
	case event.Kind == core.Delete:
		rows = len(event.Keys)
	}
	j.Line(fmt.Sprint(event.Kind, event.Resource, event.Principal), rows, event.Err)
}

func (j *Journal) Drain() string { return strings.Join(j.Take(), "\n") }

// take returns the lines since the last call.
func (j *Journal) Take() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	lines := j.lines
	j.lines = nil
	return lines
}

// drop forgets the last line.
func (j *Journal) Drop() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = j.lines[:len(j.lines)-1]
}
