// Package reference evaluates operations on records in memory: filters, guards, orders, pages, writes and the checks of a
// commit. It defines the results of a [core.BackendTx]. Correctness comes before speed: every function looks at all
// records of a resource.
//
// It has two uses. A backend without better means is built from it: keep the records of each resource in a map by key,
// copy the maps when a transaction begins, and publish the copy when it commits. cookbook/own-backend is such a backend.
// And tests of other backends compare their results with it, as the kit core/storetest does.
//
// A transaction calls [Read], [Count], [Insert], [Update] and [Delete]; its commit calls [CheckCommit]. A [Sequence]
// generates keys. Operations must be checked and bound, as a [core.Store] passes them to backends.
package reference
