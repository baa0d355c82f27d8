package postgres

import "github.com/larder-go/larder/core"

// A page continues after a position: the values of the order at the last record.
// The first key of the order bounds the rows with a range that an index serves;
// the others only decide between rows that are equal so far.

// orderBy writes the order. Where PostgreSQL puts nulls is where the model has them
// (manual, section 7.5).
func (b *builder) orderBy(t *table, order []core.Order) {
	for i, o := range order {
		if i == 0 {
			b.WriteString(" ORDER BY ")
		} else {
			b.WriteString(", ")
		}
		c := t.columns[o.Field.Column()]
		b.write(b.value(c), c.orderCollation)
		if o.Desc {
			b.WriteString(" DESC")
		}
	}
}

// step is one key of an order and the position in it.
type step struct {
	operand   string // with collation
	desc      bool
	value     string // parameter; "" for null
	mayBeNull bool   // the column may have nulls, if not now then after a change of the schema
	hasNulls  bool   // the column may have nulls now
}

func (b *builder) steps(t *table, op *core.Op) []step {
	steps := make([]step, len(op.After))
	for i, v := range op.After {
		c := t.columns[op.Order[i].Field.Column()]
		steps[i] = step{operand: b.value(c) + c.orderCollation, desc: op.Order[i].Desc, mayBeNull: !c.field.Key(), hasNulls: c.hasNulls}
		if v.IsSet() {
			steps[i].value = b.param(c.paramType, c.argument(v))
		}
	}
	return steps
}

// after is the condition that a row comes after the position.
func after(steps []step) string {
	s := steps[0]
	beyond := s.beyond()
	if len(steps) == 1 {
		return beyond
	}
	rest := after(steps[1:])
	switch {
	case s.value == "" && s.desc:
		return "(" + beyond + " OR " + rest + ")" // all that are left are equal
	case s.value == "":
		return "(" + s.operand + " IS NULL AND " + rest + ")"
	}
	return "(" + beyond + " OR " + s.operand + " = " + s.value + " AND " + rest + ")"
}

// beyond is the condition that a row comes after the position by this key alone.
func (s step) beyond() string {
	switch {
	case s.value == "" && s.desc: // nulls are first
		return s.operand + " IS NOT NULL"
	case s.value == "":
		return "FALSE"
	case s.desc:
		return s.operand + " < " + s.value
	case s.mayBeNull: // nulls are last
		return "(" + s.operand + " > " + s.value + " OR " + s.operand + " IS NULL)"
	}
	return s.operand + " > " + s.value
}

// parts is the condition that a row comes after the position, in one or two parts
// that come one behind the other: rows with a value of the first key and rows
// without one, which are in different places of an index.
func parts(steps []step) []string {
	s := steps[0]
	switch {
	case len(steps) == 1 || s.value == "" && !s.desc:
		return []string{after(steps)}
	case s.value == "":
		return []string{s.operand + " IS NULL AND " + after(steps[1:]), s.operand + " IS NOT NULL"}
	case s.desc || !s.hasNulls:
		return []string{afterInRange(steps)}
	}
	return []string{afterInRange(steps), s.operand + " IS NULL"}
}

// bounded is [after] among the rows where the first key has a value: a range of it,
// and what is to be left out of that.
func afterInRange(steps []step) string {
	s := steps[0]
	s.mayBeNull = false
	from := " >= "
	if s.desc {
		from = " <= "
	}
	return s.operand + from + s.value + " AND (" + s.beyond() + " OR " + after(steps[1:]) + ")"
}
