package file

import (
	"errors"
	"fmt"
	"slices"
)

// writeSyncMarker adds a line that says that all of the file is on disk, which it is, and that
// keys up to the positions may have been handed out, unless the file ends with such a
// line. Damage to what is before it is no torn write then. If the disk has no room for
// the line, nothing is lost but that. The caller has the turn.
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

// reservedUpTo reports whether the keys that are reserved end at the positions.
func (j *journal) reservedUpTo(positions []int64) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Equal(positions, j.reserved)
}

// syncLater is the sync of [Options.SyncEvery].
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
		j.logger.Error("file: acknowledged transactions may be lost in a power cut", "path", j.path, "error", err)
	}
}

// markIfIdle seals the file unless lines are about to be written that say the same.
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

// checkPath is an error unless the file that is open is at its path. The caller has the
// turn.
func (j *journal) checkPath() error {
	still, err := j.file.IsAt(j.path)
	if err == nil && !still {
		err = errMoved
	}
	if err != nil {
		return fmt.Errorf("file: %s: %w", j.path, err)
	}
	return nil
}
