// Package readonly is a decorator that rejects writes: to the whole store or to some resources, always or while a switch is
// on.
//
//	store, err := core.New(ctx, model, backend, readonly.New(readonly.Options{})) // the whole store
//
//	store, err := core.New(ctx, model, backend, readonly.New(readonly.Options{Resources: []string{"jar"}}))
//
//	var maintenance readonly.Switch
//	store, err := core.New(ctx, model, backend, readonly.New(readonly.Options{Switch: &maintenance}))
//	maintenance.Set(true)
//	err = maintenance.Wait(ctx) // no write after this returns
//
// # Operations
//
// Insert, Update, Delete, Restore and NextID are rejected, and kinds of operations that this package does not know. NextID counts as
// a write because an allocated key is never allocated again. Reads pass.
//
// A transaction fails when it writes, not when it begins. If the whole store is read-only when a transaction begins, the
// backend gets it as a read-only transaction. PostgreSQL can then release its predicate locks early (manual, section 13.2.3).
//
// The rule holds for every principal, [core.System] included. To write, a program uses a store composed without the
// decorator, or turns the switch off.
//
// A cascade, or a relation stored in another record, is a write to the resource that stores it. With jars read-only, a cookie
// can still be put into a jar, because the cookie stores the relation.
//
// # Errors
//
// [core.ReadOnly] with the resource.
//
// # In a stack
//
// It is a policy and stands outside softdelete, stamp, audit, hooks and caches. [core.New] rejects other orders. Among policies any
// order is allowed; in front of ownership and access it denies a write before they do any work. A stack may have several, and an
// operation must pass all of them.
//
// The writes of hooks pass it, too. Those that other inner decorators add do not: a touch by decorators/stamp, an entry of
// decorators/audit.
package readonly
