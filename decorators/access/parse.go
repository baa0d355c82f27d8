package access

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/larder-go/larder/core"
)

// Parse reads a policy from its JSON form, which [Schema] describes. It refuses
// what the schema refuses: what it does not know, names that come twice, and text
// that is not strictly JSON (RFC 8259). The error lists every mistake with its
// place, and names rules as [Policy.Compile] does: by number, from 1, and name. Whether
// the policy fits a model is for [Policy.Compile] to say.
func Parse(text []byte) (Policy, error) {
	parsed, err := core.ParseJSON(text, 0)
	if err != nil {
		return nil, fmt.Errorf("access policy: %s", core.AsError(err).Message)
	}
	document, err := object(parsed, "$schema", "rules")
	if err != nil {
		return nil, fmt.Errorf("access policy: %w", err)
	}
	if name, there := document["$schema"]; there {
		if _, ok := name.(string); !ok {
			return nil, errors.New("access policy: $schema: is not a text")
		}
	}
	list, ok := document["rules"].([]any)
	if !ok {
		return nil, errors.New("access policy: rules: is not a list")
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

// parseRule reads a rule and returns its first mistake, with its place in the rule in
// front, and then as much of the rule as its label needs.
func parseRule(raw any) (r Rule, err error) {
	if m, ok := raw.(map[string]any); ok {
		r.Name, _ = m["name"].(string)
	}
	m, err := object(raw, "name", "roles", "resource", "operations", "fields", "using", "check")
	if err != nil {
		return r, err
	}
	steps := []struct {
		name string
		read func(raw any) error
	}{
		{"name", func(raw any) (err error) { r.Name, err = text(raw); return err }},
		{"roles", func(raw any) (err error) { r.Roles, err = texts(raw); return err }},
		{"resource", func(raw any) (err error) { r.Resource, err = text(raw); return err }},
		{"operations", func(raw any) (err error) { r.Operations, err = parseOperations(raw); return err }},
		{"fields", func(raw any) (err error) { r.Fields, err = texts(raw); return err }},
		{"using", func(raw any) (err error) { r.Using, err = parseCondition(raw); return err }},
		{"check", func(raw any) (err error) { r.Check, err = parseCondition(raw); return err }},
	}
	for _, step := range steps {
		if raw, there := m[step.name]; there {
			if err := step.read(raw); err != nil {
				return r, fmt.Errorf("%s: %w", step.name, err)
			}
		}
	}
	return r, r.checkParts()
}

func parseOperations(raw any) (ops Operation, err error) {
	names, err := texts(raw)
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		op := operationOf(name)
		if op == 0 {
			return 0, fmt.Errorf("%q is no operation; there are %s", name, every)
		}
		ops |= op
	}
	return ops, nil
}

// object returns an object that has no names but those known.
func object(raw any, known ...string) (map[string]any, error) {
	m, ok := raw.(map[string]any)
	if !ok {
		return nil, errors.New("is not an object")
	}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("has the unknown name %q", name)
		}
	}
	return m, nil
}

func text(raw any) (string, error) {
	s, _ := raw.(string)
	if s == "" {
		return "", errors.New("is not a text with something in it")
	}
	return s, nil
}

// texts returns a list of texts none of which comes twice.
func texts(raw any) ([]string, error) {
	list, ok := raw.([]any)
	if !ok {
		return nil, errors.New("is not a list of texts")
	}
	out := make([]string, len(list))
	for i, raw := range list {
		var err error
		if out[i], err = text(raw); err != nil {
			return nil, fmt.Errorf("[%d] %w", i, err)
		}
	}
	if text := repeated(out); text != "" {
		return nil, fmt.Errorf("has %q twice", text)
	}
	return out, nil
}
