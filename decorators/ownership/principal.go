package ownership

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/larder-go/larder/core"
)

// source names the part of a principal that owns records: its id, or a claim.
func (g *guard) source() string {
	if g.claim == "" {
		return "id"
	}
	return fmt.Sprintf("claim %q", g.claim)
}

// ownerOf returns the value of the owner field in records of the principal. It is absent if the principal cannot own
// records through this field.
func (g *guard) ownerOf(p *core.Principal, f *core.Field) core.Value {
	v := p.ID
	if g.claim != "" {
		v = convertClaim(p.Claims[g.claim], f.Type())
	}
	if v.Type() != f.Type() || !validText(v) {
		return core.Value{}
	}
	return v
}

// validText rejects strings that no text field can hold. It also rejects the empty string, so that a principal with a
// forgotten ID owns nothing.
func validText(v core.Value) bool {
	if v.Type() != core.Text {
		return true
	}
	text := v.Text()
	return text != "" && utf8.ValidString(text) && strings.IndexByte(text, 0) < 0
}

// maxSafeInteger is the greatest number up to which every integer has a float64 of its own (RFC 8259, section 6). A greater
// float64 may stand for the ids of two principals.
const maxSafeInteger = 1<<53 - 1

// convertClaim converts a claim from a JSON decoder or a program to the type of an owner field: a number to int, a string to
// text or uuid. Any other claim is absent.
func convertClaim(claim any, typ core.Type) core.Value {
	var fits bool
	switch x := claim.(type) {
	case core.Value:
		return x
	case string:
		fits = typ == core.Text || typ == core.UUID
	case float64:
		fits = typ == core.Int && x >= -maxSafeInteger && x <= maxSafeInteger
	case json.Number, int, int64:
		fits = typ == core.Int
	}
	if !fits {
		return core.Value{}
	}
	v, err := typ.Convert(claim)
	if err != nil {
		return core.Value{}
	}
	return v
}
