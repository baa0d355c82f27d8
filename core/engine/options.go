package engine

// Options are the limits of an engine. The zero value has the defaults. Each number that is 0 or negative stands for
// its default.
type Options struct {
	// MaxDepth is the greatest depth that a request can ask for. Default 5.
	MaxDepth int
	// MaxRecords is the number of records that an answer can hold. Related records count too, each time that they
	// are shown, but not the id that a to-one relation shows. Default 10,000. A list ends its page earlier; an
	// answer that cannot be split fails with [core.TooLarge].
	MaxRecords int
	// MaxMembers is the number of records that the list side of a relation shows. Default 1,000, at most
	// MaxRecords. A longer list side shows its first records and a member NAME@next, see [View.AppendJSON]; so
	// does a list side for which the answer has no room, if the answer is a single record or the result of a
	// write. Such a list side cannot be set as a list, and a PUT keeps it. A list of ids that the record itself
	// stores is always shown in full.
	MaxMembers int
	// MaxBytes is the size of an answer in bytes of JSON. A record counts each time that it is shown. Default 16
	// MiB. A list ends its page earlier; an answer that cannot be split fails with [core.TooLarge]. The size is
	// measured while views are built, before JSON is written.
	MaxBytes int
	// MaxValue is the size in bytes of one text, bytes, JSON or list value in a client's body. Default 1 MiB. A
	// larger value fails with [core.TooLarge]. Stored values and values that setters return are not limited.
	MaxValue int
	// MaxWritten is the number of records that a request can create, change, detach or delete, each counted once.
	// Default 10,000. More fail with [core.TooLarge], before the operation that would write them; a delete fails with
	// [core.StillReferenced] naming the relation. The same number limits the records that a body creates or names in
	// to-many relations; a body beyond it is rejected while it is read.
	MaxWritten int
	// MaxNesting is the number of levels of nested records in a body. Default 16.
	MaxNesting int
	// Attempts is the number of times that a conflicting transaction is tried. Default [core.DefaultAttempts]. A
	// request that is a single operation needs no transaction and always has the default.
	Attempts int
	// GeneratedKeysOnly forbids clients to choose keys that the store generates: [Engine.Replace] of a record that
	// does not exist fails with [core.NotFound], as it does for a hidden record. Default: clients may choose.
	// Assigned keys, see [core.KeySource], are named by clients in either case.
	GeneratedKeysOnly bool
}

func (o Options) filled() Options {
	records := orDefault(o.MaxRecords, 10_000)
	return Options{
		MaxDepth:   orDefault(o.MaxDepth, 5),
		MaxRecords: records,
		MaxMembers: min(orDefault(o.MaxMembers, 1000), records),
		MaxBytes:   orDefault(o.MaxBytes, 16<<20),
		MaxValue:   orDefault(o.MaxValue, 1<<20),
		MaxWritten: orDefault(o.MaxWritten, 10_000),
		MaxNesting: orDefault(o.MaxNesting, 16),
		Attempts:   max(o.Attempts, 0),

		GeneratedKeysOnly: o.GeneratedKeysOnly,
	}
}

func orDefault(n, fallback int) int {
	if n > 0 {
		return n
	}
	return fallback
}
