package access

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/larder-go/larder/core"
)

// maxConditionDepth is less than the depth that a filter may have, so that other decorators can combine the condition with
// theirs.
const maxConditionDepth = 50

// compileCondition returns the predicate of the condition on the resource, or the first mistake.
func (c *CompiledPolicy) compileCondition(r *core.Resource, from Condition, depth int) (predicate, error) {
	switch {
	case depth > maxConditionDepth:
		return predicate{}, fmt.Errorf("is nested more than %d levels deep; flatten it", maxConditionDepth)
	case from.isZero():
		return predicate{}, errors.New("contains an empty condition; use All or remove it")
	case from.n.kind == core.FilterAll:
		return predicate{}, nil
	case from.n.kind == core.FilterRelated:
		return c.compilePath(r, from.n.field, from.n, depth)
	case len(from.n.kids) > 0:
		return c.compileParts(r, from, depth)
	case !slices.Contains(core.Operators(), from.n.kind):
		return predicate{}, errors.New("contains an And or Or without conditions; add one or remove it")
	}
	return c.compilePath(r, from.n.field, from.n, depth)
}

// compilePath compiles a comparison or a condition on related rows with the field at the end of the path.
func (c *CompiledPolicy) compilePath(r *core.Resource, path string, n *conditionNode, depth int) (predicate, error) {
	name, rest, more := strings.Cut(path, ".")
	if more && r.Field(path) == nil && r.Field(name) != nil {
		relations, err := relationsNamed(r, name)
		if err != nil {
			return predicate{}, err
		}
		relation := relations[0]
		if relation.Many() || len(relations) > 1 {
			return predicate{}, fmt.Errorf(`%s.%s is to-many, and a path crosses to-ones only; use Related(%q, ...), in JSON {"%s": {"$any": {"%s": ...}}}`, r, name, name, name, rest)
		}
		kid, err := c.compilePath(relation.Target(), rest, n, depth+1)
		return related(relation, kid), err
	}
	if n.kind != core.FilterRelated {
		return compileComparison(r, path, n)
	}
	relations, err := relationsNamed(r, path)
	if err != nil {
		return predicate{}, err
	}
	last := len(relations) - 1
	out, err := c.compileRelated(relations[last], path, n, depth)
	if last == 1 {
		out = related(relations[0], out)
	}
	return out, err
}

// compileRelated compiles the condition on the rows at the end of the path, which the step leads to.
func (c *CompiledPolicy) compileRelated(step core.Relation, path string, n *conditionNode, depth int) (predicate, error) {
	if n.where != 0 {
		if !slices.Contains([]Operation{Read, Update, Delete}, n.where) {
			return predicate{}, fmt.Errorf("Where(%q, %s): use one of read, update and delete", path, n.where)
		}
		return predicate{kind: core.FilterRelated, relation: step, where: n.where, policy: c, dynamic: true}, nil
	}
	kid := predicate{}
	if len(n.kids) > 0 {
		var err error
		if kid, err = c.compileCondition(step.Target(), And(n.kids...), depth+1); err != nil {
			return predicate{}, fmt.Errorf("%s: %w", path, err)
		}
	}
	return related(step, kid), nil
}

// related returns the predicate that a related row matches the given one.
func related(relation core.Relation, kid predicate) predicate {
	out := predicate{kind: core.FilterRelated, relation: relation, kids: []predicate{kid}, dynamic: kid.dynamic}
	if !out.dynamic {
		out.static, _ = out.build(nil)
	}
	return out
}

// relationsNamed returns the steps to the related rows of the field: two through a join resource, otherwise one.
func relationsNamed(r *core.Resource, name string) ([]core.Relation, error) {
	f := r.Field(name)
	if f == nil {
		return nil, fmt.Errorf("%s has no field %q", r, name)
	}
	relations := f.Relations()
	if relations == nil {
		return nil, fmt.Errorf("%s is no relation", f)
	}
	return relations, nil
}

func (c *CompiledPolicy) compileParts(r *core.Resource, from Condition, depth int) (predicate, error) {
	out := predicate{kind: from.n.kind, kids: make([]predicate, len(from.n.kids))}
	for i, kid := range from.n.kids {
		var err error
		if out.kids[i], err = c.compileCondition(r, kid, depth+1); err != nil {
			return predicate{}, err
		}
		out.dynamic = out.dynamic || out.kids[i].dynamic
	}
	if !out.dynamic {
		out.static, _ = out.build(nil)
	}
	return out, nil
}

func compileComparison(r *core.Resource, name string, n *conditionNode) (predicate, error) {
	f, err := storedField(r, name)
	if err != nil {
		if slices.Contains([]string{"and", "or", "not", "any", "all", "none"}, name) {
			err = fmt.Errorf("%w; the language has $%s", err, name)
		}
		return predicate{}, err
	}
	if err := checkOperator(f, n.kind); err != nil {
		return predicate{}, err
	}
	out := predicate{kind: n.kind, field: f, operands: make([]operand, len(n.values))}
	for i, raw := range n.values {
		if out.operands[i], err = compileOperand(f, n.kind, raw); err != nil {
			return predicate{}, err
		}
		out.dynamic = out.dynamic || !out.operands[i].fixed
	}
	if !out.dynamic {
		out.static, _ = out.build(nil)
	}
	return out, nil
}

// checkOperator rejects comparisons that the type of the field does not have.
func checkOperator(f *core.Field, kind core.FilterKind) error {
	if f.Many() {
		return fmt.Errorf("%s is to-many and cannot be compared with %s", f, kind)
	}
	if kind.Fits(f.Type()) && !kind.FitsField(f) {
		return fmt.Errorf("%s is Unordered in the model and cannot be compared with %s; use eq, ne or in", f, kind)
	}
	if !kind.Fits(f.Type()) {
		return fmt.Errorf("%s is %s, which has no operator %s; use eq, ne or in", f, f.Type(), kind)
	}
	return nil
}

func compileOperand(f *core.Field, kind core.FilterKind, raw any) (operand, error) {
	if from, ok := raw.(FromPrincipal); ok {
		return operand{from: from}, checkFromPrincipal(f, from)
	}
	v, err := f.Convert(raw)
	if err != nil {
		return operand{}, fmt.Errorf("the value %s does not fit %s, which is %s", literal(raw), f, f.Type())
	}
	if v.IsAbsent() {
		v = core.Null
	}
	if v.IsNull() && !kind.TakesNull() {
		return operand{}, fmt.Errorf("%s %s null never matches; use eq or ne", f, kind)
	}
	return operand{value: v, fixed: true}, nil
}

// literal returns the value as text for a message, with strings in quotes.
func literal(raw any) string {
	switch v := raw.(type) {
	case string:
		return strconv.Quote(v)
	case []any:
		parts := make([]string, len(v))
		for i, part := range v {
			parts[i] = literal(part)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return fmt.Sprint(raw)
}

func checkFromPrincipal(f *core.Field, from FromPrincipal) error {
	switch {
	case !f.Type().Ordered():
		return fmt.Errorf("%s is %s and cannot be compared with a value of the principal", f, f.Type())
	case f.Type() == core.Tuple:
		return fmt.Errorf("%s is a key of several fields and cannot be compared with a value of the principal; compare one of these fields", f)
	case !from.id && from.claim == "":
		return fmt.Errorf("%s is compared with a claim without a name; name the claim", f)
	}
	return nil
}

// storedField returns the field of that name. The error names the field to use instead.
func storedField(r *core.Resource, name string) (*core.Field, error) {
	f := r.Field(name)
	switch {
	case f == nil:
		return nil, fmt.Errorf("%s has no field %q", r, name)
	case f.Stored():
		return f, nil
	case f.Inverse() != nil:
		return nil, fmt.Errorf("%s is stored as %s; write a rule about that field", f, f.Inverse())
	case f.Many():
		near, far := f.Through()
		return nil, fmt.Errorf("%s is stored as %s and %s; write a rule about %s", f, near, far, near.Resource())
	}
	return nil, fmt.Errorf("%s is computed; name the stored fields that it reads", f)
}
