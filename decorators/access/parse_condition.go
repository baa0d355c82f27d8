package access

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
)

// The names that are no fields in the JSON form of conditions.
const (
	nameAnd       = "$and"
	nameOr        = "$or"
	nameNot       = "$not"
	namePrincipal = "$principal"
	nameClaim     = "$claim"
)

// parseCondition reads a condition: true, or an object all of whose parts must
// hold.
func parseCondition(raw any) (Condition, error) {
	if raw == true {
		return All(), nil
	}
	return parseObject(raw)
}

func parseObject(raw any) (Condition, error) {
	m, ok := raw.(map[string]any)
	switch {
	case !ok:
		return Condition{}, errors.New("is not an object of conditions")
	case len(m) == 0:
		return Condition{}, errors.New("says nothing; leave it out, or say true")
	}
	parts := make([]Condition, 0, len(m))
	for _, name := range slices.Sorted(maps.Keys(m)) {
		more, err := parsePart(name, m[name])
		if err != nil {
			return Condition{}, fmt.Errorf("%s: %w", name, err)
		}
		parts = append(parts, more...)
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	return And(parts...), nil
}

// parsePart reads what stands under one name.
func parsePart(name string, raw any) ([]Condition, error) {
	switch name {
	case nameAnd:
		return parseList(raw)
	case nameOr:
		parts, err := parseList(raw)
		return []Condition{Or(parts...)}, err
	case nameNot:
		part, err := parseObject(raw)
		return []Condition{Not(part)}, err
	}
	if name == "" || name[0] == '$' {
		return nil, fmt.Errorf("is neither a field nor %s, %s or %s", nameAnd, nameOr, nameNot)
	}
	return parseField(name, raw)
}

func parseList(raw any) ([]Condition, error) {
	list, _ := raw.([]any)
	if len(list) == 0 {
		return nil, errors.New("is not a list of conditions with something in it")
	}
	out := make([]Condition, len(list))
	for i, raw := range list {
		var err error
		if out[i], err = parseObject(raw); err != nil {
			return nil, fmt.Errorf("[%d] %w", i, err)
		}
	}
	return out, nil
}

// parseField reads what is said of a field: a value that it equals, or operators.
func parseField(field string, raw any) ([]Condition, error) {
	m, ok := raw.(map[string]any)
	if !ok || takes(m) {
		v, err := parseValue(raw)
		return []Condition{Eq(field, v)}, err
	}
	if len(m) == 0 {
		return nil, errors.New("says nothing")
	}
	var out []Condition
	for _, name := range slices.Sorted(maps.Keys(m)) {
		c, err := parseOperator(field, name, m[name])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out = append(out, c)
	}
	return out, nil
}

func parseOperator(field, name string, raw any) (Condition, error) {
	kind, ok := operators[name]
	if !ok {
		return Condition{}, errors.New("is no operator; there are eq, ne, lt, le, gt, ge, in, prefix")
	}
	list, isList := raw.([]any)
	if kind != core.FilterIn || !isList {
		v, err := parseValue(raw)
		_, fromPrincipal := v.(FromPrincipal)
		if err == nil && kind == core.FilterIn && !fromPrincipal {
			err = errors.New("is neither a list nor a claim")
		}
		return compare(kind, field, v), err
	}
	values := make([]any, len(list))
	for i, raw := range list {
		var err error
		if values[i], err = parseValue(raw); err != nil {
			return Condition{}, fmt.Errorf("[%d] %w", i, err)
		}
	}
	return compare(kind, field, values...), nil
}

var operators = func() map[string]core.FilterKind {
	byName := make(map[string]core.FilterKind, len(operatorNames))
	for kind, name := range operatorNames {
		byName[name] = kind
	}
	return byName
}()

// principalValue returns what an object takes from the principal; false if it is
// no such object.
func principalValue(m map[string]any) (FromPrincipal, bool) {
	if len(m) != 1 {
		return FromPrincipal{}, false
	}
	if claim, _ := m[nameClaim].(string); claim != "" {
		return PrincipalClaim(claim), true
	}
	return PrincipalID(), m[namePrincipal] == "id"
}

// takes reports whether an object is meant to be what is taken from the principal.
func takes(m map[string]any) bool {
	for name := range m {
		if strings.HasPrefix(name, "$") {
			return true
		}
	}
	return false
}

// parseValue reads a value, or what is taken from the principal.
func parseValue(raw any) (any, error) {
	m, ok := raw.(map[string]any)
	if !ok {
		return raw, checkLiteral(raw)
	}
	if v, ok := principalValue(m); ok {
		return v, nil
	}
	return nil, fmt.Errorf(`is an object, but neither {"%s": "id"} nor {"%s": "NAME"}`, namePrincipal, nameClaim)
}

// checkLiteral refuses what looks as if it were taken from the principal inside of a
// value, where it would be compared as it stands, and differ from everything.
func checkLiteral(raw any) error {
	switch v := raw.(type) {
	case []any:
		for i, part := range v {
			if err := checkLiteral(part); err != nil {
				return fmt.Errorf("[%d] %w", i, err)
			}
		}
	case map[string]any:
		if takes(v) {
			return errTakenInside
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if err := checkLiteral(v[name]); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}

var errTakenInside = errors.New("a claim or the principal's id is a value of its own, not a part of one")
