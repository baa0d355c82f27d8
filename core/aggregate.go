package core

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// Aggregation asks for figures about the records that match a condition, for each group of records with equal values of
// some fields. The zero Aggregation counts all records.
//
// A caller gets the figures of the records of which its principal may read every field that Where, Group and Measures name.
// Other records count nowhere.
type Aggregation struct {
	// Where is the condition that the records match.
	Where Filter
	// Group names the fields by which the records are grouped, at most 16, as in [Query.Order] without a sign: a path such as
	// "jar.name" leads to a field of a related record. Null is a value like any other. Without fields, all records are one
	// group.
	Group []string
	// Measures are the figures of each group beside the number of its records, at most 32.
	Measures []Measure
}

// Measure is one figure of a group: a function of the values of a field. Null is not among the values.
type Measure struct {
	// Func is the function.
	Func Func
	// Name of the field, for programs.
	Name string
	// Field is the field in an [Op].
	Field *Field
}

// SumOf is the sum of an Int or Decimal field: an exact [Decimal].
func SumOf(field string) Measure { return Measure{Func: FuncSum, Name: field} }

// MinOf is the least value of the field, by the order of its type.
func MinOf(field string) Measure { return Measure{Func: FuncMin, Name: field} }

// MaxOf is the greatest value of the field, by the order of its type.
func MaxOf(field string) Measure { return Measure{Func: FuncMax, Name: field} }

// AvgOf is the average of an Int or Decimal field: the exact sum divided by the number of values. The result is a [Decimal]
// that is rounded, half away from zero, to 16 digits after the point, or to the digits of the sum if these are more. It has
// fewer digits after the point if it had more than 1,000 digits otherwise.
func AvgOf(field string) Measure { return Measure{Func: FuncAvg, Name: field} }

// Func is the function of a [Measure].
type Func uint8

// The functions. Backends and decorators do not meet FuncAvg: the store divides a FuncSum by a FuncValues.
const (
	// FuncSum adds the values of an Int or Decimal field to a Decimal.
	FuncSum Func = iota + 1
	// FuncMin is the least value of a field of type Int, Float, Decimal, Text, Time, Date or LocalTime.
	FuncMin
	// FuncMax is the greatest value of such a field.
	FuncMax
	// FuncValues is the number of values of a field that is no relation and no key of several fields, an Int.
	FuncValues
	// FuncAvg is the average of an Int or Decimal field.
	FuncAvg
)

// Group is a group of records.
type Group struct {
	// Key has the value of each field that the records are grouped by.
	Key []Value
	// Count is the number of records.
	Count int
	// Values of the measures; null for a measure of no values.
	Values []Value
}

// Bounds of the groups of an [Aggregation]: their number, and the bytes of text in their keys and values.
const (
	MaxGroups     = 1000
	MaxGroupBytes = 16 << 20
)

// GroupsTooLarge returns the error for groups that hold more than [MaxGroupBytes] of text.
func GroupsTooLarge() *Error {
	return &Error{Code: TooLarge, Message: "the groups would hold more than 16 MiB of text; group by shorter fields"}
}

const maxMeasures = 32

// fill resolves the aggregation into the op.
func (a Aggregation) fill(op *Op) (err error) {
	r := op.Resource
	if op.Where, err = r.Bind(a.Where); err != nil {
		return err
	}
	if len(a.Group) > maxOrderKeys {
		return &Error{Code: BadParam, Param: "group", Accepted: "at most 16 fields"}
	}
	if len(a.Measures) > maxMeasures {
		return &Error{Code: BadRequest, Message: "an aggregation has at most 32 measures"}
	}
	for _, name := range a.Group {
		o, err := r.fieldAt(name, "group")
		if err != nil {
			return err
		}
		if !o.Field.Groups() {
			return &Error{Code: SearchForbidden, Resource: o.Field.resource.apiName, Field: o.Field.apiName}
		}
		op.Order = append(op.Order, o)
	}
	op.Limit, op.Fields = MaxGroups, []*Field{}
	for _, m := range a.Measures {
		if m.Field = r.Field(m.Name); m.Field == nil {
			return &Error{Code: UnknownField, Resource: r.apiName, Field: m.Name}
		}
		if !m.Func.Fits(m.Field) {
			return &Error{Code: SearchForbidden, Resource: r.apiName, Field: m.Field.apiName}
		}
		parts := []Func{m.Func}
		if m.Func == FuncAvg {
			parts = []Func{FuncSum, FuncValues}
		}
		for _, part := range parts {
			op.Measures = append(op.Measures, Measure{Func: part, Name: m.Name, Field: m.Field})
		}
		if !slices.Contains(op.Fields, m.Field) {
			op.Fields = append(op.Fields, m.Field)
		}
	}
	return nil
}

// Groups reports whether an [Aggregation] can group records by the field: any stored field but lists, JSON and keys of several
// fields.
func (f *Field) Groups() bool {
	return f.Stored() && !f.Many() && f.typ.Ordered() && f.typ != Tuple
}

// Fits reports whether the function is defined for the values of the field.
func (fn Func) Fits(f *Field) bool {
	if !f.Stored() || f.target != nil || f.typ == Tuple {
		return false
	}
	switch fn {
	case FuncSum, FuncAvg:
		return f.typ == Int || f.typ == Decimal
	case FuncMin, FuncMax:
		return f.Ordered() && slices.Contains([]Type{Int, Float, Decimal, Text, Time, Date, LocalTime}, f.typ)
	case FuncValues:
		return true
	}
	return false
}

// groupsOf returns the groups for the result of the op of the aggregation.
func (a Aggregation) groupsOf(op *Op, res Result) ([]Group, error) {
	if res.More {
		return nil, &Error{Code: BadParam, Param: "group", Accepted: "fields with at most 1000 different values"}
	}
	if len(a.Group) == 0 && len(res.Groups) != 1 {
		return nil, errGroups
	}
	out := make([]Group, len(res.Groups))
	for i, g := range res.Groups {
		if len(g.Key) != len(a.Group) || len(g.Values) != len(op.Measures) {
			return nil, errGroups
		}
		out[i] = Group{Key: g.Key, Count: g.Count}
		for _, m := range a.Measures {
			v, rest := g.Values[0], g.Values[1:]
			if m.Func == FuncAvg {
				v, rest = average(v, rest[0].num), rest[1:]
			}
			out[i].Values, g.Values = append(out[i].Values, v), rest
		}
	}
	return out, nil
}

var errGroups = &Error{Code: ServerError, Cause: errors.New("the result of an aggregation does not have the groups and measures of the op")}

// Groups computes the result of an op of kind [Aggregate] from its records, one by one. It defines the result of every
// backend. Use [NewGroups].
type Groups struct {
	op    *Op
	found map[[maxOrderKeys]Value]*figures
	bytes int // of the keys
}

// figures are those of a group whose records are being added.
type figures struct {
	key      []Value
	count    int
	measures []figure
}

// figure is one measure of the values so far.
type figure struct {
	n     int64
	least Value // the greatest of a FuncMax
	sum   exact
}

// NewGroups returns the groups of an aggregation that has no records yet.
func NewGroups(op *Op) *Groups {
	g := &Groups{op: op, found: make(map[[maxOrderKeys]Value]*figures)}
	if len(op.Order) == 0 {
		g.group(nil)
	}
	return g
}

func (g *Groups) group(key []Value) *figures {
	var id [maxOrderKeys]Value
	copy(id[:], key)
	of := g.found[id]
	if of == nil {
		for _, v := range key {
			g.bytes += len(v.str)
		}
		of = &figures{key: key, measures: make([]figure, len(g.op.Measures))}
		g.found[id] = of
	}
	return of
}

// Add adds a record that the op matches, see [Op.Matches]. The reader is needed if the op groups by related records. more
// reports that there are more groups than the op's Limit, so that no further record is needed.
//
// Errors: those of [Op.Position]; [GroupsTooLarge].
func (g *Groups) Add(rec Record, read RelatedReader) (more bool, err error) {
	key, err := g.op.Position(rec, read)
	if err != nil {
		return false, err
	}
	for i, v := range key {
		if !v.IsSet() {
			key[i] = Null
		}
	}
	of := g.group(key)
	of.count++
	for i, m := range g.op.Measures {
		of.measures[i].add(m.Func, rec.values[m.Field.column])
	}
	if g.bytes > MaxGroupBytes {
		return false, GroupsTooLarge()
	}
	return g.op.Limit > 0 && len(g.found) > g.op.Limit, nil
}

func (m *figure) add(fn Func, v Value) {
	if !v.IsSet() {
		return
	}
	m.n++
	switch {
	case fn == FuncSum:
		m.sum.add(v)
	case m.n == 1, fn == FuncMin && Compare(v, m.least) < 0, fn == FuncMax && Compare(v, m.least) > 0:
		m.least = v
	}
}

// Result returns the groups, ascending by their keys, at most Limit of them.
//
// Errors: [BadRequest] for a sum of more than 1,000 digits; [GroupsTooLarge].
func (g *Groups) Result() (res Result, err error) {
	bytes := g.bytes
	for _, of := range g.found {
		out := Group{Key: of.key, Count: of.count}
		for i, m := range of.measures {
			v, err := m.value(g.op.Measures[i])
			if err != nil {
				return Result{}, err
			}
			out.Values = append(out.Values, v)
			bytes += len(v.str)
		}
		res.Groups = append(res.Groups, out)
	}
	if bytes > MaxGroupBytes {
		return Result{}, GroupsTooLarge()
	}
	slices.SortFunc(res.Groups, func(a, b Group) int { return ComparePositions(g.op.Order, a.Key, b.Key) })
	if n := g.op.Limit; n > 0 && len(res.Groups) > n {
		res.Groups, res.More = res.Groups[:n], true
	}
	return res, nil
}

func (m *figure) value(of Measure) (Value, error) {
	switch {
	case of.Func == FuncValues:
		return IntValue(m.n), nil
	case m.n == 0:
		return Null, nil
	case of.Func == FuncSum:
		return of.Sum(m.sum.String())
	}
	return m.least, nil
}

// Sum returns the value of a FuncSum for the digits of the sum.
//
// Errors: [BadRequest] for more than 1,000 digits; [ServerError] for a text that is no number.
func (m Measure) Sum(digits string) (Value, error) {
	v, err := toDecimal(digits)
	switch {
	case err == nil:
		return v, nil
	case strings.Trim(digits, "-.0123456789") == "":
		return Value{}, &Error{Code: BadRequest, Message: fmt.Sprintf("the sum of %s.%s has more than 1000 digits", m.Field.resource.apiName, m.Field.apiName)}
	}
	return Value{}, &Error{Code: ServerError, Cause: fmt.Errorf("the sum of %s is no number", m.Field)}
}

// exact is an exact sum: the digits times ten to the power of -scale. The zero exact is 0.
type exact struct {
	digits big.Int
	scale  int
}

// add adds an Int or a Decimal.
func (e *exact) add(v Value) {
	if v.typ == Int {
		e.addDigits(big.NewInt(v.num), 0)
		return
	}
	other := exactOf(v)
	e.addDigits(&other.digits, other.scale)
}

func (e *exact) addDigits(digits *big.Int, scale int) {
	if scale < e.scale {
		digits = new(big.Int).Mul(digits, powerOfTen(e.scale-scale))
	}
	e.extend(scale)
	e.digits.Add(&e.digits, digits)
}

// extend increases the scale.
func (e *exact) extend(scale int) {
	if scale > e.scale {
		e.digits.Mul(&e.digits, powerOfTen(scale-e.scale))
		e.scale = scale
	}
}

func powerOfTen(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// exactOf returns the number of a Decimal.
func exactOf(v Value) (e exact) {
	whole, fraction, _ := strings.Cut(v.str, ".")
	e.digits.SetString(whole+fraction, 10)
	e.scale = len(fraction)
	return e
}

// String returns the number in plain notation.
func (e *exact) String() string {
	text, negative := strings.CutPrefix(e.digits.String(), "-")
	if missing := e.scale + 1 - len(text); missing > 0 {
		text = strings.Repeat("0", missing) + text
	}
	if e.scale > 0 {
		text = text[:len(text)-e.scale] + "." + text[len(text)-e.scale:]
	}
	if negative {
		return "-" + text
	}
	return text
}

// averageDigits is the least number of digits after the point to which an average is rounded.
const averageDigits = 16

// average returns the sum, a Decimal or null, divided by n.
func average(sum Value, n int64) Value {
	if !sum.IsSet() || n == 0 {
		return Null
	}
	e := exactOf(sum)
	whole, _, _ := strings.Cut(strings.TrimPrefix(sum.str, "-"), ".")
	e.extend(min(averageDigits, maxDecimalDigits-len(whole)))
	half := big.NewInt(n / 2) // of an odd n, no remainder is exactly one half
	rest := new(big.Int)
	e.digits.QuoRem(&e.digits, big.NewInt(n), rest)
	switch sign := rest.Sign(); {
	case n%2 == 0 && rest.CmpAbs(half) >= 0, n%2 == 1 && rest.CmpAbs(half) > 0:
		e.digits.Add(&e.digits, big.NewInt(int64(sign)))
	}
	v, err := toDecimal(e.String())
	if err != nil { // cannot happen: the average has no more digits than the sum
		return Null
	}
	return v
}

func (s session) Aggregate(ctx context.Context, r *Resource, a Aggregation) ([]Group, error) {
	if err := s.checkResource(r); err != nil {
		return nil, err
	}
	op := s.op(Aggregate, r)
	if err := a.fill(op); err != nil {
		return nil, err
	}
	measures := &Op{Measures: op.Measures} // decorators may change the op
	if err := s.guardRelated(ctx, op); err != nil {
		return nil, err
	}
	res, err := s.send(ctx, op)
	if err != nil {
		return nil, err
	}
	return a.groupsOf(measures, res)
}
