package observertest

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

// monitor compares operations outside and inside a stack that must change nothing.
type monitor struct {
	testing.TB

	mu     sync.Mutex
	events []Event
	fault  func(op *core.Op) error // makes the backend fail for the next op that is not a Tx
}

// around returns the stack with a decorator of the monitor outermost and another innermost.
func (w *monitor) around(decorators []core.Decorator) []core.Decorator {
	layer := func(name string, layer core.DecoratorKind, handle func(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error)) core.Decorator {
		return core.Decorator{
			Name: "storetest " + name, Kind: layer, KnowsRelated: true,
			Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
				return func(ctx context.Context, op *core.Op) (core.Result, error) { return handle(ctx, op, next) }, nil
			},
		}
	}
	return slices.Concat([]core.Decorator{layer("entry", core.KindPolicy, w.outside)}, decorators, []core.Decorator{layer("exit", core.KindAnswer, w.inside)})
}

// opRecord is one op on its way through the stack.
type opRecord struct {
	arrived         []*core.Op
	readOnly        bool // of the transaction, outside the stack
	readOnlyChanged bool // the stack has changed TxOptions.ReadOnly
	res             core.Result
	err             error
	returned        bool
}

type opRecordKey struct{}

// outside handles an op outside the stack, and compares it with the one inside.
func (w *monitor) outside(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
	entered, p := kit.CopyOp(op), &opRecord{readOnly: op.Tx != nil && op.Tx.ReadOnly}
	var res core.Result
	var err error
	panicked := true
	defer func() { w.compare(entered, p, res, err, panicked) }()
	res, err = next(context.WithValue(ctx, opRecordKey{}, p), op)
	panicked = false
	return res, err
}

// inside handles an op innermost, and makes the backend fail if asked to.
func (w *monitor) inside(ctx context.Context, op *core.Op, next core.Handler) (core.Result, error) {
	p, ok := ctx.Value(opRecordKey{}).(*opRecord)
	if !ok {
		w.Errorf("%v arrives without the context of its operation", op.Kind)
		p = new(opRecord)
	}
	p.arrived = append(p.arrived, kit.CopyOp(op))
	p.readOnlyChanged = p.readOnly != (op.Tx != nil && op.Tx.ReadOnly)
	p.res, p.err, p.returned = core.Result{}, nil, false
	if fault := w.takeFault(op); fault != nil {
		p.err = fault(op)
	} else {
		p.res, p.err = next(ctx, op)
	}
	p.returned = true
	returned := p.res
	p.res.Records, p.res.Keys = slices.Clone(returned.Records), slices.Clone(returned.Keys) // the caller may overwrite the slice
	return returned, p.err
}

func (w *monitor) takeFault(op *core.Op) func(op *core.Op) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if op.Kind == core.Tx {
		return nil
	}
	fault := w.fault
	w.fault = nil
	return fault
}

// compare compares an op outside and inside the stack, and records the event.
func (w *monitor) compare(entered *core.Op, p *opRecord, res core.Result, err error, panicked bool) {
	switch {
	case len(p.arrived) != 1:
		w.Errorf("%v arrives %d times", entered.Kind, len(p.arrived))
		return
	case p.readOnlyChanged:
		w.Errorf("the transaction of %v was read-only: %v, and the stack changed that", entered.Kind, p.readOnly)
	case changedField(entered, p.arrived[0]) != "":
		w.Errorf("the stack changed %s of the %s: the op was %+v and arrived as %+v", changedField(entered, p.arrived[0]), entered.Kind, entered, p.arrived[0])
	case panicked == p.returned:
		w.Errorf("%v: the backend returned: %v, and the stack returned: %v", entered.Kind, p.returned, !panicked)
	case !sameError(err, p.err):
		w.Errorf("%v: the backend's error is %v, and the stack returned %v", entered.Kind, p.err, err)
	case !sameResult(res, p.res):
		w.Errorf("%v: the backend's result is %v, and the stack returned %v", entered.Kind, p.res, res)
	}
	if entered.Kind == core.Visibility {
		return // observers do not see it
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, eventOf(entered, p))
}

// sameError reports whether both are the identical error. Wrapping counts as a difference.
func sameError(a, b error) bool {
	if a != nil && b != nil && !reflect.TypeOf(a).Comparable() {
		return reflect.TypeOf(a) == reflect.TypeOf(b) && a.Error() == b.Error()
	}
	return a == b //nolint:errorlint // identity, not wrapping
}

// sameResult reports whether both results are equal.
func sameResult(a, b core.Result) bool {
	return a.Count == b.Count && a.More == b.More && a.Guard == b.Guard && slices.Equal(a.Keys, b.Keys) &&
		slices.EqualFunc(a.Records, b.Records, core.Record.Equal) &&
		slices.EqualFunc(a.Positions, b.Positions, slices.Equal[[]core.Value]) && slices.EqualFunc(a.Conditions, b.Conditions, slices.Equal[[]bool])
}

// sameOrder reports whether both entries are the identical one.
func sameOrder(a, b core.Order) bool {
	return a.Field == b.Field && a.Desc == b.Desc && slices.Equal(a.Path, b.Path)
}

// changedField returns the name of a field of the op that differs, or "".
func changedField(was, is *core.Op) string {
	for name, equal := range map[string]bool{
		"Kind": was.Kind == is.Kind, "Resource": was.Resource == is.Resource, "Keys": slices.Equal(was.Keys, is.Keys),
		"Where": was.Where == is.Where, "Using": was.Using == is.Using, "Check": was.Check == is.Check,
		"Order": slices.EqualFunc(was.Order, is.Order, sameOrder), "Limit": was.Limit == is.Limit, "After": slices.Equal(was.After, is.After),
		"Conditions": slices.Equal(was.Conditions, is.Conditions),
		"Fields":     slices.Equal(was.Fields, is.Fields) && (was.Fields == nil) == (is.Fields == nil),
		"Records":    slices.EqualFunc(was.Records, is.Records, core.Record.Equal), "N": was.N == is.N,
		"Reset": slices.Equal(was.Reset, is.Reset), "IfChanged": slices.Equal(was.IfChanged, is.IfChanged), "Requested": slices.EqualFunc(was.Requested, is.Requested, core.Record.Equal),
		"Principal": was.Principal == is.Principal, "Tx": was.Tx == is.Tx, "Final": was.Final == is.Final,
	} {
		if !equal {
			return name
		}
	}
	return ""
}

func eventOf(op *core.Op, p *opRecord) Event {
	e := Event{Kind: op.Kind, Resource: op.Resource, Principal: op.Principal, Err: p.err, Panicked: !p.returned}
	if op.Tx != nil {
		e.InTx, e.Attempt, e.ReadOnly = op.Kind != core.Tx, op.Tx.Attempt, op.Tx.ReadOnly
	}
	switch {
	case p.err != nil || !p.returned:
	case op.Kind == core.Count:
		e.Rows = p.res.Count
	case op.Kind == core.Delete:
		e.Rows = len(op.Keys)
	case op.Kind == core.NextID:
		e.Rows = len(p.res.Keys)
	case op.Kind == core.Aggregate:
		e.Rows = len(p.res.Groups)
	default:
		e.Rows = len(p.res.Records)
	}
	return e
}

// takeEvents returns the events since the last call.
func (w *monitor) takeEvents() []Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	events := w.events
	w.events = nil
	return events
}

// String returns the event in one line, for messages.
func (e Event) String() string {
	s := e.Kind.String()
	if e.Resource != nil {
		s += " " + e.Resource.Name()
	}
	s += fmt.Sprintf(" for %v: %d rows", e.Principal, e.Rows)
	if e.Attempt > 0 {
		s += fmt.Sprintf(", attempt %d", e.Attempt)
	}
	switch {
	case e.Panicked:
		s += ", panic"
	case e.Err != nil:
		s += ", " + e.Err.Error()
	}
	return s
}
