// Package memory is the embedded backend that keeps all records in the memory of the process. Nothing is written to
// disk; package [github.com/larder-go/larder/backends/file] adds that.
//
//	store, err := core.New(ctx, model, memory.New())
//
// The records are stored in a [github.com/larder-go/larder/core/memtable.Store]. Readers work on immutable snapshots
// and never wait. Read-write transactions run one at a time, so they are serializable and never conflict. Every field
// for which [core.Field.Indexed] holds has an index, and the indexes of [core.Resource.Indexes] are kept.
//
// Keys of type [core.Int] are generated in ascending order, starting at 1 and always above every key that a committed
// transaction gave to a record, up to the largest 64-bit integer.
//
// The costs of operations, and the cases in which the time of an answer depends on records that a policy hides, are
// described in package memtable.
package memory
