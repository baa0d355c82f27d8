package importer

import (
	"math"
	"reflect"
	"strconv"

	"github.com/larder-go/larder/core"
)

// Rule states which values of a field the server accepts, as far as the database declares it in a simple form: NOT NULL,
// the length of a varchar, the labels of an enum, and CHECK constraints of the column or its domain that compare it, or its
// length, with constants. Other CHECK constraints have a note of the kind [Server]. Null is not subject to a rule other
// than Required.
type Rule struct {
	// Resource is the name of the resource.
	Resource string
	// Field is the name of the field.
	Field string
	// Required means that the server rejects null. A column with a default may still be omitted from a new record.
	Required bool
	// MinLength is the least number of characters; 0 without a limit.
	MinLength int
	// MaxLength is the greatest number of characters; 0 without a limit.
	MaxLength int
	// Min is the least value, as an int64, float64 or string like a default of the field; nil without a limit.
	Min any
	// Max is the greatest value; nil without a limit.
	Max any
	// OneOf lists the accepted values, in the order of the declaration; nil accepts all.
	OneOf []any
}

// ruleBuilder builds the rule of a field.
type ruleBuilder struct {
	column   *column
	typ      core.Type
	rule     Rule
	min, max core.Value
}

// addRules adds the rules of the fields of a resource, and notes on CHECK constraints that no rule expresses.
func (m *modelBuilder) addRules(r *resource) {
	builders := make(map[string]*ruleBuilder)
	for _, c := range r.table.columns {
		if f := r.field(c.Name); f != nil && !c.Generated {
			b := &ruleBuilder{column: c, typ: c.modelType(), rule: Rule{Resource: r.table.resource, Field: c.Name, Required: c.RefusesNull && !f.Key, MaxLength: c.Size}}
			for _, label := range c.Labels {
				b.rule.OneOf = append(b.rule.OneOf, label)
			}
			builders[c.Name] = b
		}
	}
	for _, k := range r.table.checks {
		if len(k.Columns) == 1 {
			if b := builders[k.Columns[0]]; b == nil || b.add(k) {
				continue
			}
		}
		if k.Name == "" {
			m.note(r.table, k.Columns[0], Note{Kind: Server, Finding: "CHECK (" + k.Expression + ") of its domain; a model cannot express this"})
		} else {
			m.note(r.table, k.Name, Note{Kind: Server, Finding: "CHECK (" + k.Expression + "); a model cannot express this"})
		}
	}
	for _, c := range r.table.columns {
		if b := builders[c.Name]; b != nil {
			b.rule.Min, b.rule.Max = b.min.Any(), b.max.Any()
			if !reflect.DeepEqual(b.rule, Rule{Resource: b.rule.Resource, Field: b.rule.Field}) {
				m.rules = append(m.rules, b.rule)
			}
		}
	}
}

// add adds a CHECK constraint to the rule; false, without a change, if the rule cannot express it.
func (b *ruleBuilder) add(k check) bool {
	name := k.Columns[0]
	if k.Name == "" {
		name = "VALUE"
	}
	conditions, ok := parseCheck(k.Expression, name, b.column.Type == "varchar")
	if !ok {
		return false
	}
	changed := *b
	for _, c := range conditions {
		if !changed.addCondition(c) {
			return false
		}
	}
	*b = changed
	return true
}

func (b *ruleBuilder) addCondition(c condition) bool {
	isText := b.column.Type == "text" || b.column.Type == "varchar"
	switch {
	case c.operator == "IS NOT NULL":
		b.rule.Required = true
		return true
	case c.length:
		return isText && b.addLength(c)
	case c.operator == "<>" && c.constants[0] == "" && isText:
		b.rule.MinLength = max(b.rule.MinLength, 1)
		return true
	case c.operator == "=":
		return b.addOneOf(c.constants)
	}
	return b.addBound(c)
}

// addLength adds a bound on the number of characters.
func (b *ruleBuilder) addLength(c condition) bool {
	low, high, ok := interval(c)
	if !ok || high > math.MaxInt32 || low > math.MaxInt32 {
		return false
	}
	b.rule.MinLength = max(b.rule.MinLength, int(low))
	if high > 0 && (b.rule.MaxLength == 0 || int(high) < b.rule.MaxLength) {
		b.rule.MaxLength = int(high)
	}
	return true
}

// addOneOf restricts the values to constants.
func (b *ruleBuilder) addOneOf(constants []string) bool {
	if b.rule.OneOf != nil {
		return false
	}
	for _, text := range constants {
		v, err := b.typ.Convert(literalValue(b.typ, text))
		if err != nil || !v.IsSet() {
			return false
		}
		b.rule.OneOf = append(b.rule.OneOf, v.Any())
	}
	return true
}

// addBound adds a bound on the values. Text has none: its order depends on the collation.
func (b *ruleBuilder) addBound(c condition) bool {
	switch b.typ {
	case core.Int, core.Float, core.Decimal, core.Date, core.LocalTime, core.Time:
	default:
		return false
	}
	v, err := b.typ.Convert(literalValue(b.typ, c.constants[0]))
	if err != nil || !v.IsSet() {
		return false
	}
	step, strict := map[string]int64{"<": -1, ">": 1}[c.operator]
	switch {
	case !strict:
	case b.typ != core.Int, step < 0 && v.Int() == math.MinInt64, step > 0 && v.Int() == math.MaxInt64:
		return false
	default:
		v = core.IntValue(v.Int() + step)
	}
	switch c.operator {
	case ">", ">=":
		if !b.min.IsSet() || core.Compare(v, b.min) > 0 {
			b.min = v
		}
	case "<", "<=":
		if !b.max.IsSet() || core.Compare(v, b.max) < 0 {
			b.max = v
		}
	default:
		return false
	}
	return true
}

// interval returns the bounds of a length; high is 0 without an upper bound.
func interval(c condition) (low, high int64, ok bool) {
	n, err := strconv.ParseInt(c.constants[0], 10, 32)
	switch c.operator {
	case ">":
		low = n + 1
	case ">=":
		low = n
	case "<":
		high = n - 1
	case "<=":
		high = n
	case "=":
		low, high = n, n
	}
	return low, high, err == nil && len(c.constants) == 1 && (low > 0 || high > 0)
}
