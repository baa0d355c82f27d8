package kit

import (
	"context"
	"slices"
	"testing"

	"github.com/larder-go/larder/core"
)

// Conditions are the Using and Check that a policy adds to an op, and the conditions under which related records exist.
type Conditions struct {
	Using, Check core.Filter
	Related      Guards
	Searched     map[*core.Field]core.Filter // guards of the fields that a search looks into
	IfChanged    []*core.Field               // of updates of their resource, see [core.Op.IfChanged]

	answers *Answers
}

// Guards are conditions by resource. Related records that do not match them do not exist for a caller.
type Guards map[*core.Resource]core.Filter

// In returns a filter that has the same result without guards.
func (g Guards) In(f core.Filter) core.Filter {
	switch f.Kind() {
	case core.FilterAnd:
		return core.And(g.each(f.Filters())...)
	case core.FilterOr:
		return core.Or(g.each(f.Filters())...)
	case core.FilterNot:
		return core.Not(g.In(f.Filters()[0]))
	case core.FilterRelated:
		to := f.Relation()
		return to.Match(core.And(g.In(f.Where()), g[to.Target()]))
	case core.FilterSearch:
		_, in := f.Search()
		return core.And(f, g[in[0].Field.Resource()])
	}
	return f
}

// Over returns the condition that a record to which the relation leads matches, through a join resource too.
func Over(f *core.Field, where core.Filter) core.Filter {
	for _, step := range slices.Backward(f.Relations()) {
		where = step.Match(where)
	}
	return where
}

// Path returns the order with the guards in its paths.
func (g Guards) Path(order []core.Order) []core.Order {
	order = slices.Clone(order)
	for i, o := range order {
		order[i].Path = slices.Clone(o.Path)
		for j, hop := range o.Path {
			order[i].Path[j].Guard = g[hop.Relation.Target()]
		}
	}
	return order
}

func (g Guards) each(parts []core.Filter) []core.Filter {
	all := make([]core.Filter, len(parts))
	for i, part := range parts {
		all[i] = g.In(part)
	}
	return all
}

// Answers are conditions that the backend evaluates on each record that an operation returns, and its answers for the
// last operation.
type Answers struct {
	Asked []core.Filter
	Given [][]bool
}

type conditionsKey struct{}

// conditions returns the conditions of the client.
func (c *Client) conditions() Conditions {
	set, _ := c.Ctx.Value(conditionsKey{}).(Conditions)
	return set
}

// under returns a client with the conditions.
func (c *Client) under(set Conditions) *Client {
	next := *c
	next.Ctx = context.WithValue(c.Ctx, conditionsKey{}, set)
	return &next
}

// Guarded returns a client that runs its operations under a policy: the filter applies to the before image and to the
// after image, as with [core.Op.Guard].
func (c *Client) Guarded(f core.Filter) *Client { return c.GuardedBy(f, f) }

// GuardedBy returns a client that runs its operations under a policy with different filters for the before image and the
// after image.
func (c *Client) GuardedBy(using, check core.Filter) *Client {
	set := c.conditions()
	set.Using, set.Check = using, check
	return c.under(set)
}

// Seeing returns a client for which only the records of the resource that match the filter exist, in conditions and
// orders on related records.
func (c *Client) Seeing(resource string, f core.Filter) *Client {
	r := c.Resource(resource)
	return c.SeeingAll(Guards{r: Must(r.Bind(f))(c, "bind")})
}

// SeeingAll is [Client.Seeing] for several resources.
func (c *Client) SeeingAll(related Guards) *Client {
	set := c.conditions()
	set.Related = related
	return c.under(set)
}

// Searching returns a client whose searches look into the fields only of the records that match the filters.
func (c *Client) Searching(guards map[*core.Field]core.Filter) *Client {
	set := c.conditions()
	set.Searched = guards
	return c.under(set)
}

// Stamping returns a client whose updates set the fields of the resource only in records in which another field changes.
func (c *Client) Stamping(resource string, fields ...string) *Client {
	set := c.conditions()
	for _, name := range fields {
		set.IfChanged = append(slices.Clip(set.IfChanged), c.Resource(resource).Field(name))
	}
	return c.under(set)
}

// Asking returns a client whose operations have the conditions of [core.Op.Conditions], and the place of the answers.
func (c *Client) Asking(resource string, conditions ...core.Filter) (*Client, *Answers) {
	set := c.conditions()
	set.answers = new(Answers)
	for _, f := range conditions {
		set.answers.Asked = append(set.answers.Asked, Must(c.Resource(resource).Bind(f))(c, "bind"))
	}
	return c.under(set), set.answers
}

// conditionsDecorator returns the decorator that adds the conditions of a client to its ops. It also gives the backend
// copies of the op's slices. Afterwards it reports an error if the backend changed a copy, and clears the copies, so
// that a backend that kept one returns wrong records.
func conditionsDecorator(tb testing.TB) core.Decorator {
	return core.Decorator{
		Name: "storetest", Kind: core.KindPolicy, UsesRelated: true,
		Wrap: func(_ *core.Model, next core.Handler) (core.Handler, error) {
			return func(ctx context.Context, op *core.Op) (core.Result, error) {
				if op.Kind == core.Tx {
					return next(ctx, op)
				}
				set, _ := ctx.Value(conditionsKey{}).(Conditions)
				if op.Kind == core.Visibility {
					op.Using = core.And(op.Using, set.Related[op.Resource])
					for _, f := range op.Fields {
						op.Using = core.And(op.Using, set.Searched[f])
					}
					return next(ctx, op)
				}
				op.Using, op.Check = core.And(op.Using, set.Using), core.And(op.Check, set.Check)
				if set.answers != nil {
					op.Conditions = slices.Clone(set.answers.Asked)
				}
				if op.Kind == core.Update && len(set.IfChanged) > 0 && set.IfChanged[0].Resource() == op.Resource {
					op.IfChanged = set.IfChanged
				}
				lent := cloneSlices(op)
				res, err := next(ctx, op)
				lent.checkAndClear(tb)
				if set.answers != nil {
					set.answers.Given = res.Conditions
				}
				return res, err
			}, nil
		},
	}
}

// clonedSlices are the slices of one op before the call, and the copies that the backend gets.
type clonedSlices struct {
	keys, keysBefore       []core.Value
	records, recordsBefore []core.Record
	after, afterBefore     []core.Value
}

// cloneSlices replaces the slices of the op by copies.
func cloneSlices(op *core.Op) clonedSlices {
	l := clonedSlices{keysBefore: op.Keys, recordsBefore: op.Records, afterBefore: op.After}
	l.keys, l.records, l.after = slices.Clone(op.Keys), slices.Clone(op.Records), slices.Clone(op.After)
	op.Keys, op.Records, op.After = l.keys, l.records, l.after
	return l
}

// checkAndClear reports an error if the backend changed a copy, and clears the copies.
func (l clonedSlices) checkAndClear(tb testing.TB) {
	if !slices.Equal(l.keys, l.keysBefore) || !slices.Equal(l.after, l.afterBefore) ||
		!slices.EqualFunc(l.records, l.recordsBefore, core.Record.Equal) {
		tb.Errorf("the backend changed a slice of its op; it may only read them")
	}
	clear(l.keys)
	clear(l.records)
	clear(l.after)
}
