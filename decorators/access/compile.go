package access

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/larder-go/larder/core"
)

// CompiledPolicy is a policy that fits a model: what the decorator enforces and
// [CompiledPolicy.Explain] explains. It is immutable and safe for concurrent use.
// [Policy.Compile] makes it.
type CompiledPolicy struct {
	model     *core.Model
	all       []*rule // in the policy's order
	resources []rules // by index of the resource
}

// rules are the rules on one resource, by operation, in the policy's order. Those of choose
// are among those of insert.
type rules struct{ read, insert, update, delete, choose []*rule }

// of returns the rules that allow the operation to somebody.
func (rs *rules) of(op Operation) []*rule {
	switch op {
	case Read:
		return rs.read
	case Insert:
		return rs.insert
	case Update:
		return rs.update
	case Delete:
		return rs.delete
	case ChooseKey:
		return rs.choose
	}
	return nil
}

// about returns the rules that an explanation of the operation lists: to choose a key is
// to insert.
func (rs *rules) about(op Operation) []*rule {
	if op == ChooseKey {
		op = Insert
	}
	return rs.of(op)
}

// Compile checks the policy against the model. If anything is wrong, the error
// lists every rule with a mistake, by its number and name.
func (p Policy) Compile(m *core.Model) (*CompiledPolicy, error) {
	c := &CompiledPolicy{model: m, resources: make([]rules, len(m.Resources()))}
	var mistakes []error
	seen := make(map[string]int, len(p))
	for i, source := range p {
		label := source.label(i)
		if first, again := seen[source.Name]; again && source.Name != "" {
			mistakes = append(mistakes, fmt.Errorf("%s: has the name of rule %d", label, first+1))
		}
		seen[source.Name] = i
		r, err := source.compile(m)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: %w", label, err))
			continue
		}
		r.label = label
		c.add(r, source.Operations)
	}
	if err := errors.Join(mistakes...); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *CompiledPolicy) add(r *rule, ops Operation) {
	c.all = append(c.all, r)
	of := &c.resources[r.resource.Index()]
	for op, to := range map[Operation]*[]*rule{
		Read: &of.read, Insert: &of.insert, Update: &of.update, Delete: &of.delete, ChooseKey: &of.choose,
	} {
		if ops.has(op) {
			*to = append(*to, r)
		}
	}
}

// of returns the rules on the resource, none for one of another model.
func (c *CompiledPolicy) of(r *core.Resource) *rules {
	if r == nil || r.Model() != c.model {
		return &rules{}
	}
	return &c.resources[r.Index()]
}

// label is what the rule is called in explanations and mistakes.
func (r Rule) label(i int) string {
	if r.Name == "" {
		return "rule " + strconv.Itoa(i+1)
	}
	return fmt.Sprintf("rule %d (%s)", i+1, r.Name)
}

// compile checks one rule and returns its first mistake.
func (r Rule) compile(m *core.Model) (*rule, error) {
	if err := r.checkParts(); err != nil {
		return nil, err
	}
	resource := m.Resource(r.Resource)
	if resource == nil {
		return nil, fmt.Errorf("names the resource %q, which the model %q does not have", r.Resource, m.Name())
	}
	out := &rule{
		resource: resource, chooses: r.Operations.has(ChooseKey), roles: r.Roles, held: slices.DeleteFunc(slices.Clone(r.Roles), reserved),
		anonymous: slices.Contains(r.Roles, Anonymous), authenticated: slices.Contains(r.Roles, Authenticated),
	}
	var err error
	if out.fields, err = compileFields(resource, r.Fields); err != nil {
		return nil, fmt.Errorf("fields: %w", err)
	}
	if !r.Using.isZero() {
		if out.using, err = compileCondition(resource, r.Using, 1); err != nil {
			return nil, fmt.Errorf("using: %w", err)
		}
	}
	out.symmetric = r.Check.isZero()
	if !r.Check.isZero() {
		if out.check, err = compileCondition(resource, r.Check, 1); err != nil {
			return nil, fmt.Errorf("check: %w", err)
		}
	}
	return out, nil
}

// checkParts looks for what is wrong on any model.
func (r Rule) checkParts() error {
	after := Insert | Update
	switch {
	case len(r.Roles) == 0:
		return errors.New("has no roles, so it would be for nobody")
	case slices.Contains(r.Roles, ""):
		return errors.New("has a role without a name")
	case repeated(r.Roles) != "":
		return fmt.Errorf("has the role %q twice", repeated(r.Roles))
	case r.Resource == "":
		return errors.New("names no resource")
	case r.Operations == 0:
		return errors.New("has no operations, so it would allow nothing")
	case r.Operations&^every != 0:
		return fmt.Errorf("has an unknown operation (%#x)", uint8(r.Operations&^every))
	case r.Operations.has(ChooseKey) && !r.Operations.has(Insert):
		return errors.New("has choose_key without insert, so it would allow nothing; add insert")
	case r.Fields != nil && r.Operations.has(Delete):
		return errors.New("has fields and delete, which is about whole rows; make delete a rule of its own")
	case !r.Using.isZero() && r.Operations&^ChooseKey == Insert:
		return errors.New("has a using and insert alone, before which there is no row; make it a check")
	case !r.Check.isZero() && !r.Operations.has(after):
		return fmt.Errorf("has a check and only %s, which leaves no row behind; make it a using", r.Operations)
	}
	return nil
}

func compileFields(r *core.Resource, names []string) (*list, error) {
	if names == nil {
		return nil, nil
	}
	if name := repeated(names); name != "" {
		return nil, fmt.Errorf("has %q twice", name)
	}
	has := make([]bool, len(r.Columns()))
	for _, name := range names {
		f, err := storedField(r, name)
		if err != nil {
			return nil, err
		}
		has[f.Column()] = true
	}
	return newList(r, has), nil
}

// repeated returns a text that comes twice, "" if none does.
func repeated(texts []string) string {
	for i, text := range texts {
		if slices.Contains(texts[:i], text) {
			return text
		}
	}
	return ""
}
