package logging_test

import (
	"fmt"
	"slices"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest"
	"github.com/larder-go/larder/core/storetest/observertest"
	"github.com/larder-go/larder/decorators/logging"
)

func TestTransparentWithOneLinePerOperation(t *testing.T) {
	observertest.Transparent(t, func(testing.TB, *core.Model) core.Backend { return memory.New() }, observertest.Transparency{
		Options: storetest.Options{Checks: 20},
		Stack: func(testing.TB) observertest.ObservedStack {
			zapCore, logs := observer.New(zapcore.DebugLevel)
			return observertest.ObservedStack{
				Decorators: []core.Decorator{logging.New(zap.New(zapCore), logging.Options{Slow: -1})},
				Check:      func(tb testing.TB, events []observertest.Event) { checkLines(tb, logs, events) },
			}
		},
	})
}

// checkLines compares the lines with the events.
func checkLines(tb testing.TB, logs *observer.ObservedLogs, events []observertest.Event) {
	tb.Helper()
	var got, want []string
	for _, entry := range logs.TakeAll() {
		line := entry.ContextMap()
		got = append(got, fmt.Sprint(entry.Level, line["kind"], line["resource"], line["outcome"], line["rows"],
			line["attempt"], line["read_only"], line["principal"], line["system"]))
	}
	attempt := 1 // of an operation outside a transaction, which events lack
	for _, e := range events {
		if e.Attempt == 0 {
			e.Attempt = attempt
			if attempt++; core.OutcomeOf(e.Err) != core.OutcomeConflict {
				attempt = 1
			}
		}
		want = append(want, wanted(e))
	}
	if !slices.Equal(got, want) {
		tb.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

// wanted returns the line that an event must have.
func wanted(e observertest.Event) string {
	outcome := core.OutcomeOf(e.Err)
	if e.Panicked {
		outcome = core.OutcomeFailed
	}
	level := map[core.Outcome]zapcore.Level{
		core.OutcomeOK: zapcore.DebugLevel, core.OutcomeNotFound: zapcore.DebugLevel, core.OutcomeInvalid: zapcore.DebugLevel,
		core.OutcomeCancelled: zapcore.DebugLevel, core.OutcomeRolledBack: zapcore.DebugLevel, core.OutcomeDenied: zapcore.InfoLevel, core.OutcomeConflict: zapcore.WarnLevel,
		core.OutcomeUnavailable: zapcore.ErrorLevel, core.OutcomeFailed: zapcore.ErrorLevel,
	}[outcome]
	var resource, rows, readOnly, principal, system any
	if e.Kind == core.Tx {
		readOnly = e.ReadOnly
	} else {
		resource = e.Resource.Name()
	}
	if e.Kind != core.Tx && e.Kind != core.Count {
		rows = int64(e.Rows)
	}
	if e.Principal.IsSystem() {
		system = true
	} else if e.Principal != nil {
		principal = e.Principal.ID.Any()
	}
	return fmt.Sprint(level, e.Kind.String(), resource, outcome.String(), rows, int64(e.Attempt), readOnly, principal, system)
}
