// Package file is the durable backend in a single file. It keeps all records in memory, and appends every transaction
// to a journal, from which it restores them.
//
//	store, err := core.New(ctx, model, file.New("cookies.db", file.Options{}))
//
// [New] does not touch the file. [core.New] opens it through [Backend.Bind], because the content can only be checked
// against the model; every problem with the file or the model is therefore an error of [core.New]. A missing file is
// created. The file is locked while it is open, so a second process cannot open it.
//
// The records are in a [github.com/larder-go/larder/core/memtable.Store]: readers work on immutable snapshots, and wait
// neither for writers nor for the disk. Package memtable describes their cost, and the cases in which their time depends
// on records that a policy hides.
//
// A transaction is on disk when its commit returns. Transactions that commit at the same time share one fdatasync.
// [Options.SyncEvery] trades durability for speed.
//
// # Format
//
// The journal is UTF-8 text with one JSON object per line, which jq can read. The first line is the header: the version
// of the format and the stored fields of the model.
//
//	{"larder":"journal","version":2,"model":"cookies","resources":[{"name":"cookie","fields":[{"name":"id","type":"int","key":true},{"name":"type","type":"text"}]}],"crc":"7c91a940"}
//
// Every other line is a transaction, a reservation of keys or a sync marker:
//
//	{"n":1,"synced":179,"seq":{},"crc":"14c2f647"}
//	{"n":2,"synced":226,"seq":{"cookie":1},"crc":"59df6791"}
//	{"n":3,"synced":283,"put":{"cookie":[{"id":1,"type":"muffin"}]},"crc":"3f3a002e"}
//	{"n":4,"synced":365,"set":{"cookie":[{"id":1,"type":"oat"}]},"crc":"de85dbb0"}
//	{"n":5,"synced":444,"del":{"cookie":[1]},"crc":"50351059"}
//	{"n":6,"synced":503,"seq":{"cookie":1},"crc":"550a90b2"}
//
// Their members are:
//
//   - n is the number of the line.
//   - synced is the number of bytes of the file that were known to be on disk when the line was written. If several
//     lines were written together, it ends at the latest before the first of them.
//   - put has complete records by resource, without null fields. They replace records with the same key. Values have
//     the form of [core.Value.AppendJSON].
//   - set has the keys and the changed fields of existing records, including fields that became null.
//   - del has the keys of deleted records.
//   - seq has, by resource, the number up to which keys may have been generated.
//   - crc is the CRC-32C (Castagnoli, RFC 3720 section 12.1) of all preceding bytes of the line, in hexadecimal.
//     Programs that only read the file may ignore it.
//
// Keys are reserved with a seq line before they are generated, because no key may occur twice: first one key, then
// twice as many each time, up to 1024. An orderly Close returns the unused part of the block. A crash leaves a gap that
// is smaller than the number of keys generated since the file was opened. A transaction has a seq of its own, after
// put, set and del, if it deletes a record that it inserted with a chosen key above the reserved ones.
//
// A sync marker is a line with only a seq and with a synced that covers everything before it. Opening, Close and a
// delayed sync without later commits end the file with one, so that later damage cannot be mistaken for an interrupted
// write.
//
// A new, compacted, copied or recovered file begins with an initial snapshot. The first seq line ends it, even if it is
// empty; a file that ends earlier is truncated and is rejected. A valid file is never empty.
//
// Version 1 of the format has no set: an update puts the complete record. Files of version 1 can be opened. They remain
// readable for programs that only know version 1, until they are compacted. A file has version 3 if its header has unique indexes
// over several fields or some of the records, which older programs would not enforce.
//
// # Crashes
//
// A crash can tear the writes since the last sync at any place. The journal therefore ends at the first broken line:
// opening truncates the file there and logs a warning. If an intact line after it shows that the broken line had been
// synced, no crash can explain the damage: the file is rejected with a [*CorruptError], and [Recover] copies the
// readable part, as does the program cookbook/file-tool.
//
// Truncated transactions were never acknowledged, or were acknowledged before their delayed sync ([Options.SyncEvery]).
// There is one exception: damage to the very last write looks like an interrupted write. Complete lines that are removed
// from the end of the file leave no trace either, unless they belong to the initial snapshot.
//
// After a failed write or sync, the page cache does not show what is on disk, and another sync may succeed without
// writing anything (Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020; PostgreSQL found
// this in 2018 and panics since: wiki.postgresql.org/wiki/Fsync_Errors). A failed sync is therefore never retried:
//
//   - The transactions of that write fail with [core.Unavailable]. Readers have not seen them.
//   - The file is truncated to its previous size. If that fails too, the error is [core.ErrCommitUnknown]: the file may
//     contain the transactions.
//   - The backend serves reads and rejects writes until the file is opened again.
//
// The page cache may show data to the next process that is not on disk. Opening therefore rewrites everything after the
// last synced position before it syncs the file.
//
// # Compaction
//
// Old versions of records stay in the journal until a compaction writes the current records to a new file beside it,
// syncs that and renames it over the journal. Compaction runs in the background when the journal exceeds
// [Options.CompactRatio] times the size of its compacted form, and on demand: [Backend.Compact], or [Compact] without a
// model. The ratio counts bytes, not records, so that small updates of large records do not cause repeated rewrites. An
// update writes each changed field completely, including JSON fields.
//
// Readers do not wait for a compaction. Writers wait while the latest transactions are copied. The new file has the
// owner, the group and the permissions of the old one; a process that may not set them cannot compact the file. Access
// control lists and extended attributes are not copied.
//
// The name of the file beside the journal is reserved: .cookies.db.compacting for cookies.db. Opening and compaction
// remove one that a crash left. If opening cannot remove it, it logs a warning, and only compaction fails.
//
// # Limits
//
// All records must fit into memory, and opening reads the whole file.
//
// A file that is moved, removed or replaced while it is open keeps receiving the transactions, because commits do not
// check the path: acknowledged transactions are in the moved file, or lost with the removed one. Compaction notices it,
// changes nothing, and the backend rejects writes from then on; in the background it logs an error. Close notices it
// too and returns an error.
//
// The file system must keep the promises of POSIX: rename replaces a file atomically, and fsync reaches the disk. Locks
// and renames of open files need a Unix system; elsewhere opening a file fails with [errors.ErrUnsupported].
package file
