// Package ownership gives every record an owner, and lets principals meet only
// what they own.
//
//	store, err := core.New(ctx, model, backend, ownership.New("user_id", ownership.Options{}))
//
// The owner is kept in a field of the record: a stored one of type int, text or
// uuid, or a to-one relation, which is Hidden, so that clients can neither see nor
// set it, nor filter or sort by it. [core.New] refuses a model in which a resource
// lacks it, and says what to change.
//
// # What a principal owns
//
// Records whose owner field equals the principal's id, in value and in type: the
// number 1 does not own what belongs to the text "1", and nobody owns what belongs
// to nobody (null). With [Options.Claim] it is a claim of the principal instead of
// the id; then records belong to an organisation or another tenant, and one field
// for each can be guarded by one decorator each.
//
// # What happens to operations
//
//   - Reads, updates and deletes are narrowed to the principal's own records, in the
//     statement itself ([core.Op.Guard]). Those of others are absent: same error, same
//     counts, same pages.
//   - Inserts are stamped: the owner of a new record is the principal. A key that
//     another's record has is taken, which is all that is told of it.
//   - A record to insert that names another owner, or a change that names another or
//     none, is refused with [core.Forbidden] before anything is looked at. Naming
//     oneself is fine. Only programs can get there, as clients cannot name the field;
//     if they read bodies with other means than the engine, this is what saves them.
//   - Nobody, which is a context without a principal, is refused everything, on shared
//     resources, for transactions and for next ids as well, with [core.Unauthorized].
//   - A principal that can own nothing, because its id or claim is missing or of
//     another type than the field, is refused everything on resources with owners with
//     [core.Forbidden], whatever they hold. The cause, for the log, says why.
//   - Kinds of operations that this package does not know are refused likewise.
//   - The program ([core.System]) passes with everything, and what it writes is stored
//     as it says: without an owner, a record belongs to nobody.
//
// # What the store tells nevertheless
//
// A record that the principal does not own is there all the same, and what it holds
// is taken. So much is told of it:
//
//   - To delete what such a record points at is refused, with
//     [core.FieldUpdateForbidden] and the relation.
//   - A key or a unique value that such a record has is [core.AlreadyExists] for an
//     insert, as of a PUT, that names it, and so is its partner in a one-to-one.
//   - With core/engine, a record that points at such a record through a relation whose
//     other side has a [core.FieldSpec] Writable function cannot let go of it, because
//     that function cannot be asked: [core.FieldUpdateForbidden].
//   - At the store itself, a to-one that is set to the id of such a record is stored,
//     while one that is set to the id of none is [core.NotFound]. core/engine answers
//     both alike.
//
// # Roles that pass
//
// Principals with a role of [Options.Bypass] meet all records, may change the owner
// of one where a program lets them, and insert for whom they name. A record that they
// insert without naming an owner is theirs, if they can own one, and nobody's
// otherwise.
//
// # What it costs
//
// Nothing is kept between operations, and an operation looks at its own principal
// only. Reads take no memory for it. Mark the owner field as Indexed, and in
// PostgreSQL lead with it in the indexes of what is listed often.
//
// # Replicas
//
// A store that reads from replicas, such as postgres.Options.Replicas, compares the owner
// that the replica has. A record that another process gave to another owner is shown to the
// former one until the replica has replayed the change. That has no bound, unless the backend
// is given one (postgres.Options.MaxLag). The process that changed the owner, and all writes,
// go by the new owner at once. Claims come with the principal and do not lag.
package ownership
