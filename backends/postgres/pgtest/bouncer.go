package pgtest

import (
	"context"
	_ "embed" // bouncer.sh
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

//go:embed bouncer.sh
var bouncerScript string

// sharedBouncer starts the PgBouncer that the tests of this process share.
var sharedBouncer = sync.OnceValues(func() (*Server, error) { return startBouncer(context.Background(), serverURL()) })

// Bouncer returns the connection string of a PgBouncer in transaction mode, in front of the server of [URL] and with at
// most three connections to it. The tests of the process share it. If PgBouncer is not installed, the test fails and
// names the package to install.
func Bouncer(tb testing.TB) string {
	tb.Helper()
	URL(tb)
	s, err := sharedBouncer()
	if err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	return s.URL()
}

// Bouncer starts a PgBouncer like [Bouncer] in front of this server and returns its connection string. It ends with the
// test.
func (s *Server) Bouncer(tb testing.TB) string {
	tb.Helper()
	b, err := startBouncer(context.Background(), s.url)
	if err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	tb.Cleanup(func() {
		if err := b.Stop(); err != nil {
			tb.Errorf("pgtest: %v", err)
		}
	})
	return b.URL()
}

// serverURL returns the connection string of [URL], after a successful call of that.
func serverURL() string {
	if url := os.Getenv("DATABASE_URL"); url != "" {
		return url
	}
	s, _ := shared()
	return s.URL()
}

func startBouncer(ctx context.Context, server string) (*Server, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	bin, err := bouncerBinary("/usr/sbin") // where Debian installs it, not always in PATH
	if err != nil {
		return nil, err
	}
	c, err := pgconn.ParseConfig(server)
	if err != nil {
		return nil, err
	}
	o, err := serverOwner()
	if err != nil {
		return nil, err
	}
	dir, err := o.directory()
	if err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "pgbouncer.ini")
	if err := os.WriteFile(config, []byte(bouncerConfig(c, dir)), 0o600); err != nil {
		return nil, err
	}
	if err := os.Chown(config, o.uid, o.gid); err != nil {
		return nil, err
	}
	g, err := startGuardian(bouncerScript, o, dir, []string{"bin=" + bin, "config=" + config})
	if err != nil {
		return nil, err
	}
	s := &Server{guardian: g, url: socketURL(dir, port)}
	if err := g.awaitReady(ctx, s.ping); err != nil {
		return nil, err
	}
	return s, nil
}

// bouncerConfig returns the configuration file (pgbouncer.org/config.html). It has no authentication of clients: only
// the owner may enter the directory of the socket.
func bouncerConfig(c *pgconn.Config, dir string) string {
	target := []string{
		"host=" + connValue(c.Host), "port=" + strconv.Itoa(int(c.Port)),
		"dbname=" + connValue(c.Database), "user=" + connValue(c.User),
	}
	if c.Password != "" {
		target = append(target, "password="+connValue(c.Password))
	}
	return fmt.Sprintf(`[databases]
postgres = %s
[pgbouncer]
pool_mode = transaction
default_pool_size = 3
max_client_conn = 200
server_login_retry = 0.1
log_connections = 0
log_disconnections = 0
auth_type = any
listen_addr =
listen_port = %s
unix_socket_dir = %s
`, strings.Join(target, " "), port, dir)
}

// connValue quotes a value of a connection string for PgBouncer.
func connValue(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
