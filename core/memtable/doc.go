// Package memtable is an embedded, serializable store that keeps all records of a model in memory. It is the base of
// backends/memory and, with a [Log], of backends/file.
//
// A backend creates the store in its Bind method and delegates to it:
//
//	records, err := seed.Records(model, data)
//	if err != nil {
//		return err
//	}
//	store := memtable.New(model, memtable.Content{Records: records}, nil)
//	tx, err := store.Begin(ctx, core.BackendTxOptions{})
//
// # Snapshots
//
// Each resource is an ordered copy-on-write map, with an index on every field for which [core.Field.Indexed] holds, and the
// indexes of [core.Resource.Indexes]; stored to-one relations are among the fields. The committed state is one immutable [Snapshot], and a commit replaces it
// atomically. A reader works on the snapshot that was current when it began: readers and writers do not block each
// other. The cost of beginning a transaction or rolling it back does not depend on the number of records.
//
// Read-write transactions run one at a time. They are serializable and never conflict.
//
// Keys of type [core.Int] are generated in ascending order, starting at 1 and always above every key that a committed
// transaction gave to a record, up to the largest 64-bit integer.
//
// # Durability
//
// A durable backend passes a [Log] to [New]. The store hands every commit to the log before readers can see it, and
// makes it visible to readers once the log reports it as durable. The next writer does not wait for that: it begins on
// the last commit, visible or not, and its own changes follow in the log. Visible changes are therefore durable
// together with everything that they are based on.
//
// A transaction that wrote nothing, or rolled back, ends only when the snapshot that it read is durable. If the log
// fails, every transaction based on the lost commit fails too, and the store accepts no further writes. Reads go on.
//
// # Cost
//
// A get or a change of one record takes time logarithmic in the number of records. A Select or Count scans the key or
// one index, over the values that its conditions allow; conditions without an index scan the whole resource. A sort by
// an indexed field followed by the key walks that index and stops when the page is full. So does a sort by the fields of an
// index of [core.Resource.Indexes] and the key, all in its directions or all in the opposite ones; conditions may name one
// value for each of its first fields and a range of the next one. A page in the order of the keys
// of records that hold one of several values of an index is merged from the lists of these values. Other sorts visit all
// matching records, but keep only about twice the page in memory. A scan notices the end of its context after at most
// 1,024 records.
//
// # Conditions on related records
//
// A condition on related records ([core.Related]) that must hold becomes a condition on keys before the scan is chosen, if
// indexes lead to few related records: at most 1,000 for all such conditions of the operation or, for an operation that
// otherwise visits all records of its resource, a sixteenth of their number. The innermost relation is evaluated first:
//
//	core.Related("project", core.Related("memberships", core.Eq("user", 7)))
//
// reads the memberships of user 7 by the index on user, then their projects by key, and scans the index on project over
// these. Every other condition on related records is evaluated for each visited record, with these bounds:
//
//   - The record that a to-one relation or a stored list points at is evaluated once per operation.
//   - For a record that others point at, these are visited until one matches. After 64 such visits in an operation, and
//     then after four times as many each time, the condition is decided for all records at once if its own index needs no
//     more visits than have been made.
//   - Lists of keys have no index. A condition on the records whose lists name the record reads these lists once per
//     operation.
//
// A sort by a field of a related record visits all matching records.
//
// # Hidden records and time
//
// The time of an answer must not reveal records that a policy hides. If the policy's condition ([core.Op.Using])
// requires one of certain values of an indexed field, as in owner = 7 or tenant in (1, 2), the scan uses that index,
// whatever the client asks for, or an index over several fields of which that field has a value. The number of visited records then depends only on records that the policy allows. A
// policy's condition on related records is such a part while few related records decide it, see above; the number of
// visited records then also depends on the related records that its indexes lead to, such as the memberships of one
// user. In the following cases the time may still depend on hidden records:
//
//   - the policy's condition has no such part: it compares fields without an index, requires a range, allows null, is an
//     alternative ([core.Or]) or a negation at the top level, or too many related records decide it;
//   - the client's condition or order concerns related records: records that are related to a visible record are
//     visited, hidden ones among them;
//   - the client's condition names keys, values of a unique field or values of all fields of a unique index: up to one hidden record is visited for each;
//   - the depth of the trees grows with the logarithm of the number of all records;
//   - a write conflicts with hidden records that hold its key or its unique values.
package memtable
