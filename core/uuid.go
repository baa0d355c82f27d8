package core

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
)

// UUIDValue returns a value of type [UUID] (RFC 9562, section 4).
func UUIDValue(id [16]byte) Value {
	var text [36]byte
	hex.Encode(text[0:8], id[0:4])
	hex.Encode(text[9:13], id[4:6])
	hex.Encode(text[14:18], id[6:8])
	hex.Encode(text[19:23], id[8:10])
	hex.Encode(text[24:36], id[10:16])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return Value{typ: UUID, str: string(text[:])}
}

// NewUUID returns a random [UUID] of version 4 (RFC 9562, section 5.4), for
// backends that hand out keys of this type.
func NewUUID() Value {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails since Go 1.24
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return UUIDValue(id)
}

// toUUID reads the text form with hyphens, the only one that RFC 9562 defines.
func toUUID(raw any) (Value, error) {
	switch x := raw.(type) {
	case [16]byte:
		return UUIDValue(x), nil
	case string:
		if len(x) != 36 || x[8] != '-' || x[13] != '-' || x[18] != '-' || x[23] != '-' {
			return Value{}, errLossy
		}
		var id [16]byte
		if n, err := hex.Decode(id[:], []byte(strings.ReplaceAll(x, "-", ""))); err != nil || n != 16 {
			return Value{}, errLossy
		}
		return UUIDValue(id), nil
	}
	return plain(UUID, raw)
}

// UUID returns the sixteen bytes of a [UUID]; false for any other value.
func (v Value) UUID() (id [16]byte, ok bool) {
	if v.typ != UUID {
		return id, false
	}
	n, err := hex.Decode(id[:], []byte(strings.ReplaceAll(v.str, "-", "")))
	return id, err == nil && n == len(id)
}
