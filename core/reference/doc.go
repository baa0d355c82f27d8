// Package reference evaluates operations on records in memory: filters, guards, orders, pages, writes and the checks of a
// commit. It defines the results of a [core.BackendTx]. Correctness comes before speed: every function looks at all
// records of a resource.
//
// The package has two uses. A backend for a storage without a query language is built from it: the backend keeps the
// records of each resource in a map by key, copies the maps when a transaction begins, and publishes the copy when the
// transaction commits. cookbook/own-backend is such a backend. Tests of other backends compare their results with those
// of this package, as the kit core/storetest does.
//
// A transaction calls [Read], [Count], [Aggregate], [Insert], [Update] and [Delete]; its commit calls [CheckCommit]. A [Sequence]
// generates keys. Operations must be checked and bound, as a [core.Store] passes them to backends.
package reference
