package access

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/larder-go/larder/core"
)

// CompiledPolicy is a policy that has been checked against a model. The decorator enforces it, and
// [CompiledPolicy.Explain] explains its decisions. Create it with [Policy.Compile]. It is immutable and safe for concurrent
// use.
type CompiledPolicy struct {
	model     *core.Model
	all       []*rule // in the order of the policy
	resources []rules // by index of the resource
}

// rules are the rules for one resource by operation, each in the order of the policy. The rules in chooseKey are in insert
// too.
type rules struct{ read, insert, update, delete, chooseKey, restore []*rule }

// of returns the rules that may permit the operation.
func (rs *rules) of(o Operation) []*rule {
	switch o {
	case Read:
		return rs.read
	case Insert:
		return rs.insert
	case Update:
		return rs.update
	case Delete:
		return rs.delete
	case ChooseKey:
		return rs.chooseKey
	case Restore:
		return rs.restore
	}
	return nil
}

// Compile checks the policy against the model. The caller must not change the policy afterwards.
//
// The error lists every rule with a mistake, by its number from 1 and its name, and of each rule the first mistake.
func (p Policy) Compile(m *core.Model) (*CompiledPolicy, error) {
	c := &CompiledPolicy{model: m, resources: make([]rules, len(m.Resources()))}
	var mistakes []error
	named := make(map[string]int, len(p))
	for i, source := range p {
		label := source.label(i)
		if first, again := named[source.Name]; again && source.Name != "" {
			mistakes = append(mistakes, fmt.Errorf("%s: has the same name as rule %d; give each rule its own", label, first+1))
		}
		named[source.Name] = i
		r, err := c.compile(source)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: %w", label, err))
			continue
		}
		r.label = label
		c.add(r, source.Operations)
	}
	if err := errors.Join(append(mistakes, c.checkCircles()...)...); err != nil {
		return nil, err
	}
	return c, nil
}

// checkCircles rejects rules that refer to one another in a circle by [Where].
func (c *CompiledPolicy) checkCircles() (mistakes []error) {
	type node struct {
		r *core.Resource
		o Operation
	}
	const open, done = 1, 2
	state := make(map[node]int)
	var visit func(n node) bool
	visit = func(n node) (circle bool) {
		if state[n] != 0 {
			return state[n] == open
		}
		state[n] = open
		for _, r := range c.of(n.r).of(n.o) {
			for _, part := range []*predicate{&r.using, &r.check} { // both are built for each principal
				part.eachWhere(func(target *core.Resource, o Operation) { circle = visit(node{target, o}) || circle })
			}
		}
		state[n] = done
		return circle
	}
	for _, r := range c.all {
		for _, part := range []*predicate{&r.using, &r.check} {
			part.eachWhere(func(target *core.Resource, o Operation) {
				if visit(node{target, o}) {
					mistakes = append(mistakes, fmt.Errorf("%s: $where leads in a circle back to the rules for %s of %s; state the condition of one of them", r.label, o, target))
				}
			})
		}
	}
	return mistakes
}

func (c *CompiledPolicy) add(r *rule, ops Operation) {
	c.all = append(c.all, r)
	of := &c.resources[r.resource.Index()]
	for o, to := range map[Operation]*[]*rule{
		Read: &of.read, Insert: &of.insert, Update: &of.update, Delete: &of.delete, ChooseKey: &of.chooseKey, Restore: &of.restore,
	} {
		if ops.has(o) {
			*to = append(*to, r)
		}
	}
}

// of returns the rules for the resource. A resource of another model has none.
func (c *CompiledPolicy) of(r *core.Resource) *rules {
	if r == nil || r.Model() != c.model {
		return &rules{}
	}
	return &c.resources[r.Index()]
}

// label names the rule in explanations and errors: "rule 3 (name)".
func (r Rule) label(i int) string {
	if r.Name == "" {
		return "rule " + strconv.Itoa(i+1)
	}
	return fmt.Sprintf("rule %d (%s)", i+1, r.Name)
}

// compile checks one rule and returns its first mistake.
func (c *CompiledPolicy) compile(r Rule) (*rule, error) {
	if err := r.checkParts(); err != nil {
		return nil, err
	}
	resource := c.model.Resource(r.Resource)
	if resource == nil {
		return nil, fmt.Errorf("the model %q has no resource %q", c.model.Name(), r.Resource)
	}
	out := &rule{
		resource: resource, choosesKey: r.Operations.has(ChooseKey), roles: r.Roles, ownRoles: slices.DeleteFunc(slices.Clone(r.Roles), reserved),
		anonymous: slices.Contains(r.Roles, Anonymous), authenticated: slices.Contains(r.Roles, Authenticated),
	}
	var err error
	if out.fields, err = compileFields(resource, r.Fields); err != nil {
		return nil, fmt.Errorf("fields: %w", err)
	}
	if !r.Using.isZero() {
		if out.using, err = c.compileCondition(resource, r.Using, 1); err != nil {
			return nil, fmt.Errorf("using: %w", err)
		}
	}
	out.checkIsUsing = r.Check.isZero()
	if !r.Check.isZero() {
		if out.check, err = c.compileCondition(resource, r.Check, 1); err != nil {
			return nil, fmt.Errorf("check: %w", err)
		}
	}
	return out, nil
}

// checkParts returns the first mistake that does not depend on the model.
func (r Rule) checkParts() error {
	after := Insert | Update
	switch {
	case len(r.Roles) == 0:
		return errors.New("has no roles; name at least one")
	case slices.Contains(r.Roles, ""):
		return errors.New("has an empty role; name it or remove it")
	case duplicate(r.Roles) != "":
		return fmt.Errorf("lists the role %q twice; remove one", duplicate(r.Roles))
	case r.Resource == "":
		return errors.New("has no resource; name one")
	case r.Operations == 0:
		return fmt.Errorf("has no operations; add at least one of %s", allOperations)
	case r.Operations&^allOperations != 0:
		return fmt.Errorf("has the unknown operation %#x; use %s", uint8(r.Operations&^allOperations), allOperations)
	case r.Operations.has(ChooseKey) && !r.Operations.has(Insert):
		return errors.New("has choose_key without insert and so permits nothing; add insert")
	case r.Fields != nil && r.Operations.has(Delete):
		return errors.New("has fields and delete, which removes whole rows; put delete into a rule of its own")
	case r.Fields != nil && r.Operations.has(Restore):
		return errors.New("has fields and restore, which brings back whole rows; put restore into a rule of its own")
	case !r.Using.isZero() && r.Operations&^ChooseKey == Insert:
		return errors.New("has using and only insert, before which there is no row; use check")
	case !r.Check.isZero() && !r.Operations.has(after):
		return fmt.Errorf("has check and only %s, after which there is no row to check; use using", r.Operations)
	}
	return nil
}

func compileFields(r *core.Resource, names []string) (*fieldList, error) {
	if names == nil {
		return nil, nil
	}
	if name := duplicate(names); name != "" {
		return nil, fmt.Errorf("%q is listed twice; remove one", name)
	}
	has := make([]bool, len(r.Columns()))
	for _, name := range names {
		f, err := storedField(r, name)
		if err != nil {
			return nil, err
		}
		has[f.Column()] = true
		for _, part := range f.Parts() {
			has[part.Column()] = true
		}
	}
	return newFieldList(r, has), nil
}

// duplicate returns a string that occurs twice, or "".
func duplicate(all []string) string {
	for i, s := range all {
		if slices.Contains(all[:i], s) {
			return s
		}
	}
	return ""
}
