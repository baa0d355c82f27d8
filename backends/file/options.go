package file

import (
	"log/slog"
	"time"

	"github.com/larder-go/larder/core/seed"
)

// Options are the settings of a [Backend]. The zero value syncs every commit.
type Options struct {
	// SyncEvery is how long a commit may wait for its sync after it returned. 0
	// means that it does not return before. With another duration, a power cut can
	// take what was acknowledged within it before the cut and while a sync took
	// place, always the latest transactions and whole ones; the death of the
	// process takes nothing. [NoSync] leaves the moment to the operating system.
	SyncEvery time.Duration
	// CompactRatio is how many bytes the journal may have for each byte that it would
	// have if it were written anew, before it is compacted in the background. So at most
	// 1/(CompactRatio-1) bytes are written anew for each byte that is appended. Only
	// journals of a mebibyte and more are compacted so, and after a failure only once
	// they are twice as large. 0 means 4, and the smallest ratio is 2. Below 0, only
	// [Backend.Compact] compacts.
	CompactRatio float64
	// DropLost lets a model open the file that lacks resources or fields of which
	// the file holds data, which is then removed from it. Without, it is refused. A
	// field that says what it was called ([core.FieldSpec.Was]) keeps its data.
	DropLost bool
	// Data is what a new file starts with. A file that exists keeps what it has.
	Data seed.Data
	// Progress is called while the file is read, now and then and at the end, with
	// how many of its bytes are done. nil means nobody wants to know.
	Progress func(done, total int64)
	// Logger is told of what was repaired when the file was opened, and of what
	// fails in the background. nil means [slog.Default].
	Logger *slog.Logger
}

// NoSync is an [Options.SyncEvery] without syncs, but for those of opening,
// compaction and an orderly Close.
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

// logTornEnd tells the logger of a broken end.
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
