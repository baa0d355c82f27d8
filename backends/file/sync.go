package file

import (
	"errors"
	"fmt"
	"slices"
)

// writeSyncMarker appends a line that says that the whole file is on disk, which the caller ensures, and that keys up
// to the positions may have been generated. It does nothing if the file ends with such a line. Damage before the marker
// cannot be mistaken for an interrupted write. If the disk is full, the file remains valid without the marker. The
// caller holds the write lock.
func (j *journal) writeSyncMarker(positions []int64) error {
	if j.markedEnd == j.end && j.reservedUpTo(positions) {
		return nil
	}
	line := appendFrame(nil, frame{j.number + 1, j.end, j.schema.appendPositions(nil, positions)})
	if _, err := j.file.WriteAt(line, j.end); err != nil {
		j.logger.Warn("file: cannot write the sync marker; later damage to the end of the file may go unnoticed", "path", j.path, "error", err)
		return j.file.Truncate(j.end)
	}
	if err := j.file.Sync(); err != nil {
		return err
	}
	j.number++
	j.end += int64(len(line))
	j.synced, j.markedEnd = j.end, j.end
	return nil
}

// reservedUpTo reports whether the reserved keys end at the positions.
func (j *journal) reservedUpTo(positions []int64) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Equal(positions, j.reserved)
}

// syncLater is the delayed sync of [Options.SyncEvery].
func (j *journal) syncLater() {
	j.writeLock <- struct{}{}
	defer func() { <-j.writeLock }()
	j.syncTimer = nil
	if j.Failed() != nil || j.synced == j.end {
		return
	}
	err := j.file.Sync()
	if err == nil {
		j.synced = j.end
		err = j.markIfIdle()
	}
	if err != nil {
		j.lateSyncErr = fmt.Errorf("file: %s: sync: %w", j.path, err)
		j.rejectWrites(j.lateSyncErr)
		j.logger.Error("file: acknowledged transactions may be lost after a power failure", "path", j.path, "error", err)
	}
}

// markIfIdle writes a sync marker unless further lines are about to be written, which will say the same.
func (j *journal) markIfIdle() error {
	j.mu.Lock()
	idle, positions := len(j.next.bodies) == 0, slices.Clone(j.reserved)
	j.mu.Unlock()
	if !idle {
		return nil
	}
	return j.writeSyncMarker(positions)
}

var errMoved = errors.New("the open file is no longer at its path: it was moved, removed or replaced")

// checkPath returns an error unless the open file is at its path. The caller holds the write lock.
func (j *journal) checkPath() error {
	atPath, err := j.file.IsAt(j.path)
	if err == nil && !atPath {
		err = errMoved
	}
	if err != nil {
		return fmt.Errorf("file: %s: %w", j.path, err)
	}
	return nil
}
