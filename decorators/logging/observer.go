package logging

import (
	"context"
	"sync/atomic"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/larder-go/larder/core"
)

// observer writes the lines about the operations of one store.
type observer struct {
	out      output
	opts     Options
	model    *core.Model
	values   [][]*core.Field // fields to log by index of the resource
	messages messages
}

var _ core.Observer = (*observer)(nil)

// Begin implements [core.Observer]. It does nothing, because a line is written when the operation has ended.
func (o *observer) Begin(context.Context, core.Kind, *core.Resource) (context.Context, bool) {
	return nil, true
}

// End implements [core.Observer]. It builds the fields only if the line is written.
func (o *observer) End(ctx context.Context, event *core.Event) {
	outcome := core.OutcomeOf(event.Err)
	level := levelOf(outcome)
	if level < zapcore.WarnLevel && o.opts.Slow > 0 && event.Took >= o.opts.Slow {
		level = zapcore.WarnLevel
	}
	if !o.out.enabled(ctx, level) {
		return
	}
	m := o.messages.of(event)
	if level == zapcore.DebugLevel && !m.sample(o.opts.DebugSampling) {
		return
	}
	o.out.write(ctx, level, m.text, func() []zap.Field { return o.fields(ctx, event, outcome) })
}

func levelOf(o core.Outcome) zapcore.Level {
	switch {
	case o.Failure():
		return zapcore.ErrorLevel
	case o == core.OutcomeConflict:
		return zapcore.WarnLevel
	case o == core.OutcomeDenied:
		return zapcore.InfoLevel
	}
	return zapcore.DebugLevel
}

// message is the message of the lines about one kind of operation on one resource.
type message struct {
	text  string
	count atomic.Uint64 // lines at debug level, written or not
}

// sample counts a line at debug level and reports whether it is written: the first, and then one in n.
func (m *message) sample(n int) bool {
	return n <= 1 || (m.count.Add(1)-1)%uint64(n) == 0
}

// messages has the messages of a model by resource and kind, and at the end the message of transactions.
type messages struct {
	model *core.Model
	all   []message
}

var kinds = len(core.Kinds()) + 1 // kinds count from 1

func newMessages(m *core.Model) messages {
	all := make([]message, len(m.Resources())*kinds+1)
	for _, r := range m.Resources() {
		for _, k := range core.Kinds() {
			all[r.Index()*kinds+int(k)].text = k.String() + " " + r.Name()
		}
	}
	all[len(all)-1].text = "transaction"
	return messages{m, all}
}

// of returns the message about an event. If an outer decorator has set an invalid kind or resource, which the store
// rejects, it returns a new message.
func (ms *messages) of(event *core.Event) *message {
	switch r := event.Resource; {
	case event.Kind == core.Tx:
		return &ms.all[len(ms.all)-1]
	case r == nil || r.Model() != ms.model || event.Kind < 1 || int(event.Kind) >= kinds:
		return &message{text: event.Kind.String()}
	default:
		return &ms.all[r.Index()*kinds+int(event.Kind)]
	}
}
