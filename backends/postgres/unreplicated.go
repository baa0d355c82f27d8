package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// errUnreplicated is the cause of a commit of unknown outcome that the server reported as
// successful: the primary has the commit, and a standby that is promoted may lack it.
var errUnreplicated = errors.New("postgres: the wait for the synchronous standby was cancelled; the commit may be on the primary alone")

// unreplicated is the key under which a connection notes, in its custom data, that the
// server gave up the wait for a synchronous standby.
const syncRepKey = "larder: unreplicated commit"

// noteUnreplicated has connections note the warning by which the server says so, and keeps
// the handler that is there.
func recordSyncRepWarning(c *pgconn.Config) {
	next := c.OnNotice
	c.OnNotice = func(conn *pgconn.PgConn, n *pgconn.Notice) {
		if n.Routine == "SyncRepWaitForLSN" {
			conn.CustomData()[syncRepKey] = true
		}
		if next != nil {
			next(conn, n)
		}
	}
}

// forgetUnreplicated is for a connection that another transaction has used.
func clearSyncRepWarning(conn *pgx.Conn) { delete(conn.PgConn().CustomData(), syncRepKey) }

// waitGivenUp returns an error after a commit that the server reported as successful
// although no synchronous standby may have it. A pool of the caller's own may not note the
// warning; there every commit that returns after the end of its context counts as such.
func (t *transaction) missedStandby(ctx context.Context) error {
	if _, noted := t.conn.Conn().PgConn().CustomData()[syncRepKey]; noted {
		return errUnreplicated
	}
	if !t.backend.owned {
		return ctx.Err()
	}
	return nil
}

// uncertain is the error of [transaction.waitGivenUp] for a transaction that wrote.
func (t *transaction) syncRepError(ctx context.Context) error {
	cause := t.missedStandby(ctx)
	if cause == nil || !t.wrote {
		return nil
	}
	return outcomeUnknown(ctx.Err(), cause)
}
