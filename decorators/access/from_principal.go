package access

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/larder-go/larder/core"
)

// FromPrincipal is a value in a [Condition] that comes from the principal: [PrincipalID] or [PrincipalClaim].
//
// The id or claim must have the JSON type of the field: a string for text, uuid, time, date, localtime and bytes, a number
// for int and float, a string or a number for decimal, a boolean for bool. The string "1" does not fit an int. A float64
// fits an int only up to 2^53-1, because a greater one may stand for several integers (RFC 8259, section 6), and never a
// decimal; decode claims with json.Number to compare such numbers.
type FromPrincipal struct {
	id    bool
	claim string
}

// PrincipalID is the ID of the [core.Principal]. It must have the type of the field. The empty string counts as no id, so
// that a principal with a forgotten ID owns nothing.
func PrincipalID() FromPrincipal { return FromPrincipal{id: true} }

// PrincipalClaim is the claim of that name in the Claims of the [core.Principal].
func PrincipalClaim(name string) FromPrincipal { return FromPrincipal{claim: name} }

// String names the source of the value: "id", or the claim with its name.
func (v FromPrincipal) String() string {
	if v.id {
		return "id"
	}
	return fmt.Sprintf("claim %q", v.claim)
}

var errPartOfValue = errors.New("the principal's id or a claim cannot be a part of a value; compare the whole field with it")

// MarshalJSON always fails. So a FromPrincipal inside a list or object that a JSON field is compared with is rejected;
// it would be compared as it stands and never match.
func (FromPrincipal) MarshalJSON() ([]byte, error) { return nil, errPartOfValue }

var emptyID = core.TextValue("")

// value returns the value of p for a field of type t, or false if p has none of that type.
func (v FromPrincipal) value(p *core.Principal, t core.Type) (core.Value, bool) {
	switch {
	case p == nil:
		return core.Value{}, false
	case v.id:
		if p.ID == emptyID {
			return core.Value{}, false
		}
		return ofType(t, p.ID)
	}
	return convertClaim(t, p.Claims[v.claim])
}

// append appends the value of p.
func (v FromPrincipal) append(dst []core.Value, p *core.Principal, t core.Type) ([]core.Value, bool) {
	one, ok := v.value(p, t)
	return append(dst, one), ok
}

// appendAll appends the value of p, or all elements if it is a claim with a list.
func (v FromPrincipal) appendAll(dst []core.Value, p *core.Principal, t core.Type) ([]core.Value, bool) {
	if p != nil && !v.id {
		switch list := p.Claims[v.claim].(type) {
		case []any:
			return appendElements(dst, t, list)
		case []string:
			return appendElements(dst, t, list)
		}
	}
	return v.append(dst, p, t)
}

func appendElements[T any](dst []core.Value, t core.Type, list []T) ([]core.Value, bool) {
	for _, raw := range list {
		one, ok := convertClaim(t, raw)
		if !ok {
			return dst, false
		}
		dst = append(dst, one)
	}
	return dst, true
}

// maxSafeInteger is the greatest n for which n and n+1 are different doubles.
const maxSafeInteger = 1<<53 - 1

// convertClaim converts a claim to type t. It is stricter than [core.Type] Convert: a claim of another JSON type does not
// fit.
func convertClaim(t core.Type, raw any) (core.Value, bool) {
	fits := false
	switch x := raw.(type) {
	case core.Value:
		return ofType(t, x)
	case string:
		fits = t == core.Text || t == core.UUID || t == core.Time || t == core.Date || t == core.LocalTime || t == core.Bytes || t == core.Decimal
	case bool:
		fits = t == core.Bool
	case float64:
		fits = t == core.Float || t == core.Int && x >= -maxSafeInteger && x <= maxSafeInteger
	case json.Number, int, int64:
		fits = t == core.Int || t == core.Float || t == core.Decimal
	}
	if !fits {
		return core.Value{}, false
	}
	v, err := t.Convert(raw)
	return v, err == nil
}

// ofType returns the value if it is a valid value of type t.
func ofType(t core.Type, v core.Value) (core.Value, bool) {
	if v.Type() != t {
		return core.Value{}, false
	}
	if t != core.Text {
		return v, true
	}
	v, err := t.Convert(v) // a Value may hold an invalid string, such as one with a NUL byte
	return v, err == nil
}
