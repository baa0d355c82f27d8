package fault

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/larder-go/larder/core"
)

// Backend is a backend that fails as its rules say. It is safe for concurrent use.
type Backend struct {
	backend  core.Backend
	rules    *rules
	explicit bool // the commit of every transaction is a step of its own
}

var _ core.Backend = (*Backend)(nil)

// New returns a backend around another one, with faults enabled. It owns that backend: Close closes it.
//
// [core.New] fails if a rule is invalid: a resource that the model does not have, a kind that no backend sees, a negative
// number, a probability above 1, or [core.ErrCommitUnknown] for anything but commits.
func New(backend core.Backend, seed uint64, all ...Rule) *Backend {
	rs := newRules(seed, all)
	return &Backend{backend: backend, rules: rs, explicit: rs.commits()}
}

// Enable turns the faults on or off, for example off while a test stores its fixture. Operations do not match while they are
// off.
func (b *Backend) Enable(on bool) {
	b.rules.mu.Lock()
	defer b.rules.mu.Unlock()
	b.rules.off = !on
}

// Counts returns how often each rule has applied, in the order of the rules.
func (b *Backend) Counts() []Count {
	b.rules.mu.Lock()
	defer b.rules.mu.Unlock()
	return slices.Clone(b.rules.counts)
}

// Bind implements [core.Backend].
func (b *Backend) Bind(ctx context.Context, m *core.Model) error {
	for i, r := range b.rules.all {
		if err := r.check(m); err != nil {
			return fmt.Errorf("fault: rule %d: %w", i+1, err)
		}
	}
	return b.backend.Bind(ctx, m)
}

// KeySource implements [core.Backend].
func (b *Backend) KeySource(r *core.Resource) core.KeySource { return b.backend.KeySource(r) }

// Begin implements [core.Backend].
func (b *Backend) Begin(ctx context.Context, opts core.BackendTxOptions) (core.BackendTx, error) {
	if b.explicit {
		opts.Single = false
	}
	tx, err := b.backend.Begin(ctx, opts)
	if err != nil {
		return nil, err
	}
	return &transaction{b: b, tx: tx}, nil
}

// Ping implements [core.Backend]. It has no faults.
func (b *Backend) Ping(ctx context.Context) error { return b.backend.Ping(ctx) }

// Close implements [core.Backend]. It has no faults.
func (b *Backend) Close() error { return b.backend.Close() }

// String describes the backend for [core.Store.Describe].
func (b *Backend) String() string {
	inner := fmt.Sprintf("%T", b.backend)
	if named, ok := b.backend.(fmt.Stringer); ok {
		inner = named.String()
	}
	return fmt.Sprintf("%s with %d rules for faults", inner, len(b.rules.all))
}

// transaction is a transaction of a Backend.
type transaction struct {
	b       *Backend
	tx      core.BackendTx
	written []*core.Resource // resources that the transaction has written to
}

// op returns the op to pass on, or the error in its place.
func (t *transaction) op(ctx context.Context, op *core.Op) (*core.Op, error) {
	if _, err := t.b.rules.apply(ctx, op.Kind, op.Resource); err != nil {
		return nil, err
	}
	if op.Kind.Writes() && !slices.Contains(t.written, op.Resource) {
		t.written = append(t.written, op.Resource)
	}
	if t.b.explicit && op.Final {
		copied := *op
		copied.Final = false
		op = &copied
	}
	return op, nil
}

func (t *transaction) Lock(ctx context.Context, names []string) error { return t.tx.Lock(ctx, names) }

func (t *transaction) Read(ctx context.Context, op *core.Op) (core.Result, error) {
	op, err := t.op(ctx, op)
	if err != nil {
		return core.Result{}, err
	}
	return t.tx.Read(ctx, op)
}

func (t *transaction) Count(ctx context.Context, op *core.Op) (int, error) {
	op, err := t.op(ctx, op)
	if err != nil {
		return 0, err
	}
	return t.tx.Count(ctx, op)
}

func (t *transaction) Aggregate(ctx context.Context, op *core.Op) (core.Result, error) {
	op, err := t.op(ctx, op)
	if err != nil {
		return core.Result{}, err
	}
	return t.tx.Aggregate(ctx, op)
}

func (t *transaction) Insert(ctx context.Context, op *core.Op) ([]core.Record, error) {
	op, err := t.op(ctx, op)
	if err != nil {
		return nil, err
	}
	return t.tx.Insert(ctx, op)
}

func (t *transaction) Update(ctx context.Context, op *core.Op) ([]core.Record, error) {
	op, err := t.op(ctx, op)
	if err != nil {
		return nil, err
	}
	return t.tx.Update(ctx, op)
}

func (t *transaction) Delete(ctx context.Context, op *core.Op) error {
	op, err := t.op(ctx, op)
	if err != nil {
		return err
	}
	return t.tx.Delete(ctx, op)
}

func (t *transaction) NextIDs(ctx context.Context, op *core.Op) ([]core.Value, error) {
	op, err := t.op(ctx, op)
	if err != nil {
		return nil, err
	}
	return t.tx.NextIDs(ctx, op)
}

func (t *transaction) Commit(ctx context.Context) error {
	if len(t.written) == 0 {
		return t.tx.Commit(ctx)
	}
	committed, fault := t.b.rules.apply(ctx, core.Tx, t.written...)
	switch {
	case fault == nil:
		return t.tx.Commit(ctx)
	case committed:
		if err := t.tx.Commit(ctx); err != nil {
			return err
		}
	default:
		t.undo(ctx)
	}
	return fault
}

func (t *transaction) Rollback(ctx context.Context) error { return t.tx.Rollback(ctx) }

const undoTime = 5 * time.Second

// undo rolls back in place of a commit, after which the store calls nothing.
func (t *transaction) undo(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	_ = t.tx.Rollback(ctx) // as in the store: a transaction without a commit has not happened
}
