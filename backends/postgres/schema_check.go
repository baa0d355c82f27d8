package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/larder-go/larder/core"
)

const (
	// defaultCheckInterval is the default of [Options.CheckSchema].
	defaultCheckInterval = time.Minute
	// minCheckInterval is the shortest time between two checks, when errors suggest that the schema has changed.
	minCheckInterval = time.Second
	// checkTimeout limits one check.
	checkTimeout = 10 * time.Second
)

// schemaChecker checks the schema in the background and replaces the binding of the backend when the schema has
// changed. The methods do nothing on a nil schemaChecker.
type schemaChecker struct {
	backend *Backend
	model   *core.Model
	every   time.Duration
	bound   fingerprint // of the schema at the last binding
	wake    chan struct{}
	cancel  context.CancelFunc
	done    chan struct{}
}

// startChecker starts the checks. The fingerprint is that of the schema at the first binding.
func (b *Backend) startChecker(m *core.Model, boundTo fingerprint) {
	every := b.opts.CheckSchema
	if every < 0 {
		return
	}
	if every == 0 {
		every = defaultCheckInterval
	}
	ctx, cancel := context.WithCancel(context.Background())
	b.checker = &schemaChecker{
		backend: b, model: m, every: every, bound: boundTo,
		wake: make(chan struct{}, 1), cancel: cancel, done: make(chan struct{}),
	}
	go b.checker.run(ctx)
}

// stop ends the checks and waits for a running one.
func (c *schemaChecker) stop() {
	if c != nil {
		c.cancel()
		<-c.done
	}
}

// checkSoon requests a check before the interval has passed.
func (c *schemaChecker) checkSoon() {
	if c == nil {
		return
	}
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *schemaChecker) run(ctx context.Context) {
	defer close(c.done)
	timer := time.NewTimer(c.every)
	defer timer.Stop()
	for last := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case <-c.wake:
			timer.Reset(max(0, min(c.every, minCheckInterval)-time.Since(last)))
		case <-timer.C:
			c.check(ctx)
			last = time.Now()
			timer.Reset(c.every)
		}
	}
}

// check makes one check. It reports neither an unreachable server nor a standby in place of the primary: operations
// report these.
func (c *schemaChecker) check(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	found, mismatch, err := c.inspect(ctx)
	if err != nil || found.standby {
		return
	}
	b, old, current := c.backend, c.backend.bound.Load(), found.fingerprint(c.backend.schema, c.model, c.backend.opts)
	changes := c.bound.changes(current)
	if old.autocommit && !b.isolationMatches(found) {
		changes = append(changes, "default_transaction_isolation is "+found.isolation)
	}
	if len(changes) == 0 {
		return
	}
	var bound *binding
	if mismatch == nil {
		bound, mismatch = b.bind(found, c.model)
	}
	if mismatch != nil {
		bound = &binding{Backend: b, tables: old.tables, mismatch: mismatch}
	}
	bound.autocommit = old.autocommit && b.autocommits(found) // the pool may have connections with either default
	b.bound.Store(bound)
	c.bound = current
	c.logChanges(changes, mismatch)
}

// inspect reads the catalog in one snapshot. A mismatch is an error that keeps the sources of the model from being
// read.
func (c *schemaChecker) inspect(ctx context.Context) (found *catalog, mismatch, err error) {
	conn, err := c.backend.acquire(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer conn.Release()
	err = pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) (err error) {
		found, err = c.backend.inspect(ctx, tx.Conn(), c.model)
		return err
	})
	if mismatch, ok := errors.AsType[*mismatchError](err); ok {
		return found, mismatch, nil
	}
	return found, nil, err
}

// logChanges logs changes of the schema, at most 20 of them by name.
func (c *schemaChecker) logChanges(changes []string, mismatch error) {
	log := c.backend.opts.logger()
	const maxChanges = 20
	if n := len(changes); n > maxChanges {
		changes = append(changes[:maxChanges], "and more")
	}
	text := strings.Join(changes, "; ")
	if mismatch != nil {
		log.Error("postgres: the schema has changed and no longer fits the model; operations fail until it fits again",
			"schema", c.backend.schema, "changes", text, "error", mismatch)
		return
	}
	log.Warn("postgres: the schema has changed; new transactions use its present state", "schema", c.backend.schema, "changes", text)
}

// mismatchError reports that the schema does not fit the model.
type mismatchError struct{ error }

func (e *mismatchError) Unwrap() error { return e.error }

// changedSchema reports whether an error of a statement suggests that the schema has changed (manual, appendix A): a
// missing table or column, a column of another type, or a prepared statement with other columns in its result.
func changedSchema(err *pgconn.PgError) bool {
	switch err.Code {
	case "3F000", "42P01", "42703", "42704", "42804", "42883":
		return true
	}
	return err.Code == "0A000" && err.Routine == "RevalidateCachedQuery"
}

// fingerprint has all properties of a schema that a binding depends on, by the object, such as "column cookie.type".
type fingerprint map[string]property

// property is the state of one object.
type property struct {
	text   string // part of it that messages show
	detail string // the rest of it
}

// fingerprint returns the fingerprint of the tables, views and queries of a model.
func (c *catalog) fingerprint(schema string, m *core.Model, opts Options) fingerprint {
	p := make(fingerprint)
	if c.hasDeferrable {
		p["a constraint for SET CONSTRAINTS"] = property{}
	}
	if c.citus {
		p["the extension Citus"] = property{}
	}
	used := make(map[relation]bool)
	for _, r := range m.Stored() {
		s := opts.source(r)
		for _, name := range []string{s.Table, s.View} {
			at := s.relation(schema, name)
			if t := c.tables[at]; t != nil {
				used[at] = true
				if at.schema != schema {
					name = at.schema + "." + name
				}
				p.addTable(name, t)
			}
		}
		if t := c.queries[r.Name()]; t != nil {
			p.addTable("the query of "+r.Name(), t)
		}
	}
	for part, whole := range c.partitions {
		if used[c.partitions[objectName{part.schema, part.table, ""}]] {
			name := strings.TrimSpace(part.schema + "." + part.table + " " + part.name)
			p["partition "+name] = property{text: "of " + whole.name}
		}
	}
	return p
}

func (p fingerprint) addTable(name string, t *catalogTable) {
	p["table "+name] = property{detail: t.kind}
	for _, c := range t.columns {
		p["column "+name+"."+c.name] = c.property()
	}
	for _, x := range t.indexes {
		p["index "+x.name+" of "+name] = x.property()
	}
	for _, k := range t.foreignKeys {
		p["foreign key "+k.name+" of "+name] = k.property()
	}
	if t.rowSecurity {
		p["row security of "+name] = property{}
	}
	if d := t.distribution; d != nil {
		p["shard of "+name] = property{detail: fmt.Sprint(*d)}
	}
	for check, columns := range t.checks {
		p["check "+check+" of "+name] = property{detail: strings.Join(columns, ", ")}
	}
}

func (c *catalogColumn) property() property {
	text := c.display
	switch {
	case c.notNull && c.hasNulls:
		text += " NOT NULL NOT VALID"
	case c.notNull:
		text += " NOT NULL"
	}
	switch {
	case c.generated:
		text += " GENERATED"
	case c.identity != "":
		text += " IDENTITY"
	case c.defaultExpr != "":
		text += " DEFAULT " + c.defaultExpr
	}
	return property{text, fmt.Sprint(
		c.num, c.typeName, c.kind, c.element, c.base, c.declared, c.size, c.identity, c.varies,
		c.sequence, c.sequenceStep, c.sequenceLow, c.sequenceLimit, c.sequenceMissing, c.byCodePoint, c.deterministic, c.mayFail,
	)}
}

func (x catalogIndex) property() property {
	text := "(" + strings.Join(x.directedColumns(), ", ") + ")"
	if x.unique {
		text = "UNIQUE " + text
	}
	if x.condition != "" {
		text += " WHERE " + x.condition
	}
	if x.unique && !x.immediate {
		text += " DEFERRABLE"
	}
	return property{text: text}
}

func (k catalogForeignKey) property() property {
	text := fmt.Sprintf("(%s) REFERENCES %s.%s (%s)", strings.Join(k.columns, ", "), k.target.schema, k.target.name, strings.Join(k.targetColumns, ", "))
	return property{text, fmt.Sprint(k.immediate, k.hasDeleteAction, k.full)}
}

// changes describes the differences to a later fingerprint, ordered by object.
func (p fingerprint) changes(current fingerprint) (changes []string) {
	names := maps.Clone(p)
	maps.Copy(names, current)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		was, had := p[name]
		is, has := current[name]
		switch {
		case was == is && had == has:
		case !had:
			changes = append(changes, strings.TrimRight(name+" is new: "+is.text, ": "))
		case !has:
			changes = append(changes, name+" is gone")
		case was.text != is.text:
			changes = append(changes, fmt.Sprintf("%s was %s and is %s", name, was.text, is.text))
		default:
			changes = append(changes, name+" has changed")
		}
	}
	return changes
}
