package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
	"github.com/larder-go/larder/decorators/limit"
	"github.com/larder-go/larder/decorators/logging"
	"github.com/larder-go/larder/decorators/readonly"
)

// slot holds the open store of one tenant. The service counts its requests, and closes it after the last one, once it is out of use.
type slot struct {
	tenant tenant // as the store has it

	once    sync.Once
	err     error // of opening
	store   *core.Store
	handler http.Handler
	moving  readonly.Switch

	// The mutex of the service protects these.
	requests int
	out      bool // of use
	used     time.Time
	checked  time.Time
}

// enter returns the slot of a tenant, with one more request. A new one takes the place of an idle one if there are too many.
func (s *service) enter(name string) *slot {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	found := s.slots[name]
	if found == nil {
		if len(s.slots) >= *most {
			s.evict()
		}
		found = &slot{checked: now}
		s.slots[name] = found
	}
	found.requests++
	found.used = now
	return found
}

// evict takes the slot that has been idle for the longest time out of use, if one is idle.
func (s *service) evict() {
	oldest := ""
	for name, o := range s.slots {
		if o.requests == 0 && (oldest == "" || o.used.Before(s.slots[oldest].used)) {
			oldest = name
		}
	}
	if o := s.slots[oldest]; o != nil {
		delete(s.slots, oldest)
		_ = o.close() // of a shared pool: it cannot fail
	}
}

// leave ends a request.
func (s *service) leave(o *slot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.requests--; o.requests == 0 && o.out {
		_ = o.close()
	}
}

// discard takes a slot out of use.
func (s *service) discard(name string, o *slot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.out = true; s.slots[name] == o {
		delete(s.slots, name)
	}
}

// recheck makes the next request of a tenant read its record.
func (s *service) recheck(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.slots[name]; o != nil {
		o.checked = time.Time{}
	}
}

// stale reports whether the record has to be read again: once in a while, and for every request while the tenant moves.
func (s *service) stale(o *slot) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(o.checked) < *fresh && !o.moving.On() {
		return false
	}
	o.checked = time.Now()
	return true
}

// acquire returns the slot of a tenant for a request, which must leave it.
func (s *service) acquire(ctx context.Context, name string) (*slot, error) {
	for {
		o := s.enter(name)
		o.once.Do(func() { o.err = s.open(ctx, name, o) })
		if !s.stale(o) || o.err == nil && s.current(ctx, name, o) {
			if o.err == nil {
				return o, nil
			}
			s.leave(o)
			return nil, o.err
		}
		s.discard(name, o)
		s.leave(o)
	}
}

// current reads the record of the tenant. It reports whether the slot still has the right store. While the register is down, the open
// stores remain in use: a moved schema accepts no writes.
func (s *service) current(ctx context.Context, name string, o *slot) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second) // the request waits for it
	defer cancel()
	t, err := s.find(ctx, name)
	switch {
	case errors.Is(err, core.NotFound):
		return false
	case err != nil:
		slog.Warn("the register cannot be read; its last state is used", "tenant", name, "error", err)
		return true
	}
	o.moving.Set(t.State == "moving")
	return t.Shard == o.tenant.Shard && t.Copy == o.tenant.Copy && t.ID == o.tenant.ID
}

// open opens the store of a tenant. It first creates or migrates the schema, if settleForever has not come to it yet.
func (s *service) open(ctx context.Context, name string, o *slot) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second) // other requests wait, too
	defer cancel()
	t, err := s.find(ctx, name)
	if err == nil && t.Version < modelVersion {
		if err = s.settle(ctx, &t, s.migrate); err == nil {
			t, err = s.find(ctx, name)
		}
	}
	if errors.Is(err, core.NotFound) {
		return &core.Error{Code: core.Unauthorized, Message: "the tenant does not exist", Cause: err}
	}
	server, schema, wrong := s.place(t.Shard, &t, t.Copy)
	if err = errors.Join(err, wrong); err != nil {
		return &core.Error{Code: core.Unavailable, Cause: err}
	}
	// Errors cause a check of the schema within a second; without errors, one an hour suffices for a thousand tenants.
	backend := postgres.New(server.pool, schema, postgres.Options{CheckSchema: time.Hour})
	o.store, err = core.New(ctx, model, backend,
		logging.NewSlog(slog.With("tenant", name), logging.Options{}), server.metrics,
		limit.New(limit.Rule{Name: "tenant", Key: limit.Everyone, Concurrent: half(server.pool), Wait: 2 * time.Second}),
		readonly.New(readonly.Options{Switch: &o.moving}))
	if err != nil {
		return &core.Error{Code: core.Unavailable, Cause: fmt.Errorf("tenant %s: %w", name, err)}
	}
	o.tenant = t
	o.moving.Set(t.State == "moving")
	o.handler, err = rest.New(engine.New(o.store, engine.Options{}), rest.Options{
		MaxInFlight: 16 << 20,
		Authenticate: func(r *http.Request) (*core.Principal, error) {
			if p := core.PrincipalOf(r.Context()); tenantOf(p) == name {
				return p, nil
			}
			return nil, core.Unauthorized
		},
	})
	return err
}

// half returns half of the connections of a pool, so that no tenant takes all of them.
func half(pool *pgxpool.Pool) int { return max(1, int(pool.Config().MaxConns)/2) }

func (o *slot) close() error {
	if o.store == nil {
		return nil
	}
	return o.store.Close()
}
