package core

import (
	"context"
	"errors"
	"sync/atomic"
)

// BackendFunc returns a backend that opens another backend for each transaction, by calling the function with the
// context of the transaction. It suits storages that belong to a request, such as the database of a tenant. The
// opened backend is bound, used for one transaction or one [Store.Ping], and closed. The function may be called in
// several goroutines at once, and must return a backend that is not bound yet.
//
// [New] calls the function once, to check the model and to learn the key sources. For other uses a backend with a
// connection pool is faster.
func BackendFunc(open func(ctx context.Context) (Backend, error)) Backend {
	return &backendPerTx{open: open}
}

type backendPerTx struct {
	open   func(ctx context.Context) (Backend, error)
	model  *Model
	keys   []KeySource // by index of the resource
	closed atomic.Bool
}

var errNoBackend = errors.New("the storage-returning function returned no backend")

func (p *backendPerTx) Bind(ctx context.Context, m *Model) error {
	p.model = m
	b, err := p.bound(ctx)
	if err != nil {
		return err
	}
	p.keys = make([]KeySource, len(m.resources))
	for i, r := range m.resources {
		p.keys[i] = b.KeySource(r)
		p.keys[i].Partial = true // another backend may read from a view
	}
	return b.Close()
}

func (p *backendPerTx) KeySource(r *Resource) KeySource { return p.keys[r.index] }

func (p *backendPerTx) Begin(ctx context.Context, opts BackendTxOptions) (BackendTx, error) {
	if p.closed.Load() {
		return nil, ErrClosed
	}
	b, err := p.bound(ctx)
	if err != nil {
		return nil, err
	}
	var tx BackendTx
	if err := closeOnFailure(b, func() (err error) { tx, err = b.Begin(ctx, opts); return err }); err != nil {
		return nil, err
	}
	return &closingTx{tx, b}, nil
}

// Ping opens a backend and pings it.
func (p *backendPerTx) Ping(ctx context.Context) error {
	if p.closed.Load() {
		return ErrClosed
	}
	b, err := p.bound(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = b.Close() }() // the result of Ping is known
	return b.Ping(ctx)
}

func (p *backendPerTx) Close() error {
	p.closed.Store(true)
	return nil
}

// String returns the name for [Store.Describe].
func (p *backendPerTx) String() string { return "a backend per transaction" }

func (p *backendPerTx) bound(ctx context.Context) (Backend, error) {
	b, err := p.open(ctx)
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, errNoBackend
	}
	if err := closeOnFailure(b, func() error { return b.Bind(ctx, p.model) }); err != nil {
		return nil, err
	}
	return b, nil
}

// closeOnFailure runs fn and closes the backend if fn fails or panics.
func closeOnFailure(b Backend, fn func() error) (err error) {
	ok := false
	defer func() {
		if !ok {
			err = errors.Join(err, b.Close())
		}
	}()
	err = fn()
	ok = err == nil
	return err
}

// closingTx is a transaction that closes its backend at its end, even if the backend panics.
type closingTx struct {
	BackendTx

	backend Backend
}

func (t *closingTx) Commit(ctx context.Context) (err error) {
	defer func() {
		closeErr := t.backend.Close()
		if err != nil { // the transaction has committed even if closing fails
			err = errors.Join(err, closeErr)
		}
	}()
	return t.BackendTx.Commit(ctx)
}

func (t *closingTx) Rollback(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, t.backend.Close()) }()
	return t.BackendTx.Rollback(ctx)
}
