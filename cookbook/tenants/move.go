package main

import (
	"context"
	"errors"
	"time"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/core"
)

// move copies the schema of a tenant to the target, and lets the register name the copy. The schema can be read meanwhile, and
// writes fail in all processes. The register changes after the rows of the copy have been counted and committed.
//
// All processes know of the move before the copy begins, and read the register for every request until it ends. A process that does
// not know of it could still lose no write, because the database stops the writes.
//
// Each attempt makes a copy with a higher number. The register accepts only the last one, so that a process which has been slow, or
// has lost its lock, can neither name an older copy nor drop one that is in use.
func (s *service) move(ctx context.Context, t *tenant) error {
	if t.Version > modelVersion {
		return errChanged // for a process that has the model of this version
	}
	from, old, err := s.place(t.Shard, t, t.Copy)
	if err != nil {
		return err
	}
	if err := s.change(ctx, t, func(t *tenant) { t.Other = max(t.Copy, t.Other) + 1 }); err != nil {
		return err
	}
	to, copied, err := s.place(*t.Target, t, t.Other)
	if err != nil {
		return err
	}
	for n := t.Copy + 1; n < t.Other; n++ { // attempts that have ended half way
		if err := s.drop(ctx, t, to.name, n); err != nil {
			return err
		}
	}
	if err := pause(ctx); err != nil {
		return err
	}
	if err := postgres.StopWrites(ctx, from.pool, old); err != nil {
		return err
	}
	if err := postgres.CopySchema(ctx, from.pool, old, to.pool, copied, model); err != nil {
		return err
	}
	return s.change(ctx, t, func(t *tenant) {
		t.State, t.Version = "moved", modelVersion
		t.Shard, t.Target = *t.Target, &from.name
		t.Copy, t.Other = t.Other, t.Copy
	})
}

// abandon ends a move that has not succeeded. The tenant stays where it is.
func (s *service) abandon(ctx context.Context, t *tenant) error {
	server, schema, err := s.place(t.Shard, t, t.Copy)
	if err != nil {
		return err
	}
	return postgres.PermitWrites(ctx, server.pool, schema)
}

// alone runs a step with the present record of the tenant while no other process runs one for it. The lock ends with its connection.
// A process runs one step at a time, so that the holders of locks do not wait for each other's connections; the end of a step wakes
// settleForever.
func (s *service) alone(ctx context.Context, t *tenant, step func(context.Context, *tenant) error) error {
	if !s.moves.TryLock() {
		return errChanged
	}
	defer s.moves.Unlock()
	server, schema, err := s.place(t.Shard, t, t.Copy)
	if err != nil {
		return err
	}
	lock, err := server.pool.Begin(ctx)
	if err != nil {
		return err
	}
	defer lock.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // it has written nothing
	if _, err := lock.Exec(ctx, "SET LOCAL idle_in_transaction_session_timeout = 0"); err != nil {
		return err
	}
	free := false
	if err := lock.QueryRow(ctx, "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))", schema).Scan(&free); err != nil || !free {
		return errors.Join(err, errChanged)
	}
	now, err := s.tenants.Get(core.System(ctx), t.ID)
	if err != nil || now.State != t.State || now.Copy != t.Copy {
		return errors.Join(err, errChanged)
	}
	*t = now
	return step(ctx, t)
}

// pause waits until all processes have read the register again.
func pause(ctx context.Context) error {
	select {
	case <-time.After(*fresh):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
