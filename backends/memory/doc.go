// Package memory is the embedded backend: all records in the memory of the
// process, nothing on disk.
//
//	store, err := core.New(ctx, model, memory.New())
//
// Each resource is an ordered copy-on-write map with an index on every field
// for which [core.Field.Indexed] holds, stored to-one relations among them. What
// has been committed is one immutable snapshot, and a commit replaces it in one
// step. So a reader works on the snapshot that was current when it began: it
// waits for nobody and nobody waits for it, and beginning and rolling back cost
// the same however many records there are. Transactions that write run one at a
// time, which makes every transaction serializable without a conflict ever.
//
// Keys of type [core.Int] are handed out in ascending order from 1, beyond every
// key that a record was given, up to the largest number of 64 bits.
package memory
