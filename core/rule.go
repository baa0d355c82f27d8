package core

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ContentSchema decides which content the values of a JSON or List field may have, see [FieldSpec.Schema].
type ContentSchema interface {
	// Violations returns the violations of a value, in the form of [Value.Any]; none for an accepted value. It may run in
	// several goroutines at once.
	Violations(value any) []ContentViolation
	// Document returns the JSON Schema, version 2020-12, for API descriptions. It refers to no other document.
	Document() json.RawMessage
}

// ContentViolation is one reason why a [ContentSchema] rejects a value.
type ContentViolation struct {
	Path     []any  // from the value to the rejected part: names of members, and positions in lists as int
	Rule     string // keyword of the schema, such as "maximum"
	Accepted string // accepted parts, in words
}

// valueRules are the rules for the values of a field.
type valueRules struct {
	min, max    Value
	pattern     *regexp.Regexp
	oneOf       []Value // ascending
	transitions map[Value][]Value
	any         bool // there is a rule that [Field.violations] checks
}

// resourceRules are the rules for the records of a resource.
type resourceRules struct {
	required    []int // columns
	values      []valueCheck
	transitions []*Field
	validate    func(ctx context.Context, before, after Record) ([]Violation, error)
}

// any reports whether a record can break a rule.
func (r *resourceRules) any() bool {
	return len(r.required)+len(r.values)+len(r.transitions) > 0 || r.validate != nil
}

// Required reports whether the value is never null.
func (f *Field) Required() bool { return f.spec.Required }

// Bounds returns the least and the greatest value; absent without a bound.
func (f *Field) Bounds() (least, greatest Value) { return f.rules.min, f.rules.max }

// OneOf returns the values that the field can have, ascending; nil if they are not listed. The slice is shared and must not
// be modified.
func (f *Field) OneOf() []Value { return f.rules.oneOf }

// Validated reports whether the model has a [ResourceSpec.Validate] for the resource.
func (r *Resource) Validated() bool { return r.rules.validate != nil }

// rules returns the rules of all resources in words.
func (m *Model) rules() (texts []string) {
	for _, r := range m.resources {
		for _, f := range r.fields {
			if words := f.ruleWords(); len(words) > 0 {
				texts = append(texts, f.String()+": "+strings.Join(words, "; "))
			}
		}
		if r.rules.validate != nil {
			texts = append(texts, r.name+": a function")
		}
	}
	return texts
}

func (f *Field) ruleWords() (words []string) {
	s, rules := &f.spec, &f.rules
	if s.Required {
		words = append(words, ruleRequired)
	}
	if rules.min.IsSet() {
		words = append(words, "at least "+f.ruleText(rules.min))
	}
	if rules.max.IsSet() {
		words = append(words, "at most "+f.ruleText(rules.max))
	}
	if s.MinLength > 0 {
		words = append(words, "at least "+characters(s.MinLength))
	}
	if s.MaxLength > 0 {
		words = append(words, "at most "+characters(s.MaxLength))
	}
	if rules.pattern != nil {
		words = append(words, "matches "+s.Pattern)
	}
	if rules.oneOf != nil {
		words = append(words, "one of "+listed(rules.oneOf))
	}
	for _, from := range slices.SortedFunc(maps.Keys(rules.transitions), Compare) {
		words = append(words, "from "+from.String()+" to "+listed(rules.transitions[from]))
	}
	if s.Schema != nil {
		words = append(words, "a schema")
	}
	return words
}

// addRules converts the rules of a resource and reports those that do not fit their fields.
func (b *builder) addRules(r *Resource, spec ResourceSpec) {
	r.rules.validate = spec.Validate
	for _, f := range r.fields {
		if f.spec.Required {
			b.checkRequired(f)
			r.rules.required = append(r.rules.required, f.column)
		}
		b.addBounds(f)
		b.addText(f)
		b.addOneOf(f)
		b.addTransitions(f)
		s := f.spec
		if s.Schema != nil && (!f.Stored() || s.Type != JSON && s.Type != List) {
			b.failField(f, "only a stored json or list can have a Schema")
		}
		f.rules.any = f.rules.min.IsSet() || f.rules.max.IsSet() || s.MinLength > 0 || s.MaxLength > 0 ||
			f.rules.pattern != nil || f.rules.oneOf != nil || s.Schema != nil
		if f.rules.any {
			r.rules.values = append(r.rules.values, newValueCheck(f))
		}
		if f.rules.transitions != nil {
			r.rules.transitions = append(r.rules.transitions, f)
		}
	}
}

func (b *builder) checkRequired(f *Field) {
	switch {
	case f.spec.Key:
		b.failField(f, "a key is never null; remove Required")
	case len(f.spec.Via) > 0:
		b.failField(f, "a relation with Via cannot be Required; set Required on the fields that Via names")
	case !f.Stored() || f.Many() || f.group != nil:
		b.failField(f, "only a stored scalar or to-one relation, without NumberedBy, can be Required")
	}
}

func (b *builder) addBounds(f *Field) {
	s := f.spec
	if s.Min == nil && s.Max == nil {
		return
	}
	switch s.Type {
	case Int, Float, Decimal, Time, Date, LocalTime:
	default:
		b.failField(f, "only an int, float, decimal, time, date or localtime can have Min or Max")
		return
	}
	switch {
	case !f.Stored() || s.Unordered:
		b.failField(f, "only a stored field that is not Unordered can have Min or Max")
		return
	case s.OneOf != nil:
		b.failField(f, "has OneOf and bounds; list the values within the bounds and remove Min and Max")
		return
	}
	f.rules.min, f.rules.max = b.ruleValue(f, "Min", s.Min), b.ruleValue(f, "Max", s.Max)
	if f.rules.min.IsSet() && f.rules.max.IsSet() && Compare(f.rules.min, f.rules.max) > 0 {
		b.failField(f, "Min is greater than Max")
	}
}

// ruleValue converts a value of a rule; absent for nil.
func (b *builder) ruleValue(f *Field, rule string, raw any) Value {
	if raw == nil {
		return Value{}
	}
	v, err := f.Convert(raw)
	if err != nil || !v.IsSet() {
		b.failField(f, "%s %v does not fit type %s", rule, raw, f.typ)
		return Value{}
	}
	return v
}

func (b *builder) addText(f *Field) {
	s := f.spec
	switch {
	case s.MinLength == 0 && s.MaxLength == 0 && s.Pattern == "":
		return
	case s.Type != Text || !f.Stored():
		b.failField(f, "only a stored text can have MinLength, MaxLength or Pattern")
		return
	case s.MinLength < 0 || s.MaxLength < 0 || s.MaxLength > 0 && s.MinLength > s.MaxLength:
		b.failField(f, "MinLength and MaxLength must not be negative, and MinLength not greater than MaxLength")
	}
	if s.Pattern == "" {
		return
	}
	var err error
	if f.rules.pattern, err = compilePattern(s.Pattern); err != nil {
		b.failField(f, "Pattern %q: %s", s.Pattern, err)
	}
}

func (b *builder) addOneOf(f *Field) {
	s := f.spec
	if s.OneOf == nil {
		return
	}
	switch s.Type {
	case Int, Text, Date, Decimal, UUID:
	default:
		b.failField(f, "only an int, text, date, decimal or uuid can have OneOf")
		return
	}
	switch {
	case !f.Stored():
		b.failField(f, "only a stored field can have OneOf")
		return
	case len(s.OneOf) == 0:
		b.failField(f, "OneOf is empty; list at least one value")
		return
	}
	for _, raw := range s.OneOf {
		if raw == nil {
			b.failField(f, "OneOf contains nil; a field without Required accepts null")
			return
		}
		f.rules.oneOf = append(f.rules.oneOf, b.ruleValue(f, "OneOf", raw))
	}
	f.rules.oneOf = sortedUnique(f.rules.oneOf)
	for _, v := range f.rules.oneOf {
		if v.IsSet() && len(f.brokenLength(v)) > 0 {
			b.failField(f, "OneOf contains %s, which another rule rejects", v)
		}
	}
}

// brokenLength returns the violations of the rules for text.
func (f *Field) brokenLength(v Value) []Violation {
	rest := *f
	rest.rules.oneOf = nil
	return rest.violations(nil, v)
}

func (b *builder) addTransitions(f *Field) {
	s := f.spec
	if s.Transitions == nil {
		return
	}
	if s.Type != Text || !f.Stored() || s.Key {
		b.failField(f, "only a stored text other than the key can have Transitions")
		return
	}
	state := func(name string) Value {
		if name == "" {
			return Null
		}
		v := TextValue(name)
		if !wellFormed(v) || len(f.violations(nil, v)) > 0 {
			b.failField(f, "Transitions names the state %q, which another rule rejects", name)
		}
		return v
	}
	f.rules.transitions = make(map[Value][]Value, len(s.Transitions))
	for _, from := range slices.Sorted(maps.Keys(s.Transitions)) {
		to := []Value{}
		for _, name := range s.Transitions[from] {
			to = append(to, state(name))
		}
		f.rules.transitions[state(from)] = sortedUnique(to)
	}
}

// checkDefault reports a constant default that breaks a rule.
func (b *builder) checkDefault(f *Field) {
	switch v := f.defaultValue; {
	case v.IsNull() && f.spec.Required:
		b.failField(f, "is Required and has the default nil; remove one of them")
	case v.IsSet() && len(f.violations(nil, v)) > 0:
		b.failField(f, "default %s breaks the rule %s", v, f.violations(nil, v)[0].Rule)
	case v.IsSet() && !f.mayFollow(Null, v):
		b.failField(f, "default %s is no state of new records in Transitions", v)
	}
}

// mayFollow reports whether Transitions allows the state after another one, or in a new record after null.
func (f *Field) mayFollow(from, to Value) bool {
	if f.rules.transitions == nil || from == to {
		return true
	}
	states, known := f.rules.transitions[from]
	return slices.Contains(states, to) || from.IsNull() && !known
}

// valueCheck recognises most valid values of a field in a nanosecond or two. [Field.violations] decides about the others.
type valueCheck struct {
	field             *Field
	column            int
	kind              checkKind
	least, greatest   int64    // of a number, date or time
	shortest, longest int      // in bytes, of a text that certainly has enough and not too many characters
	texts             []string // of a text with OneOf
}

type checkKind uint8

const (
	exactCheck  checkKind = iota // no value is recognised
	numberCheck                  // by least and greatest
	lengthCheck                  // by shortest and longest
	textsCheck                   // by texts
)

func newValueCheck(f *Field) valueCheck {
	s, rules := &f.spec, &f.rules
	c := valueCheck{field: f, column: f.column, least: math.MinInt64, greatest: math.MaxInt64, longest: math.MaxInt}
	switch {
	case f.typ == Text && rules.pattern == nil && rules.oneOf != nil: // the values obey the other rules
		c.kind = textsCheck
		for _, v := range rules.oneOf {
			c.texts = append(c.texts, v.str)
		}
	case f.typ == Text && rules.pattern == nil:
		c.kind, c.shortest = lengthCheck, s.MinLength*utf8.UTFMax
		if s.MaxLength > 0 {
			c.longest = s.MaxLength
		}
	case rules.oneOf == nil && (f.typ == Int || f.typ == Time || f.typ == Date || f.typ == LocalTime):
		c.kind = numberCheck
		if rules.min.IsSet() {
			c.least = rules.min.num
		}
		if rules.max.IsSet() {
			c.greatest = rules.max.num
		}
	}
	return c
}

// check appends the violations of the values in the records, with the positions of these. It goes through the records in one
// loop for each check, which makes an insert of many records 5 % faster than one loop over the records.
func (c *valueCheck) check(found []Violation, records []Record) []Violation {
	switch c.kind {
	case numberCheck:
		for i := range records {
			if v := &records[i].values[c.column]; v.num < c.least || v.num > c.greatest {
				found = c.decide(found, i, v)
			}
		}
	case lengthCheck:
		for i := range records {
			if v := &records[i].values[c.column]; len(v.str) < c.shortest || len(v.str) > c.longest {
				found = c.decide(found, i, v)
			}
		}
	case textsCheck:
		for i := range records {
			if v := &records[i].values[c.column]; !slices.Contains(c.texts, v.str) {
				found = c.decide(found, i, v)
			}
		}
	default:
		for i := range records {
			found = c.decide(found, i, &records[i].values[c.column])
		}
	}
	return found
}

// decide appends the violations of a value that is not recognised.
func (c *valueCheck) decide(found []Violation, record int, v *Value) []Violation {
	if !v.IsSet() {
		return found
	}
	n := len(found)
	found = c.field.violations(found, *v)
	for ; n < len(found); n++ {
		found[n].Record = record
	}
	return found
}

// violations appends the violations of a value that is set.
func (f *Field) violations(found []Violation, v Value) []Violation {
	s, rules := &f.spec, &f.rules
	if rules.min.IsSet() && Compare(v, rules.min) < 0 {
		found = append(found, f.violation("min", "at least "+f.ruleText(rules.min)))
	}
	if rules.max.IsSet() && Compare(v, rules.max) > 0 {
		found = append(found, f.violation("max", "at most "+f.ruleText(rules.max)))
	}
	if s.MinLength > 0 || s.MaxLength > 0 {
		length := utf8.RuneCountInString(v.str)
		if length < s.MinLength {
			found = append(found, f.violation("min_length", "at least "+characters(s.MinLength)))
		}
		if s.MaxLength > 0 && length > s.MaxLength {
			found = append(found, f.violation("max_length", "at most "+characters(s.MaxLength)))
		}
	}
	if rules.pattern != nil && !rules.pattern.MatchString(v.str) {
		found = append(found, f.violation("pattern", "text that matches "+s.Pattern))
	}
	if rules.oneOf != nil && !isAmong(v, rules.oneOf) {
		found = append(found, f.violation("one_of", listed(rules.oneOf)))
	}
	if s.Schema == nil {
		return found
	}
	for _, c := range s.Schema.Violations(v.Any()) {
		at := f.violation("schema", c.Accepted)
		if c.Rule != "" {
			at.Rule += " " + c.Rule
		}
		at.Path = append(at.Path, c.Path...)
		found = append(found, at)
	}
	return found
}

// violation returns a violation of the field. For a hidden field it names neither the field nor the rule.
func (f *Field) violation(rule, accepted string) Violation {
	if f.Hidden() {
		return Violation{Resource: f.resource.apiName, Rule: "invalid"}
	}
	return Violation{Resource: f.resource.apiName, Path: []any{f.apiName}, Rule: rule, Accepted: accepted}
}

// Violated returns the error for a value of the field that breaks a rule of the storage, such as a constraint of a database.
// The rule "storage" is one that the model does not know.
func (f *Field) Violated(rule string) *Error {
	accepted := map[string]string{ruleRequired: acceptedRequired}[rule]
	return &Error{Code: ValidationFailed, Violations: []Violation{f.violation(rule, accepted)}}
}

const (
	ruleRequired     = "required"
	acceptedRequired = "a value other than null"
	ruleTransition   = "transition"
)

// ruleText returns a bound as clients write it.
func (f *Field) ruleText(v Value) string { return strings.Trim(string(f.AppendJSON(nil, v)), `"`) }

func characters(n int) string {
	if n == 1 {
		return "1 character"
	}
	return strconv.Itoa(n) + " characters"
}

// maxListed bounds the length of a list of values in an error, in bytes.
const maxListed = 1000

// listed returns values as text for an error.
func listed(values []Value) string {
	if len(values) == 0 {
		return "no other value"
	}
	var b strings.Builder
	for i, v := range values {
		switch {
		case b.Len() > maxListed:
			return b.String() + " and more"
		case i > 0:
			b.WriteString(", ")
		}
		b.Write(v.AppendJSON(nil))
	}
	return b.String()
}

// compilePattern compiles a [FieldSpec.Pattern], in which "." matches a line break, too. The error names the first part that
// is not in the documented subset.
func compilePattern(pattern string) (*regexp.Regexp, error) {
	if !wellFormed(TextValue(pattern)) {
		return nil, errors.New("must be UTF-8 without U+0000")
	}
	p := patternReader{rest: pattern}
	if err := p.read(); err != nil {
		return nil, err
	}
	return regexp.Compile("(?s:" + pattern + ")")
}

// patternReader checks that a pattern is in the subset.
type patternReader struct {
	rest  string
	open  int  // groups
	atom  bool // a quantifier may follow
	begun bool // the alternative has a part
}

const patternSyntax = `^$.[]{}()|*+?/\`

func (p *patternReader) read() error {
	for p.rest != "" {
		c := p.next()
		if (c == '|' || c == ')') && !p.begun {
			return errEmptyAlternative
		}
		p.begun = c != '|' && c != '('
		switch c {
		case '\\':
			if p.rest == "" || !strings.ContainsRune(patternSyntax, p.peek()) {
				return fmt.Errorf(`\%s is not supported; write the characters in brackets, such as [0-9]`, p.text())
			}
			p.next()
			p.atom = true
		case '[':
			if err := p.brackets(); err != nil {
				return err
			}
			p.atom = true
		case '(':
			if strings.HasPrefix(p.rest, "?") && !strings.HasPrefix(p.rest, "?:") {
				return errors.New("(? is not supported; use ( ) or (?: )")
			}
			p.rest = strings.TrimPrefix(p.rest, "?:")
			p.open++
			p.atom = false
		case ')':
			if p.open--; p.open < 0 {
				return errors.New(`) has no (; write \)`)
			}
			p.atom = true
		case '|', '^', '$':
			p.atom = false
		case '*', '+', '?', '{':
			if err := p.quantifier(c); err != nil {
				return err
			}
			p.atom = false
		case ']', '}':
			return fmt.Errorf(`%c has no beginning; write \%c`, c, c)
		default:
			p.atom = true
		}
	}
	switch {
	case p.open > 0:
		return errors.New(`( has no ); write \(`)
	case !p.begun:
		return errEmptyAlternative
	}
	return nil
}

var (
	errEmptyAlternative = errors.New("has an empty alternative; make the group optional with ?")
	errBrackets         = errors.New(`brackets need at least one character, and a backslash before [ ] ^ - and \`)
)

func (p *patternReader) peek() rune {
	c, _ := utf8.DecodeRuneInString(p.rest)
	return c
}

func (p *patternReader) next() rune {
	c, size := utf8.DecodeRuneInString(p.rest)
	p.rest = p.rest[size:]
	return c
}

// text returns the next character for a message.
func (p *patternReader) text() string {
	if p.rest == "" {
		return " at the end"
	}
	return string(p.peek())
}

// brackets reads the rest of "[^a-z_]".
func (p *patternReader) brackets() error {
	p.rest = strings.TrimPrefix(p.rest, "^")
	for n := 0; p.rest != ""; n++ {
		if p.peek() == ']' {
			p.next()
			if n == 0 {
				return errBrackets
			}
			return nil
		}
		from, err := p.member()
		if err != nil || !strings.HasPrefix(p.rest, "-") {
			if err != nil {
				return err
			}
			continue
		}
		p.next()
		to, err := p.member()
		switch {
		case err != nil:
			return err
		case to < from:
			return fmt.Errorf("the range %c-%c is empty", from, to)
		}
	}
	return errors.New(`[ has no ]; write \[`)
}

// member reads one character in brackets.
func (p *patternReader) member() (rune, error) {
	if p.rest == "" {
		return 0, errBrackets
	}
	c := p.next()
	if c == '\\' {
		if p.rest == "" || !strings.ContainsRune(patternSyntax+"-", p.peek()) {
			return 0, errBrackets
		}
		return p.next(), nil
	}
	if strings.ContainsRune("[]^-", c) {
		return 0, errBrackets
	}
	return c, nil
}

// repetition matches the rest of a quantifier in braces.
var repetition = regexp.MustCompile(`^([0-9]{1,3})(?:(,)([0-9]{0,3}))?\}`)

// quantifier reads the rest of a quantifier.
func (p *patternReader) quantifier(c rune) error {
	if !p.atom {
		return fmt.Errorf(`%c must follow a character, brackets or a group; write \%c for the character`, c, c)
	}
	if c != '{' {
		return nil
	}
	m := repetition.FindStringSubmatch(p.rest)
	if m == nil {
		return errors.New(`{ must begin {2}, {2,} or {2,5}; write \{ for the character`)
	}
	p.rest = p.rest[len(m[0]):]
	least, _ := strconv.Atoi(m[1])
	most := least
	if m[3] != "" {
		most, _ = strconv.Atoi(m[3])
	}
	const limit = 255 // of PostgreSQL
	if least > limit || most > limit || least > most {
		return fmt.Errorf("{%s must be ascending and at most %d", m[0], limit)
	}
	return nil
}
