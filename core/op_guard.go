package core

// Guard narrows the op to rows that fulfil the condition before and after it:
// it extends both Using and Check. This is what a policy calls; the backend
// applies it in the same statement.
func (op *Op) Guard(f Filter) {
	op.Using = And(op.Using, f)
	op.Check = And(op.Check, f)
}

// GuardEqual is Guard with the condition that the field equals the value, and fails
// closed: of a value that is null, absent, or of another type than the field, the
// condition is [None]. The first one of an op takes no memory of its own, but is part
// of the op.
func (op *Op) GuardEqual(f *Field, v Value) {
	switch {
	case !v.IsSet():
		op.Guard(None())
	case op.equal.n.bound || v.typ != f.typ || checkComparison(FilterEq, f) != nil:
		op.Guard(f.Compare(FilterEq, v))
	default:
		op.Guard(op.equal.set(f, v))
	}
}

// equality is a bound comparison with all that belongs to it.
type equality struct {
	n     node
	value [1]Value
}

func (e *equality) set(f *Field, v Value) Filter {
	e.value[0] = v
	e.n = node{kind: FilterEq, field: f, values: e.value[:], bound: true}
	return Filter{&e.n}
}
