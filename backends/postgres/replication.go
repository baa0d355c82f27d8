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

// replica is a hot standby for read-only transactions.
type replica struct {
	pool        *pgxpool.Pool
	pausedUntil atomic.Int64 // not used before this time, in nanoseconds since 1970; 0 if the last read succeeded
}

// A replica that lags or fails is not used for a while, and the wait for a connection to one is short: the primary can
// serve the reads.
const (
	behindPause    = 5 * time.Millisecond
	failurePause   = time.Second
	replicaTimeout = 500 * time.Millisecond
	// answerTimeout is how long a busy replica may take to answer a new connection. After that it counts as frozen.
	answerTimeout = 2 * time.Second
)

var (
	errReplicaBehind = errors.New("postgres: the replica lags behind the writes of this backend")
	errReplicaFrozen = errors.New("postgres: the replica does not answer")
)

// connectReplicas makes the pools of the replicas. They connect on demand, so that a replica that is down is no error.
// All present commits count as written by this backend, so that a restarted program sees its own writes.
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

// pickReplica returns the next replica in turn that is not paused; nil if the primary must serve the reads.
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
		if r := b.replicas[(first+i)%len(b.replicas)]; r.take(now) {
			return r
		}
	}
	return nil
}

// take reports whether the replica may be used. After a pause, one read tries the replica while the others pass it over.
func (r *replica) take(now int64) bool {
	until := r.pausedUntil.Load()
	return until == 0 || until <= now && r.pausedUntil.CompareAndSwap(until, now+int64(failurePause))
}

// pause stops the use of the replica for a while.
func (r *replica) pause(err error) {
	rest := failurePause
	if errors.Is(err, errReplicaBehind) {
		rest = behindPause
	}
	r.pausedUntil.Store(time.Now().Add(rest).UnixNano())
}

// watch returns a context that ends when the replica no longer answers. A frozen server keeps its connections open, and its
// silence looks like a slow statement: only a new connection shows the difference.
func (r *replica) watch(ctx context.Context) (watched context.Context, stop func()) {
	watched, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(replicaTimeout, func() {
		for r.answers(watched) {
			select {
			case <-watched.Done():
				return
			case <-time.After(replicaTimeout):
			}
		}
		cancel(errReplicaFrozen)
	})
	return watched, func() { timer.Stop(); cancel(nil) }
}

// answers reports whether the replica answers a new connection, if only with an error.
func (r *replica) answers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, r.pool.Config().ConnConfig)
	if err == nil {
		return conn.Close(ctx) == nil
	}
	_, refused := errors.AsType[*pgconn.PgError](err)
	return refused
}

// acquire takes a connection, with a short timeout.
func (r *replica) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, replicaTimeout)
	defer cancel()
	return r.pool.Acquire(ctx)
}

// callsOnReplica adds the check that the replica has replayed the writes of this backend, and the begin and end of the
// transaction. The check has an older snapshot than the calls: the snapshot of the calls must not be taken before the
// check.
func (b *Backend) callsOnReplica(calls []call, single bool) []call {
	const begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY"
	check := b.written.replayCheck()
	switch {
	case !single:
		return slices.Concat([]call{{sql: begin}, check, {sql: "COMMIT"}}, b.beginCalls(b.beginReplica()), calls)
	case b.opts.Bouncer: // the default isolation level of the session is unknown
		return slices.Concat(b.beginCalls(begin), []call{check}, calls, []call{{sql: "COMMIT"}})
	}
	return slices.Concat([]call{check}, calls)
}

// beginReplica returns the statement that begins a transaction of several operations. A standby has no SERIALIZABLE
// (manual, section 27.4.5).
func (b *Backend) beginReplica() string {
	level := b.opts.isolation()
	if level == pgx.Serializable {
		level = pgx.RepeatableRead
	}
	return "BEGIN ISOLATION LEVEL " + strings.ToUpper(string(level)) + " READ ONLY"
}

// writePosition is the position in the write-ahead log after all commits of this backend (manual, section 9.27.3). A
// replica that has not replayed up to this position may lack some of them.
type writePosition struct {
	position       atomic.Pointer[logPosition] // nil if it is unknown
	unknownCommits atomic.Int64                // number of commits of unknown position
	coveredCommits atomic.Int64                // number of unknown commits that the position covers nevertheless
	askedAt        atomic.Int64                // time of the last query of the primary, as [sinceStart]
}

// logPosition is a position in the write-ahead log. Every promotion of a standby starts a new timeline (manual, section
// 26.3.5); offsets of different timelines cannot be compared.
type logPosition struct{ timeline, offset int64 }

// behind reports whether a replica that has replayed up to p may lack something before q. The timeline must be the
// same: a later one does not show how much of an earlier one it contains.
func (p logPosition) behind(q logPosition) bool {
	return p.timeline != q.timeline || p.offset < q.offset
}

// advance moves the position forward, never back.
func (w *writePosition) advance(p logPosition) {
	for {
		old := w.position.Load()
		if old != nil && (p.timeline < old.timeline || !old.behind(p)) {
			return
		}
		if w.position.CompareAndSwap(old, &p) {
			return
		}
	}
}

// positionSQL returns the timeline of a primary and the offset after the commits of the connection. With
// synchronous_commit off, commits may only be in the memory of the server, so the insert position is used.
const positionSQL = `SELECT ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint,
	(CASE current_setting('synchronous_commit') WHEN 'off'
		THEN pg_current_wal_insert_lsn() ELSE pg_current_wal_lsn() END - '0/0'::pg_lsn)::bigint`

// replayedSQL returns the timeline of a standby and the offset up to which it has replayed. The timeline is 0 on a
// primary or if it is unknown. The WAL receiver shows it to members of pg_read_all_stats; the control file shows it to
// all roles, but keeps the old one for some time after a switch.
const replayedSQL = `SELECT CASE WHEN pg_is_in_recovery() THEN coalesce((SELECT received_tli FROM pg_stat_wal_receiver),
	(SELECT min_recovery_end_timeline FROM pg_control_recovery()), 0) ELSE 0 END::bigint,
	coalesce(pg_last_wal_replay_lsn() - '0/0'::pg_lsn, 0)::bigint`

// readPosition reads the only row of these queries.
func readPosition(rows pgx.Rows) (logPosition, error) {
	return pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (p logPosition, err error) {
		err = row.Scan(&p.timeline, &p.offset)
		return p, err
	})
}

// positionCall returns the call that follows a COMMIT and reads the position.
func (w *writePosition) positionCall() call {
	return call{sql: positionSQL, read: func(rows pgx.Rows) error {
		p, err := readPosition(rows)
		if err != nil {
			return fmt.Errorf("%w: %w", errNoPosition, err)
		}
		w.advance(p)
		return nil
	}}
}

// errNoPosition reports a successful commit of unknown position.
var errNoPosition = errors.New("position in the write-ahead log is not known")

// noteUnknown records a commit of unknown position or outcome.
func (w *writePosition) noteUnknown() { w.unknownCommits.Add(1) }

// start is the time when the process began.
var start = time.Now()

// sinceStart returns the time since start by the monotonic clock.
func sinceStart() int64 { return int64(time.Since(start)) }

// expire makes the next read query the primary if the last answer is older than the maximal lag; 0 means no limit.
func (w *writePosition) expire(maxLag time.Duration) {
	if maxLag > 0 && sinceStart()-w.askedAt.Load() > int64(maxLag) {
		w.noteUnknown()
	}
}

// querier is a connection or a pool.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// resolve queries the primary for a position that covers all commits, unless the position is known. It reports success.
func (w *writePosition) resolve(ctx context.Context, primary querier) bool {
	unknown := w.unknownCommits.Load()
	if w.coveredCommits.Load() >= unknown {
		return true
	}
	startedAt := sinceStart()
	rows, err := primary.Query(ctx, positionSQL)
	if err != nil || w.positionCall().finish(rows) != nil {
		return false
	}
	atomicMax(&w.coveredCommits, unknown)
	atomicMax(&w.askedAt, startedAt)
	return true
}

// replayCheck returns a call that fails on a replica that has not replayed up to the position, or that is no standby. A
// replica on a later timeline shows that a standby was promoted: the next read then queries the primary.
func (w *writePosition) replayCheck() call {
	var wanted logPosition
	if p := w.position.Load(); p != nil {
		wanted = *p
	}
	return call{sql: replayedSQL, read: func(rows pgx.Rows) error {
		replayed, err := readPosition(rows)
		switch {
		case err != nil:
			return err
		case replayed.timeline > wanted.timeline:
			w.noteUnknown()
			return errReplicaBehind
		case replayed.timeline == 0 || replayed.behind(wanted):
			return errReplicaBehind
		}
		return nil
	}}
}

// atomicMax sets the number to n unless it is greater.
func atomicMax(number *atomic.Int64, n int64) {
	for {
		old := number.Load()
		if n <= old || number.CompareAndSwap(old, n) {
			return
		}
	}
}

// readReplica executes the calls of one operation on the replica of the transaction. If that fails before anything was
// read, done is false and the primary must execute the calls. Otherwise the transaction must be repeated.
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
		watched, stop := t.replica.watch(ctx)
		err = t.execute(watched, calls)
		stop()
	}
	switch {
	case err == nil:
		t.replica.pausedUntil.Store(0)
		if t.done = op.Final || t.opts.Single; t.done {
			t.end()
		}
		return true, nil
	case ctx.Err() != nil || exceedsTimeout(err): // the primary would not answer sooner
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

// errStandby is the cause of [core.Unavailable] if a connection should lead to a primary and does not.
var errStandby = errors.New("postgres: the connection leads to a standby or a read-only server: " +
	"name all servers in the connection string, with target_session_attrs=read-write")

// isStandbyError reports whether a hot standby rejected a statement: it has no SERIALIZABLE and accepts no writes
// (manual, section 27.4.1). A primary rejects writes in read-only transactions too.
func isStandbyError(err error, readOnly bool) bool {
	server, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return false
	}
	switch server.Code {
	case "25006":
		return !readOnly
	case "0A000": // for the default level of a session, and for BEGIN
		return server.Routine == "GetSerializableTransactionSnapshot" || server.Routine == "call_enum_check_hook"
	case "55000": // for functions of the log position
		return strings.HasPrefix(server.Routine, "pg_current_wal") || server.Routine == "pg_walfile_name"
	}
	return false
}

// isStandby reports whether the server says that it is a standby. Servers do so since version 14.
func isStandby(conn *pgxpool.Conn) bool {
	return conn.Conn().PgConn().ParameterStatus("in_hot_standby") == "on"
}

// closeStandby closes a connection that should lead to a primary, so that its pool makes a new one. In a pool of the
// backend, it closes the other connections too, which probably lead to the same server.
func (b *Backend) closeStandby(ctx context.Context, conn *pgxpool.Conn) {
	_ = conn.Conn().Close(ctx)
	if b.owned {
		b.pool.Reset()
	}
}

// errorOn returns the error of a statement outside of operations, like [Backend.classify].
func (b *Backend) errorOn(ctx context.Context, conn *pgxpool.Conn, err error) error {
	if isStandbyError(err, false) {
		b.closeStandby(ctx, conn)
	}
	return b.classify(ctx, err)
}

// standbyUnavailable adds the advice of errStandby to an error of a standby.
func standbyUnavailable(err error) error { return unavailable(fmt.Errorf("%w: %w", errStandby, err)) }

// requirePrimary makes connections to several hosts lead to the one that accepts writes, unless the connection string
// or the environment has target_session_attrs.
func requirePrimary(c *pgconn.Config, connection string) {
	const setting, variable = "target_session_attrs", "PGTARGETSESSIONATTRS"
	if c.ValidateConnect == nil && !strings.Contains(connection, setting) && os.Getenv(variable) == "" && hasSeveralHosts(c) {
		c.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
}

// hasSeveralHosts reports whether the connection string names several hosts. Fallbacks to another kind of TLS have the same host.
func hasSeveralHosts(c *pgconn.Config) bool {
	return slices.ContainsFunc(c.Fallbacks, func(other *pgconn.FallbackConfig) bool {
		return other.Host != c.Host || other.Port != c.Port
	})
}

// whenMoved returns a function for new connections of a pool to the primary. When a connection leads to another address than the
// one before, it closes the older connections: a former primary that was frozen may go on, and would serve old data.
func whenMoved(made *atomic.Pointer[pgxpool.Pool]) func(context.Context, *pgx.Conn) error {
	var last atomic.Pointer[string]
	return func(_ context.Context, conn *pgx.Conn) error {
		address := conn.PgConn().Conn().RemoteAddr().String()
		before, pool := last.Swap(&address), made.Load()
		if before != nil && *before != address && pool != nil {
			pool.Reset()
		}
		return nil
	}
}

// errUnreplicated is the cause of an unknown outcome that the server reported as success: the primary has the commit,
// but a promoted standby may lack it.
var errUnreplicated = errors.New("postgres: the wait for the synchronous standby was cancelled; the commit may be on the primary alone")

// syncRepKey is the key in the custom data of a connection for the warning that the wait for a synchronous standby
// ended.
const syncRepKey = "larder: unreplicated commit"

// recordWarnings makes connections record this warning and those of workers, and calls the existing handler of notices.
func recordWarnings(c *pgconn.Config) {
	next := c.OnNotice
	c.OnNotice = func(conn *pgconn.PgConn, n *pgconn.Notice) {
		if n.Routine == "SyncRepWaitForLSN" {
			conn.CustomData()[syncRepKey] = true
		}
		recordWorkerWarning(conn, n)
		if next != nil {
			next(conn, n)
		}
	}
}

// clearWarnings removes the warnings of an earlier transaction.
func clearWarnings(conn *pgx.Conn) {
	delete(conn.PgConn().CustomData(), syncRepKey)
	delete(conn.PgConn().CustomData(), workerWarningKey)
}

// missedStandby returns an error after a successful commit that may not have reached a synchronous standby. A pool of
// the caller may not record the warning; there, each commit that returns after the end of its context counts as missed.
func (t *transaction) missedStandby(ctx context.Context) error {
	if _, noted := t.conn.Conn().PgConn().CustomData()[syncRepKey]; noted {
		return errUnreplicated
	}
	if !t.backend.owned {
		return ctx.Err()
	}
	return nil
}

// syncRepError returns the error of [transaction.missedStandby] for a transaction that wrote.
func (t *transaction) syncRepError(ctx context.Context) error {
	cause := t.missedStandby(ctx)
	if cause == nil || !t.wrote {
		return nil
	}
	return outcomeUnknown(ctx.Err(), cause)
}
