package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"math/big"
	"net"
	"net/url"
	"slices"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// Own starts a private server for one test, which may stop, kill or change it. It ends with the test. If the test
// fails, its output shows the server's log. Settings are as in [Start].
//
// Acknowledged commits survive a crash of the server, unless the settings say otherwise. The server also accepts
// connections by TCP.
func Own(tb testing.TB, settings ...string) *Server {
	tb.Helper()
	s := startOwn(tb, "", rand.Text(), append([]string{"synchronous_commit=on"}, settings...))
	if err := s.query(context.Background(), "ALTER ROLE postgres PASSWORD '"+s.password+"'"); err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	return s
}

// Standby starts a hot standby that streams from the server. It has the settings of the server and further ones, and
// ends with the test. It has the roles and passwords of the server.
//
// Commits do not wait for the standby before [Server.Follow]. Until then, promoting the standby may lose acknowledged
// commits.
func (s *Server) Standby(tb testing.TB, settings ...string) *Server {
	tb.Helper()
	return startOwn(tb, s.url, s.password, slices.Concat(s.settings, settings))
}

func startOwn(tb testing.TB, primary, password string, settings []string) *Server {
	tb.Helper()
	port, err := freePort()
	if err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	s, err := start(context.Background(), primary, port, slices.Concat(settings, []string{"listen_addresses=127.0.0.1"}))
	if err != nil {
		tb.Fatalf("pgtest: %v", err)
	}
	s.port, s.password, s.settings = port, password, settings
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("log of the server at port %s:\n%s", port, lastBytes(s.Log(0)))
		}
		if err := s.Stop(); err != nil {
			tb.Errorf("pgtest: %v", err)
		}
	})
	return s
}

// freePort returns an unused TCP port outside the ranges of ephemeral ports (of IANA and of Linux), so that it remains
// unused while the server is down.
func freePort() (string, error) {
	const first, ports, tries = 20000, 12000, 20
	var failed error
	for range tries {
		n, err := rand.Int(rand.Reader, big.NewInt(ports))
		if err != nil {
			return "", err
		}
		port := strconv.Itoa(first + int(n.Int64()))
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port)) //nolint:noctx // does not wait
		if err == nil {
			return port, l.Close()
		}
		failed = errors.Join(failed, err)
	}
	return "", failed
}

// Address returns the TCP address of an [Own] server, as host:port.
func (s *Server) Address() string { return net.JoinHostPort("127.0.0.1", s.port) }

// TCP returns the connection string of the superuser of an [Own] server by TCP. It contains the password, which the
// server verifies (scram-sha-256).
func (s *Server) TCP() string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword("postgres", s.password),
		Host: s.Address(), Path: "postgres", RawQuery: "sslmode=disable",
	}
	return u.String()
}

// query executes statements as the superuser.
func (s *Server) query(ctx context.Context, sql string) error {
	c, err := pgconn.Connect(ctx, s.url)
	if err != nil {
		return err
	}
	_, err = c.Exec(ctx, sql).ReadAll()
	return errors.Join(err, c.Close(ctx))
}
