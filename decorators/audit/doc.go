// Package audit is a decorator that writes an entry for every change: which record, which fields before and after, by which
// principal, in which request, at which time. The entries are records of the model: clients list, filter and sort them
// like others, under the policies of the store. With decorators/softdelete, set [Options.DeletedAt].
//
//	model, err := core.NewModel("tracker", issue, comment, audit.Resource("entry", "issue", "comment"))
//	store, err := core.New(ctx, model, backend, access.New(policy, access.Options{}), audit.New(audit.Options{Resource: "entry"}))
//
//	GET /entry?filter={"issue": 17}&sort=-id      the history of issue 17
//	GET /entry?filter={"record": "issue/17"}      the same, also after the issue was deleted
//
// # In a stack
//
//	request with a principal
//	  |
//	policies             decide about the change, and later about the records and fields that a reader of entries sees
//	  |
//	softdelete, stamp    change the records that are written
//	  |
//	audit                a write: reads the records before it, passes the operation on, and inserts the entries
//	  |                  a read of entries: narrows it to the records that the principal can read, and asks the policies for fields
//	  |
//	backend              one transaction for the change and its entries
//
// It is an effect. [core.New] rejects a stack with a policy or the decorators softdelete and stamp inside it. Hooks ([core.OnWrite])
// may stand on either side.
//
// # Entries
//
// The model declares the resource, usually with [Resource]. Its relations with [core.Keep] say which resources are audited.
// It has these fields, and may have others that are not Required:
//
//	id       a generated key
//	at       time: one for all entries of a transaction, the same that stamps have
//	kind     text: created, updated, deleted, restored (from a soft delete)
//	record   text: API name and id of the record, such as issue/17
//	by       id of the principal as text; or of the type of the ids, or a relation with core.Keep. null stands for anonymous
//	         callers and, without Options.Program, for the program
//	request  text: core.RequestIDOf; null for a request without an id, or with one that is no valid text
//	before   json: the changed fields with their values before the change, by API name; null if there were none
//	after    json: the same after the change
//	issue    a relation to each audited resource; one of them is set
//
// There is one entry for each record that an operation has changed, in the transaction of the operation: the requests of
// clients with the records that they nest, detach and delete by cascade, hooks, and the program itself. If the entry cannot be
// written, the transaction cannot commit. The entry of a soft delete or a restore has neither before nor after, unless a stamp
// has changed too: the record keeps its fields. softdelete.Purge adds an entry of the program with all of the fields in before;
// audit.Purge deletes entries for good.
//
// An update that leaves a record as it was has no entry, nor has one that changes only hidden fields and those of [Options.Omit].
// List there the fields that stamps and counters change with every request; otherwise each touch by decorators/stamp is an entry of
// the touched record. The store does not see changes by the database itself, such as ON DELETE CASCADE, and they have no entry.
//
// # Who reads what
//
// A principal sees an entry if the policies for the resource of entries permit it, and if the principal can read the record
// today. The condition is part of the statement, so that pages, counts, conditions on related records and orders agree. With
// decorators/ownership, list the resource of entries in Shared: the entries follow the owners of the records.
//
// The entries of records that no longer exist, or are softly deleted, take a right of their own: [Options.ReadsDeleted]. It covers
// all deleted records of a resource, those of other owners and tenants too. Without it only [core.System] reads them.
//
// Before and after show the fields that the principal can read of this record today: the decorator asks the policies for each
// field, with their conditions on rows. Of a deleted record they show the fields that the principal can read in all records that
// it sees. A relation to a record that is hidden or gone is null. Conditions on before and after are [core.SearchForbidden]. A
// field whose API name has changed since is left out.
//
// # Append-only
//
// Every write of entries is [core.ReadOnly], for all principals and for the program itself, except in a context of
// [AllowWrites]. [Purge] deletes old entries in batches. An audit trail that must resist the administrator of the database is a
// matter of the database: give the service a role without UPDATE on the table.
//
// # Errors
//
//   - [core.ReadOnly]: a write of entries.
//   - [core.SearchForbidden]: a condition on before or after.
//   - [core.ServerError]: the id of the principal does not fit the type of the field by, or a decorator keeps deleted records
//     and DeletedAt is not set. The cause says which, for the log.
//
// # Cost
//
// A change costs a read of the records before it and an insert of the entries after it. On PostgreSQL the insert carries the commit.
// An update of one field adds about 290 bytes with three indexes, of which the index on record is 60; see TestAnEntryIsSmall.
// BenchmarkUpdate compares with the same by hand.
//
// # Limits
//
//   - The existence and the time of an entry show that a record has changed, also to a principal that can read none of the
//     changed fields. List such fields in [Options.Omit].
//   - A principal that empties a relation that shows nothing learns by the entry that the relation led to a hidden record: without
//     one, there is no change.
//   - Gaps in the ids of entries show that there are further ones. An id of the type uuid shows none.
//   - A record that becomes readable brings its history with it, from before that time too.
//   - A new record with the id of a deleted one, which a client can choose with PUT, has the history of both.
package audit
