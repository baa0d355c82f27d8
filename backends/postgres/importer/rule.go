package importer

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/larder-go/larder/core"
)

// ruleBuilder collects the rules of a field: NOT NULL, the length of a varchar, the labels of an enum, and CHECK constraints
// of the column or its domain that compare it, or its length, with constants. Other CHECK constraints have a note of the kind
// [Server].
type ruleBuilder struct {
	column   *column
	field    core.FieldSpec // with the rules so far
	required bool
	min, max core.Value
}

// addRules adds the rules of the fields of a resource, and notes on CHECK constraints that no rule expresses.
func (m *modelBuilder) addRules(r *resource) {
	builders := make(map[string]*ruleBuilder)
	for _, c := range r.table.columns {
		if f := r.field(c.Name); f != nil && !c.Generated {
			b := &ruleBuilder{column: c, field: *f, required: c.RefusesNull}
			if f.Type == core.Text {
				b.field.MaxLength = c.Size
				for _, label := range c.Labels {
					b.field.OneOf = append(b.field.OneOf, label)
				}
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
		if b := builders[c.Name]; b != nil && !r.table.readOnly() {
			m.declare(r, b)
		}
	}
}

// declare sets the rules of a field. Rules that contradict each other or the default are left to the server, with a note.
func (m *modelBuilder) declare(r *resource, b *ruleBuilder) {
	f, c := r.field(b.column.Name), b.column
	generated := c.Identity != "" || c.Default != "" && !strings.HasPrefix(c.Default, "NULL::")
	switch {
	case !b.required || f.Key || f.Via != nil:
	case f.Default != nil, !generated && !r.table.Fills:
		b.field.Required = true
	case !generated:
		m.note(r.table, c.Name, Note{Kind: Server, Finding: "NOT NULL, and a trigger may set it in new records; the model does not require it"})
	}
	b.narrow()
	if f.ToOne != "" || f.ToMany != "" {
		f.Required = b.field.Required
		return
	}
	if !accepted(b.field) {
		m.note(r.table, c.Name, Note{Kind: Server, Finding: "its constraints and its default contradict each other; the model has no rules for it"})
		return
	}
	*f = b.field
}

// narrow leaves the values of OneOf that obey the other rules, which are then superfluous.
func (b *ruleBuilder) narrow() {
	f := &b.field
	if f.OneOf == nil {
		f.Min, f.Max = b.min.Any(), b.max.Any()
		return
	}
	f.OneOf = slices.DeleteFunc(f.OneOf, func(raw any) bool {
		v, err := f.Type.Convert(raw)
		length := utf8.RuneCountInString(v.Text())
		return err != nil || b.min.IsSet() && core.Compare(v, b.min) < 0 || b.max.IsSet() && core.Compare(v, b.max) > 0 ||
			length < f.MinLength || f.MaxLength > 0 && length > f.MaxLength
	})
	f.MinLength, f.MaxLength = 0, 0
}

// accepted reports whether a model accepts the rules of a scalar.
func accepted(f core.FieldSpec) bool {
	alone := core.FieldSpec{
		Name: "x", Type: f.Type, Scale: f.Scale, Default: f.Default, Unordered: f.Unordered, Required: f.Required, Min: f.Min, Max: f.Max,
		MinLength: f.MinLength, MaxLength: f.MaxLength, Pattern: f.Pattern, OneOf: f.OneOf,
	}
	_, err := core.NewModel("m", core.ResourceSpec{Name: "r", Fields: []core.FieldSpec{{Name: "id", Type: core.Int, Key: true}, alone}})
	return err == nil
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
	isText := b.field.Type == core.Text && (b.column.Type == "text" || b.column.Type == "varchar")
	switch {
	case c.operator == "IS NOT NULL":
		b.required = true
		return true
	case b.field.ToOne != "" || b.field.ToMany != "":
		return false
	case c.operator == "~":
		return isText && b.addPattern(c.constants[0])
	case c.length:
		return isText && b.addLength(c)
	case c.operator == "<>" && c.constants[0] == "" && isText:
		b.field.MinLength = max(b.field.MinLength, 1)
		return true
	case c.operator == "=":
		return b.addOneOf(c.constants)
	}
	return b.addBound(c)
}

// addPattern adds a regular expression that models accept.
func (b *ruleBuilder) addPattern(pattern string) bool {
	if b.field.Pattern != "" || !accepted(core.FieldSpec{Type: core.Text, Pattern: pattern}) {
		return false
	}
	b.field.Pattern = pattern
	return true
}

// addLength adds a bound on the number of characters.
func (b *ruleBuilder) addLength(c condition) bool {
	low, high, ok := interval(c)
	if !ok || high > math.MaxInt32 || low > math.MaxInt32 {
		return false
	}
	b.field.MinLength = max(b.field.MinLength, int(low))
	if high > 0 && (b.field.MaxLength == 0 || int(high) < b.field.MaxLength) {
		b.field.MaxLength = int(high)
	}
	return true
}

// addOneOf restricts the values to constants.
func (b *ruleBuilder) addOneOf(constants []string) bool {
	switch b.field.Type {
	case core.Int, core.Text, core.Date, core.Decimal, core.UUID:
	default:
		return false
	}
	if b.field.OneOf != nil {
		return false
	}
	for _, text := range constants {
		v, err := b.field.Type.Convert(literalValue(b.field.Type, text))
		if err != nil || !v.IsSet() {
			return false
		}
		b.field.OneOf = append(b.field.OneOf, v.Any())
	}
	return true
}

// addBound adds a bound on the values. Text has none: its order depends on the collation.
func (b *ruleBuilder) addBound(c condition) bool {
	switch b.field.Type {
	case core.Int, core.Float, core.Decimal, core.Date, core.LocalTime, core.Time:
	default:
		return false
	}
	v, err := b.field.Type.Convert(literalValue(b.field.Type, c.constants[0]))
	if err != nil || !v.IsSet() {
		return false
	}
	step, strict := map[string]int64{"<": -1, ">": 1}[c.operator]
	switch {
	case !strict:
	case b.field.Type != core.Int, step < 0 && v.Int() == math.MinInt64, step > 0 && v.Int() == math.MaxInt64:
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
