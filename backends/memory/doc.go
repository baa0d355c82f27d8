// Package memory is the embedded backend: all records in the memory of the
// process, nothing on disk.
//
//	store, err := core.New(ctx, model, memory.New())
//
// The records are kept by a [github.com/larder-go/larder/core/memtable.Store]: readers work on immutable snapshots
// and wait for nobody, transactions that write run one at a time and never
// conflict, and fields for which [core.Field.Indexed] holds have an index.
//
// Keys of type [core.Int] are generated in ascending order from 1, beyond every key
// that a committed transaction gave to a record, up to the largest number of 64 bits.
//
// Where the time of an answer depends on records that a policy hides is described
// at memtable, "Hidden records and time".
package memory
