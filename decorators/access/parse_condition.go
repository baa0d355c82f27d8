package access

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
)

// Reserved names in the JSON form of conditions.
const (
	nameAnd       = "$and"
	nameOr        = "$or"
	nameNot       = "$not"
	namePrincipal = "$principal"
	nameClaim     = "$claim"
)

// parseCondition reads true, or an object of conditions that must all match.
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
		return Condition{}, errors.New("must be an object of conditions")
	case len(m) == 0:
		return Condition{}, errors.New("is empty; leave it out or use true")
	}
	parts := make([]Condition, 0, len(m))
	for _, name := range slices.Sorted(maps.Keys(m)) {
		more, err := parseMember(name, m[name])
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

// parseMember reads the conditions under one name.
func parseMember(name string, raw any) ([]Condition, error) {
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
		return nil, fmt.Errorf("must be a field, %s, %s or %s", nameAnd, nameOr, nameNot)
	}
	return parseField(name, raw)
}

func parseList(raw any) ([]Condition, error) {
	list, _ := raw.([]any)
	if len(list) == 0 {
		return nil, errors.New("must be a non-empty list of conditions")
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

// parseField reads the conditions on a field: a value that it equals, or an object of operators.
func parseField(field string, raw any) ([]Condition, error) {
	m, ok := raw.(map[string]any)
	if !ok || hasReservedName(m) {
		v, err := parseValue(raw)
		return []Condition{Eq(field, v)}, err
	}
	if len(m) == 0 {
		return nil, errors.New("is empty; add an operator")
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
	kind, ok := core.OperatorNamed(name)
	if !ok {
		return Condition{}, errors.New("unknown operator; use eq, ne, lt, le, gt, ge, in or prefix")
	}
	list, isList := raw.([]any)
	if !kind.TakesList() || !isList {
		v, err := parseValue(raw)
		_, fromPrincipal := v.(FromPrincipal)
		if err == nil && kind.TakesList() && !fromPrincipal {
			err = errors.New("must be a list or a claim")
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

// parseFromPrincipal reads {"$principal": "id"} or {"$claim": "NAME"}. It returns false for any other object.
func parseFromPrincipal(m map[string]any) (FromPrincipal, bool) {
	if len(m) != 1 {
		return FromPrincipal{}, false
	}
	if claim, _ := m[nameClaim].(string); claim != "" {
		return PrincipalClaim(claim), true
	}
	return PrincipalID(), m[namePrincipal] == "id"
}

// hasReservedName reports whether an object is meant as a value of the principal rather than as operators or JSON.
func hasReservedName(m map[string]any) bool {
	for name := range m {
		if strings.HasPrefix(name, "$") {
			return true
		}
	}
	return false
}

// parseValue reads a JSON value or a [FromPrincipal].
func parseValue(raw any) (any, error) {
	m, ok := raw.(map[string]any)
	if !ok {
		return raw, checkLiteral(raw)
	}
	if v, ok := parseFromPrincipal(m); ok {
		return v, nil
	}
	return nil, fmt.Errorf(`an object must be {"%s": "id"} or {"%s": "NAME"}`, namePrincipal, nameClaim)
}

// checkLiteral rejects values of the principal inside a list or object. They would be compared as they stand and never
// match.
func checkLiteral(raw any) error {
	switch v := raw.(type) {
	case []any:
		for i, part := range v {
			if err := checkLiteral(part); err != nil {
				return fmt.Errorf("[%d] %w", i, err)
			}
		}
	case map[string]any:
		if hasReservedName(v) {
			return errPartOfValue
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if err := checkLiteral(v[name]); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}
