package access

import (
	"encoding/json"
	"fmt"

	"github.com/larder-go/larder/core"
)

// FromPrincipal is a value in a [Condition] that each principal brings along.
//
// Types count: an id or claim fits a field only in the JSON type of its values,
// text for text, uuid, time and bytes, a number for int and float, a boolean for
// bool. So the text "1" is not the number 1, and neither is true. A number that
// is a float64 fits an int only up to 2^53-1, beyond which it may stand for
// several (RFC 8259, section 6); decode claims with json.Number to have more.
type FromPrincipal struct {
	id    bool
	claim string
}

// PrincipalID is the principal's id, [core.Principal] ID. Its type has to be the field's. The
// empty text, which is what an id that was forgotten looks like, is none.
func PrincipalID() FromPrincipal { return FromPrincipal{id: true} }

// PrincipalClaim is the principal's claim of that name, [core.Principal] Claims.
func PrincipalClaim(name string) FromPrincipal { return FromPrincipal{claim: name} }

// String returns what the value is taken from.
func (v FromPrincipal) String() string {
	if v.id {
		return "id"
	}
	return fmt.Sprintf("claim %q", v.claim)
}

// MarshalJSON refuses to be a part of a value, such as a list that a field is compared
// with: it would be compared as it stands, and differ from everything.
func (FromPrincipal) MarshalJSON() ([]byte, error) { return nil, errTakenInside }

// forgotten is an id that is none.
var forgotten = core.TextValue("")

// one returns the value for a field of type t; false if the principal has none that
// fits.
func (v FromPrincipal) one(p *core.Principal, t core.Type) (core.Value, bool) {
	switch {
	case p == nil:
		return core.Value{}, false
	case v.id:
		if p.ID == forgotten {
			return core.Value{}, false
		}
		return typed(t, p.ID)
	}
	return strict(t, p.Claims[v.claim])
}

// appendOne appends what one returns.
func (v FromPrincipal) appendOne(dst []core.Value, p *core.Principal, t core.Type) ([]core.Value, bool) {
	one, ok := v.one(p, t)
	return append(dst, one), ok
}

// appendAll is appendOne for each element, if the principal has a list.
func (v FromPrincipal) appendAll(dst []core.Value, p *core.Principal, t core.Type) ([]core.Value, bool) {
	if p != nil && !v.id {
		switch list := p.Claims[v.claim].(type) {
		case []any:
			return appendEach(dst, t, list)
		case []string:
			return appendEach(dst, t, list)
		}
	}
	return v.appendOne(dst, p, t)
}

func appendEach[T any](dst []core.Value, t core.Type, list []T) ([]core.Value, bool) {
	for _, raw := range list {
		one, ok := strict(t, raw)
		if !ok {
			return dst, false
		}
		dst = append(dst, one)
	}
	return dst, true
}

// maxSafeInteger is the greatest n for which n and n+1 are told apart by a double.
const maxSafeInteger = 1<<53 - 1

// strict converts what a principal brings along, without the help that the
// values of clients get: what has another JSON type does not fit.
func strict(t core.Type, raw any) (core.Value, bool) {
	fits := false
	switch x := raw.(type) {
	case core.Value:
		return typed(t, x)
	case string:
		fits = t == core.Text || t == core.UUID || t == core.Time || t == core.Bytes
	case bool:
		fits = t == core.Bool
	case float64:
		fits = t == core.Float || t == core.Int && x >= -maxSafeInteger && x <= maxSafeInteger
	case json.Number, int, int64:
		fits = t == core.Int || t == core.Float
	}
	if !fits {
		return core.Value{}, false
	}
	v, err := t.Convert(raw)
	return v, err == nil
}

// typed returns the value if it has the type, without a detour for most of them.
func typed(t core.Type, v core.Value) (core.Value, bool) {
	if v.Type() != t {
		return core.Value{}, false
	}
	if t != core.Text {
		return v, true
	}
	v, err := t.Convert(v) // its text may be none
	return v, err == nil
}
