package memtable

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/larder-go/larder/core"
)

// Store holds the records of a model and runs transactions on them. Create one with [New]. It is safe for concurrent
// use.
type Store struct {
	log            Log
	sequences      []sequence               // by resource index
	committed      atomic.Pointer[Snapshot] // the snapshot that readers see
	head           *Snapshot                // the snapshot that the next writer begins on; guarded by writeLock
	writeLock      chan struct{}            // holds one element while a read-write transaction is open
	failed         atomic.Bool              // set after the log failed: the store accepts no further writes
	closed         atomic.Bool
	closing        sync.RWMutex
	finalPositions []int64 // set by Close; guarded by closing
}

// Content is the initial content of a [Store]. The zero value is an empty store.
type Content struct {
	// Records are the complete records of each resource, by [core.Resource.Index] and ascending by key. Resources beyond
	// the end of the slice are empty. They must satisfy the rules that a commit checks. The caller keeps the slices.
	Records [][]core.Record
	// Positions are, by [core.Resource.Index], the numbers above which the store generates keys. Beyond the end of the
	// slice, these are the largest keys of Records.
	Positions []int64
}

// New returns a store with the given content. The log gets the changes of every later commit. With a nil log, commits
// are visible at once and lost at the end of the process.
func New(m *core.Model, content Content, log Log) *Store {
	s := &Store{log: log, writeLock: make(chan struct{}, 1)}
	resources := m.Stored()
	s.head = &Snapshot{model: m, tables: make([]table, len(resources))}
	s.sequences = make([]sequence, len(resources))
	for i, r := range resources {
		s.head.tables[i] = newTable(r)
		s.sequences[i].resource, s.sequences[i].log = r, log
		if i < len(content.Positions) {
			s.sequences[i].last.Store(content.Positions[i])
		}
		if i < len(content.Records) {
			s.fill(i, content.Records[i])
		}
		s.sequences[i].setLimit(log)
	}
	s.committed.Store(s.head)
	return s
}

func (s *Store) fill(resource int, records []core.Record) {
	s.head.tables[resource].fill(records)
	if n := len(records); n > 0 {
		s.sequences[resource].advancePast(records[n-1].Key())
	}
}

// Begin opens a transaction as [core.Backend] specifies. A read-only transaction is the current snapshot and never
// waits. A read-write transaction waits until no other one is open. With [core.BackendTxOptions.Single] that wait is
// part of its only operation, so that generating keys never waits.
//
// Errors: [core.ErrClosed]; the context's error; after a failure of the log, its error.
func (s *Store) Begin(ctx context.Context, opts core.BackendTxOptions) (core.BackendTx, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.closed.Load() {
		return nil, core.ErrClosed
	}
	if opts.ReadOnly {
		return s.committed.Load(), nil
	}
	tx := &transaction{store: s}
	if opts.Single {
		return tx, nil
	}
	if err := tx.begin(ctx); err != nil {
		return nil, err
	}
	return tx, nil
}

// Ping reports whether a read-write transaction can begin.
//
// Errors: [core.ErrClosed]; the context's error; the log's error if it accepts no further changes.
func (s *Store) Ping(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.closed.Load() {
		return core.ErrClosed
	}
	if s.log != nil {
		return s.log.Failed()
	}
	return nil
}

// KeySource returns [core.DefaultKeySource].
func (s *Store) KeySource(r *core.Resource) core.KeySource { return core.DefaultKeySource(r) }

// Snapshot returns the committed state that readers see. With a log it is durable.
func (s *Store) Snapshot() *Snapshot { return s.committed.Load() }

// Positions returns, by resource index, the largest number that was generated as a key or given to a record by a
// committed transaction. It is 0 for resources without such a number and for keys that are not integers. Numbers that
// were generated in transactions that rolled back count too.
func (s *Store) Positions() []int64 {
	s.closing.RLock()
	defer s.closing.RUnlock()
	if s.finalPositions != nil {
		return s.finalPositions
	}
	positions := make([]int64, len(s.sequences))
	for i := range s.sequences {
		positions[i] = s.sequences[i].last.Load()
	}
	return positions
}

// Close makes every later Begin fail with [core.ErrClosed]. Transactions that are still open cannot generate keys any
// more and, with a log, cannot commit; both fail with [core.ErrClosed]. So the Positions are final. Closing again does
// nothing.
func (s *Store) Close() {
	s.closed.Store(true)
	s.closing.Lock()
	defer s.closing.Unlock()
	if s.finalPositions != nil {
		return
	}
	s.finalPositions = make([]int64, len(s.sequences))
	for i := range s.sequences {
		s.finalPositions[i] = s.sequences[i].close()
	}
}
