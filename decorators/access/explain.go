package access

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
)

// Explanation is what a policy says of an operation, and why.
type Explanation struct {
	// Err is what the principal is answered if no row allows the operation; nil if
	// rows may, see [Explanation.Using] and [Explanation.Check].
	Err error
	// Using is the condition on the rows as they are, of all rules that apply. To
	// ask about one row, call its Match.
	Using core.Filter
	// Check is the condition on the rows as an Insert or Update leaves them.
	Check core.Filter
	// Unordered are those of the fields in question that a read may name, but not sort
	// by nor ask for a range of: to-one fields, some of whose ids may be those of rows
	// that the principal does not see. It would be answered [core.SearchForbidden].
	Unordered []string
	// Verdicts are what each rule about this operation on the resource says, in
	// the order of the policy.
	Verdicts []Verdict

	text string
}

// Verdict is what one rule says of an operation.
type Verdict struct {
	Rule    string // number and name
	Applies bool
	Reason  string // why it does not apply
}

// Allowed reports whether some rule applies.
func (e Explanation) Allowed() bool { return e.Err == nil }

// String tells it in one line without any value of a row or a claim, fit for a
// log.
func (e Explanation) String() string { return e.text }

// Explain says what the policy answers p, which is nil for nobody, to one
// operation on the resource that names the fields: filters or sorts by them if it
// reads, sets them if it writes, those of a new record to another value than the
// model's default. It is for tests of a policy and for whoever asks why; the decorator
// decides by the same rules.
//
// What is one operation, not a set of them. [ChooseKey] stands for an Insert with a key that
// the caller chose. The explanation's Err says so if it is not,
// and if the model has no such resource or stored field.
func (c *CompiledPolicy) Explain(p *core.Principal, what Operation, resource string, fields ...string) Explanation {
	e := Explanation{Using: core.None(), Check: core.None()}
	r, named, err := c.question(what, resource, fields)
	switch {
	case err != nil:
		e.Err, e.text = err, err.Error()
	case p.IsSystem():
		e.Using, e.Check, e.text = core.All(), core.All(), "the program itself passes"
	default:
		e.Verdicts = c.verdicts(p, what, r, named)
		e.text = describe(what, r, e.Verdicts)
		c.decide(&e, p, what, r, named)
		c.order(&e, p, what, named)
	}
	return e
}

// order says which of the fields that may be named have no order.
func (c *CompiledPolicy) order(e *Explanation, p *core.Principal, what Operation, named []*core.Field) {
	if what != Read || e.Err != nil {
		return
	}
	for _, f := range named {
		if c.unordered(p, f) {
			e.Unordered = append(e.Unordered, f.Name())
			e.text += "; " + unorderedText(f)
		}
	}
}

// question resolves what Explain was asked about.
func (c *CompiledPolicy) question(what Operation, resource string, fields []string) (*core.Resource, []*core.Field, error) {
	if !slices.Contains([]Operation{Read, Insert, Update, Delete, ChooseKey}, what) {
		return nil, nil, fmt.Errorf("access: the question is about %s; Explain takes exactly one", cmp.Or(what.String(), "no operation"))
	}
	r := c.model.Resource(resource)
	if r == nil {
		return nil, nil, fmt.Errorf("access: model %q has no resource %q", c.model.Name(), resource)
	}
	named := make([]*core.Field, len(fields))
	for i, name := range fields {
		var err error
		if named[i], err = storedField(r, name); err != nil {
			return nil, nil, fmt.Errorf("access: the question %w", err)
		}
	}
	return r, named, nil
}

// decide fills in the conditions, or the error.
func (c *CompiledPolicy) decide(e *Explanation, p *core.Principal, what Operation, r *core.Resource, named []*core.Field) {
	allowed := grants(c.of(r).of(what), p)
	if len(allowed) == 0 {
		e.Err = refused(p, r, nil)
		return
	}
	var using, check []core.Filter
	var bad *core.Field
	for _, g := range allowed {
		if f := g.rule.fields.missingAny(named); f != nil {
			bad = orElse(bad, f)
			continue
		}
		using, check = append(using, g.using), append(check, g.check)
	}
	switch {
	case len(using) > 0:
		e.Using, e.Check = core.Or(using...), core.Or(check...)
	case what == Read:
		e.Err = unreadable(bad, nil)
	default:
		e.Err = unwritable(bad, grants(c.of(r).read, p), nil)
	}
}

func (l *list) missingAny(fields []*core.Field) *core.Field {
	for _, f := range fields {
		if !l.allows(f) {
			return f
		}
	}
	return nil
}

// verdicts asks every rule about the operation on the resource.
func (c *CompiledPolicy) verdicts(p *core.Principal, what Operation, r *core.Resource, fields []*core.Field) []Verdict {
	rules := c.of(r).about(what)
	out := make([]Verdict, len(rules))
	for i, rule := range rules {
		reason := rule.objection(p, what, fields)
		out[i] = Verdict{Rule: rule.label, Applies: reason == "", Reason: reason}
	}
	return out
}

// objection says why the rule does not apply; "" if it does.
func (r *rule) objection(p *core.Principal, what Operation, fields []*core.Field) string {
	if !r.isFor(p) {
		return "is for " + strings.Join(r.roles, ", ")
	}
	if what == ChooseKey && !r.chooses {
		return "does not allow choose_key"
	}
	for _, condition := range [...]*predicate{&r.using, &r.check} {
		if _, missing := condition.filter(p); missing != nil {
			return "takes from the principal what it has not or not in the type of the field: " + missing.from.String()
		}
	}
	if f := r.fields.missingAny(fields); f != nil {
		return "does not list " + f.Name()
	}
	return ""
}

// describe tells what rules say in one line.
func describe(what Operation, r *core.Resource, verdicts []Verdict) string {
	if len(verdicts) == 0 {
		return fmt.Sprintf("no rule is about %s of %s", what, r)
	}
	verb := "refused"
	if slices.ContainsFunc(verdicts, func(v Verdict) bool { return v.Applies }) {
		verb = "allowed"
	}
	parts := make([]string, len(verdicts))
	for i, v := range verdicts {
		if parts[i] = v.Rule + " applies"; !v.Applies {
			parts[i] = v.Rule + " " + v.Reason
		}
	}
	return fmt.Sprintf("%s of %s is %s: %s", what, r, verb, strings.Join(parts, "; "))
}
