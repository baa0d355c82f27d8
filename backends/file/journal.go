package file

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/memtable"
)

// journal is the open file. It is the log of the memtable.
//
// Transactions and reservations join the next batch. The first waiting goroutine that acquires the write lock writes
// and syncs the whole batch, publishes its transactions and wakes the others, while later transactions gather in the
// following batch. So there is one write and one sync at a time, in the order of the lines. Whenever the write lock is
// free, exactly the published transactions are in the file.
type journal struct {
	fs           filesystem
	path         string
	schema       schema
	syncEvery    time.Duration // [Options.SyncEvery]
	logger       *slog.Logger
	writeLock    chan struct{} // holds one element while a goroutine writes
	wholeRecords atomic.Bool   // the file has version 1: its lines contain complete records only

	// The following fields are guarded by writeLock.
	file            handle
	end             int64 // position of the next line
	synced          int64 // bytes that are known to be on disk
	markedEnd       int64 // end of the file if its last line is a sync marker
	lateSyncErr     error // failure of a sync after its transactions were acknowledged
	number          int64 // of the last line
	liveBytes       int64 // approximate size of a compacted journal
	buf             []byte
	afterBatch      func() // called after each batch
	lastBatchShared bool   // the last batch had several lines
	syncTimer       *time.Timer

	mu sync.Mutex
	// The following fields are guarded by mu.
	next       *batch
	reserved   []int64 // by resource: keys up to here may have been generated
	blockSizes []int64 // by resource: number of keys of the last reservation
	failed     error   // the error of every further append; nil while the journal accepts appends
}

var _ memtable.Log = (*journal)(nil)

// Append adds a transaction to the next batch.
func (j *journal) Append(c memtable.Changes, publish func()) (durable func() error, err error) {
	body, growth := j.schema.appendChanges(c, j.wholeRecords.Load())
	j.mu.Lock()
	defer j.mu.Unlock()
	if c.Positions != nil {
		body = j.appendReserved(body, c.Positions)
	}
	return j.add(body, growth, publish)
}

// reservedAtOnce is the largest number of keys that a line reserves.
const reservedAtOnce = 1024

// Reserve reserves a block of keys, with twice the size of the previous block. The gap that a crash leaves is therefore
// smaller than the number of keys generated since the file was opened, and few lines are about keys.
func (j *journal) Reserve(r *core.Resource, atLeast int64) (upTo int64, err error) {
	positions := make([]int64, len(j.schema.resources))
	j.mu.Lock()
	block := min(max(1, 2*j.blockSizes[r.Index()]), reservedAtOnce)
	j.blockSizes[r.Index()] = block
	upTo = math.MaxInt64
	if atLeast < math.MaxInt64-block {
		upTo = atLeast + block - 1
	}
	positions[r.Index()] = upTo
	durable, err := j.add(j.appendReserved(nil, positions), 0, nil)
	j.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return upTo, durable()
}

// appendReserved appends the reservation of keys up to the positions to the body of a line, and never lowers an earlier
// reservation. The caller holds mu until the line is in the batch.
func (j *journal) appendReserved(body []byte, positions []int64) []byte {
	for i, upTo := range positions {
		if upTo != 0 {
			j.reserved[i] = max(j.reserved[i], upTo)
			positions[i] = j.reserved[i]
		}
	}
	if len(body) > 0 {
		body = append(body, ',')
	}
	return j.schema.appendPositions(body, positions)
}

// add adds a line to the next batch. The caller holds mu.
func (j *journal) add(body []byte, growth int64, publish func()) (durable func() error, err error) {
	if j.failed != nil {
		return nil, j.failed
	}
	b := j.next
	b.add(body, growth, publish)
	return func() error { return j.wait(b) }, nil
}

// wait returns when the batch is done. It writes the batch itself if no other goroutine does.
func (j *journal) wait(b *batch) error {
	select {
	case <-b.done:
	case j.writeLock <- struct{}{}:
		// The goroutines that the last batch woke may want to join this one. Yielding once lets most of them in. Waiting
		// longer would take the processor that they need, or cost more than their sync if they do not come.
		if j.lastBatchShared {
			runtime.Gosched()
		}
		j.flush()
		<-j.writeLock
	}
	<-b.done // closed by our flush or by an earlier one
	return b.err
}

// flush writes the next batch. The caller holds the write lock.
func (j *journal) flush() {
	j.mu.Lock()
	b, err := j.next, j.failed
	if len(b.bodies) == 0 {
		j.mu.Unlock()
		return
	}
	j.next = newBatch()
	j.mu.Unlock()
	if err == nil {
		err = j.write(b)
	}
	b.finish(err)
	if err == nil && j.afterBatch != nil {
		j.afterBatch()
	}
}

// write appends the lines of the batch to the file.
func (j *journal) write(b *batch) error {
	j.buf = j.buf[:0]
	for i, body := range b.bodies {
		j.buf = appendFrame(j.buf, frame{j.number + 1 + int64(i), j.synced, body})
	}
	if _, err := j.file.WriteAt(j.buf, j.end); err != nil {
		return j.fail("write", err)
	}
	if j.syncEvery == 0 {
		if err := j.file.Sync(); err != nil {
			return j.fail("sync", err)
		}
	}
	j.end += int64(len(j.buf))
	j.number += int64(len(b.bodies))
	j.liveBytes += b.growth
	j.lastBatchShared = len(b.bodies) > 1
	switch {
	case j.syncEvery == 0:
		j.synced = j.end
	case j.syncEvery > 0 && j.syncTimer == nil:
		j.syncTimer = time.AfterFunc(j.syncEvery, j.syncLater)
	}
	if cap(j.buf) > maxBuffer {
		j.buf = nil
	}
	return nil
}

// maxBuffer is the largest capacity of a buffer that is kept for the next batch.
const maxBuffer = 1 << 20

// fail truncates the file to its size before the batch if possible, and rejects all further writes. It returns the
// error of the batch.
func (j *journal) fail(doing string, err error) error {
	err = fmt.Errorf("file: %s: %s: %w", j.path, doing, err)
	j.rejectWrites(err)
	code, truncateErr := core.Unavailable, j.file.Truncate(j.end)
	if truncateErr == nil {
		truncateErr = j.file.Sync() // of the new size; the lines of the failed sync are no longer in the file
	}
	if truncateErr != nil {
		code, err = core.OutcomeUnknown, fmt.Errorf("%w; truncating the file failed too: %w: %w", err, truncateErr, core.ErrCommitUnknown)
	}
	return &core.Error{Code: code, Cause: err}
}

// rejectWrites makes every further append fail.
func (j *journal) rejectWrites(why error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failed == nil {
		j.failed = &core.Error{Code: core.Unavailable, Cause: fmt.Errorf("%w (%w)", errWritesRejected, why)}
	}
}

var errWritesRejected = errors.New("file: the backend is read-only after a failed write or sync; reopen the file")

// Failed returns the error of every further append, or nil while the journal accepts appends.
func (j *journal) Failed() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.failed
}

// positions returns the key positions for a rewritten journal, if keys up to given were generated or given to records.
func (j *journal) positions(given []int64) []int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	positions := slices.Clone(given)
	for i := range positions {
		positions[i] = max(positions[i], j.reserved[i])
	}
	return positions
}

// close writes the next batch and closes the file. Reserved keys above the given positions were not generated and are
// released.
func (j *journal) close(given []int64) error {
	j.writeLock <- struct{}{}
	defer func() { <-j.writeLock }()
	j.afterBatch = nil
	j.flush()
	if j.syncTimer != nil {
		j.syncTimer.Stop()
		j.syncTimer = nil
	}
	err := errors.Join(j.lateSyncErr, j.checkPath())
	if j.Failed() == nil {
		err = errors.Join(err, j.syncAndMark(given))
	}
	j.mu.Lock()
	j.failed = core.ErrClosed
	j.mu.Unlock()
	return errors.Join(err, j.file.Close())
}

// syncAndMark makes the whole file durable and ends it with a sync marker.
func (j *journal) syncAndMark(given []int64) error {
	if j.synced < j.end {
		if err := j.file.Sync(); err != nil {
			return fmt.Errorf("file: %s: sync: %w", j.path, err)
		}
	}
	if err := j.writeSyncMarker(given); err != nil {
		return fmt.Errorf("file: %s: writing the sync marker: %w", j.path, err)
	}
	return nil
}

// batch is a group of lines that are written and synced together.
type batch struct {
	bodies  [][]byte
	growth  int64  // of the journal's liveBytes
	publish func() // of the last transaction; it publishes the earlier ones too
	done    chan struct{}
	err     error // valid once done is closed
}

func newBatch() *batch { return &batch{done: make(chan struct{})} }

func (b *batch) add(body []byte, growth int64, publish func()) {
	b.bodies = append(b.bodies, body)
	b.growth += growth
	if publish != nil {
		b.publish = publish
	}
}

// finish publishes the batch after a success, and wakes its waiting goroutines.
func (b *batch) finish(err error) {
	if err == nil && b.publish != nil {
		b.publish()
	}
	b.err, b.bodies, b.publish = err, nil, nil
	close(b.done)
}
