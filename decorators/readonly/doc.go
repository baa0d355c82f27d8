// Package readonly is a decorator that rejects writes: to the whole store, to some
// of its resources, always or while a switch is on.
//
//	store, err := core.New(ctx, model, backend, readonly.New(readonly.Options{})) // the whole store
//
//	store, err := core.New(ctx, model, backend, readonly.New(readonly.Options{Resources: []string{"jar"}}))
//
//	var maintenance readonly.Switch
//	store, err := core.New(ctx, model, backend, readonly.New(readonly.Options{Switch: &maintenance}))
//	maintenance.Set(true)
//	err = maintenance.Wait(ctx) // from here on nothing is written
//
// # What is refused
//
// Inserts, updates and deletes, handing out keys (a key that is handed out is gone
// for good), and kinds of operations that this package does not know. The error is
// [core.ReadOnly] and names the resource. Reads go on, inside transactions too: a
// transaction fails where it writes, not where it begins. One that cannot write at
// all, because the whole store is read-only when it begins, is passed on to the
// backend as a read-only one, which may be cheaper for it: PostgreSQL can tell early
// that it conflicts with nothing, and then keeps no locks (manual, section 13.2.3).
//
// Read-only is a fact about the store and not about who asks, so it holds for
// everybody, the program itself ([core.System]) included. A program that has to
// write does so through a store that it composes without the decorator, or turns
// the switch.
//
// A cascade, or a relation that is stored with another record, is a write to the
// resource that holds it: with only jars read-only, a cookie can still be put into
// one, for the cookie is what changes.
//
// # Where it stands
//
// Anywhere outside caches and fault injectors, as every policy. Several add up:
// what one of them refuses is refused.
package readonly
