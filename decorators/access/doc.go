// Package access is a decorator that denies everything but what the rules of a
// policy allow: which roles may do what, to which rows, with which fields. It is
// the model of PostgreSQL's row security (manual, section 5.8) and of Hasura's
// permissions, for every backend alike.
//
//	policy := access.Policy{
//		{Roles: []string{access.Anonymous}, Resource: "bread", Operations: access.Read,
//			Fields: []string{"name", "price"}, Using: access.Eq("on_sale", true)},
//		{Roles: []string{"baker"}, Resource: "bread", Operations: access.Read | access.Insert | access.Update,
//			Using: access.Eq("baker", access.PrincipalID())},
//		{Roles: []string{"owner"}, Resource: "bread", Operations: access.Read | access.Delete},
//	}
//	store, err := core.New(ctx, model, memory.New(), access.New(policy, access.Options{}))
//
// The same as a JSON document, which [Parse] reads and [Schema] describes:
//
//	{"rules": [
//		{"roles": ["anonymous"], "resource": "bread", "operations": ["read"],
//			"fields": ["name", "price"], "using": {"on_sale": true}},
//		{"roles": ["baker"], "resource": "bread", "operations": ["read", "insert", "update"],
//			"using": {"baker": {"$principal": "id"}}},
//		{"roles": ["owner"], "resource": "bread", "operations": ["read", "delete"]}
//	]}
//
// Resources and fields have the program's names in both. A policy is checked
// against the model when the store is made, and every mistake is reported with
// the rule that it is in. [CompiledPolicy.Explain] says what a policy answers and why.
//
// # Which rules apply
//
// A rule applies to an operation if it names the resource, the operation and one
// of the principal's roles; if its field list, where it has one, holds every
// field that the operation names; and if the principal has every value that its
// conditions take from it, in the type of the field. A claim that is missing, null
// or of another type makes the whole rule not apply, also inside a Not; so does an id
// that is the empty text.
//
// The operation then meets the rows of all rules that apply, OR-ed as permissive
// policies of PostgreSQL are:
//
//   - Read, which is Load, Select and Count: the rows of Using;
//   - Update: rows that fulfil the Using of one rule before and the Check of one,
//     not necessarily the same, afterwards;
//   - Insert: rows that fulfil Check afterwards. If a key is chosen, see below, only
//     rules with ChooseKey apply;
//   - Delete: the rows of Using.
//
// The conditions go to the backend, which applies them in the statement itself. A
// further role never takes anything away. What is written need not be readable: a
// rule for Update or Delete reaches rows that no rule for Read shows.
//
// # Fields
//
// Of each row the reader sees the fields of those rules that match this very row:
// a list of one rule never shows rows of another. What no list
// allows is not read, and is absent from the records that come back, also from
// those that an Insert or Update returns; of a row that the writer may not read
// at all they hold the key alone. The key is always readable.
//
// A field that is named in a filter or an order has to be on the list for reading
// of a rule, and the rows found are those of such rules only: nobody sorts or
// filters by what she cannot see. A field that is written has to be on the list
// for writing. On an Insert a field that is not on it keeps the default of the
// model or the backend; to set it to the model's fixed default counts as leaving it
// alone.
//
// Field lists hold stored fields. The other side of a relation is read through
// the to-one field that stores it, and a computed field shows what its getter
// makes of the fields that are left. An order or range on a to-one field is
// refused unless the principal may read every row that it could point at: it
// would tell how invisible ids compare. Equality is not: at the store, whoever may
// read a to-one field may ask what it points at; core/engine shows and finds only
// what may be seen.
//
// # Chosen keys
//
// A rule for Insert alone leaves keys to the backend where the backend generates them. To
// choose one, as a client does that creates a record by PUT, takes a rule with both Insert
// and [ChooseKey]:
//
//	{Roles: []string{"importer"}, Resource: "bread", Operations: access.Insert | access.ChooseKey}
//
// In JSON the operations are "insert" and "choose_key". [core.Op.ChoosesKey] says what
// counts. No right is needed for a key that the store allocates, also for nested records
// and computed setters of core/engine; for an assigned key; and for a PUT to a record that is
// there, which is an Update. The bounds of [core.KeySource] and the engine's option GeneratedKeysOnly
// apply to whoever has the right.
//
// Without the right an Insert is denied before the backend is asked, so the answer to a PUT
// of a record that the principal does not see is the same whether the record is hidden or
// absent. With the right a hidden record is [core.AlreadyExists].
//
// # Errors
//
//   - [core.Unauthorized] if nobody, the nil principal, does what no rule for the
//     role [Anonymous] allows;
//   - [core.Forbidden] if no rule lets the principal do this to any row, and if the
//     row as it would be fulfils no Check;
//   - [core.NotFound] for a row that no rule shows to a read, or opens to a write: the
//     same error as for a row that does not exist;
//   - [core.UnknownField] for a field that the principal may not read, named in a
//     filter or an order, or written without being writable: as if it did not
//     exist. (Its name is no secret, models are published; what it holds is.) A filter by a
//     to-one that it may read, to a resource of which it may read nothing, is Forbidden:
//     see Filter of core/engine's Query;
//   - [core.FieldReadOnly] for a field that it may read and not write;
//   - [core.SearchForbidden] for an order by ids that it may not all see.
//
// The cause of each, which is for the log alone, says what each rule said, without a
// value of a row, a claim or the principal's id. decorators/logging writes it of what is
// denied, which the first two are; of the others, [CompiledPolicy.Explain] tells.
//
// # What the store tells nevertheless
//
// A record that the principal does not see is there all the same, and what it holds
// is taken. So much is told of it:
//
//   - Generated keys of type int tell by their size and gaps roughly how many records
//     others have made; see "Keys" at core/engine.
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
// # Transactions and the program
//
// A transaction may be begun by whoever has a role that any rule names; what is
// done inside is asked for again. NextID takes a rule for Insert. The program
// itself, [core.System], passes. Kinds of operations that this package does not
// know are refused.
//
// # With the engine
//
// The engine works through the same rules. To show, set or delete what is related,
// a role has to read the to-one fields involved, and to change a relation it
// writes the to-one field that stores it, on the resource that stores it. A
// replacement (PUT) writes every field that a client can name, so it takes a rule
// that lists them all, or none; PATCH writes those of the body. A PUT that creates a record
// whose key the store could generate takes ChooseKey as well. What
// [core.FieldSpec] Writable functions say is asked only of whole records: a role
// that sees a record in part cannot change what they restrict. Before the engine
// calls the setter of a computed field of a new record it fills in defaults; those
// that are functions then count as named.
//
// # In a stack
//
// Field lists judge what the caller of an Insert named, [core.Op] Requested, so what
// other decorators stamp on new records takes no rule, wherever they stand; what
// they add to an Update does, unless they stand inside. A decorator outside that
// narrows operations does so with [core.Op.Guard]: fields in [core.Op] Where count
// as the caller's.
//
// # Replicas
//
// A store that reads from replicas, such as postgres.Options.Replicas, matches conditions
// against the rows that the replica has. A right that rests on a row, and that another process
// revokes, shows records until the replica has replayed the change. That has no bound, unless
// the backend is given one (postgres.Options.MaxLag). The process that revoked the right, and
// all writes, go by the new state at once. Roles and claims come with the principal and do not
// lag.
package access
