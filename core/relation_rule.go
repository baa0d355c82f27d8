package core

// OnDelete is the effect of deleting a record on the records that point at it through a stored to-one relation. The
// engine carries it out as operations under the policies of the caller. A backend deletes only the records that an
// operation names.
type OnDelete uint8

const (
	// Detach sets the relation of the referring records to null.
	Detach OnDelete = iota
	// Cascade deletes the referring records, too.
	Cascade
	// Restrict rejects the delete with [StillReferenced] while other records point at the record. Records that the same
	// request deletes do not count.
	Restrict
)

// String returns the lower-case name of the rule.
func (d OnDelete) String() string { return ruleName(int(d), "detach", "cascade", "restrict") }

// Orphans is the effect on a record that leaves the other side of its relation: taken off a list side, or separated
// from its one-to-one partner. A record that moves to another list is no orphan.
type Orphans uint8

const (
	// KeepOrphans sets the relation of the record to null.
	KeepOrphans Orphans = iota
	// DeleteOrphans deletes the record.
	DeleteOrphans
)

// String returns the lower-case name of the rule.
func (o Orphans) String() string { return ruleName(int(o), "keep", "delete") }

// Partner is the effect of setting a one-to-one relation to a partner that another record has.
type Partner uint8

const (
	// ReassignPartner separates the former partners; [Orphans] says whether the one that stores the relation is kept.
	ReassignPartner Partner = iota
	// RefusePartner rejects the change with [AlreadyExists]. Separate the former partners first.
	RefusePartner
)

// String returns the lower-case name of the rule.
func (p Partner) String() string { return ruleName(int(p), "reassign", "refuse") }

// ruleName returns the i-th name; "invalid" if there is none.
func ruleName(i int, names ...string) string {
	if i >= len(names) {
		return "invalid"
	}
	return names[i]
}
