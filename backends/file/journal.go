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

// journal is the file that is open, as the log of a memtable.
//
// Transactions and reservations join the batch that is next. Whoever of those who
// wait for it gets the turn first writes and syncs all of it, publishes what it
// holds and wakes the others, while those who come in the meantime gather in the
// next one. So there is one write and one sync at a time, in the order of the
// lines, and what was published is what is in the file, no more and no less,
// whenever nobody has the turn.
type journal struct {
	fs           filesystem
	path         string
	schema       schema
	syncEvery    time.Duration // [Options.SyncEvery]
	logger       *slog.Logger
	writeLock    chan struct{} // holds one element while somebody has the turn
	wholeRecords atomic.Bool   // the file is of the first version, whose lines hold whole records

	// Of who has the turn.
	file            handle
	end             int64 // where the next line goes
	synced          int64 // how much of it is on disk
	markedEnd       int64 // how much of it the last line is known to end, and to say to be on disk
	lateSyncErr     error // why acknowledged transactions may not be on disk
	number          int64 // of the last line
	liveBytes       int64 // how large about it would be if it were written anew
	buf             []byte
	afterBatch      func() // called after each batch
	lastBatchShared bool   // the last batch had several lines
	syncTimer       *time.Timer

	mu         sync.Mutex
	next       *batch
	reserved   []int64 // by resource: keys up to there may be handed out
	blockSizes []int64 // by resource: how many keys the last reservation was for
	failed     error   // since when nothing is written
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

// reservedAtOnce is how many keys a line reserves at most.
const reservedAtOnce = 1024

// Reserve reserves a block of keys, twice as many as the last time. So the gap that a
// crash leaves is smaller than the number of keys that were handed out since the file
// was opened, and few lines are about keys.
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

// appendReserved appends to the body of a line that keys up to the positions may have
// been handed out, without taking back what the lines before it say. The caller
// holds mu until the line is in the batch.
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

// wait returns when the batch is done, if need be by doing it.
func (j *journal) wait(b *batch) error {
	select {
	case <-b.done:
	case j.writeLock <- struct{}{}:
		// Those whom the last batch woke may want to join. To let them run once brings
		// most of them; who waits for the rest takes the processor that they need, or
		// sleeps on a timer, which costs more than their sync when they do not come.
		if j.lastBatchShared {
			runtime.Gosched()
		}
		j.flush()
		<-j.writeLock
	}
	<-b.done // flush did it unless somebody had before
	return b.err
}

// flush writes the next batch. The caller has the turn.
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

// maxBuffer is how large a buffer is kept for the next batch.
const maxBuffer = 1 << 20

// fail takes back what was written since the last batch, as far as that works, and
// refuses everything from now on. It returns the error of the batch.
func (j *journal) fail(doing string, err error) error {
	err = fmt.Errorf("file: %s: %s: %w", j.path, doing, err)
	j.rejectWrites(err)
	code, undone := core.Unavailable, j.file.Truncate(j.end)
	if undone == nil {
		undone = j.file.Sync() // of the cut: the lines that it failed for are gone
	}
	if undone != nil {
		code, err = core.OutcomeUnknown, fmt.Errorf("%w; truncating the file failed too: %w: %w", err, undone, core.ErrCommitUnknown)
	}
	return &core.Error{Code: code, Cause: err}
}

// rejectWrites makes everything fail from now on.
func (j *journal) rejectWrites(why error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failed == nil {
		j.failed = &core.Error{Code: core.Unavailable, Cause: fmt.Errorf("%w (%w)", errWritesRejected, why)}
	}
}

var errWritesRejected = errors.New("file: the backend is read-only after a failed write or sync; reopen the file")

// Failed returns why nothing is written any more, or nil.
func (j *journal) Failed() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.failed
}

// positions returns what a journal that is written anew has to say about keys, if
// those up to given were handed out or given.
func (j *journal) positions(given []int64) []int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	positions := slices.Clone(given)
	for i := range positions {
		positions[i] = max(positions[i], j.reserved[i])
	}
	return positions
}

// close writes what is still to be written and closes the file. Keys that are
// reserved, but were not handed out up to the positions, are given back.
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

// syncAndMark makes sure that all is on disk, and that the file says so.
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

// batch is lines that are written and synced together.
type batch struct {
	bodies  [][]byte
	growth  int64  // of the live bytes
	publish func() // of the last transaction, which shows those before it too
	done    chan struct{}
	err     error // once done
}

func newBatch() *batch { return &batch{done: make(chan struct{})} }

func (b *batch) add(body []byte, growth int64, publish func()) {
	b.bodies = append(b.bodies, body)
	b.growth += growth
	if publish != nil {
		b.publish = publish
	}
}

// finish wakes all who wait for the batch.
func (b *batch) finish(err error) {
	if err == nil && b.publish != nil {
		b.publish()
	}
	b.err, b.bodies, b.publish = err, nil, nil
	close(b.done)
}
