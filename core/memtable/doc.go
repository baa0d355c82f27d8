// Package memtable is an embedded serializable store of a model's records in
// memory, which backends that keep their records there are built on.
//
// Each resource is an ordered copy-on-write map with an index on every field
// for which [core.Field.Indexed] holds, stored to-one relations among them. What
// has been committed is one immutable [Snapshot], and a commit replaces it in one
// step. So a reader works on the snapshot that was current when it began: it
// waits for nobody and nobody waits for it, and beginning and rolling back cost
// the same however many records there are. Transactions that write run one at a
// time, which makes every transaction serializable without a conflict ever.
//
// Keys of type [core.Int] are handed out in ascending order from 1, beyond every
// key that a record was given, up to the largest number of 64 bits.
//
// # Hidden records and time
//
// A read goes along one index. If the guard of an operation ([core.Op.Using]) names
// values of an indexed field, as in owner = 7 or tenant in (1, 2), that is the guard's
// index, whatever else the client asks for; so the number of records that are visited
// does not depend on hidden ones, and a client's condition costs as much as all records
// that the guard allows. Elsewhere time may tell how many hidden records fulfil the
// client's conditions, or how many there are:
//
//   - where the guard has no such condition: it names fields without an index, a range,
//     null among the values, or alternatives ([core.Or]) at its top;
//   - one hidden record for each key or value of a unique field that the client names,
//     because these lead to no more than one record each, guard or not;
//   - the depth of the trees, which grows with the logarithm of all records;
//   - a write, which conflicts with hidden records that hold its key or unique values.
//
// # Logs
//
// A durable backend gives the store a [Log]. It is told what a transaction
// changed before anybody else sees it, and shows the transaction to readers once
// it is durable. Transactions do not wait for each other's durability: the next
// one begins on what the last one committed, shown or not, and what it commits
// comes behind it in the log. Whatever is shown is therefore durable together
// with everything that it was built on. A transaction ends, be it by a commit of
// nothing or a rollback, only when what it began on has been shown; if that fails,
// so do all that were built on it, and the store takes no further writes.
package memtable
