package file

import (
	"fmt"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// appendEscaped appends JSON with every character escaped that is not graphic, such as
// U+007F, U+009B and U+202E, so that a terminal which shows it does nothing else. All
// of them are within strings; line ends between values stay.
func appendEscaped(dst, json []byte) []byte {
	for len(json) > 0 {
		r, size := utf8.DecodeRune(json)
		switch {
		case r < 0x7f || unicode.IsGraphic(r):
			dst = append(dst, json[:size]...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			dst = fmt.Appendf(dst, `\u%04x\u%04x`, high, low)
		default:
			dst = fmt.Appendf(dst, `\u%04x`, r)
		}
		json = json[size:]
	}
	return dst
}
