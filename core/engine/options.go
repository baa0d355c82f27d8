package engine

// Options are the limits of an engine; the zero value has the defaults.
type Options struct {
	// MaxDepth is the greatest depth that can be asked for; default 5.
	MaxDepth int
	// MaxRecords is how many records an answer can hold, related ones included,
	// as often as they are shown; default 10,000. A list ends its page earlier; an
	// answer that cannot be split fails with [core.TooLarge]. The id that a to-one
	// relation shows counts as part of its record.
	MaxRecords int
	// MaxMembers is how many records the list side of a relation shows at most;
	// default 1000, and no more than MaxRecords. A longer one shows its first records
	// and a member NAME@next, see [View.AppendJSON], as one does for which an answer
	// of a single record, or of a write, has no room. It cannot be set as a list, and
	// a PUT keeps it. Relations whose ids the record itself stores are shown whole.
	MaxMembers int
	// MaxBytes is how many bytes of JSON an answer can have, records counted as
	// often as they are shown; default 16 MiB. A list ends its page earlier; an
	// answer that cannot be split fails with [core.TooLarge]. Views are measured
	// while they are built, before anything is serialized.
	MaxBytes int
	// MaxValue is how many bytes one text, bytes, JSON or list value that a client
	// writes can have; default 1 MiB. A larger value is [core.TooLarge]. Values
	// that are stored already, or that the program writes, are not limited.
	MaxValue int
	// MaxWritten is how many related records the bodies of a request can create, or
	// name in relations to many, and how many depend on records to delete, so that
	// they are deleted or detached; default 10,000. More fail with [core.TooLarge].
	MaxWritten int
	// MaxNesting is how deep records can be nested in a body; default 16.
	MaxNesting int
	// Attempts is how often a transaction that conflicts with others is tried;
	// default [core.DefaultAttempts], which is also what holds for requests that
	// are one operation and therefore need no transaction around it.
	Attempts int
	// GeneratedKeysOnly keeps clients from choosing keys that the store generates: a
	// [Engine.Replace] of a record that is not there is [core.NotFound], whether or not
	// the client may see the record. Default: clients may choose. Keys that nothing
	// generates, see [core.KeySource], are named by clients all the same.
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
