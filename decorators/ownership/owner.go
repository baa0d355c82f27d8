package ownership

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/larder-go/larder/core"
)

// source says what of a principal owns, in words.
func (g *guard) source() string {
	if g.claim == "" {
		return "id"
	}
	return "claim " + g.claim
}

// ownOf returns what records of the principal hold in the field; nothing if the
// principal can own none.
func (g *guard) ownOf(p *core.Principal, f *core.Field) core.Value {
	v := p.ID
	if g.claim != "" {
		v = claimed(p.Claims[g.claim], f.Type())
	}
	if v.Type() != f.Type() || !goodText(v) {
		return core.Value{}
	}
	return v
}

// goodText refuses texts that no field can hold, and the empty one, which is what
// an id that was forgotten looks like.
func goodText(v core.Value) bool {
	if v.Type() != core.Text {
		return true
	}
	text := v.Text()
	return text != "" && utf8.ValidString(text) && strings.IndexByte(text, 0) < 0
}

// maxExact is the greatest number up to which every whole one has a float64 of its
// own: beyond, two principals' numbers may have become one (RFC 8259, section 6).
const maxExact = 1<<53 - 1

// claimed types a claim, which a JSON decoder left or a program set: numbers are
// for fields of numbers, texts for those of texts and UUIDs, and nothing stands for
// anything else.
func claimed(claim any, typ core.Type) core.Value {
	var fits bool
	switch x := claim.(type) {
	case core.Value:
		return x
	case string:
		fits = typ == core.Text || typ == core.UUID
	case float64:
		fits = typ == core.Int && x >= -maxExact && x <= maxExact
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
