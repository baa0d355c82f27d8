package access

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
)

// Explanation is the decision of a policy about an operation, with its reasons.
type Explanation struct {
	// Err is the error that the principal gets for every row. It is nil if the policy permits the operation on the rows
	// that match Using and Check.
	Err error
	// Using is the condition on the rows before the operation, of all rules that apply. Call its Match to decide about one
	// row.
	Using core.Filter
	// Check is the condition on the rows after an Insert or Update.
	Check core.Filter
	// Unordered lists the fields of the question that a read may name but not sort by or compare by size. They are to-one
	// fields that may hold ids of rows that the principal may not read. Such a read is [core.SearchForbidden].
	Unordered []string
	// Unindexed lists the fields by which the conditions look for related rows without an index, such as "membership.user". Set
	// [core.FieldSpec] Indexed on them: otherwise each operation may read all rows of the related resource.
	Unindexed []string
	// Verdicts has a verdict of each rule about this operation on this resource, in the order of the policy.
	Verdicts []Verdict

	text string
}

// Verdict says whether one rule applies to an operation.
type Verdict struct {
	Rule    string // Rule is its number from 1 and its name: "rule 3 (name)".
	Applies bool   // Applies reports whether the rule permits the operation on some rows.
	Reason  string // Reason says why the rule does not apply, such as "is for baker". It is "" if the rule applies.
}

// Allowed reports whether Err is nil: at least one rule applies.
func (e Explanation) Allowed() bool { return e.Err == nil }

// String returns the explanation in one line. It contains no value of a row, a claim or an id, and so is fit for a log.
func (e Explanation) String() string { return e.text }

// Explain returns the decision of the policy about one operation of the principal p on the resource. Resource and fields
// have the names of the model. A nil p is anonymous. Use it to test a policy and to answer questions about it; the decorator
// decides by the same rules.
//
// fields are the fields that a read filters or sorts by, or that a write sets. An Insert sets a field unless it gives it
// the fixed default of the model. o is a single operation: [ChooseKey] stands for an Insert with a key that the caller chose.
//
// Errors: Err of the explanation is also set if o is not a single operation, or if the model has no such resource or stored
// field.
func (c *CompiledPolicy) Explain(p *core.Principal, o Operation, resource string, fields ...string) Explanation {
	e := Explanation{Using: core.None(), Check: core.None()}
	r, named, err := c.resolve(o, resource, fields)
	switch {
	case err != nil:
		e.Err, e.text = err, err.Error()
	case p.IsSystem():
		e.Using, e.Check, e.text = core.All(), core.All(), "the system principal may do everything"
	default:
		e.Verdicts = c.verdicts(p, o, r, named)
		e.text = describe(o, r, e.Verdicts)
		c.decide(&e, p, o, r, named)
		if o == Read && e.Err == nil {
			c.addUnordered(&e, p, named)
		}
		e.addUnindexed(e.Using)
		e.addUnindexed(e.Check)
	}
	return e
}

// resolve finds the resource and the fields in the model.
func (c *CompiledPolicy) resolve(o Operation, resource string, fields []string) (*core.Resource, []*core.Field, error) {
	if !slices.Contains([]Operation{Read, Insert, Update, Delete, ChooseKey, Restore}, o) {
		return nil, nil, fmt.Errorf("access: Explain takes exactly one operation, not %s", cmp.Or(o.String(), "none"))
	}
	r := c.model.Resource(resource)
	if r == nil {
		return nil, nil, fmt.Errorf("access: the model %q has no resource %q", c.model.Name(), resource)
	}
	named := make([]*core.Field, len(fields))
	for i, name := range fields {
		var err error
		if named[i], err = storedField(r, name); err != nil {
			return nil, nil, fmt.Errorf("access: %w", err)
		}
	}
	return r, named, nil
}

// decide sets the conditions of the explanation, or its error.
func (c *CompiledPolicy) decide(e *Explanation, p *core.Principal, o Operation, r *core.Resource, named []*core.Field) {
	all := grantsFor(c.of(r).of(o), p)
	if len(all) == 0 {
		e.Err = denied(p, r, nil)
		return
	}
	allowed, unlisted := all.withFields(func(l *fieldList) *core.Field { return l.unlisted(named) })
	switch {
	case len(allowed) > 0:
		e.Using, e.Check = allowed.using(), allowed.check()
	case o == Read:
		e.Err = unknownField(unlisted, nil)
	default:
		e.Err = fieldNotWritable(unlisted, grantsFor(c.of(r).read, p), nil)
	}
}

func (c *CompiledPolicy) addUnordered(e *Explanation, p *core.Principal, named []*core.Field) {
	for _, f := range named {
		if c.hidesOrder(p, f) {
			e.Unordered = append(e.Unordered, f.Name())
			e.text += "; " + orderDenied(f)
		}
	}
}

// addUnindexed adds the fields that conditions on related rows compare, if none of the fields of the condition has an index.
func (e *Explanation) addUnindexed(f core.Filter) {
	for _, part := range f.Filters() {
		e.addUnindexed(part)
	}
	if f.Kind() != core.FilterRelated {
		return
	}
	e.addUnindexed(f.Where())
	fields := f.Where().Fields()
	if len(fields) == 0 || slices.ContainsFunc(fields, func(f *core.Field) bool { return f.Key() || f.Indexed() }) {
		return
	}
	for _, field := range fields {
		if !slices.Contains(e.Unindexed, field.String()) {
			e.Unindexed = append(e.Unindexed, field.String())
			e.text += "; set Indexed on " + field.String()
		}
	}
}

// verdicts returns the verdict of every rule about the operation. For ChooseKey these are all rules about Insert, since a
// reader wants to know why a rule for Insert does not suffice.
func (c *CompiledPolicy) verdicts(p *core.Principal, o Operation, r *core.Resource, fields []*core.Field) []Verdict {
	rules := c.of(r).of(o)
	if o == ChooseKey {
		rules = c.of(r).insert
	}
	out := make([]Verdict, len(rules))
	for i, rule := range rules {
		reason := rule.exclusion(p, o, fields)
		out[i] = Verdict{Rule: rule.label, Applies: reason == "", Reason: reason}
	}
	return out
}

// exclusion returns the reason why the rule does not apply, or "".
func (r *rule) exclusion(p *core.Principal, o Operation, fields []*core.Field) string {
	if !r.isFor(p) {
		return "is for " + strings.Join(r.roles, ", ")
	}
	if o == ChooseKey && !r.choosesKey {
		return "does not permit choose_key"
	}
	for _, condition := range [...]*predicate{&r.using, &r.check} {
		if _, lacks := condition.filter(p); lacks != nil {
			return lacks.String()
		}
	}
	if f := r.fields.unlisted(fields); f != nil {
		return "does not list " + f.Name()
	}
	return ""
}

// describe returns the verdicts in one line.
func describe(o Operation, r *core.Resource, verdicts []Verdict) string {
	if len(verdicts) == 0 {
		return fmt.Sprintf("no rule is about %s of %s", o, r)
	}
	decision := "denied"
	if slices.ContainsFunc(verdicts, func(v Verdict) bool { return v.Applies }) {
		decision = "allowed"
	}
	parts := make([]string, len(verdicts))
	for i, v := range verdicts {
		if parts[i] = v.Rule + " applies"; !v.Applies {
			parts[i] = v.Rule + " " + v.Reason
		}
	}
	return fmt.Sprintf("%s of %s is %s: %s", o, r, decision, strings.Join(parts, "; "))
}
