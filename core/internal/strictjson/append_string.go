package strictjson

import "unicode/utf8"

const lowerHex = "0123456789abcdef"

// AppendString appends s to dst as a JSON string with its quotes. It escapes the characters that RFC 8259, section 7,
// requires: quote, backslash and control characters, of which \n, \r and \t have their short form and the others
// \u00xx. It also escapes U+2028 and U+2029, which older JavaScript treats as line ends. It does not escape HTML. Each
// byte that is not valid UTF-8 becomes \ufffd; [AppendCanonical] rejects such strings instead.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf && !escapedASCII[c] {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if needsEscape(r, size) {
			dst = append(dst, s[start:i]...)
			dst = appendEscape(dst, r)
			start = i + size
		}
		i += size
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// StringSize returns the number of bytes that [AppendString] appends.
func StringSize(s string) int {
	n := len(s) + len(`""`)
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf && !escapedASCII[c] {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if needsEscape(r, size) {
			n += escapeSize(r) - size
		}
		i += size
	}
	return n
}

// escapeSize returns the length of the escape of r.
func escapeSize(r rune) int {
	switch r {
	case '"', '\\', '\n', '\r', '\t':
		return len(`\n`)
	}
	return len(`\u0000`)
}

// escapedASCII marks the ASCII characters that must be escaped.
var escapedASCII = func() (table [utf8.RuneSelf]bool) {
	for c := range byte(' ') {
		table[c] = true
	}
	table['"'], table['\\'] = true, true
	return table
}()

// needsEscape reports whether a character must be escaped. Its arguments are the results of utf8.DecodeRuneInString.
func needsEscape(r rune, size int) bool {
	if r < utf8.RuneSelf {
		return escapedASCII[r]
	}
	return r == '\u2028' || r == '\u2029' || r == utf8.RuneError && size == 1
}

// appendEscape appends the shortest escape of r.
func appendEscape(dst []byte, r rune) []byte {
	switch r {
	case '"', '\\':
		return append(dst, '\\', byte(r))
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	default:
		return append(dst, '\\', 'u', lowerHex[r>>12&15], lowerHex[r>>8&15], lowerHex[r>>4&15], lowerHex[r&15])
	}
}
