package access

import "github.com/larder-go/larder/core"

// Condition is a condition on the stored fields of a row, some of whose values
// may come from the principal, see [PrincipalID] and [PrincipalClaim]. The zero Condition says
// nothing. Conditions are immutable; they mean what the functions of the same
// names in package core mean.
type Condition struct{ n *condition }

type condition struct {
	kind   core.FilterKind
	field  string
	values []any
	kids   []Condition
}

// All is fulfilled by every row, and says so: a [Rule] with it as Check lets rows
// become anything.
func All() Condition { return Condition{&condition{kind: core.FilterAll}} }

// Eq holds for rows whose field equals value; nil matches null.
func Eq(field string, value any) Condition { return compare(core.FilterEq, field, value) }

// Ne holds for rows whose field differs from value, null included.
func Ne(field string, value any) Condition { return compare(core.FilterNe, field, value) }

// Lt holds for rows whose field is less than value.
func Lt(field string, value any) Condition { return compare(core.FilterLt, field, value) }

// Le holds for rows whose field is less than or equal to value.
func Le(field string, value any) Condition { return compare(core.FilterLe, field, value) }

// Gt holds for rows whose field is greater than value.
func Gt(field string, value any) Condition { return compare(core.FilterGt, field, value) }

// Ge holds for rows whose field is greater than or equal to value.
func Ge(field string, value any) Condition { return compare(core.FilterGe, field, value) }

// In holds for rows whose field equals any of values. A [PrincipalClaim] that is a list
// stands for each of its elements.
func In(field string, values ...any) Condition { return compare(core.FilterIn, field, values...) }

// Prefix holds for rows whose text begins with value, a text or a [PrincipalClaim].
func Prefix(field string, value any) Condition { return compare(core.FilterPrefix, field, value) }

// And holds for rows that fulfil all conditions, of which there is at least one.
func And(conditions ...Condition) Condition { return combine(core.FilterAnd, conditions...) }

// Or holds for rows that fulfil any of the conditions, of which there is at least
// one.
func Or(conditions ...Condition) Condition { return combine(core.FilterOr, conditions...) }

// Not holds for rows that do not fulfil the condition. If the principal lacks a
// value in it, the rule does not apply, rather than to every row.
func Not(c Condition) Condition { return combine(core.FilterNot, c) }

func compare(kind core.FilterKind, field string, values ...any) Condition {
	return Condition{&condition{kind: kind, field: field, values: values}}
}

func combine(kind core.FilterKind, kids ...Condition) Condition {
	return Condition{&condition{kind: kind, kids: kids}}
}

func (c Condition) isZero() bool { return c.n == nil }
