package core

import (
	"context"
	"slices"
	"strconv"
)

// Kind says what an [Op] does. The list only grows at its end, so a decorator
// meets kinds that did not exist when it was written: it must treat a kind that
// it does not know as a write, which [Kind.Writes] does.
type Kind uint8

// The kinds of operations.
const (
	// Load reads the records with the given Keys; those that are not there are
	// left out.
	Load Kind = iota + 1
	// Select reads the records that fulfil Where, in Order, after After, at most
	// Limit.
	Select
	// Count counts the records that fulfil Where.
	Count
	// Insert adds Records.
	Insert
	// Update changes the records with the given Keys, all or none.
	Update
	// Delete removes the records with the given Keys, all or none.
	Delete
	// NextID hands out N keys that no record had or has.
	NextID
	// Tx is one attempt at a whole transaction: the next handler begins it, runs
	// its function, whose operations pass the chain as ops of their own, and
	// commits. Its Resource is nil.
	Tx
)

var kindNames = [...]string{
	Load: "load", Select: "select", Count: "count", Insert: "insert",
	Update: "update", Delete: "delete", NextID: "next_id", Tx: "tx",
}

// Kinds returns all kinds, for labels that must exist before their first use.
func Kinds() []Kind { return []Kind{Load, Select, Count, Insert, Update, Delete, NextID, Tx} }

// String returns the kind's name in lower case, fit for logs and labels.
func (k Kind) String() string {
	if k >= Load && int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "kind(" + strconv.Itoa(int(k)) + ")"
}

// Writes reports whether ops of this kind change the store, or might: true for
// every kind but Load, Select and Count. Whether a Tx does is said by
// [TxInfo.ReadOnly].
func (k Kind) Writes() bool { return k != Load && k != Select && k != Count }

// Op is one operation on its way through the chain. A handler may change it
// before it passes it on, within these rules: slices may be replaced, their
// elements never written; Where only grows narrower; Using and Check are
// extended with [Op.Guard], never dropped. What does not fit the resource fails
// the op before the backend sees it, with [ServerError].
//
// The store makes a new Op for each attempt and does not use it again, so a
// handler may keep an Op, its slices, records and values. While the next handler
// runs, the Op belongs to that handler: a decorator whose goroutine calls the next
// handler, such as a time-out, passes a copy.
//
// A decorator that needs a further op makes it with [Op.Derive], or copies the
// one it has: that keeps it in the transaction, if there is one. An op outside a
// transaction is a transaction of its own, and so are the further ones: use
// [Op.InTx] for what must happen together. An op made from nothing is refused.
type Op struct {
	Kind Kind
	// Resource that the op is about, one of the model's, and so safe as a metric
	// label; nil for a Tx.
	Resource *Resource
	// Keys of a Load, Update or Delete: ascending, without duplicates, of the
	// key's type.
	Keys []Value
	// Where is the caller's condition on a Select or Count, bound.
	Where Filter
	// Using is the policies' condition on the rows as they are, of every kind
	// but Insert and NextID. A row that does not fulfil it is absent.
	Using Filter
	// Check is the policies' condition on the rows as an Insert or Update leaves
	// them. A row that does not fulfil it fails the op with [Forbidden].
	Check Filter
	// Order of a Select; its last entry is the key. A decorator may leave it out
	// of an op of its own, for ascending keys.
	Order []Order
	// Limit is how many records a Select returns at most; 0 means no limit.
	Limit int
	// After is the position that a Select continues after, one value per entry
	// of Order; nil to start.
	After []Value
	// Fields to read in a Load or Select, the key and those of Order included;
	// nil means all.
	Fields []*Field
	// Records of an Insert, or of an Update: the keys and the changed columns, in
	// the order of Keys.
	Records []Record
	// Reset are fields of an Update in which null is not a wish of the caller, but
	// stands for a field that a replacement of the whole record does not name. A
	// backend with a constant default of its own writes that, one whose default is an
	// expression such as now() keeps the stored value, and all others write null.
	Reset []*Field
	// Requested is Records of an Insert as its caller named them, before the model's
	// defaults were filled in: what a policy on fields judges. It is at the same
	// place in both; decorators that change Records leave it, and nobody else reads
	// it but [Op.ChoosesKey]. nil where a decorator made the op.
	Requested []Record
	// N is how many keys a NextID hands out.
	N int
	// Principal on whose behalf the op runs; nil means nobody.
	Principal *Principal
	// Tx is the transaction that the op belongs to, nil outside one.
	Tx *TxInfo
	// Final says that no operation follows in this transaction: if this one
	// succeeds, the store calls Commit at once, and a backend may send its commit
	// along.
	Final bool

	origin  *Store                                          // that made the op
	handle  *transaction                                    // the open transaction, for the innermost handler
	attempt func(ctx context.Context, t *transaction) error // what a Tx does between begin and commit
	key     [1]Value                                        // backs Keys of one
	try     int                                             // of an op outside a transaction; see Attempt
	scope   string                                          // of a Select's cursors, see Query.Scope
}

// Guard narrows the op to rows that fulfil the condition before and after it:
// it extends both Using and Check. This is what a policy calls; the backend
// applies it in the same statement.
func (op *Op) Guard(f Filter) {
	op.Using = And(op.Using, f)
	op.Check = And(op.Check, f)
}

// Matches reports whether the record, one of the op's resource, is among those that a Load, Select or Count reads: it
// matches Using, and has one of Keys or matches Where and comes after After. Conditions must be bound.
func (op *Op) Matches(rec Record) bool {
	if !op.Using.Match(rec) {
		return false
	}
	if op.Kind == Load {
		_, found := slices.BinarySearchFunc(op.Keys, rec.Key(), Compare)
		return found
	}
	return op.Where.Match(rec) && (op.After == nil || After(op.Order, op.After, rec))
}

// Attempt counts the tries of the transaction that the op belongs to, or, outside
// of one, of the op itself: from 1, and on when the store repeats what conflicted.
func (op *Op) Attempt() int {
	if op.Tx != nil {
		return op.Tx.Attempt
	}
	return max(op.try, 1)
}

// Derive returns an op of the decorator's own, to be passed to the next handler
// before or after op: in the same transaction, for the same principal, with no
// guards yet and nothing else set. Because op is then not the only one that is
// left, its Final is cleared. The records of a further Insert get the model's
// defaults where columns are absent, behind all decorators.
//
// A Tx has no transaction yet that a further op could belong to.
func (op *Op) Derive(kind Kind, r *Resource) *Op {
	op.Final = false
	return &Op{Kind: kind, Resource: r, Principal: op.Principal, Tx: op.Tx, origin: op.origin, handle: op.handle, try: op.try}
}

// Writes reports whether the op may change the store: its kind does, and it is
// not a read-only transaction.
func (op *Op) Writes() bool {
	if op.Kind == Tx && op.Tx != nil {
		return !op.Tx.ReadOnly
	}
	return op.Kind.Writes()
}

// fillDefaults fills the model's defaults into the records of an Insert that a
// decorator made. Those of a caller's have them, see [Op.Requested].
func (op *Op) fillDefaults() error {
	filled := make([]Record, len(op.Records))
	for i, rec := range op.Records {
		var err error
		if filled[i], err = withDefaults(op.Resource, rec); err != nil {
			return err
		}
	}
	op.Records = filled
	return nil
}

// aboutNothing reports whether the op names nothing to read, write or allocate.
func (op *Op) isEmpty() bool {
	switch op.Kind {
	case Load, Update, Delete:
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
	// Records of a Load, ascending by key; of a Select, in its order; and the after images of an Insert or Update, in the
	// order of [Op.Records]. The caller owns the slice: a decorator that keeps the records needs a copy.
	Records []Record
	// More reports whether a Select with a Limit left out further records.
	More bool
	// Count of a Count.
	Count int
	// Keys that a NextID has allocated. The caller owns the slice.
	Keys []Value
}
