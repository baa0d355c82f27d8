// Tenants serves many tenants, each with a schema of its own on one of several PostgreSQL servers:
//
//	go run ./cookbook/tenants -secret FILE -shard a=postgres://... -shard b=postgres://...
//
// README.md shows sign-up, moves and migrations step by step; -help lists the flags.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/larder-go/larder/backends/postgres"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/rest"
	"github.com/larder-go/larder/decorators/metrics"
)

var (
	addr       = flag.String("addr", "127.0.0.1:8080", "`address` to listen on; port 0 selects a free port")
	secretFile = flag.String("secret", "", "`file` with the secret that signs bearer tokens (HS256)")
	schema     = flag.String("schema", "tenants", "`schema` of the register on the first server; the names of the tenants' schemas begin with it")
	most       = flag.Int("open", 1000, "`number` of tenants whose stores stay open while they are idle")
	fresh      = flag.Duration("fresh", 2*time.Second, "`time` for which a process relies on its knowledge of a tenant; the same for all processes")
	shards     = shardFlag()
)

func shardFlag() *shardList {
	list := new(shardList)
	flag.Var(list, "shard", "`name=postgres://...` of a server; repeat the flag for further servers")
	return list
}

// shardList is the value of the flags -shard: names and connection strings.
type shardList [][2]string

func (l *shardList) String() string { return "" } // connection strings hold passwords

func (l *shardList) Set(text string) error {
	name, url, found := strings.Cut(text, "=")
	if !found || name == "" {
		return errors.New("write a name and a connection string, such as a=postgres://user:password@host:5432/database")
	}
	*l = append(*l, [2]string{name, url})
	return nil
}

// shard is a PostgreSQL server. The stores of all its tenants share the pool, and their operations the metrics.
type shard struct {
	name    string
	pool    *pgxpool.Pool
	metrics core.Decorator
}

// newShard succeeds while the server is unreachable, so that the tenants of the other servers are served.
func newShard(ctx context.Context, name, url string, registry *prometheus.Registry) (*shard, error) {
	pool, err := postgres.NewPool(ctx, url, postgres.Options{})
	if err != nil {
		return nil, fmt.Errorf("-shard %s: %w", name, err)
	}
	labelled := prometheus.WrapRegistererWith(prometheus.Labels{"shard": name}, registry)
	labelled.MustRegister(metrics.PoolCollector(pool.Stat))
	return &shard{name, pool, metrics.New(labelled, metrics.Options{})}, nil
}

// run serves until an interrupt or SIGTERM.
func run(ctx context.Context) (err error) {
	secret, err := os.ReadFile(*secretFile)
	if secret = bytes.TrimSpace(secret); err != nil || len(secret) < 32 {
		return errors.Join(errors.New("-secret: name a file with at least 32 bytes, such as the output of openssl rand -hex 32"), err)
	}
	s, err := newService(ctx, secret, *shards)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", *addr)
	if err != nil {
		return fmt.Errorf("-addr: %w", err)
	}
	settled := make(chan struct{})
	go func() { defer close(settled); s.settleForever(ctx) }()
	defer func() { <-settled }()
	fmt.Printf("serving on http://%s\n", listener.Addr())
	return rest.Serve(ctx, listener, rest.WithHealth(s.register, s))
}
