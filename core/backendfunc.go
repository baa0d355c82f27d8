package core

import (
	"context"
	"errors"
	"sync/atomic"
)

// BackendFunc returns a backend that is made anew for each transaction by a
// storage-returning function. The function is called once per transaction; what
// it returns is bound, used for that one transaction, and closed after it. That
// suits storages that belong to a request, such as a connection or a tenant's
// database that is found in ctx. [New] calls the function once more, to find out
// whether the model fits. It is not the fast way: a backend with a pool of its
// own is.
func BackendFunc(open func(ctx context.Context) (Backend, error)) Backend {
	return &perTransaction{open: open}
}

type perTransaction struct {
	open   func(ctx context.Context) (Backend, error)
	model  *Model
	keys   []KeySource // by index of the resource; set by Bind
	closed atomic.Bool
}

var errNoBackend = errors.New("the storage-returning function returned no backend")

func (p *perTransaction) Bind(ctx context.Context, m *Model) error {
	p.model = m
	b, err := p.bound(ctx)
	if err != nil {
		return err
	}
	p.keys = make([]KeySource, len(m.resources))
	for i, r := range m.resources {
		p.keys[i] = b.KeySource(r)
	}
	return b.Close()
}

func (p *perTransaction) KeySource(r *Resource) KeySource { return p.keys[r.index] }

func (p *perTransaction) Begin(ctx context.Context, opts BackendTxOptions) (BackendTx, error) {
	if p.closed.Load() {
		return nil, ErrClosed
	}
	b, err := p.bound(ctx)
	if err != nil {
		return nil, err
	}
	var tx BackendTx
	if err := closing(b, func() (err error) { tx, err = b.Begin(ctx, opts); return err }); err != nil {
		return nil, err
	}
	return &ownBackendTx{tx, b}, nil
}

// Ping opens a backend and asks it.
func (p *perTransaction) Ping(ctx context.Context) error {
	if p.closed.Load() {
		return ErrClosed
	}
	b, err := p.bound(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = b.Close() }() // what was asked is known
	return b.Ping(ctx)
}

func (p *perTransaction) Close() error {
	p.closed.Store(true)
	return nil
}

// String names the backend in [Store.Describe].
func (p *perTransaction) String() string { return "a backend per transaction" }

func (p *perTransaction) bound(ctx context.Context) (Backend, error) {
	b, err := p.open(ctx)
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, errNoBackend
	}
	if err := closing(b, func() error { return b.Bind(ctx, p.model) }); err != nil {
		return nil, err
	}
	return b, nil
}

// closing runs fn and closes the backend unless fn succeeds: after an error and after
// a panic.
func closing(b Backend, fn func() error) (err error) {
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

// ownBackendTx is a transaction that closes its backend when it ends.
type ownBackendTx struct {
	BackendTx

	backend Backend
}

func (t *ownBackendTx) Commit(ctx context.Context) (err error) {
	defer func() { // even if the backend panics
		closing := t.backend.Close()
		if err != nil { // committed is committed, whatever closing says
			err = errors.Join(err, closing)
		}
	}()
	return t.BackendTx.Commit(ctx)
}

func (t *ownBackendTx) Rollback(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, t.backend.Close()) }()
	return t.BackendTx.Rollback(ctx)
}
