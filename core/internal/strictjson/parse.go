package strictjson

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"unicode/utf8"
)

// DefaultNesting is the greatest depth of nested arrays and objects where the caller sets no limit.
const DefaultNesting = 64

const byteOrderMark = "\uFEFF"

// Parse parses exactly one JSON text (RFC 8259). The result is nil, a bool, a [json.Number] with the number as written,
// a string, a []any or a map[string]any; empty arrays and objects are not nil. Parse takes time linear in len(data).
//
// maxNesting is the greatest depth of nested arrays and objects, which also bounds the recursion; `[]` has depth 1.
// Zero or less means [DefaultNesting].
//
// Every error is a [*SyntaxError]. In addition to malformed texts, Parse rejects:
//   - invalid UTF-8 (RFC 8259 section 8.1), encoded surrogates included, and a byte order mark in front
//   - lone surrogates in escapes (section 8.2)
//   - U+0000 in a string, raw or escaped, because PostgreSQL's text cannot store it
//   - two equal names in one object, compared after unescaping (section 4)
//
// Parse accepts numbers of any size. [CanonicalNumber] and [AppendCanonical] limit them.
func Parse(data []byte, maxNesting int) (any, error) {
	maxNesting = nestingLimit(maxNesting)
	if bytes.HasPrefix(data, []byte(byteOrderMark)) {
		return nil, &SyntaxError{Offset: 0, Msg: "byte order mark; remove it"}
	}
	p := parser{data: data, maxNesting: maxNesting}
	if p.skipSpace(); p.pos == len(data) {
		return nil, p.errorHere("no JSON value: the input is empty")
	}
	first := prescan{data: data, limit: math.MaxInt64, keepMembers: true}
	first.run(maxNesting)
	p.members = first.members
	v, err := p.value()
	if err != nil {
		return nil, err
	}
	if p.skipSpace(); p.pos < len(data) {
		return nil, p.errorHere("data after the end of the JSON value")
	}
	return v, nil
}

// nestingLimit returns maxNesting, or the default for zero and less.
func nestingLimit(maxNesting int) int {
	if maxNesting <= 0 {
		return DefaultNesting
	}
	return maxNesting
}

type parser struct {
	data       []byte
	pos        int
	nesting    int
	maxNesting int
	buffer     []byte   // reused for the strings with escapes
	members    []uint32 // numbers of members of the arrays and objects that follow, from the prescan
}

func (p *parser) value() (any, error) {
	p.skipSpace()
	switch c := p.peek(); c {
	case '{':
		return p.object()
	case '[':
		return p.array()
	case '"':
		return p.string()
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return p.number()
	default:
		return p.literal()
	}
}

func (p *parser) array() (any, error) {
	if err := p.open(); err != nil {
		return nil, err
	}
	list := make([]any, 0, p.hint())
	if p.closesEmpty(']') {
		return list, nil
	}
	for {
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		if more, err := p.more(']'); !more {
			return list, err
		}
	}
}

func (p *parser) object() (any, error) {
	if err := p.open(); err != nil {
		return nil, err
	}
	members := make(map[string]any, p.hint())
	if p.closesEmpty('}') {
		return members, nil
	}
	for {
		if err := p.member(members); err != nil {
			return nil, err
		}
		if more, err := p.more('}'); !more {
			return members, err
		}
	}
}

func (p *parser) member(members map[string]any) error {
	p.skipSpace()
	if p.peek() != '"' {
		return p.unexpected("a name in quotes")
	}
	start := p.pos
	name, err := p.string()
	if err != nil {
		return err
	}
	if _, dup := members[name]; dup {
		return &SyntaxError{Offset: start, Msg: "duplicate name in an object"}
	}
	if p.skipSpace(); p.peek() != ':' {
		return p.unexpected("':'")
	}
	p.pos++
	v, err := p.value()
	if err != nil {
		return err
	}
	members[name] = v
	return nil
}

// open skips the opening bracket and counts the nesting.
func (p *parser) open() error {
	if p.nesting == p.maxNesting {
		return p.errorHere(fmt.Sprintf("nesting deeper than %d", p.maxNesting))
	}
	p.nesting++
	p.pos++
	return nil
}

// hint returns the number of members of the array or object that was just opened.
func (p *parser) hint() uint32 {
	if len(p.members) == 0 {
		return 0
	}
	n := p.members[0]
	p.members = p.members[1:]
	return n
}

// closesEmpty skips the closing bracket of an empty array or object, and reports whether it did.
func (p *parser) closesEmpty(bracket byte) bool {
	p.skipSpace()
	if p.peek() != bracket {
		return false
	}
	p.nesting--
	p.pos++
	return true
}

// more skips the comma or closing bracket after a member, and reports whether it was a comma.
func (p *parser) more(bracket byte) (bool, error) {
	p.skipSpace()
	switch p.peek() {
	case ',':
		p.pos++
		return true, nil
	case bracket:
		p.nesting--
		p.pos++
		return false, nil
	default:
		return false, p.unexpected("',' or '" + string(bracket) + "'")
	}
}

func (p *parser) literal() (any, error) {
	rest := p.data[p.pos:]
	switch {
	case bytes.HasPrefix(rest, []byte("null")):
		p.pos += len("null")
		return nil, nil
	case bytes.HasPrefix(rest, []byte("true")):
		p.pos += len("true")
		return true, nil
	case bytes.HasPrefix(rest, []byte("false")):
		p.pos += len("false")
		return false, nil
	case bytes.HasPrefix(rest, []byte("NaN")), bytes.HasPrefix(rest, []byte("Infinity")):
		return nil, p.errorHere("NaN and Infinity are not JSON")
	default:
		return nil, p.unexpected("a value")
	}
}

func (p *parser) number() (any, error) {
	num, end, msg := scanNumber(p.data[p.pos:])
	if msg != "" {
		return nil, &SyntaxError{Offset: p.pos + end, Msg: msg}
	}
	p.pos += end
	return json.Number(num.text), nil
}

func (p *parser) skipSpace() {
	for p.pos < len(p.data) {
		switch p.data[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}

// peek returns the next byte; 0 at the end of the input. A NUL in the input is no token, so callers need not
// distinguish them.
func (p *parser) peek() byte {
	if p.pos == len(p.data) {
		return 0
	}
	return p.data[p.pos]
}

// errorHere returns an error at the current position.
func (p *parser) errorHere(msg string) error {
	return &SyntaxError{Offset: p.pos, Msg: msg}
}

// unexpected returns the error of a character, or of the end of the input, in place of want.
func (p *parser) unexpected(want string) error {
	if p.pos == len(p.data) {
		return p.errorHere("unexpected end of input, expected " + want)
	}
	r, size := utf8.DecodeRune(p.data[p.pos:])
	if r == utf8.RuneError && size == 1 {
		return p.errorHere("invalid UTF-8")
	}
	return p.errorHere(fmt.Sprintf("unexpected character %q, expected %s", r, want))
}

// SyntaxError is the problem in a text that Parse rejects, with its position. Its text is safe to show to a client: it
// is short and repeats at most one character of the input.
type SyntaxError struct {
	// Offset is the position in bytes of the first rejected byte, from 0. For a text that ends early it is the length
	// of the text.
	Offset int
	// Msg is the problem, without the position.
	Msg string
}

var _ error = (*SyntaxError)(nil)

// Error returns the problem with its position.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("invalid JSON at byte %d: %s", e.Offset, e.Msg)
}
