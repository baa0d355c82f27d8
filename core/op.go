package core

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"
)

// Kind is the kind of an [Op]. New kinds are appended to the list, so a decorator may meet a kind that it does not
// know. It must treat such a kind as a write, as [Kind.Writes] does.
type Kind uint8

// The kinds of operations.
const (
	// Load reads the records with Keys. It leaves out keys without a record.
	Load Kind = iota + 1
	// Select reads the records that match Where, in Order, after After, at most Limit.
	Select
	// Count counts the records that match Where.
	Count
	// Insert adds Records.
	Insert
	// Update changes the records with Keys, all or none.
	Update
	// Delete removes the records with Keys, all or none.
	Delete
	// NextID allocates N keys.
	NextID
	// Tx is one attempt of a transaction, with a nil Resource: the next handler begins the transaction, runs its
	// function and commits. The operations of the function pass the chain as ops of their own.
	Tx
	// Visibility asks for the condition under which records of Resource exist for the principal, in a condition or an
	// order of an op on another resource, or under which a search may look into a field. [Store.ReadsAll] asks for it
	// too. Where is the condition on them, and Fields are further fields that the op names. A policy that hides records narrows Using, as for a Select, with the rules that permit all of these
	// fields; a policy that denies to read them returns its error. The store returns Using as Result.Guard. Backends
	// do not see such ops.
	Visibility
	// Aggregate computes Measures of the records that match Where, in groups of equal values of the fields of Order, at most
	// Limit groups. Fields are the fields of Measures. A policy that hides records narrows Using, as for a Select, with the
	// rules that permit all fields of Where, Order and Fields; so a record of which the principal may not read one of them
	// counts nowhere.
	Aggregate
	// Restore makes records present again that a decorator keeps although they were deleted, those with Keys, all or none. See
	// [Decorator] Keeps. Policies narrow Using with the condition on the records that the principal may restore. Without Keys
	// it restores nothing and asks for that condition, like a Visibility: the store returns Using as Result.Guard. It asks so
	// before each read of deleted records, see [Op] Deleted. A policy that does not know the kind denies both. Backends do not
	// see such ops: the decorator turns a Restore with Keys into an Update.
	Restore
)

var kindNames = [...]string{
	Load: "load", Select: "select", Count: "count", Insert: "insert",
	Update: "update", Delete: "delete", NextID: "next_id", Tx: "tx", Visibility: "visibility", Aggregate: "aggregate", Restore: "restore",
}

// Kinds returns all kinds that observers see, for labels that must exist before their first use: all but Visibility.
func Kinds() []Kind {
	return []Kind{Load, Select, Count, Insert, Update, Delete, NextID, Tx, Aggregate, Restore}
}

// String returns the name of the kind in lower case, for logs and labels.
func (k Kind) String() string {
	if k >= Load && int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "kind(" + strconv.Itoa(int(k)) + ")"
}

// Writes reports whether ops of this kind may change the store: all but Load, Select, Count, Visibility and Aggregate. It is
// true for a Tx; [Op.Writes] also knows read-only transactions.
func (k Kind) Writes() bool {
	return k != Load && k != Select && k != Count && k != Visibility && k != Aggregate
}

// Op is an operation on its way through the chain of handlers. A handler may change the op before it passes it to the
// next handler, under these rules: it may replace slices, but not write to their elements; it may narrow Where; it
// extends Using and Check with [Op.Guard], and never drops them. The store rejects an op that does not fit its
// resource with [ServerError].
//
// The store makes a new Op for each attempt and does not reuse it, so a handler may keep an op with its slices,
// records and values. While the next handler runs, it owns the op: a decorator that calls the next handler in another
// goroutine, such as a timeout, passes a copy.
//
// A decorator makes further ops with [Op.Derive], or by copying the op: both keep the transaction. Outside a
// transaction each op is a transaction of its own; [Op.InTx] joins several. The store rejects ops made in any other
// way.
type Op struct {
	// Kind determines which of the following fields have a meaning.
	Kind Kind
	// Resource is one of the model's resources, so its name is safe as a metric label. It is nil for a Tx.
	Resource *Resource
	// Keys of a Load, Update, Delete or Restore: ascending, without duplicates, of the key's type.
	Keys []Value
	// Where is the caller's condition of a Select or Count. It is bound.
	Where Filter
	// Using is the policies' condition on existing rows, for all kinds but Insert, NextID and Tx. A row that does not
	// match it does not exist for the op.
	Using Filter
	// Check is the policies' condition on the after images of an Insert or Update. An after image that does not match
	// it fails the op with [Forbidden].
	Check Filter
	// Order of a Select. Its last entry is the key. In an op of a decorator it may be empty, for the order of the
	// keys. Of an Aggregate it has the fields that form the groups, all ascending.
	Order []Order
	// Measures of an Aggregate. Each has a Field.
	Measures []Measure
	// Limit bounds the number of records of a Select, or of groups; 0 means no limit.
	Limit int
	// Bytes bounds the size of the records of a Select, see [Query.Bytes]; 0 means no bound.
	Bytes int
	// After is the position after which a Select continues, with one value for each entry of Order; nil to begin.
	After []Value
	// Fields to read in a Load or Select, with the key and the fields of Order; nil means all. Of a Visibility they are
	// the fields that the asking op names beside Where, and of an Aggregate those of Measures.
	Fields []*Field
	// Conditions are bound conditions to evaluate on each record that a Load, Select, Insert or Update returns, for a
	// decorator that treats the records differently: it appends its conditions, and reads the answers at the same
	// positions of each entry of Result.Conditions.
	Conditions []Filter
	// Records of an Insert, or of an Update: the keys and the changed columns, in the order of Keys.
	Records []Record
	// Deleted means that a Load, Select, Count or Aggregate is about the records that a decorator keeps although they were deleted,
	// and not about the others. Using then has the condition of a Restore already. A Visibility has it for the fields that
	// the search of such an op looks into. Related records are never deleted ones. Only the decorator that keeps records treats it.
	Deleted bool
	// Reset holds the fields of an Update for which the caller has not set null itself: a replacement of the whole
	// record does not name them. For null in such a field a backend with a constant default of its own writes that
	// default, a backend with an expression as default, such as now(), keeps the stored value, and other backends
	// write null.
	Reset []*Field
	// IfChanged holds fields of an Update that take effect only in records in which the op changes another field: the time
	// and the author of the last change. The backend compares in the same statement. A decorator that stamps changes sets it.
	IfChanged []*Field
	// Requested holds the records of an Insert as the caller passed them, before defaults, each at the position of
	// its record in Records. Policies check the fields of Requested. Decorators that change Records do not change it.
	// It is nil in an op that a decorator made.
	Requested []Record
	// N is the number of keys that a NextID allocates.
	N int
	// Principal of the op; nil for an anonymous caller.
	Principal *Principal
	// Tx is the transaction of the op; nil outside a transaction.
	Tx *TxInfo
	// Final means that no operation follows in the transaction. If the op succeeds, the store commits at once, and a
	// backend may send the commit together with the statement.
	Final bool

	origin  *Store                                          // store that made the op
	handle  *transaction                                    // open transaction; nil outside one
	attempt func(ctx context.Context, t *transaction) error // of a Tx: runs the function of the transaction
	key     [1]Value                                        // array of Keys with a single key
	try     int                                             // number of the attempt outside a transaction, see Attempt
	at      time.Time                                       // of the first call of Now outside a transaction
	locks   []string                                        // names to lock before the snapshot
	counted []string                                        // locks of the counters that the op has used
	scope   string                                          // of the cursors of a Select, see Query.Scope
}

// Guard adds a condition on the rows before and after the op: it extends Using and Check. Policies call it. The
// backend applies the condition in the same statement.
func (op *Op) Guard(f Filter) {
	op.Using = And(op.Using, f)
	op.Check = And(op.Check, f)
}

// Matches reports whether the record, one of the op's resource, is among those that a Load, Select or Count reads: it
// matches Using, and has one of Keys or matches Where and comes after After. Conditions must be bound. The reader decides
// conditions on related records, see [Filter.Match].
//
// Errors: those of [Filter.Match].
func (op *Op) Matches(rec Record, read RelatedReader) (bool, error) {
	if is, err := op.Using.Match(rec, read); err != nil || !is {
		return false, err
	}
	if op.Kind == Load {
		_, found := slices.BinarySearchFunc(op.Keys, rec.Key(), Compare)
		return found, nil
	}
	if is, err := op.Where.Match(rec, read); err != nil || !is || op.After == nil {
		return is, err
	}
	position, err := op.Position(rec, read)
	return err == nil && ComparePositions(op.Order, position, op.After) > 0, err
}

// Position returns the sort values of a record of a Select, one for each entry of Order. The reader is needed if an
// entry has a Path.
//
// Errors: [ErrUndecided] for a Path without a reader; the errors of the reader.
func (op *Op) Position(rec Record, read RelatedReader) ([]Value, error) {
	position := make([]Value, len(op.Order))
	for i, o := range op.Order {
		var err error
		if position[i], err = o.value(rec, read); err != nil {
			return nil, err
		}
	}
	return position, nil
}

// Crosses reports whether a condition or the order of the op concerns related records.
func (op *Op) Crosses() bool {
	return op.Where.Crosses() || op.Using.Crosses() || op.Check.Crosses() || op.OrderCrosses() ||
		slices.ContainsFunc(op.Conditions, Filter.Crosses)
}

// OrderCrosses reports whether an entry of Order has a Path. The result of such a Select has Positions.
func (op *Op) OrderCrosses() bool { return crosses(op.Order) }

// AfterImage returns the record that an Update makes of the before image of the record at the position i: its merge with the
// changed columns, but for fields of IfChanged in a record that otherwise stays as it is.
func (op *Op) AfterImage(i int, before Record) Record {
	patch := op.Records[i]
	for column, v := range patch.values {
		if len(op.IfChanged) == 0 || v.typ != 0 && v != before.values[column] && !slices.Contains(op.IfChanged, op.Resource.columns[column]) {
			return before.Merge(patch)
		}
	}
	return before
}

// Attempt returns the number of the attempt of the op's transaction, or of the op itself outside a transaction, from
// 1.
func (op *Op) Attempt() int {
	if op.Tx != nil {
		return op.Tx.Attempt
	}
	return max(op.try, 1)
}

// Now returns the time of the op for decorators that store times: the time at which the attempt of its transaction began, or
// outside a transaction the time of the first call. It is the same for all ops of a transaction, in UTC, in whole
// microseconds, as stored times are.
func (op *Op) Now() time.Time {
	if op.Tx != nil {
		return op.Tx.Began
	}
	if op.at.IsZero() {
		op.at = now()
	}
	return op.at
}

// now returns the present time as a stored time has it: in UTC, in whole microseconds, and without a monotonic reading.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// Derive returns a new op for a decorator to pass to the next handler before or after op. It has the transaction and
// the principal of op, no guards, and nothing else. Derive clears op.Final, because op is no longer the only
// remaining operation. The records of a derived Insert get the model's defaults after all decorators.
//
// An op derived from a Tx is outside the transaction, which has not begun.
func (op *Op) Derive(kind Kind, r *Resource) *Op {
	op.Final = false
	return &Op{Kind: kind, Resource: r, Principal: op.Principal, Tx: op.Tx, origin: op.origin, handle: op.handle, try: op.try, at: op.at}
}

// Keeps reports whether the store of the op keeps the deleted records of Resource, see [Store.Keeps].
func (op *Op) Keeps() bool { return op.origin.Keeps(op.Resource) }

// Asks reports whether the op only asks the decorators for a condition: a Visibility, or a Restore without Keys. It reads and
// writes nothing.
func (op *Op) Asks() bool { return op.Kind == Visibility || op.Kind == Restore && len(op.Keys) == 0 }

var errAsksForWrite = errors.New("SendRead is for reads; pass a write to the next handler")

// SendRead passes a read that was made with [Op.Derive] through the whole chain, the outer decorators included, for the principal
// that it has. A decorator inside policies asks what the caller of op may read: a Load, or a [Visibility], whose result is the
// condition for an op of the decorator's own. ctx is that of op.
//
// Errors: as for an operation of the [Store] by the principal; [ServerError] for an op that writes.
func (op *Op) SendRead(ctx context.Context, asked *Op) (Result, error) {
	if asked.Kind.Writes() {
		return Result{}, &Error{Code: ServerError, Cause: errAsksForWrite}
	}
	return op.origin.handler(ctx, asked)
}

// Writes reports whether the op may change the store: its kind does, and it is neither a read-only Tx nor a Restore without
// Keys.
func (op *Op) Writes() bool {
	if op.Asks() {
		return false
	}
	if op.Kind == Tx && op.Tx != nil {
		return !op.Tx.ReadOnly
	}
	return op.Kind.Writes()
}

// fillDefaults fills the model's defaults into the records of an Insert that a decorator made. Those of a caller have
// them.
func (op *Op) fillDefaults(ctx context.Context) error {
	filled := make([]Record, len(op.Records))
	for i, rec := range op.Records {
		var err error
		if filled[i], err = withDefaults(ctx, op.Resource, rec); err != nil {
			return err
		}
	}
	op.Records = filled
	return nil
}

// deriveRecords computes the derived fields of the records of an Insert from their parts, which decorators may have
// changed, and the parts in the records of an Update.
//
// Errors: [Resource.NoNextKey] for a new record without a part of its key; those of [Record.WithParts].
func (op *Op) deriveRecords() error {
	r := op.Resource
	records := make([]Record, len(op.Records))
	for i, rec := range op.Records {
		var err error
		if op.Kind == Insert {
			records[i], err = r.deriveInsert(rec)
		} else {
			records[i], err = r.spreadPatch(rec)
		}
		if err != nil {
			return err
		}
	}
	op.Records = records
	return nil
}

// isEmpty reports whether the op has no keys, records or number to work on.
func (op *Op) isEmpty() bool {
	switch op.Kind {
	case Load, Update, Delete, Restore:
		return len(op.Keys) == 0
	case Insert:
		return len(op.Records) == 0
	case NextID:
		return op.N == 0
	}
	return false
}

// Result is the result of an operation. Which fields it has depends on the kind of the op.
type Result struct {
	// Records of a Load, ascending by key; of a Select, in its order; and the after images of an Insert, Update or Restore, in
	// the order of [Op.Records] or Keys. The caller owns the slice: a decorator that keeps the records needs a copy.
	Records []Record
	// Positions are the sort values of the Records of a Select whose Order has a Path, see [Op.Position]; otherwise nil.
	Positions [][]Value
	// Conditions holds the answers to [Op.Conditions] for each of the Records; nil if the op has none.
	Conditions [][]bool
	// Guard is the answer to a Visibility, and to a Restore without Keys.
	Guard Filter
	// More reports whether a Select with a Limit or Bytes left out further records, or an Aggregate further groups.
	More bool
	// Groups of an Aggregate, ascending by their keys. Values has one value for each of [Op.Measures].
	Groups []Group
	// Count of a Count.
	Count int
	// Keys that a NextID has allocated. The caller owns the slice.
	Keys []Value
}

// check rejects an op that a decorator has made unfit for a backend: of another store or model, without the parts of
// its kind, or with values of wrong types. Ops of a session pass.
func (op *Op) check(s *Store) error {
	var reason error
	switch r := op.Resource; {
	case op.origin != s || op.Kind == Tx && (op.attempt == nil || op.Tx == nil):
		reason = errForeignOp
	case op.Kind == Tx && r == nil:
	case r == nil || r.model != s.model:
		reason = errForeignResource
	default:
		reason = op.checkParts()
	}
	if reason != nil {
		return &Error{Code: ServerError, Cause: reason}
	}
	return nil
}

var (
	errForeignResource = errors.New("resource is nil or belongs to another model")
	errForeignOp       = errors.New("op was not made by this store; copy the incoming op or use its Derive")
	errOpKeys          = errors.New("op keys must have the key's type and ascend without duplicates")
	errOpRecords       = errors.New("op records must belong to the op's resource and have the types of its columns")
	errOpFields        = errors.New("op fields must be stored fields of the op's resource")
	errOpChanges       = errors.New("records of an update must have the keys of the op, in the same order")
	errOpOrder         = errors.New("op order must name stored fields of the op's resource and end with the key")
	errOpGroups        = errors.New("an aggregation groups by fields of the op's resource or of a related one, and measures stored fields of the op's resource")
	errOpNumber        = errors.New("op Limit and N must not be negative")
)

func (op *Op) checkParts() error {
	switch {
	case op.Limit < 0 || op.N < 0:
		return errOpNumber
	case !op.keysAscend():
		return errOpKeys
	case !op.recordsFit():
		return errOpRecords
	case !op.fieldsFit():
		return errOpFields
	case op.Kind == Update && !op.recordsFollowKeys():
		return errOpChanges
	case op.Kind == Select && !op.orderIsTotal():
		return errOpOrder
	case op.Kind == Aggregate && !op.groupsFit():
		return errOpGroups
	}
	return nil
}

func (op *Op) keysAscend() bool {
	for i, key := range op.Keys {
		if !op.Resource.key.accepts(key) || i > 0 && Compare(op.Keys[i-1], key) >= 0 {
			return false
		}
	}
	return true
}

func (op *Op) recordsFit() bool {
	for _, rec := range op.Records {
		if rec.resource != op.Resource {
			return false
		}
		for i, f := range op.Resource.columns {
			if v := rec.values[i]; v.IsSet() && !f.accepts(v) {
				return false
			}
		}
	}
	return true
}

func (op *Op) fieldsFit() bool {
	return op.areStored(op.Fields) && op.areStored(op.Reset) && op.areStored(op.IfChanged)
}

func (op *Op) areStored(fields []*Field) bool {
	for _, f := range fields {
		if f == nil || f.resource != op.Resource || !f.Stored() {
			return false
		}
	}
	return true
}

func (op *Op) recordsFollowKeys() bool {
	if len(op.Records) != len(op.Keys) {
		return false
	}
	for i, rec := range op.Records {
		if rec.Key() != op.Keys[i] {
			return false
		}
	}
	return true
}

func (op *Op) orderIsTotal() bool {
	n := len(op.Order)
	return op.orderFits() && n > 0 && op.Order[n-1].Path == nil && op.Order[n-1].Field == op.Resource.key && (op.After == nil || len(op.After) == n)
}

func (op *Op) groupsFit() bool {
	for _, o := range op.Order {
		if o.Desc || o.Field == nil || !o.Field.Groups() {
			return false
		}
	}
	for _, m := range op.Measures {
		if m.Field == nil || m.Field.resource != op.Resource || m.Func == FuncAvg || !m.Func.Fits(m.Field) || !slices.Contains(op.Fields, m.Field) {
			return false
		}
	}
	return len(op.Order) <= maxOrderKeys && op.After == nil && op.orderFits()
}

// orderFits reports whether the order names stored fields of the resource and of records that to-one relations lead to.
func (op *Op) orderFits() bool {
	for _, o := range op.Order {
		r := op.Resource
		for _, hop := range o.Path {
			if hop.Relation.Stored == nil || hop.Relation.Source() != r || hop.Relation.Many() || hop.Guard.n != nil && hop.Relation.Target().checkBound(hop.Guard) != nil {
				return false
			}
			r = hop.Relation.Target()
		}
		if o.Field == nil || o.Field.resource != r || !o.Field.Stored() {
			return false
		}
	}
	return true
}
