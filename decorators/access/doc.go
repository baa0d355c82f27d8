// Package access is a decorator that enforces a policy: rules that say which roles may perform which operations, on which
// rows, with which fields. Everything else is denied. The model is row security of PostgreSQL (manual, section 5.8), and
// the permissions of Hasura, for every backend.
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
// The same policy as a JSON document, which [Parse] reads and [Schema] describes:
//
//	{"rules": [
//		{"roles": ["anonymous"], "resource": "bread", "operations": ["read"],
//			"fields": ["name", "price"], "using": {"on_sale": true}},
//		{"roles": ["baker"], "resource": "bread", "operations": ["read", "insert", "update"],
//			"using": {"baker": {"$principal": "id"}}},
//		{"roles": ["owner"], "resource": "bread", "operations": ["read", "delete"]}
//	]}
//
// Both forms use the names of resources and fields in the model, not the API names. [core.New] checks the policy against
// the model and reports the mistakes of all rules. [CompiledPolicy.Explain] explains a decision.
//
// # Rules that apply
//
// A rule applies to an operation if all of these hold:
//
//   - it names the resource, the operation and one of the roles of the principal;
//   - its field list, if it has one, contains every field that the operation names;
//   - the principal has every value that the conditions of the rule take from it, in the type of the field. A claim that is
//     missing, null or of another type makes the whole rule inapplicable, also inside a Not. An empty string as id counts
//     as missing.
//
// Rules only permit. The conditions of all rules that apply are combined with Or, as permissive policies of PostgreSQL are,
// so another role never takes a right away:
//
//   - Read (Load, Select, Count and Aggregate) returns rows that match Using.
//   - Insert adds rows that match Check. If the caller chooses a key, only rules with ChooseKey apply; see below.
//   - Update changes rows that match Using before and Check afterwards. The two may come from different rules.
//   - Delete removes rows that match Using.
//   - Restore brings back deleted rows that match Using, where a decorator keeps them, see decorators/softdelete. A list of deleted
//     rows has those for which a rule with Read and one with Restore apply. So a row that a principal may delete is not yet one
//     that it may bring back.
//
// The backend applies the conditions in the statement itself. The right to write a row does not depend on the right to read
// it: a rule for Update or Delete reaches rows that no rule for Read shows.
//
// # Related rows
//
// A condition may concern related rows: [Related], in JSON $any, $all, $none and paths. Package core/condition describes the
// language.
//
//	access.Related("project", access.Related("memberships", access.Eq("user", access.PrincipalID()), access.Eq("role", "admin")))
//
//	{"project": {"$any": {"memberships": {"$any": {"user": {"$principal": "id"}, "role": "admin"}}}}}
//
// The conditions of one Related hold for the same row. They see every row: "is a member of the project" needs no right to read
// memberships. [Where] follows the policy of another resource: with Where("issue", Read), in JSON {"issue": {"$where": "read"}}, a
// comment is visible where its issue is.
//
// The backend decides these conditions in the statement of a read, an Update or a Delete, once for the statement where it can.
// A Check on related rows is decided after the write, in the same transaction, and sees everything that the transaction has
// written so far: create the project before its issues, and the membership before both. It sees the written row, too. A rule
// by which admins add members must therefore exclude memberships of the principal itself: otherwise a new membership as admin
// permits its own insert. The recipe cookbook/teams has such rules. Index the fields by which rows are found, such as
// membership.user; [CompiledPolicy.Explain] names fields without an index.
//
// A filter or an order of a client that crosses a relation finds only the related rows that the principal can read, by rules
// that list every field which the filter names there, and the to-one field that stores the relation. Through a join resource,
// it finds the rows that a readable row of that resource leads to. A condition of a rule sees all rows of the join resource.
//
// # Fields
//
// A row shows the fields of the rules that match this row. The list of a rule never applies to rows of another rule. Other
// fields are not read, and are absent from the records that a read, an Insert or an Update returns. The key is always shown;
// of a row that its writer may not read, only the key comes back.
//
// A filter or an order may name the fields in the list of a rule for Read. The result then has rows of these rules only, so
// a principal cannot filter or sort by a field that it cannot see. An aggregation is about the rows of the rules that list every
// field of its filter, groups and measures.
//
// A search ([core.Search]) looks into a field only of the rows of the rules that list the field. So it may find one word in a
// field of one rule, and another word in a field of another rule, if both rules match the row.
//
// A write may name the fields in the list of a rule for the write. On an Insert, other fields keep the default of the model
// or the backend. Setting a field to the fixed default of the model counts as not setting it.
//
// Field lists contain stored fields. A to-many field is read through the to-one field that stores it, or through the two of
// its join resource. A computed field is computed from the fields that are shown.
//
// An order by a to-one field, or a range of it, is denied unless the principal may read every row that the field can point
// at. It would reveal how ids of hidden rows compare. Equality is permitted at the store: a principal that may read a to-one
// field may ask whether it holds a certain id. core/engine finds and shows readable rows only.
//
// # Chosen keys
//
// With a rule for Insert only, the backend generates the keys where it can. A caller that chooses a key itself, such as a
// client that creates a record by PUT, needs a rule with Insert and [ChooseKey]:
//
//	{Roles: []string{"importer"}, Resource: "bread", Operations: access.Insert | access.ChooseKey}
//
// In JSON the operations are "insert" and "choose_key". [core.Op.ChoosesKey] defines which keys are chosen. These need no
// right: keys that the store allocates, also for nested records and computed setters of core/engine; keys that the backend
// cannot generate; a PUT to a record that exists, which is an Update. The bounds of [core.KeySource] and the engine's option
// GeneratedKeysOnly hold in addition.
//
// Without the right, an Insert is denied before the backend is asked. The answer to a PUT to a hidden record is then the
// same as to a record that does not exist. With the right, a hidden record is [core.AlreadyExists].
//
// # Errors
//
//   - [core.Unauthorized]: no rule for the role [Anonymous] permits the operation, and the principal is nil.
//   - [core.Forbidden]: no rule permits this principal the operation on any row, or the row matches no Check afterwards.
//   - [core.NotFound]: no rule permits the operation on this row, and none shows it. The error equals the error of a row that
//     does not exist. For a row that the principal can read, the store returns Forbidden instead.
//   - [core.UnknownField]: a filter or an order names a field that the principal may not read, or a write sets a field that
//     the principal may neither read nor write. The error equals the error of a field that does not exist. Names of fields
//     are public, since models are published; their values are not.
//   - [core.FieldReadOnly]: a write sets a field that the principal may read but not write.
//   - [core.SearchForbidden]: an order or a range by ids that the principal may not all read.
//
// A filter or an order that crosses a relation to a resource of which the principal may read nothing is Forbidden.
//
// The cause of an error has the verdict of every rule. It is for the log, and contains no value of a row, no claim and no id
// of a principal. decorators/logging logs it for Unauthorized and Forbidden. For the other errors, ask
// [CompiledPolicy.Explain].
//
// # In a stack
//
// It is a policy and stands outside softdelete, stamp, audit, hooks and caches. [core.New] rejects other orders. Among policies any
// order is allowed.
//
// On an Insert, field lists apply to the fields that the caller named, [core.Op] Requested. So other decorators, also outer ones, may
// set further fields of new records. Fields that an outer decorator adds to an Update need a rule;
// fields that an inner one adds do not. An outer decorator narrows an operation with [core.Op.Guard]; fields that it adds to
// [core.Op] Where count as named by the caller.
//
// A principal with any role of the policy may begin a transaction; the operations in it are checked one by one. NextID
// needs a rule for Insert. Operations of [core.System] pass unchecked. Kinds of operations that this package does not know
// are denied.
//
// # With core/engine
//
// The engine reads and writes through the same rules:
//
//   - To show, set or delete related records, a role needs the right to read the to-one fields involved. To change a
//     relation, it needs the right to write the to-one field that stores it.
//   - PUT writes every field that a client can name, so it needs a rule that lists all of them, or no list. PATCH writes the
//     fields of the body.
//   - A PUT that creates a record needs ChooseKey too, if the store could generate the key.
//   - [core.FieldSpec] Writable functions decide on whole records only. A role that may read a part of a record cannot change
//     the fields that they restrict.
//   - Before the engine calls the setter of a computed field of a new record, it sets the defaults. Defaults that are
//     functions then count as named.
//
// # Cost
//
// With a rule that compares a field with the principal's id, a get from memory takes about 0.4 µs and five allocations
// more (see BenchmarkGet).
// The conditions of rules without values of the principal are built once, by [core.New].
//
// # Limits
//
// Some answers reveal that a hidden record exists:
//
//   - Generated keys of type int reveal by their size and their gaps roughly how many records other principals create; see
//     "Keys" in core/engine.
//   - A delete of a record that a hidden record points at is [core.StillReferenced] with the relation.
//   - An insert, also by PUT, with the key or a unique value of a hidden record is [core.AlreadyExists]. So is a one-to-one
//     with a partner that belongs to a hidden record, and a write that gives a record the values of a hidden one in a unique
//     index. It may reveal equal values of fields that the principal cannot read: list all fields of a unique index, and of its
//     condition, in the same rules.
//   - With core/engine, a record cannot be detached from a hidden record through a relation whose other side has a
//     [core.FieldSpec] Writable function, because the function cannot be called. The error is [core.FieldUpdateForbidden].
//   - At the store, a to-one field can be set to the id of a hidden record, while an id that does not exist is
//     [core.NotFound]. core/engine answers both alike.
//
// A store that reads from replicas (postgres.Options Replicas) matches conditions against the rows of the replica. A right
// that depends on a row, and that another process has revoked, permits reads until the replica has replayed the change.
// postgres.Options MaxLag bounds that delay. Writes, and reads of the process that revoked the right, follow the new state
// at once. Roles and claims come with the principal and are always current.
package access
