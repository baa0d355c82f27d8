package pgsql

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/larder-go/larder/core"
)

// Comparison is one comparison in the condition of a partial index.
type Comparison struct {
	// Column is the name of the column.
	Column string
	// Kind is [core.FilterEq], [core.FilterIn], or [core.FilterNe] for IS NOT NULL.
	Kind core.FilterKind
	// Values are spelled as in SQL; none for null.
	Values []string
}

// Filter returns the comparison for a field of the name of the column. ok is false if the values do not fit the type.
func (c Comparison) Filter(t core.Type) (f core.Filter, ok bool) {
	var values []any
	for _, text := range c.Values {
		var v any = text
		var err error
		switch t {
		case core.Int:
			v, err = strconv.ParseInt(text, 10, 64)
		case core.Bool:
			v, err = strconv.ParseBool(text)
		case core.Text, core.UUID:
			_, err = t.Convert(text)
		default:
			return core.Filter{}, false
		}
		if err != nil {
			return core.Filter{}, false
		}
		values = append(values, v)
	}
	switch {
	case c.Kind == core.FilterIn:
		return core.In(c.Column, values...), true
	case c.Kind == core.FilterNe:
		return core.Ne(c.Column, nil), true
	case len(values) == 0:
		return core.Eq(c.Column, nil), true
	}
	return core.Eq(c.Column, values[0]), true
}

// ParseCondition returns the comparisons of the condition of an index, as pg_get_expr spells it (manual, section 9.27.4):
// equality with constants, null tests and boolean columns, joined by AND. ok is false for other conditions.
func ParseCondition(text string) (comparisons []Comparison, ok bool) {
	p := conditionParser{tokens: conditionTokens.FindAllString(text, -1), ok: true}
	comparisons = p.boolean(p.condition(), "true")
	return comparisons, p.ok && len(p.tokens) == 0 && len(comparisons) > 0
}

var conditionTokens = regexp.MustCompile(`(?s)[eE]?'(?:[^']|'')*'|"(?:[^"]|"")*"|[\p{L}_][\p{L}\p{N}_$]*|-?[0-9]+|::|[()\[\],.=]|[^\s]`)

// conditionParser reads the tokens of a condition. After an error ok is false, and the results do not matter.
type conditionParser struct {
	tokens []string
	ok     bool
}

// operand is a part of a condition: a column, constants, or comparisons.
type operand struct {
	column      string
	constants   []string
	comparisons []Comparison
}

func (p *conditionParser) next() string {
	if len(p.tokens) == 0 {
		p.ok = false
		return ""
	}
	token := p.tokens[0]
	p.tokens = p.tokens[1:]
	return token
}

// skip reads the tokens if they come next.
func (p *conditionParser) skip(tokens ...string) bool {
	if len(p.tokens) < len(tokens) {
		return false
	}
	for i, token := range tokens {
		if p.tokens[i] != token {
			return false
		}
	}
	p.tokens = p.tokens[len(tokens):]
	return true
}

func (p *conditionParser) expect(token string) { p.ok = p.skip(token) && p.ok }

// condition reads operands joined by AND.
func (p *conditionParser) condition() operand {
	o := p.comparison()
	for p.ok && p.skip("AND") {
		o = operand{comparisons: append(p.boolean(o, "true"), p.boolean(p.comparison(), "true")...)}
	}
	return o
}

// boolean returns an operand as comparisons. A column is compared with the value.
func (p *conditionParser) boolean(o operand, value string) []Comparison {
	if o.column != "" {
		return []Comparison{{o.column, core.FilterEq, []string{value}}}
	}
	p.ok = p.ok && len(o.comparisons) > 0
	return o.comparisons
}

func (p *conditionParser) comparison() operand {
	if p.skip("NOT") {
		o := p.operand()
		p.ok = p.ok && o.column != ""
		return operand{comparisons: p.boolean(o, "false")}
	}
	left := p.operand()
	var c Comparison
	switch {
	case p.skip("IS", "NULL"):
		c = Comparison{left.column, core.FilterEq, nil}
	case p.skip("IS", "NOT", "NULL"):
		c = Comparison{left.column, core.FilterNe, nil}
	case p.skip("=", "ANY", "("):
		c = Comparison{left.column, core.FilterIn, p.operand().constants}
		p.expect(")")
		p.ok = p.ok && len(c.Values) > 0
	case p.skip("="):
		c = Comparison{left.column, core.FilterEq, p.operand().constants}
		p.ok = p.ok && len(c.Values) == 1
	default:
		return left
	}
	p.ok = p.ok && c.Column != ""
	return operand{comparisons: []Comparison{c}}
}

// operand reads a column, a constant, an array of constants or a condition in parentheses, and its cast.
func (p *conditionParser) operand() (o operand) {
	token := p.next()
	switch {
	case token == "(":
		o = p.condition()
		p.expect(")")
	case token == "ARRAY":
		p.expect("[")
		for p.ok {
			o.constants = append(o.constants, p.operand().constants...)
			if !p.skip(",") {
				break
			}
		}
		p.expect("]")
	case token == "true" || token == "false" || token != "" && strings.Trim(token, "-0123456789") == "":
		o.constants = []string{token}
	case strings.HasPrefix(token, "'"):
		o.constants = []string{strings.ReplaceAll(token[1:len(token)-1], "''", "'")}
	case strings.HasPrefix(token, `"`):
		o.column = strings.ReplaceAll(token[1:len(token)-1], `""`, `"`)
	case bareColumn.MatchString(token):
		o.column = token
	default:
		p.ok = false
	}
	if p.skip("::") {
		p.typeName()
	}
	return o
}

// bareColumn matches names that pg_get_expr does not quote. Keywords of expressions are upper-case.
var bareColumn = regexp.MustCompile(`^[a-z_][a-z0-9_$]*$`)

var typeWord = regexp.MustCompile(`^([a-z_][a-z0-9_$]*|".*"|\.)$`)

// typeName reads the type of a cast.
func (p *conditionParser) typeName() {
	for len(p.tokens) > 0 && typeWord.MatchString(p.tokens[0]) {
		p.next()
	}
	if p.skip("(") {
		p.next()
		p.expect(")")
	}
	p.skip("[", "]")
}
