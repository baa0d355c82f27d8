package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// patience is how long a server may take to answer, unless the connection string
// has a connect_timeout.
const patience = 10 * time.Second

// errURL shows nothing of the string: wherever it is cut wrongly, a piece of the
// password may be.
var errURL = errors.New("-url: not a connection string such as postgres://user:password@host:5432/database, or one with a wrong setting; " +
	"in user and password write / ? # @ : % as %2F %3F %23 %40 %3A %25")

// connect opens the only connection that is needed.
func connect(ctx context.Context, url string) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil || cutsPassword(url) || !settings(config) {
		return nil, errURL
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = patience
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, explain(config, err)
	}
	return conn, nil
}

// cutsPassword reports whether a URL has an @ behind what ends its authority
// (RFC 3986, section 3.2). Most likely the password has a character there that is
// not encoded, and what is before it would be taken for the port, and shown as
// such.
func cutsPassword(url string) bool {
	_, rest, ok := strings.Cut(url, "://")
	if !ok {
		return false
	}
	end := strings.IndexAny(rest, "/?#")
	return end >= 0 && strings.Contains(rest[end:], "@")
}

// setting matches the names of settings (manual, section 20.1.1).
var setting = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*$`)

// settings reports whether what the server is to be told of are settings. A URL
// with a wrong scheme passes for the name of one, which the server would repeat.
func settings(config *pgx.ConnConfig) bool {
	for name := range config.RuntimeParams {
		if !setting.MatchString(name) {
			return false
		}
	}
	return true
}

// explain says in one line what went wrong.
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
