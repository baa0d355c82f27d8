// Package softdelete is a decorator that keeps deleted records, out of sight, until they are restored or purged.
//
//	living := core.Eq("deleted_at", nil)
//	model := core.MustModel("tracker",
//		core.ResourceSpec{Name: "issue", Fields: []core.FieldSpec{
//			{Name: "id", Type: core.Int, Key: true},
//			{Name: "slug", Type: core.Text},
//			{Name: "comments", ToMany: "comment", Inverse: "issue"},
//			{Name: "deleted_at", Type: core.Time, Hidden: true, Indexed: true},
//		}, Indexes: []core.Index{{Fields: []string{"slug"}, Where: living, Unique: true}}},
//		core.ResourceSpec{Name: "comment", Fields: []core.FieldSpec{
//			{Name: "id", Type: core.Int, Key: true},
//			{Name: "issue", ToOne: "issue", OnDelete: core.Cascade},
//			{Name: "deleted_at", Type: core.Time, Hidden: true, Indexed: true},
//		}},
//	)
//	store, err := core.New(ctx, model, backend,
//		access.New(policy, access.Options{}), softdelete.New("deleted_at", softdelete.Options{}))
//
//	err = api.Delete(ctx, "issue", 7, engine.Write{})          // DELETE /issue/7
//	page, err := api.List(ctx, "issue", engine.Query{Deleted: true}) // GET /issue?deleted=true
//	view, err := api.Restore(ctx, "issue", 7, engine.Write{})  // POST /issue/7/$restore {}
//	n, err := softdelete.Purge(ctx, store, "deleted_at", time.Now().AddDate(0, -3, 0), 0)
//
// # In a stack
//
//	engine               sends the deletes of dependants, and detaches nothing from a record that is kept
//	  |
//	policies             decide about Delete and Restore, as the caller sends them
//	  |
//	softdelete           turns a Delete and a Restore into an Update, and narrows every other operation to living records, those not deleted
//	  |
//	stamp, audit, hooks  see the Update
//	  |
//	store                applies softdelete to the related records in conditions: a deleted membership grants nothing
//	  |
//	backend              sets deleted_at in the statement that the guards narrow
//
// It is an effect, and stands inside all policies and outside all other effects. [core.New] rejects other orders.
//
// # Deleted records
//
// A Delete sets the field to the time of its transaction, for resources that have the field. Records of other resources are
// deleted for good. A deleted record does not exist, for any principal and for [core.System]: not in reads, counts, aggregations,
// searches, lists, cursors and at depth, not as a related record in a condition or an order of a client, and not in the conditions of
// policies. A write to it is [core.NotFound]. Its key stays taken: an insert, or a PUT, with that key is [core.AlreadyExists].
//
// Its references stay as they are, and so do references to it, which show no record until it is restored. Its unique values are
// free if the unique index has the condition that the field is null. [core.New] demands that condition, or
// [Options.KeepsUnique]. PostgreSQL checks such an index at the end of the transaction, like other unique values.
//
// # Dependants
//
// The rules of relations hold among living records:
//
//   - cascade: core/engine deletes the records that point at the deleted one, with the same time, under the caller's policies. At the
//     store, and for records that the caller cannot see, the delete is [core.StillReferenced] while there are any. A resource that
//     cascades must have the field, too.
//   - restrict: while a living record points at the record, its delete is [core.StillReferenced].
//   - detach: nothing happens. The reference shows no record, and shows it again after a restore.
//
// A record of a resource without the field is deleted for good. Deleted records that point at it are detached from it, and
// deleted for good where they cannot be. The links of a list through a join resource are dependants: give the join resource the
// field and a key of its own.
//
// # Restore
//
// [core.Store.Restore], engine.Restore and POST /issue/7/$restore are an operation of their own kind, [core.Restore]. Policies
// decide about it: decorators/access has the right "restore", decorators/ownership permits it for own records, and
// decorators/readonly rejects it. A policy that does not know the kind denies it.
//
// A restore also restores the dependants that were deleted at the same time as the record and that the caller may restore, by the
// rules of their own resources. The caller needs a right to restore for every resource that cascades, also if there are no
// dependants; without it the restore is [core.Forbidden]. Other dependants stay deleted.
//
//   - A record that is not deleted, does not exist, or that the caller may not restore: [core.NotFound].
//   - A unique value that another record has now: [core.AlreadyExists], also of a dependant. Nothing is restored.
//   - A record whose parent is deleted, by a relation that cascades or restricts: [core.NotFound] naming the parent, if the caller
//     may read the relation and restore the parent, and so can do that first. Another deleted parent is indistinguishable from a
//     hidden one: the record is restored, and shows no parent.
//   - A Validate of the model that rejects the record today: [core.ValidationFailed]. A delete is an update for the rules of the model,
//     too.
//
// The deleted records that a caller may read and restore are those of [core.Store.Deleted], of the engine's Query.Deleted, and of the
// argument deleted=true of a GET. A caller that may restore nothing gets [core.Forbidden]. Records that are related to them are
// living ones.
//
// # The program
//
// In the context of [core.WithDeleted], deleted records exist for the program: it reads and changes them, and its Delete is for
// good. [Purge] deletes for good what was deleted before a time, dependants first, in batches.
//
// # Limits
//
//   - A delete of a record at which a living record points that the caller cannot see reveals that there is one, as without the
//     decorator, by relations that cascade or restrict.
//   - At the store, a to-one relation can be set to the key of a deleted record: the reference shows no record. core/engine answers
//     [core.NotFound].
//   - Where resources reference each other in a circle, the store does not look for hidden dependants in it.
//   - A one-to-one partner of a deleted record stays taken, see [Options.KeepsUnique].
//   - A dependant of two records, such as a link, comes back with the one that it was deleted with, while the other one is present.
//     Where that one was deleted later and is restored later, the dependant stays deleted until a restore of its own.
//
// # Cost
//
// A get from memory takes less than 0.1 µs more and allocates nothing more, as with the same condition by hand (see BenchmarkGet), and a
// delete costs the same as the update by hand (see BenchmarkDelete). The id of a to-one relation to a resource with the field is
// shown after a read of the target, since that may be deleted. A delete in a resource with relations that cascade or restrict reads
// each of them once more. Give the indexes of large resources of which many records are deleted the condition that the field is
// null, and index the field itself for [Purge].
package softdelete
