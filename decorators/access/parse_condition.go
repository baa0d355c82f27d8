package access

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/condition"
)

// Names that the JSON form of a policy has beside those of package core/condition.
const (
	namePrincipal = "$principal"
	nameClaim     = "$claim"
	nameWhere     = "$where"
)

// parseCondition reads true, or an object of conditions that must all match.
func parseCondition(raw any) (Condition, error) {
	if raw == true {
		return All(), nil
	}
	if m, ok := raw.(map[string]any); ok && len(m) == 0 {
		return Condition{}, errors.New("is empty; leave it out or use true")
	}
	parsed, err := condition.Parse(raw, parseValue)
	if err != nil {
		return Condition{}, err
	}
	return fromParsed(parsed)
}

// fromParsed converts a parsed condition.
func fromParsed(c condition.Condition) (Condition, error) {
	for _, v := range c.Values {
		switch v := v.(type) {
		case Operation:
			if c.Kind != core.FilterEq {
				return Condition{}, fmt.Errorf("%s: %s stands below the relation itself, not below an operator", c.Name, nameWhere)
			}
			return Where(c.Name, v), nil
		case map[string]any:
			return Condition{}, fmt.Errorf(`%s: an object must be {"%s": "id"} or {"%s": "NAME"}`, c.Name, namePrincipal, nameClaim)
		}
	}
	kids := make([]Condition, len(c.Parts))
	for i, part := range c.Parts {
		var err error
		if kids[i], err = fromParsed(part); err != nil {
			return Condition{}, err
		}
	}
	switch {
	case c.Kind == core.FilterRelated && c.Parts[0].Kind == core.FilterAnd && len(kids[0].n.kids) == 0:
		return Related(c.Name), nil
	case c.Kind == core.FilterRelated:
		return Related(c.Name, kids...), nil
	case len(c.Parts) > 0 || c.Kind == core.FilterAnd:
		return combine(c.Kind, kids...), nil
	}
	return compare(c.Kind, c.Name, c.Values...), nil
}

// parseValue reads a JSON value, a [FromPrincipal], or the operation of a [Where]. It returns false for an object of
// operators.
func parseValue(raw any) (any, bool, error) {
	m, ok := raw.(map[string]any)
	if !ok {
		return raw, true, checkLiteral(raw)
	}
	if v, ok := parseFromPrincipal(m); ok {
		return v, true, nil
	}
	if name, ok := m[nameWhere].(string); ok && len(m) == 1 {
		o := operationOf(name)
		if !slices.Contains([]Operation{Read, Update, Delete}, o) {
			return nil, false, fmt.Errorf("%s must be read, update or delete", nameWhere)
		}
		return o, true, nil
	}
	for _, name := range []string{namePrincipal, nameClaim, nameWhere} {
		if _, ok := m[name]; ok {
			return nil, false, fmt.Errorf(`an object must be {"%s": "id"} or {"%s": "NAME"}`, namePrincipal, nameClaim)
		}
	}
	return nil, false, nil
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
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if strings.HasPrefix(name, "$") {
				return errPartOfValue
			}
			if err := checkLiteral(v[name]); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}
