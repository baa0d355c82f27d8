package memtable

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/larder-go/larder/core"
)

// Store holds the records of a model and runs transactions on them. [New] makes
// it. It is safe for concurrent use.
type Store struct {
	log            Log
	sequences      []sequence               // by resource
	committed      atomic.Pointer[Snapshot] // what readers see
	head           *Snapshot                // what the next writer begins on; belongs to the writer
	writeLock      chan struct{}            // holds one element while a transaction writes
	failed         atomic.Bool              // the log, so that nothing is written any more
	closed         atomic.Bool
	closing        sync.RWMutex
	finalPositions []int64 // positions, once closed
}

// Content is what a [Store] starts with.
type Content struct {
	// Records are those of each resource, by [core.Resource.Index], complete, their
	// keys ascending; nil for none at all. They must fulfil the rules that a commit
	// checks. The slices stay the caller's.
	Records [][]core.Record
	// Positions are the numbers behind which the keys of each resource go on; nil
	// for those behind the largest keys of Records.
	Positions []int64
}

// New returns a store of the model's records with the given content. A log is
// told of every change from then on; nil stands for none.
func New(m *core.Model, content Content, log Log) *Store {
	s := &Store{log: log, writeLock: make(chan struct{}, 1)}
	resources := m.Resources()
	s.head = &Snapshot{model: m, tables: make([]table, len(resources))}
	s.sequences = make([]sequence, len(resources))
	for i, r := range resources {
		s.head.tables[i] = newTable(r)
		s.sequences[i].resource, s.sequences[i].log = r, log
		if content.Positions != nil {
			s.sequences[i].last.Store(content.Positions[i])
		}
		if content.Records != nil {
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

// Begin opens a transaction, as [core.Backend] says. A read-only one is the
// current snapshot. Another one waits until it is the only one that writes; with
// [core.BackendTxOptions.Single] it waits in its one operation instead, which is when it
// begins, so that handing out keys waits for nobody.
//
// Errors: [core.ErrClosed], the context's, the log's if it failed.
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

// Ping reports whether a transaction that writes can begin.
//
// Errors: [core.ErrClosed], the context's; the log's, if nothing can be appended.
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

// KeySource is [core.DefaultKeySource].
func (s *Store) KeySource(r *core.Resource) core.KeySource { return core.DefaultKeySource(r) }

// Snapshot returns what is committed and, with a log, shown.
func (s *Store) Snapshot() *Snapshot { return s.committed.Load() }

// Positions returns, by resource, the largest number that was handed out as a key
// or used for one, be it in a transaction that rolled back; 0 where there is none
// and where keys are not numbers.
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

// Close makes every later Begin fail with [core.ErrClosed], and so does handing out
// keys in transactions that are still open, and with a log their commit too: the
// Positions are final.
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
