package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/larder-go/larder/core"
)

// replica is a hot standby that transactions may read from.
type replica struct {
	pool        *pgxpool.Pool
	pausedUntil atomic.Int64 // until when it is left alone, in nanoseconds since 1970
}

// How long a replica is left alone that was behind, or that failed, and how long to
// wait for a connection to one: the primary can do what it cannot.
const (
	behindPause    = 5 * time.Millisecond
	failurePause   = time.Second
	replicaTimeout = 500 * time.Millisecond
)

var errReplicaBehind = errors.New("postgres: the replica is behind")

// connectReplicas makes the pools. Nothing is connected before it is needed, so that
// a replica that is down is nobody's concern. What is committed already counts as
// written by the backend, so that a program that is started anew knows its own.
func (b *Backend) connectReplicas(ctx context.Context, primary querier) error {
	if len(b.opts.Replicas) == 0 {
		return nil
	}
	configs := make([]*pgxpool.Config, len(b.opts.Replicas))
	for i, url := range b.opts.Replicas {
		var err error
		if configs[i], err = ParseConfig(url); err != nil {
			return err
		}
		configure(configs[i].ConnConfig, b.opts)
		if !b.opts.Bouncer { // a snapshot for each statement; see onReplica
			configs[i].ConnConfig.RuntimeParams["default_transaction_isolation"] = string(pgx.ReadCommitted)
		}
	}
	b.written.noteUnknown()
	b.written.resolve(ctx, primary)
	for _, config := range configs {
		pool, err := pgxpool.NewWithConfig(context.WithoutCancel(ctx), config)
		if err != nil {
			return unavailable(err)
		}
		b.replicas = append(b.replicas, &replica{pool: pool})
	}
	return nil
}

// replica returns the next one in turn that may know what this backend has written;
// nil if there is none now.
func (b *Backend) pickReplica(ctx context.Context) *replica {
	if len(b.replicas) == 0 {
		return nil
	}
	ctx, cancel := b.withTimeout(ctx)
	defer cancel()
	b.written.expire(b.opts.MaxLag)
	if !b.written.resolve(ctx, b.pool) {
		return nil
	}
	now, first := time.Now().UnixNano(), int(b.lastReplica.Add(1))
	for i := range b.replicas {
		if r := b.replicas[(first+i)%len(b.replicas)]; r.pausedUntil.Load() <= now {
			return r
		}
	}
	return nil
}

// failed leaves the replica alone for a while.
func (r *replica) pause(err error) {
	rest := failurePause
	if errors.Is(err, errReplicaBehind) {
		rest = behindPause
	}
	r.pausedUntil.Store(time.Now().Add(rest).UnixNano())
}

// acquire does not wait for long.
func (r *replica) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, replicaTimeout)
	defer cancel()
	return r.pool.Acquire(ctx)
}

// onReplica adds the check that the replica has what the backend wrote, and what the
// transaction needs. The check has a snapshot of its own, which is older than what
// follows: a snapshot that is taken before the check might lack what the check finds.
func (b *Backend) callsOnReplica(calls []call, single bool) []call {
	const begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY"
	check := b.written.replayCheck()
	switch {
	case !single:
		return slices.Concat([]call{{sql: begin}, check, {sql: "COMMIT"}, {sql: b.beginReplica()}}, calls)
	case b.opts.Bouncer: // whose default may be another level
		return slices.Concat([]call{{sql: begin}, check}, calls, []call{{sql: "COMMIT"}})
	}
	return slices.Concat([]call{check}, calls)
}

// beginReplica is for transactions of several operations: a standby has no
// SERIALIZABLE (manual, section 27.4.5).
func (b *Backend) beginReplica() string {
	level := b.opts.isolation()
	if level == pgx.Serializable {
		level = pgx.RepeatableRead
	}
	return "BEGIN ISOLATION LEVEL " + strings.ToUpper(string(level)) + " READ ONLY"
}

// horizon is the position in the write-ahead log behind all that the backend has committed
// (manual, section 9.27.3). A replica that has not replayed so far may lack some of it.
type writePosition struct {
	position       atomic.Pointer[logPosition] // nil: not known yet
	unknownCommits atomic.Int64                // how many commits have not told their position
	coveredCommits atomic.Int64                // how many of them are before it nevertheless
	askedAt        atomic.Int64                // when the primary was asked last, by [sinceStart]
}

// logPosition is one in the write-ahead log. Every promotion of a standby begins another
// timeline (manual, section 26.3.5), and offsets of different timelines do not compare.
type logPosition struct{ timeline, offset int64 }

// behind reports whether a replica that has replayed up to p may lack what is before q. A
// later timeline does not tell how much of an earlier one it has.
func (p logPosition) behind(q logPosition) bool {
	return p.timeline != q.timeline || p.offset < q.offset
}

// reach moves the horizon to a position that is later.
func (h *writePosition) advance(p logPosition) {
	for {
		old := h.position.Load()
		if old != nil && (p.timeline < old.timeline || !old.behind(p)) {
			return
		}
		if h.position.CompareAndSwap(old, &p) {
			return
		}
	}
}

// positionSQL is the timeline of a primary, and the offset behind the transactions that have
// committed on the connection. Where a commit waits for the disk, all of it has been
// written; otherwise it is at least in the server's memory.
const positionSQL = `SELECT ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint,
	(CASE current_setting('synchronous_commit') WHEN 'off'
		THEN pg_current_wal_insert_lsn() ELSE pg_current_wal_lsn() END - '0/0'::pg_lsn)::bigint`

// replayedSQL is the timeline of a standby, and the offset up to which it has replayed. The
// timeline is zero on a primary and where it is not known. The receiver shows its timeline
// to members of pg_read_all_stats; the control file shows it to all, and keeps the old one
// for some time after a switch.
const replayedSQL = `SELECT CASE WHEN pg_is_in_recovery() THEN coalesce((SELECT received_tli FROM pg_stat_wal_receiver),
	(SELECT min_recovery_end_timeline FROM pg_control_recovery()), 0) ELSE 0 END::bigint,
	coalesce(pg_last_wal_replay_lsn() - '0/0'::pg_lsn, 0)::bigint`

// readPosition reads the one row of these queries.
func readPosition(rows pgx.Rows) (logPosition, error) {
	return pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (p logPosition, err error) {
		err = row.Scan(&p.timeline, &p.offset)
		return p, err
	})
}

// ask is the call that comes after a COMMIT.
func (h *writePosition) positionCall() call {
	return call{sql: positionSQL, read: func(rows pgx.Rows) error {
		p, err := readPosition(rows)
		if err != nil {
			return fmt.Errorf("%w: %w", errNoPosition, err)
		}
		h.advance(p)
		return nil
	}}
}

// errNoPosition says that what was committed is so, but not up to where.
var errNoPosition = errors.New("position in the write-ahead log is not known")

// lose notes that the position of a commit, or whether it happened, is not known.
func (h *writePosition) noteUnknown() { h.unknownCommits.Add(1) }

// start is about when the process began.
var start = time.Now()

// sinceStart is the time by a clock that is never set.
func sinceStart() int64 { return int64(time.Since(start)) }

// expire has the primary asked again if its last answer is older than the largest lag of a
// replica; zero is no limit.
func (h *writePosition) expire(most time.Duration) {
	if most > 0 && sinceStart()-h.askedAt.Load() > int64(most) {
		h.noteUnknown()
	}
}

// querier is a connection or a pool.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// settle asks the primary for a position behind those that are not known, and
// reports whether none is left.
func (h *writePosition) resolve(ctx context.Context, primary querier) bool {
	lost := h.unknownCommits.Load()
	if h.coveredCommits.Load() >= lost {
		return true
	}
	begun := sinceStart()
	rows, err := primary.Query(ctx, positionSQL)
	if err != nil || h.positionCall().finish(rows) != nil {
		return false
	}
	atomicMax(&h.coveredCommits, lost)
	atomicMax(&h.askedAt, begun)
	return true
}

// check is the call that fails on a replica that has not replayed so far, or that is none.
// A replica on a later timeline than the horizon's shows that a standby was promoted: the
// next read asks the primary.
func (h *writePosition) replayCheck() call {
	var wanted logPosition
	if p := h.position.Load(); p != nil {
		wanted = *p
	}
	return call{sql: replayedSQL, read: func(rows pgx.Rows) error {
		replayed, err := readPosition(rows)
		switch {
		case err != nil:
			return err
		case replayed.timeline > wanted.timeline:
			h.noteUnknown()
			return errReplicaBehind
		case replayed.timeline == 0 || replayed.behind(wanted):
			return errReplicaBehind
		}
		return nil
	}}
}

// raise64 sets the number to n unless it is higher.
func atomicMax(number *atomic.Int64, n int64) {
	for {
		old := number.Load()
		if n <= old || number.CompareAndSwap(old, n) {
			return
		}
	}
}

// readReplica executes the calls of one operation on the transaction's replica. If
// that is in vain and nothing was read before, the primary has to do it; otherwise
// the transaction has to be repeated.
func (t *transaction) readReplica(ctx context.Context, op *core.Op, calls []call) (done bool, _ error) {
	first := !t.begun
	if first {
		calls = t.backend.callsOnReplica(calls, t.opts.Single)
		t.begun = !t.opts.Single
	}
	if op.Final && t.begun {
		calls = append(calls, call{sql: "COMMIT"})
	}
	err := t.acquire(ctx)
	if err == nil {
		err = t.execute(ctx, calls)
	}
	switch {
	case err == nil:
		if t.done = op.Final || t.opts.Single; t.done {
			t.end()
		}
		return true, nil
	case ctx.Err() != nil:
		return true, t.backend.classify(ctx, err)
	}
	t.replica.pause(err)
	if !first {
		return true, fmt.Errorf("%w: reading from a replica: %w", core.ErrConflict, err)
	}
	_ = t.undo(ctx)
	t.end()
	t.replica, t.begun = nil, false
	return false, nil
}

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
