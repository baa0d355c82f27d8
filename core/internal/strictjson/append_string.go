package strictjson

import "unicode/utf8"

const lowerHex = "0123456789abcdef"

// AppendString appends s as a JSON string with its quotes. It escapes what RFC 8259 section 7 demands (quote, backslash and control
// characters; \n, \r and \t in their short form, the rest as \u00xx) and U+2028 and U+2029, which older JavaScript takes for line
// ends. HTML is not escaped. Each byte that is not valid UTF-8 becomes \ufffd; [AppendCanonical] refuses such strings instead.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		size := 1
		if s[i] >= utf8.RuneSelf {
			var r rune
			if r, size = utf8.DecodeRuneInString(s[i:]); !escapesRune(r, size) {
				i += size
				continue
			}
			dst = append(dst, s[start:i]...)
			dst = appendRuneEscape(dst, r)
		} else {
			if !escapesByte[s[i]] {
				i++
				continue
			}
			dst = append(dst, s[start:i]...)
			dst = appendByteEscape(dst, s[i])
		}
		i += size
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

var escapesByte = func() (table [utf8.RuneSelf]bool) {
	for c := range byte(' ') {
		table[c] = true
	}
	table['"'], table['\\'] = true, true
	return table
}()

func escapesRune(r rune, size int) bool {
	return r == '\u2028' || r == '\u2029' || r == utf8.RuneError && size == 1
}

func appendByteEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	default:
		return appendRuneEscape(dst, rune(c))
	}
}

func appendRuneEscape(dst []byte, r rune) []byte {
	return append(dst, '\\', 'u', lowerHex[r>>12&15], lowerHex[r>>8&15], lowerHex[r>>4&15], lowerHex[r&15])
}
