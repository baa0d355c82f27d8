package access

import (
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
)

// Condition is a condition on the stored fields of a row. A value in it is a Go value that fits the field, or a
// [FromPrincipal], which differs from principal to principal. The functions have the meaning of the functions of the same
// names in package core. The meaning of the zero Condition is documented at [Rule]. Conditions are immutable.
type Condition struct{ n *conditionNode }

type conditionNode struct {
	kind   core.FilterKind
	field  string // compared field, or relation; a path for both
	values []any
	kids   []Condition // of a FilterRelated the conditions on one related row
	where  Operation   // of a FilterRelated: the operation that the policy permits on the related row; 0 for none
}

// All matches every row. As the Check of a [Rule] it permits any change.
func All() Condition { return Condition{&conditionNode{kind: core.FilterAll}} }

// Eq matches rows in which the field equals value; nil matches null.
func Eq(field string, value any) Condition { return compare(core.FilterEq, field, value) }

// Ne matches rows in which the field differs from value. Null differs from every other value.
func Ne(field string, value any) Condition { return compare(core.FilterNe, field, value) }

// Lt matches rows in which the field is less than value.
func Lt(field string, value any) Condition { return compare(core.FilterLt, field, value) }

// Le matches rows in which the field is less than or equal to value.
func Le(field string, value any) Condition { return compare(core.FilterLe, field, value) }

// Gt matches rows in which the field is greater than value.
func Gt(field string, value any) Condition { return compare(core.FilterGt, field, value) }

// Ge matches rows in which the field is greater than or equal to value.
func Ge(field string, value any) Condition { return compare(core.FilterGe, field, value) }

// In matches rows in which the field equals any of values; without values, none. A [PrincipalClaim] that is a list stands for
// all its elements.
func In(field string, values ...any) Condition { return compare(core.FilterIn, field, values...) }

// Prefix matches rows in which the text field begins with value, a string or a [FromPrincipal].
func Prefix(field string, value any) Condition { return compare(core.FilterPrefix, field, value) }

// Contains matches rows in which the text field contains value, a string or a [FromPrincipal].
func Contains(field string, value any) Condition { return compare(core.FilterContains, field, value) }

// IContains is [Contains] without regard to the case of the letters A to Z.
func IContains(field string, value any) Condition { return compare(core.FilterIContains, field, value) }

// Between matches rows in which the field is at least low and at most high.
func Between(field string, low, high any) Condition { return And(Ge(field, low), Le(field, high)) }

// And matches rows that match all conditions. At least one is required.
func And(conditions ...Condition) Condition { return combine(core.FilterAnd, conditions...) }

// Or matches rows that match any condition. At least one is required.
func Or(conditions ...Condition) Condition { return combine(core.FilterOr, conditions...) }

// Not matches rows that do not match the condition. If the principal lacks a value in it, the rule does not apply; it does
// not match every row.
func Not(c Condition) Condition { return combine(core.FilterNot, c) }

// Related matches rows that have, through the relation, at least one related row that matches all of the conditions; without
// conditions, at least one related row. Not(Related(...)) means none, Not(Related(..., Not(...))) means all. The condition
// sees related rows that the principal cannot read. The relation is a to-one or to-many field, or a path of to-ones that ends
// with one, such as "issue.project"; a compared field may be a path too, such as "project.public".
func Related(relation string, conditions ...Condition) Condition {
	return Condition{&conditionNode{kind: core.FilterRelated, field: relation, kids: conditions}}
}

// Where matches rows whose related row the policy permits the principal to read, update or delete: a comment with
// Where("issue", Read) is visible where its issue is. The operation is one of [Read], [Update] and [Delete]; the conditions are
// the Using of the rules for it. Rules must not refer to one another in a circle.
func Where(relation string, o Operation) Condition {
	return Condition{&conditionNode{kind: core.FilterRelated, field: relation, where: o}}
}

// usesRelated reports whether a condition of the policy concerns related rows.
func (p Policy) usesRelated() bool {
	for _, r := range p {
		if r.Using.usesRelated() || r.Check.usesRelated() {
			return true
		}
	}
	return false
}

func (c Condition) usesRelated() bool {
	return c.n != nil && (c.n.kind == core.FilterRelated || strings.Contains(c.n.field, ".") || slices.ContainsFunc(c.n.kids, Condition.usesRelated))
}

func compare(kind core.FilterKind, field string, values ...any) Condition {
	return Condition{&conditionNode{kind: kind, field: field, values: values}}
}

func combine(kind core.FilterKind, kids ...Condition) Condition {
	return Condition{&conditionNode{kind: kind, kids: kids}}
}

func (c Condition) isZero() bool { return c.n == nil }
