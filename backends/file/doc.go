// Package file is the durable backend in one file: all records in memory, and
// every transaction in an append-only journal from which they come back.
//
//	store, err := core.New(ctx, model, file.New("cookies.db", file.Options{}))
//
// Reading is that of [github.com/larder-go/larder/core/memtable.Store]: readers
// work on immutable snapshots and wait neither for writers nor for the disk. Where
// their time depends on records that a policy hides is described there. A transaction
// is on disk when its commit returns; those that commit at the same time share one
// fdatasync. [Options.SyncEvery] trades that for speed.
//
// [New] does not touch the file. [core.New] does, through [Backend.Bind], because
// what the file holds can only be judged against the model; so whatever is wrong
// with either is an error of [core.New]. The file is created if it is not there,
// beside its place and put there when it is on disk: an empty one is not a new one,
// but one that was cut, and is refused. It is locked as long as it is open, so that a
// second process is refused.
//
// # Format
//
// The journal is text in UTF-8, one JSON object a line (jq reads it). The first
// line is the header: the version of the format, and the model's stored fields.
//
//	{"larder":"journal","version":2,"model":"cookies","resources":[{"name":"cookie","fields":[{"name":"id","type":"int","key":true},{"name":"type","type":"text"}]}],"crc":"7c91a940"}
//
// Each other line is a transaction, or a reservation of keys:
//
//	{"n":1,"synced":179,"seq":{},"crc":"14c2f647"}
//	{"n":2,"synced":226,"seq":{"cookie":1},"crc":"59df6791"}
//	{"n":3,"synced":283,"put":{"cookie":[{"id":1,"type":"muffin"}]},"crc":"3f3a002e"}
//	{"n":4,"synced":365,"set":{"cookie":[{"id":1,"type":"oat"}]},"crc":"de85dbb0"}
//	{"n":5,"synced":444,"del":{"cookie":[1]},"crc":"50351059"}
//	{"n":6,"synced":503,"seq":{"cookie":1},"crc":"550a90b2"}
//
//	  - n numbers the lines.
//	  - synced is how many bytes of the file were known to be on disk when the line
//	    was written: up to the line itself, or up to the line with which a write of
//	    several began.
//	  - put holds whole records by resource, in the place of those with the same key.
//	    Values are spelled as [core.Value.AppendJSON] does; null fields are left out.
//	  - set holds the keys of records that are there, and the fields that changed; null
//	    is spelled here.
//	  - del holds keys of records that are gone.
//	  - seq says that keys up to a number may have been handed out. They are reserved
//	    in blocks before that, since no key may come twice: first one, then twice as many
//	    each time, up to 1024. An orderly Close gives the rest of the block back. A crash
//	    leaves a gap, which is smaller than the number of keys that were handed out since
//	    the file was opened. A transaction says it itself,
//	    behind put, set and del, of a key that it was given and whose record it deleted.
//	    It is also what a line says that is there for its synced alone: opening, Close,
//	    and a sync that nobody's commit follows, end the file with one.
//	    The lines that a journal is written with, be it new, compacted, copied or
//	    recovered, end with the first seq that there is, even if it says nothing: a file
//	    that ends before that was cut.
//	  - crc is the CRC-32C (Castagnoli, RFC 3720 section 12.1) of all bytes of the
//	    line before it, in hexadecimal. Who only reads may ignore it.
//
// Files of version 1 have no set: an update puts the whole record. They are opened, and
// stay readable for programs that know version 1 alone until they are compacted.
//
// # Crashes
//
// A crash can tear what was written since the last sync, in any places. So a
// broken line is where the journal ends, and the rest is cut off and the log told,
// unless an intact line behind it says that the broken place had been synced: then
// it is not a crash that broke it, the file is refused with a [*CorruptError], and
// [Recover] copies what can be read (so does cookbook/file-tool). What is cut was
// never acknowledged, or only within the window of [Options.SyncEvery]; the exception
// is damage that hits the last write itself, which looks like a torn one. Nor does
// anything tell of transactions that somebody cuts off the end, line by line; but a
// file without all of what it was written with is refused.
//
// After a write or a sync failed, the page cache does not tell what is on disk, and
// syncing again may succeed without writing (Rebello et al., "Can Applications
// Recover from fsync Failures?", USENIX ATC 2020; PostgreSQL found out in 2018 and
// panics since: wiki.postgresql.org/wiki/Fsync_Errors). So a failed sync is never
// retried. The transactions concerned fail with [core.Unavailable], nobody has seen
// them, the file is cut back to where it was, and the backend goes on serving reads
// and refuses writes until the file is opened again. If not even the cut succeeds,
// the error is [core.ErrCommitUnknown]: the file may hold the transaction. Who
// opens it then may find in the page cache what is not on disk, and so writes
// everything again that no line knows to have been synced.
//
// # Compaction
//
// Old versions of records stay in the journal until it is compacted: written anew
// to a file beside it, synced, and renamed over it. That happens in the background
// when the journal has more than [Options.CompactRatio] times the bytes of what is
// there, by [Backend.Compact], or by [Compact] without a model. Bytes decide, and not
// numbers of records; so small updates of large records do not have those written
// again and again. An update writes each changed field in full, a JSON field too.
// Readers do not notice; writers wait while the last transactions are copied. The new file has the
// owner, the group and the permissions of the old one; who cannot give it those cannot
// compact it. Access lists and other attributes are not kept.
//
// The name of the file beside it is reserved, .cookies.db.compacting for cookies.db.
// What a crash left there is removed by whoever opens or compacts the file next. If it
// cannot be removed when the file is opened, the log is told, and only compaction fails.
//
// A file that is moved, removed or replaced while it is open is written to all the
// same, since nobody looks at each commit whether it is still there: what is
// acknowledged is in the file that was moved, or gone with the one that was removed.
// Compaction notices it, touches nothing, and has writes refused from then on; the
// log is told if it was in the background. Close notices it too and returns an error.
//
// # Platforms
//
// The file systems have to keep the promises of POSIX: rename replaces in one step,
// and fsync reaches the disk. Locks and renames of open files need a Unix.
package file
