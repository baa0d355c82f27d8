package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/engine"
	"github.com/larder-go/larder/core/rest"
	"github.com/larder-go/larder/core/typed"
	"github.com/larder-go/larder/decorators/access"
	"github.com/larder-go/larder/decorators/logging"
)

//go:embed policy.json
var policyJSON []byte

// service serves the tenants by the tokens of requests, and the register to operators.
type service struct {
	secret   []byte
	shards   map[string]*shard
	registry *prometheus.Registry
	register *core.Store
	tenants  *typed.Collection[tenant] // of the register
	operator *rest.Handler             // REST interface of the register
	mux      http.Handler
	wake     chan struct{} // has an element after a change of the register

	settling sync.WaitGroup
	places   chan struct{} // one element for each tenant that is being settled
	moves    sync.Mutex    // for one move at a time

	mu    sync.Mutex
	busy  map[int64]bool   // tenants that are being settled, by id; true if the state has changed meanwhile
	slots map[string]*slot // by the name of the tenant
}

func newService(ctx context.Context, secret []byte, list shardList) (_ *service, err error) {
	s := &service{
		secret: secret, shards: make(map[string]*shard), registry: prometheus.NewRegistry(), wake: make(chan struct{}, 1),
		places: make(chan struct{}, atOnce), busy: make(map[int64]bool), slots: make(map[string]*slot),
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	var names []any
	for _, l := range list {
		if s.shards[l[0]] != nil {
			return nil, fmt.Errorf("-shard: the name %s occurs twice", l[0])
		}
		if s.shards[l[0]], err = newShard(ctx, l[0], l[1], s.registry); err != nil {
			return nil, err
		}
		names = append(names, l[0])
	}
	if names == nil {
		return nil, errors.New("-shard: name at least one server; see -help")
	}
	first := s.shards[list[0][0]]
	m, err := registerModel(names)
	if err != nil {
		return nil, err
	}
	policy, err := access.Parse(policyJSON)
	if err != nil {
		return nil, err
	}
	s.register, err = core.New(ctx, m, postgres.New(first.pool, *schema, postgres.Options{Migrate: true}),
		logging.NewSlog(slog.Default(), logging.Options{}), first.metrics, access.New(policy, access.Options{}), core.OnWrite("tenant", s.changed))
	if err != nil {
		return nil, fmt.Errorf("the register on -shard %s: %w", first.name, err)
	}
	if s.tenants, err = typed.New[tenant](s.register, "tenant"); err != nil {
		return nil, err
	}
	s.operator, err = rest.New(engine.New(s.register, engine.Options{}), rest.Options{Title: "Tenants", Prefix: "/admin", Authenticate: s.authenticate})
	s.mux = s.routes()
	return s, err
}

// Close closes all stores and pools.
func (s *service) Close() (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, open := range s.slots {
		err = errors.Join(err, open.close())
	}
	if s.register != nil {
		err = errors.Join(err, s.register.Close())
	}
	for _, server := range s.shards {
		if server != nil {
			server.pool.Close()
		}
	}
	return err
}

// changed makes requests read the records of changed tenants again, and wakes settleForever when a state has changed. Other processes
// notice a change after the time fresh, and their settleForever after an interval.
func (s *service) changed(_ context.Context, tx *core.Transaction, changes []core.Change) error {
	for _, c := range changes {
		was, is := c.Before.Get("state"), c.After.Get("state")
		tx.AfterCommit(func(context.Context) {
			s.recheck(c.After.Get("name").Text())
			if was != is {
				s.stateChanged(c.After.Key().Int())
			}
		})
	}
	return nil
}

// find returns the tenant with the name; core.NotFound if there is none, or if it is deleted.
func (s *service) find(ctx context.Context, name string) (tenant, error) {
	where := core.And(core.Eq("name", name), core.Not(core.In("state", "deleting", "deleted")))
	found, _, err := s.tenants.Page(core.System(ctx), core.Query{Where: where, Limit: 1})
	if err == nil && len(found) == 0 {
		err = core.NotFound
	}
	if err != nil {
		return tenant{}, err
	}
	return found[0], nil
}

// errChanged reports that another process has taken the next step for the tenant.
var errChanged = errors.New("the tenant has changed meanwhile")

// change changes the record of the tenant, if its state and its copies are still the known ones.
func (s *service) change(ctx context.Context, t *tenant, fn func(*tenant)) error {
	var now tenant
	err := s.register.Tx(core.System(ctx), func(ctx context.Context, tx *core.Transaction) (err error) {
		tenants := s.tenants.In(tx)
		if now, err = tenants.Get(ctx, t.ID); err != nil {
			return err
		}
		if now.State != t.State || now.Copy != t.Copy || now.Other != t.Other {
			return errChanged
		}
		fn(&now)
		return tenants.Update(ctx, &now)
	})
	if err == nil {
		*t = now
	}
	return err
}

// place returns a server by its name, and the name of a copy of a tenant's schema.
func (s *service) place(name string, t *tenant, number int64) (*shard, string, error) {
	if s.shards[name] == nil {
		return nil, "", fmt.Errorf("tenant %s: there is no server %q; name it with -shard", t.Name, name)
	}
	return s.shards[name], schemaOf(t, number), nil
}

// schemaOf returns the name of the schema. Neither an id nor the number of a copy is used twice, so that a late DROP SCHEMA of a
// process that has been slow drops nothing that is in use.
func schemaOf(t *tenant, number int64) string { return fmt.Sprintf("%s_%d_%d", *schema, t.ID, number) }

func quoted(names ...string) string { return pgx.Identifier(names).Sanitize() }
