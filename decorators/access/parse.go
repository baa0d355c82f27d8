package access

import (
	_ "embed" // the schema is a file so that editors can use it
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/larder-go/larder/core"
)

// Schema is the JSON Schema (draft 2020-12) of the JSON form of a policy: the file policy.schema.json of this package.
//
//go:embed policy.schema.json
var Schema string

// Parse reads a policy from its JSON form, which [Schema] describes. It accepts the documents that the schema accepts, as
// long as they are strict JSON (RFC 8259) without duplicate names.
//
// The error lists every mistake with its place. It names rules as [Policy.Compile] does, by number from 1 and name. Parse
// does not know the model; [Policy.Compile] checks the policy against it.
func Parse(text []byte) (Policy, error) {
	parsed, err := core.ParseJSON(text, 0)
	if err != nil {
		return nil, fmt.Errorf("access policy: %s", core.AsError(err).Message)
	}
	document, err := object(parsed, "$schema", "rules")
	if err != nil {
		return nil, fmt.Errorf("access policy: %w", err)
	}
	if schema, ok := document["$schema"]; ok {
		if _, ok := schema.(string); !ok {
			return nil, errors.New("access policy: $schema: must be a string")
		}
	}
	list, ok := document["rules"].([]any)
	if !ok {
		return nil, errors.New("access policy: rules: must be a list")
	}
	policy := make(Policy, len(list))
	var mistakes []error
	for i, raw := range list {
		if policy[i], err = parseRule(raw); err != nil {
			mistakes = append(mistakes, fmt.Errorf("access policy: %s: %w", policy[i].label(i), err))
		}
	}
	if err := errors.Join(mistakes...); err != nil {
		return nil, err
	}
	return policy, nil
}

// parseRule reads a rule. With the first mistake it returns the part of the rule that the label needs.
func parseRule(raw any) (r Rule, err error) {
	if m, ok := raw.(map[string]any); ok {
		r.Name, _ = m["name"].(string)
	}
	m, err := object(raw, "name", "roles", "resource", "operations", "fields", "using", "check")
	if err != nil {
		return r, err
	}
	members := []struct {
		name  string
		parse func(raw any) error
	}{
		{"name", func(raw any) (err error) { r.Name, err = nonEmptyString(raw); return err }},
		{"roles", func(raw any) (err error) { r.Roles, err = stringList(raw); return err }},
		{"resource", func(raw any) (err error) { r.Resource, err = nonEmptyString(raw); return err }},
		{"operations", func(raw any) (err error) { r.Operations, err = parseOperations(raw); return err }},
		{"fields", func(raw any) (err error) { r.Fields, err = stringList(raw); return err }},
		{"using", func(raw any) (err error) { r.Using, err = parseCondition(raw); return err }},
		{"check", func(raw any) (err error) { r.Check, err = parseCondition(raw); return err }},
	}
	for _, member := range members {
		if raw, ok := m[member.name]; ok {
			if err := member.parse(raw); err != nil {
				return r, fmt.Errorf("%s: %w", member.name, err)
			}
		}
	}
	return r, r.checkParts()
}

func parseOperations(raw any) (ops Operation, err error) {
	names, err := stringList(raw)
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		o := operationOf(name)
		if o == 0 {
			return 0, fmt.Errorf("unknown operation %q; use %s", name, allOperations)
		}
		ops |= o
	}
	return ops, nil
}

// object returns an object that has known names only.
func object(raw any, known ...string) (map[string]any, error) {
	m, ok := raw.(map[string]any)
	if !ok {
		return nil, errors.New("must be an object")
	}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("unknown name %q", name)
		}
	}
	return m, nil
}

func nonEmptyString(raw any) (string, error) {
	s, _ := raw.(string)
	if s == "" {
		return "", errors.New("must be a non-empty string")
	}
	return s, nil
}

// stringList returns a list of distinct non-empty strings.
func stringList(raw any) ([]string, error) {
	list, ok := raw.([]any)
	if !ok {
		return nil, errors.New("must be a list of strings")
	}
	out := make([]string, len(list))
	for i, raw := range list {
		var err error
		if out[i], err = nonEmptyString(raw); err != nil {
			return nil, fmt.Errorf("[%d] %w", i, err)
		}
	}
	if s := duplicate(out); s != "" {
		return nil, fmt.Errorf("%q is listed twice; remove one", s)
	}
	return out, nil
}
