package file

import (
	"log/slog"
	"time"

	"github.com/larder-go/larder/core/seed"
)

// Options are the settings of a [Backend]. The zero value syncs every commit.
type Options struct {
	// SyncEvery is the longest time between the return of a commit and the sync of its transaction. With 0, a commit
	// returns after its sync. With a positive duration, a power failure can lose the transactions that were acknowledged
	// within that time before the failure, or while a sync was running: always the latest transactions, and each one
	// completely. The end of the process loses no transaction. A negative duration, [NoSync], leaves syncs to the
	// operating system.
	SyncEvery time.Duration
	// CompactRatio is the size of the journal divided by the size of its compacted form above which the journal is
	// compacted in the background. Compactions then write at most 1/(CompactRatio-1) bytes per appended byte. Only
	// journals of at least 1 MiB are compacted in the background, and after a failure only when they have doubled in
	// size. 0 means 4; a positive ratio below 2 counts as 2. A negative ratio disables background compaction.
	CompactRatio float64
	// DropLost permits opening a file with data of resources or fields that the model lacks, and deletes that data.
	// Otherwise such a file is rejected. A renamed field keeps its data if the model states its former name
	// ([core.FieldSpec.Was]).
	DropLost bool
	// Data is the initial content of a new file. It is ignored if the file exists. The caller must not change the data
	// before [core.New] has returned.
	Data seed.Data
	// Progress is called while the file is read, about once per MiB and at the end, with the number of bytes read and
	// the size of the file. It is called by one goroutine, and delays the reading. nil means no calls.
	Progress func(done, total int64)
	// Logger receives warnings about repairs when the file is opened, and errors of background work. nil means
	// [slog.Default].
	Logger *slog.Logger
}

// NoSync is an [Options.SyncEvery] without syncs of commits. Opening, compaction and an orderly Close still sync.
const NoSync time.Duration = -1

const (
	defaultCompactRatio  = 4
	smallestCompactRatio = 2
)

func (o Options) logger() *slog.Logger {
	if o.Logger == nil {
		return slog.Default()
	}
	return o.Logger
}

// logTornEnd logs a warning if the journal has a broken end.
func (o Options) logTornEnd(path string, r *replayResult) {
	if r.torn != nil {
		o.logger().Warn("file: truncating a broken end: a write that a crash interrupted, or damage to the last write",
			"path", path, "offset", r.end, "bytes", r.size-r.end, "reason", r.torn)
	}
}

func (o Options) compactRatio() float64 {
	if o.CompactRatio == 0 {
		return defaultCompactRatio
	}
	if o.CompactRatio > 0 {
		return max(o.CompactRatio, smallestCompactRatio)
	}
	return o.CompactRatio
}

func (o Options) progress(done, total int64) {
	if o.Progress != nil {
		o.Progress(done, total)
	}
}
