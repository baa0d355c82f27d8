package strictjson

import (
	"slices"
	"unicode/utf16"
	"unicode/utf8"
)

// string parses a string. Its opening quote is at p.pos.
func (p *parser) string() (string, error) {
	p.pos++
	plain, err := p.unescapedRun()
	if err != nil {
		return "", err
	}
	if p.data[p.pos] == '"' {
		p.pos++
		return string(plain), nil
	}
	end, _ := endOfString(p.data, p.pos)
	buf := slices.Grow(p.buffer[:0], len(plain)+end-p.pos)
	buf = append(buf, plain...)
	for p.data[p.pos] != '"' {
		if buf, err = p.escape(buf); err != nil {
			return "", err
		}
		if plain, err = p.unescapedRun(); err != nil {
			return "", err
		}
		buf = append(buf, plain...)
	}
	p.pos++
	p.buffer = buf
	return string(buf), nil
}

// unescapedRun skips the bytes up to the next quote or backslash and returns them. It checks their UTF-8. A character
// never spans two calls, because all bytes of a multi-byte character are above ASCII.
func (p *parser) unescapedRun() ([]byte, error) {
	start, ascii := p.pos, true
	for ; p.pos < len(p.data); p.pos++ {
		c := p.data[p.pos]
		if c == '"' || c == '\\' || c < ' ' {
			break
		}
		ascii = ascii && c < utf8.RuneSelf
	}
	run := p.data[start:p.pos]
	if !ascii && !utf8.Valid(run) {
		return nil, &SyntaxError{Offset: start + invalidUTF8(run), Msg: "invalid UTF-8"}
	}
	switch {
	case p.pos == len(p.data):
		return nil, p.errorHere("unexpected end of input in a string")
	case p.data[p.pos] == 0:
		return nil, p.errorHere("U+0000 in a string")
	case p.data[p.pos] < ' ':
		return nil, p.errorHere("control character in a string, must be escaped")
	}
	return run, nil
}

// invalidUTF8 returns the position of the first byte that belongs to no character; len(b) if there is none.
func invalidUTF8(b []byte) int {
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(b)
}

// shortEscapes maps the character after a backslash to the escaped character; 0 if there is no such escape.
var shortEscapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escape parses one escape sequence, or the two of a surrogate pair, and appends the escaped character.
func (p *parser) escape(dst []byte) ([]byte, error) {
	if p.pos+1 == len(p.data) {
		p.pos++
		return nil, p.errorHere("unexpected end of input in a string")
	}
	e := p.data[p.pos+1]
	if e == 'u' {
		return p.unicodeEscape(dst)
	}
	c := shortEscapes[e]
	if c == 0 {
		return nil, p.errorHere("unknown escape sequence")
	}
	p.pos += 2
	return append(dst, c), nil
}

const unicodeEscapeLen = len(`\uXXXX`)

// unicodeEscape parses a \uXXXX, or the two of a surrogate pair.
func (p *parser) unicodeEscape(dst []byte) ([]byte, error) {
	r, ok := hexEscape(p.data[p.pos:])
	size := unicodeEscapeLen
	switch {
	case !ok:
		return nil, p.errorHere("\\u without four hexadecimal digits")
	case r == 0:
		return nil, p.errorHere("U+0000 in a string")
	case utf16.IsSurrogate(r):
		low, _ := hexEscape(p.data[p.pos+size:])
		if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
			return nil, p.errorHere("lone surrogate in a string")
		}
		size *= 2
	}
	p.pos += size
	return utf8.AppendRune(dst, r), nil
}

// hexEscape parses a \uXXXX at the beginning of b.
func hexEscape(b []byte) (rune, bool) {
	if len(b) < unicodeEscapeLen || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range b[2:unicodeEscapeLen] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
