package postgres

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/larder-go/larder/core"
)

const (
	// defaultCheck is [Options.CheckSchema] by default.
	defaultCheck = time.Minute
	// hurriedCheck is how long after the last look the next one comes at the earliest, if
	// an error suggests that the schema has changed.
	hurriedCheck = time.Second
	// checkPatience is how long a look may take.
	checkPatience = 10 * time.Second
)

// watch looks in the background whether the schema has changed, and binds the backend
// anew if it has. The nil watch does nothing.
type watch struct {
	backend *Backend
	model   *core.Model
	every   time.Duration
	seen    fingerprint // of the schema as it was bound
	wake    chan struct{}
	cancel  context.CancelFunc
	done    chan struct{}
}

// startWatch begins to look for changes of a schema that was bound as seen, until the
// watch is stopped.
func (b *Backend) startWatch(m *core.Model, seen fingerprint) {
	every := b.opts.CheckSchema
	if every < 0 {
		return
	}
	if every == 0 {
		every = defaultCheck
	}
	ctx, cancel := context.WithCancel(context.Background())
	b.watch = &watch{
		backend: b, model: m, every: every, seen: seen,
		wake: make(chan struct{}, 1), cancel: cancel, done: make(chan struct{}),
	}
	go b.watch.run(ctx)
}

// stop ends the watch and waits for it.
func (w *watch) stop() {
	if w != nil {
		w.cancel()
		<-w.done
	}
}

// soon has the watch look before its time.
func (w *watch) soon() {
	if w == nil {
		return
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *watch) run(ctx context.Context) {
	defer close(w.done)
	timer := time.NewTimer(w.every)
	defer timer.Stop()
	for last := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
			timer.Reset(max(0, min(w.every, hurriedCheck)-time.Since(last)))
		case <-timer.C:
			w.check(ctx)
			last = time.Now()
			timer.Reset(w.every)
		}
	}
}

// check looks once. A server that is out of reach, and a standby in the place of the
// primary, are left to the operations to report.
func (w *watch) check(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, checkPatience)
	defer cancel()
	found, misfit, err := w.look(ctx)
	if err != nil || found.standby {
		return
	}
	b, old, now := w.backend, w.backend.bound.Load(), found.fingerprint(w.model, w.backend.opts)
	changes := w.seen.changes(now)
	if old.autocommit && !b.isolates(found) {
		changes = append(changes, "default_transaction_isolation is "+found.isolation)
	}
	if len(changes) == 0 {
		return
	}
	var bound *binding
	if misfit == nil {
		bound, misfit = b.bind(found, w.model)
	}
	if misfit != nil {
		bound = &binding{Backend: b, tables: old.tables, misfit: misfit}
	}
	bound.autocommit = old.autocommit && b.isolates(found) // there may be connections with either default
	b.bound.Store(bound)
	w.seen = now
	w.tell(changes, misfit)
}

// look reads the catalog in one snapshot. A misfit is what makes it impossible to read
// what the model needs.
func (w *watch) look(ctx context.Context) (found *catalog, misfit, err error) {
	conn, err := w.backend.acquire(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer conn.Release()
	err = pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) (err error) {
		found, err = w.backend.look(ctx, tx.Conn(), w.model)
		return err
	})
	if unfit, ok := errors.AsType[*misfitError](err); ok {
		return found, unfit, nil
	}
	return found, nil, err
}

func (w *watch) tell(changes []string, misfit error) {
	log := w.backend.opts.logger()
	const most = 20
	if n := len(changes); n > most {
		changes = append(changes[:most], "and more")
	}
	what := strings.Join(changes, "; ")
	if misfit != nil {
		log.Error("postgres: the schema has changed and does not fit the model, all operations are refused until it does",
			"schema", w.backend.schema, "changes", what, "error", misfit)
		return
	}
	log.Warn("postgres: the schema has changed, the tables were bound anew", "schema", w.backend.schema, "changes", what)
}

// misfitError says that a schema cannot hold the model.
type misfitError struct{ error }

func (e *misfitError) Unwrap() error { return e.error }

// changedSchema reports whether the error of a statement suggests that the schema is not
// as it was (manual, appendix A): a table or column that is not there, a column of another
// type, or a plan whose result would have other columns.
func changedSchema(err *pgconn.PgError) bool {
	switch err.Code {
	case "3F000", "42P01", "42703", "42704", "42804", "42883":
		return true
	}
	return err.Code == "0A000" && err.Routine == "RevalidateCachedQuery"
}
