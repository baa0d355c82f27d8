package core

import "strconv"

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
