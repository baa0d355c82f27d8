package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/core"
)

const (
	atOnce   = 4           // tenants that one process settles at once
	interval = time.Minute // between two attempts
)

// settleForever brings every tenant to the state active: at the start, after changes of the register, and once in an interval,
// after failures and for processes that have ended half way.
func (s *service) settleForever(ctx context.Context) {
	defer s.settling.Wait()
	timer := time.NewTicker(interval)
	defer timer.Stop()
	for ctx.Err() == nil {
		s.settleAll(ctx)
		select {
		case <-ctx.Done():
		case <-s.wake:
		case <-timer.C:
		}
	}
}

// settleAll begins to settle the tenants that need it, a few at once, and logs a report. The failure of one does not stop the others.
func (s *service) settleAll(ctx context.Context) {
	where := core.And(core.Ne("state", "deleted"), core.Or(core.Ne("state", "active"), core.Lt("version", modelVersion)))
	for t, err := range s.tenants.All(core.System(ctx), core.Query{Where: where}) {
		if err != nil {
			slog.Error("reading the register failed", "error", err)
			return
		}
		if !s.begin(t.ID) {
			continue
		}
		s.places <- struct{}{}
		s.settling.Go(func() {
			defer func() { s.end(t.ID); <-s.places }()
			log, began := slog.With("tenant", t.Name, "state", t.State, "version", t.Version), time.Now()
			if err := s.settle(ctx, &t, s.advance); err != nil {
				log.Error("the tenant is not settled", "error", err)
				return
			}
			log.Info("the tenant is settled", "seconds", time.Since(began).Seconds())
		})
	}
}

// begin reports whether the tenant is not being settled, and marks it.
func (s *service) begin(id int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, busy := s.busy[id]
	if !busy {
		s.busy[id] = false
	}
	return !busy
}

// end removes the mark, and wakes settleForever if the state of the tenant has changed meanwhile.
func (s *service) end(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy[id] {
		s.wakeUp()
	}
	delete(s.busy, id)
}

// stateChanged wakes settleForever, again at the end if the tenant is being settled.
func (s *service) stateChanged(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, busy := s.busy[id]; busy {
		s.busy[id] = true
	}
	s.wakeUp()
}

// wakeUp wakes settleForever.
func (s *service) wakeUp() {
	select {
	case s.wake <- struct{}{}:
	default: // it will read the whole register anyway
	}
}

// settle performs steps towards the state active, and keeps the error of a failure in the register. Every step can be repeated, and
// several processes may take the same one: the record changes after the step, and only if no other process has changed it.
func (s *service) settle(ctx context.Context, t *tenant, steps func(context.Context, *tenant) error) error {
	err := steps(ctx, t)
	problem := ""
	switch {
	case errors.Is(err, errChanged):
		return nil // another process goes on
	case ctx.Err() != nil: // the next process goes on
		return err
	case err != nil:
		problem = err.Error()
	}
	if problem == t.Problem {
		return err
	}
	return errors.Join(err, s.change(ctx, t, func(t *tenant) { t.Problem = problem }))
}

// migrate creates the schema of a tenant, or gives it the tables and columns of the present model.
func (s *service) migrate(ctx context.Context, t *tenant) error {
	if t.Version >= modelVersion || t.State == "deleting" {
		return nil
	}
	server, schema, err := s.place(t.Shard, t, t.Copy)
	if err != nil {
		return err
	}
	if err := postgres.Migrate(ctx, server.pool, schema, model); err != nil {
		return err
	}
	return s.change(ctx, t, func(t *tenant) {
		if t.Version = modelVersion; t.State == "creating" {
			t.State = "active"
		}
	})
}

// advance performs all steps.
func (s *service) advance(ctx context.Context, t *tenant) error {
	if err := s.migrate(ctx, t); err != nil {
		return err
	}
	switch t.State {
	case "moving":
		if err := s.alone(ctx, t, s.move); err != nil {
			return err
		}
		return s.dropOther(ctx, t)
	case "returning":
		if err := s.alone(ctx, t, s.abandon); err != nil {
			return err
		}
		return s.dropOther(ctx, t)
	case "moved":
		return s.dropOther(ctx, t)
	case "deleting":
		if t.Target != nil {
			if err := s.drop(ctx, t, *t.Target, t.Other); err != nil {
				return err
			}
		}
		if err := s.drop(ctx, t, t.Shard, t.Copy); err != nil {
			return err
		}
		return s.change(ctx, t, func(t *tenant) { t.State, t.Target = "deleted", nil })
	}
	return nil
}

// dropOther drops the copy that is not in use, after the requests that still read it, and ends the move.
func (s *service) dropOther(ctx context.Context, t *tenant) error {
	if err := pause(ctx); err != nil {
		return err
	}
	if err := s.drop(ctx, t, *t.Target, t.Other); err != nil {
		return err
	}
	return s.change(ctx, t, func(t *tenant) { t.State, t.Target = "active", nil })
}

// drop drops a copy of a tenant's schema, if there is one.
func (s *service) drop(ctx context.Context, t *tenant, server string, number int64) error {
	at, schema, err := s.place(server, t, number)
	if err != nil {
		return err
	}
	_, err = at.pool.Exec(ctx, "DROP SCHEMA IF EXISTS "+quoted(schema)+" CASCADE")
	return err
}
