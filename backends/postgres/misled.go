package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// errStandby is the cause of [core.Unavailable] where a primary is needed.
var errStandby = errors.New("postgres: the connection leads to a standby or to a server that is read-only: " +
	"name all servers in the connection string, with target_session_attrs=read-write")

// fromStandby reports whether the server refused a statement because it is a hot standby,
// which has no SERIALIZABLE and takes no writes (manual, section 27.4.1). A transaction
// that is read-only is refused a write by a primary as well.
func isStandbyError(err error, readOnly bool) bool {
	server, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return false
	}
	switch server.Code {
	case "25006":
		return !readOnly
	case "0A000": // of a session's default level, and of BEGIN
		return server.Routine == "GetSerializableTransactionSnapshot" || server.Routine == "call_enum_check_hook"
	case "55000": // positions in the log
		return strings.HasPrefix(server.Routine, "pg_current_wal") || server.Routine == "pg_walfile_name"
	}
	return false
}

// leadsToStandby reports what the server itself says, since version 14.
func isStandby(conn *pgxpool.Conn) bool {
	return conn.Conn().PgConn().ParameterStatus("in_hot_standby") == "on"
}

// misled closes a connection that should lead to a primary and does not, so that its pool
// makes another one. The other connections of a pool of our own most likely lead there too.
func (b *Backend) closeStandby(ctx context.Context, conn *pgxpool.Conn) {
	_ = conn.Conn().Close(ctx)
	if b.owned {
		b.pool.Reset()
	}
}

// failedOn returns the error of a statement outside of operations, as [Backend.classify]
// does.
func (b *Backend) errorOn(ctx context.Context, conn *pgxpool.Conn, err error) error {
	if isStandbyError(err, false) {
		b.closeStandby(ctx, conn)
	}
	return b.classify(ctx, err)
}

// unavailableOnStandby adds to the error of a standby what helps.
func standbyUnavailable(err error) error { return unavailable(fmt.Errorf("%w: %w", errStandby, err)) }

// seekPrimary has the connections of several servers lead to one that takes writes, unless
// the connection string says what they are to lead to.
func requirePrimary(c *pgconn.Config, connection string) {
	const setting, variable = "target_session_attrs", "PGTARGETSESSIONATTRS"
	if c.ValidateConnect != nil || strings.Contains(connection, setting) || os.Getenv(variable) != "" {
		return
	}
	for _, other := range c.Fallbacks {
		if other.Host != c.Host || other.Port != c.Port {
			c.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
		}
	}
}
