// Package core is the storage core of Larder: a model of related resources, the [Store] that gives access to their
// records, and the contracts of the backends and decorators that a store is composed of.
//
//	model, err := core.NewModel("cookies",
//		core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
//			{Name: "id", Type: core.Int, Key: true},
//			{Name: "type", Type: core.Text},
//			{Name: "jar", ToOne: "jar"},
//		}},
//		core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{
//			{Name: "id", Type: core.Int, Key: true},
//			{Name: "cookies", ToMany: "cookie", Inverse: "jar"},
//		}},
//	)
//	store, err := core.New(ctx, model, memory.New(), decorators...)
//
//	cookie := model.Resource("cookie")
//	muffin, err := cookie.NewRecord(map[string]any{"type": "muffin"})
//	inserted, err := store.Insert(ctx, cookie, muffin)
//	page, err := store.Select(ctx, cookie, core.Query{Where: core.Prefix("type", "m"), Limit: 10})
//
// Package core/typed reads and writes records as Go structs, and core/engine with core/rest serves a store over HTTP.
//
// # Values and records
//
// A [Value] is the content of one field: typed by the model, comparable with ==. A [Record] holds the stored fields of one
// row of a resource. Both are immutable and may be kept and shared.
//
// # Operations
//
// Every access to a store is one operation, an [Op]: its kind, its resource, keys or a filter, the records to write. The
// op passes a chain of [Handler] functions, which [New] builds once: the decorators, outermost first as in net/http
// middleware, and innermost the handler that runs the op on a transaction of the backend. Operations inside a transaction
// pass the same chain, and the transaction itself passes it as an op of kind [Tx]. A decorator is written once, and no
// access bypasses it; there is no Unwrap.
//
// A stack has observers (logs, metrics, traces), then policies, then effects (soft delete, stamps, audit trails, hooks). [New]
// rejects an order that breaks a promise and names a correct one, see [DecoratorKind] and [Decorator].
//
// # Policies
//
// A policy does not read first and decide afterwards. It adds a condition to the op with [Op.Guard], and the backend
// applies the condition in the same statement, to the before image and to the after image of the row. For reads and writes
// a hidden row does not exist; only the conflict of an insert with its key or unique value reveals it. The context carries
// the [Principal]; a context without one is anonymous, and [System] is the explicit bypass for the program itself.
//
// # Rules
//
// A model states which values are valid: [FieldSpec] has Required, Min, Max, MinLength, MaxLength, Pattern, OneOf, Transitions
// and Schema, and [ResourceSpec] has Validate for rules over several fields:
//
//	{Name: "title", Type: core.Text, Required: true, MaxLength: 200},
//	{Name: "state", Type: core.Text, Transitions: map[string][]string{"": {"open"}, "open": {"closed"}, "closed": nil}},
//
// The store checks them inside all decorators, on the fields that an insert or update sets, so that they hold for clients,
// programs and decorators on every backend. A policy denies first: a record outside the guard has no violations. One error
// of the code [ValidationFailed] lists all violations of the operation, and nothing is stored. Package core/rest shows the
// rules in the API description, and PostgreSQL has constraints for them.
//
// # Errors
//
// An error of a [Store] is an [*Error] with one of a closed set of codes. A code is an error itself, for
// errors.Is(err, core.NotFound). The cause is for the log, in [Error.Error]; the details are for the client, in
// [Error.Public] and [Error.Details]. errors.Is also finds the error of an ended context.
//
// # Transactions
//
// Every transaction is serializable. The store repeats a transaction that conflicts with others, including the function of
// [Store.Tx], which must have no effects outside the transaction, except through [Transaction.AfterCommit]. A commit of
// unknown outcome is an error of its own, [ErrCommitUnknown], and is never repeated.
//
// # Hooks
//
// [OnWrite] is a decorator with a function of the program: it sees each changed record of a resource before and after the
// write, in the same transaction, and may write further records. Effects that a rollback cannot undo, such as messages, belong
// into [Transaction.AfterCommit].
//
// # Deleted records
//
// A decorator may keep deleted records, see [Decorator] Keeps and decorators/softdelete. They exist for no principal, also not in
// the conditions of policies. [Store.Restore] makes them present again, and [Store.Deleted] reads them, both by the right to
// restore: policies decide about the kind [Restore]. [WithDeleted] is the explicit way past for the program itself.
//
// # Cost
//
// An operation on a memory backend takes less than a microsecond, and each decorator of this module adds less than half
// a microsecond.
//
// # For implementers
//
// [Backend] and [BackendTx] are the contract of a storage, [Decorator] and [Op] that of a decorator. Package
// core/storetest has the conformance kits for both, and core/reference an implementation of operations on maps.
package core
