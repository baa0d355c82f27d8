// Package ownership is a decorator that gives every record an owner. A principal can read and change its own records only.
//
//	store, err := core.New(ctx, model, backend, ownership.New("user_id", ownership.Options{}))
//
// The owner is stored in a field of the record: a Hidden one of type int, text or uuid, or a Hidden to-one relation. Clients
// can neither see nor set it, nor filter or sort by it. [core.New] rejects a model with a resource that lacks the field, and
// says how to change the model or the options.
//
// # Owners
//
// A principal owns the records in which the owner field equals its id, in value and in type: the number 1 does not own the
// records of the string "1". Records with null have no owner.
//
// With [Options.Claim], a claim of the principal takes the place of its id. Records then belong to an organisation or
// another tenant. Use one decorator for each such field.
//
// A resource without an owner field may belong to the owner of the record that it points at, see [Options.Through]: the
// issues of a project to the owner of the project. The related record must exist and belong to the principal before and after
// each write, and for new records. Index the owner field of the last resource; to-one relations are indexed anyway.
//
// # Operations
//
//   - A Load, Select, Count, Update, Delete or Restore is narrowed to the principal's own records, in the statement itself (see
//     [core.Op.Guard]). Other records are hidden: errors, counts and pages are the same as if they did not exist.
//   - An Insert sets the owner of new records to the principal. The key of a hidden record is [core.AlreadyExists].
//   - An Insert of a record with another owner, and an Update to another owner or to none, is [core.Forbidden] before the
//     backend is asked. Setting the principal itself is permitted. Clients of core/engine cannot set the field, so this
//     protects programs that read request bodies by other means.
//   - Anonymous principals (nil) are [core.Unauthorized] for every operation, also on shared resources, for transactions and
//     for NextID.
//   - A principal without an id or claim of the type of the owner field is [core.Forbidden] for every operation on resources
//     with owners. The cause of the error, for the log, says why.
//   - An operation of a kind that this package does not know is [core.Forbidden], except on shared resources.
//   - Operations of [core.System] pass unchanged. A record that they insert without an owner has none.
//
// # In a stack
//
// It is a policy and stands outside softdelete, stamp, audit, hooks and caches. [core.New] rejects other orders. Among policies any
// order is allowed: with decorators/access, an operation must satisfy both.
//
// # Roles without restriction
//
// Principals with a role in [Options.Bypass] read and change all records, and may insert records for any owner. A record
// that they insert without an owner gets their own id or claim, if it has the type of the field, and no owner otherwise.
//
// # Cost
//
// A get from memory takes about 0.2 µs and two allocations more (see BenchmarkGet). Nothing is stored between operations.
// Set Indexed on the owner field. Declare a [core.Index] for each frequent list, with the owner first and the order after it.
//
// # Limits
//
// Some answers reveal that a hidden record exists:
//
//   - A delete of a record that a hidden record points at is [core.StillReferenced] with the relation.
//   - An insert, also by PUT, with the key or a unique value of a hidden record is [core.AlreadyExists]. So is a one-to-one
//     with a partner that belongs to a hidden record, and a write that gives a record the values of a hidden one in a unique
//     index. Start the index with the owner field to avoid that.
//   - With core/engine, a record cannot be detached from a hidden record through a relation whose other side has a
//     [core.FieldSpec] Writable function, because the function cannot be called. The error is [core.FieldUpdateForbidden].
//   - At the store, a to-one field can be set to the id of a hidden record, while an id that does not exist is
//     [core.NotFound]. core/engine answers both alike.
//
// A store that reads from replicas (postgres.Options Replicas) compares the owner on the replica. If another process changes
// the owner of a record, the former owner can read it until the replica has replayed the change. postgres.Options MaxLag
// bounds that delay. Writes, and reads of the process that changed the owner, follow the new state at once. Claims come with
// the principal and are always current.
package ownership
