package importer

import (
	"regexp"
	"slices"
	"strings"
)

// condition is a comparison of a column, or of its length, with constants. Operators are those of SQL, "~", and IS NOT NULL;
// "=" with several constants means equal to one of these.
type condition struct {
	length    bool
	operator  string
	constants []string
}

// parseCheck returns the conditions of a CHECK constraint on one column, all of which must hold; false if it has another
// form. The expression is spelled as by pg_get_expr in its pretty form. In a varchar column, the server compares the
// column cast to text.
func parseCheck(expression, column string, isVarchar bool) ([]condition, bool) {
	p := &checkParser{column: column, isVarchar: isVarchar}
	for rest := expression; rest != ""; {
		m := checkToken.FindString(rest)
		if m == "" {
			return nil, false
		}
		if rest = rest[len(m):]; strings.TrimSpace(m) != "" {
			p.tokens = append(p.tokens, m)
		}
	}
	var conditions []condition
	for {
		c, ok := p.comparison()
		if !ok {
			return nil, false
		}
		conditions = append(conditions, c)
		if !p.accept("AND") {
			return conditions, len(p.tokens) == 0
		}
	}
}

// checkToken matches a string, a number, a name, an operator or white space.
var checkToken = regexp.MustCompile(`^(?:'(?:[^']|'')*'|-?\d+(?:\.\d*)?|[A-Za-z_]\w*|"(?:[^"]|"")*"|::|>=|<=|<>|~\*?|[=<>()\[\],.]|\s+)`)

type checkParser struct {
	tokens    []string // not parsed yet
	column    string
	isVarchar bool
}

// operand is one side of a comparison: the column, its length, or constants.
type operand struct {
	isColumn, isLength bool
	constants          []string
}

func (p *checkParser) next() string {
	if len(p.tokens) == 0 {
		return ""
	}
	t := p.tokens[0]
	p.tokens = p.tokens[1:]
	return t
}

// accept consumes the tokens if they come next.
func (p *checkParser) accept(tokens ...string) bool {
	if len(p.tokens) < len(tokens) || !slices.Equal(p.tokens[:len(tokens)], tokens) {
		return false
	}
	p.tokens = p.tokens[len(tokens):]
	return true
}

// flipped has the operators for exchanged sides.
var flipped = map[string]string{"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

func (p *checkParser) comparison() (condition, bool) {
	left, ok := p.operand()
	if !ok {
		return condition{}, false
	}
	if left.isColumn && p.accept("IS", "NOT", "NULL") {
		return condition{operator: "IS NOT NULL"}, true
	}
	operator := p.next()
	if left.isColumn && operator == "=" && p.accept("ANY", "(") {
		list, ok := p.operand()
		return condition{operator: "=", constants: list.constants}, ok && list.constants != nil && p.accept(")")
	}
	right, ok := p.operand()
	if left.isColumn && operator == "~" {
		return condition{operator: operator, constants: right.constants}, ok && len(right.constants) == 1
	}
	if !ok || flipped[operator] == "" {
		return condition{}, false
	}
	if left.constants != nil {
		left, operator, right = right, flipped[operator], left
	}
	return condition{length: left.isLength, operator: operator, constants: right.constants}, (left.isColumn || left.isLength) && len(right.constants) == 1
}

// operand parses a column, the length of the column, a constant or an array of constants.
func (p *checkParser) operand() (o operand, ok bool) {
	switch t := p.next(); {
	case t == "(":
		if o, ok = p.operand(); !ok || !p.accept(")") {
			return o, false
		}
	case t == "ARRAY" && p.accept("["):
		for !p.accept("]") {
			element, ok := p.operand()
			if !ok || len(element.constants) != 1 {
				return o, false
			}
			o.constants = append(o.constants, element.constants[0])
			p.accept(",")
		}
	case (t == "length" || t == "char_length" || t == "character_length") && p.accept("("):
		inner, ok := p.operand()
		return operand{isLength: true}, ok && inner.isColumn && p.accept(")")
	case t == p.column, t == `"`+strings.ReplaceAll(p.column, `"`, `""`)+`"`:
		o.isColumn = true
	case strings.HasPrefix(t, "'"):
		o.constants = []string{strings.ReplaceAll(t[1:len(t)-1], "''", "'")}
	case t == "true", t == "false", numberPattern.MatchString(t):
		o.constants = []string{t}
	default:
		return o, false
	}
	for p.accept("::") {
		if typ := p.typeName(); o.isColumn && !(p.isVarchar && typ == "text") {
			return o, false
		}
	}
	if o.isColumn && p.accept("COLLATE") { // of a pattern
		return o, p.accept(`"C"`) && len(p.tokens) > 0 && (p.tokens[0] == "~" || p.tokens[0] == ")")
	}
	return o, true
}

// typeName parses the name of a type. The types of constants do not matter, because the model converts the constants.
func (p *checkParser) typeName() string {
	var words []string
	for len(p.tokens) > 0 && !slices.Contains([]string{"AND", "OR", "IS", "NOT"}, p.tokens[0]) && (isWord(p.tokens[0]) || p.tokens[0] == ".") {
		words = append(words, p.next())
	}
	if p.accept("(") {
		for t := p.next(); t != ")" && t != ""; t = p.next() { // modifiers
		}
	}
	for p.accept("[", "]") {
	}
	return strings.Join(words, " ")
}

// isWord reports whether the token is a name.
func isWord(token string) bool {
	return token[0] == '"' || token[0] == '_' || token[0]|0x20 >= 'a' && token[0]|0x20 <= 'z'
}
