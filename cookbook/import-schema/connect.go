package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/larder-go/larder/backends/postgres"
)

// connectTimeout is how long a server may take to answer, unless the connection string has a connect_timeout.
const connectTimeout = 10 * time.Second

// connect opens the only connection of the program.
func connect(ctx context.Context, url string) (*pgx.Conn, error) {
	parsed, err := postgres.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("-url: %w", err)
	}
	config := parsed.ConnConfig
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	switch e, rejected := errors.AsType[*pgconn.PgError](err); {
	case err == nil:
		return conn, nil
	case rejected && len(config.RuntimeParams) > 0 && !aboutLogin(e.Code):
		return nil, fmt.Errorf("the server at %s refuses a setting of the connection string (%s)", servers(config), e.Code)
	}
	return nil, explain(config, err)
}

// aboutLogin reports whether an SQLSTATE (manual, appendix A) concerns users, databases or the state of the server. The
// messages of other classes repeat settings, and a setting may be a piece of the password, as in "password=top secret=x".
func aboutLogin(code string) bool {
	return slices.ContainsFunc([]string{"28", "3D", "53", "57"}, func(class string) bool { return strings.HasPrefix(code, class) })
}

// explain returns an error of one line without the password.
func explain(config *pgx.ConnConfig, err error) error {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return fmt.Errorf("the server at %s says: %s (%s)", servers(config), e.Message, e.Code)
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		return fmt.Errorf("cannot find the host %s", e.Name)
	}
	if errors.Is(err, context.Canceled) {
		return errors.New("interrupted")
	}
	if pgconn.Timeout(err) {
		return fmt.Errorf("no answer from %s", servers(config))
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return fmt.Errorf("cannot reach %s: %w", servers(config), e.Err)
	}
	if e, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return fmt.Errorf("cannot connect to %s: %w", servers(config), errors.Unwrap(e))
	}
	return err
}

// servers returns the addresses that the connection string names.
func servers(config *pgx.ConnConfig) string {
	_, address := pgconn.NetworkAddress(config.Host, config.Port)
	all := []string{address}
	for _, f := range config.Fallbacks {
		if _, address := pgconn.NetworkAddress(f.Host, f.Port); !slices.Contains(all, address) {
			all = append(all, address)
		}
	}
	return strings.Join(all, " or ")
}
