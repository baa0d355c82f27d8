package rest

import (
	"crypto/sha256"
	"encoding/base64"
)

// tagBytes of a hash tell representations apart; 120 bits fill 20 characters.
const tagBytes = 15

// tagOf returns the strong entity tag of a representation (RFC 9110, section
// 8.8.3).
func tagOf(representation []byte) string {
	sum := sha256.Sum256(representation)
	var tag [2 + tagBytes/3*4]byte
	tag[0], tag[len(tag)-1] = '"', '"'
	base64.RawURLEncoding.Encode(tag[1:], sum[:tagBytes])
	return string(tag[:])
}
