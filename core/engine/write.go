package engine

// Write says how to answer a write, and on which condition to do it.
type Write struct {
	// Depth at which to show the record after the write.
	Depth int
	// Match, if not nil, is called inside the transaction, before anything is
	// changed, with the record as it is at that Depth; with nil if there is none.
	// The write happens only if it returns nil; its error is returned as it is.
	// It may be called several times, when the transaction is repeated.
	Match func(current *View) error
	// Merge makes [Engine.Update] merge an object that a body says of a JSON field into
	// the stored value, as RFC 7396, section 2, has it: objects are merged member by
	// member, null removes a member, and any other value replaces what it meets.
	// Without Merge the stored value is replaced.
	Merge bool
}
