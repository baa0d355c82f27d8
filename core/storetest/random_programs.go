package storetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"pgregory.net/rapid"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/reference"
	"github.com/larder-go/larder/core/storetest/internal/kit"
)

var randomRules = []rule{
	{
		"random programs agree with the oracle",
		"Any sequence of operations and transactions returns the results of maps and the reference functions of core.",
		randomPrograms,
	},
	{
		"random searches and figures agree with the oracle",
		"Searches, parts of texts, and the counts, sums, least and greatest values of groups are those of the reference functions, for random texts, integers and decimals.",
		randomFigures,
	},
}

// program runs random operations on a store and on an oracle, and compares the results.
type program struct {
	fixture *kit.Fixture
	ctx     context.Context
	oracle  *oracle
	next    *pageQuery
}

func randomPrograms(t *kit.Fixture) {
	kit.Repeat(t.TB, t.Opts.Checks, func(r *rapid.T) {
		own := t.OnNewBackend()
		defer func() { _ = own.Store.Close() }()
		ctx, cancel := context.WithTimeout(t.TB.Context(), t.Opts.Timeout)
		defer cancel()
		p := &program{fixture: own, ctx: ctx, oracle: newOracle(own.Model)}
		if (kit.Drawer{T: r}).Bool("begins with records") {
			p.fill(r)
		}
		actions := map[string]func(*rapid.T){
			"operation":   p.singleOperation,
			"transaction": p.transaction,
		}
		if t.Opts.Reopen != nil {
			actions["reopen"] = func(r *rapid.T) { r.Log("reopen"); own.Reopen() }
		}
		r.Repeat(actions)
	})
}

// randomFigures searches and aggregates random records.
func randomFigures(t *kit.Fixture) {
	sample := t.Resource("sample")
	text := rapid.StringOfN(rapid.SampledFrom([]rune("aAkÉ%_\\é \u0130\u212a\u0301\n")), 0, 6, -1)
	optional := func(r *rapid.T, name string, value any) any {
		if rapid.IntRange(0, 4).Draw(r, name+" is null") == 0 {
			return nil
		}
		return value
	}
	draw := func(r *rapid.T) (samples, cookies []core.Record) {
		for i := range rapid.IntRange(0, 12).Draw(r, "records") {
			samples = append(samples, t.Full("sample", kit.Fields{
				"id": i, "bool": optional(r, "bool", rapid.Bool().Draw(r, "bool")), "text": optional(r, "text", text.Draw(r, "text")),
				"int":     optional(r, "int", rapid.OneOf(rapid.Int64(), rapid.Int64Range(-2, 2)).Draw(r, "int")),
				"decimal": optional(r, "decimal", rapid.StringMatching(`-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?`).Draw(r, "decimal")),
			}))
			cookies = append(cookies, t.Full("cookie", kit.Fields{
				"id": i, "kind": optional(r, "kind", text.Draw(r, "kind")), "note": optional(r, "note", text.Draw(r, "note")),
			}))
		}
		return samples, cookies
	}
	t.CheckRandomly(func(ctx context.Context, r *rapid.T) error {
		samples, cookies := draw(r)
		c := *t.Client
		c.Ctx = ctx
		all := func(res *core.Resource) iter.Seq[core.Record] {
			if res == sample {
				return slices.Values(samples)
			}
			return slices.Values(cookies)
		}
		cookie := t.Resource("cookie")
		defer func() {
			_ = c.Querier.Delete(t.Ctx, sample, kit.KeysOf(samples)...)
			_ = c.Querier.Delete(t.Ctx, cookie, kit.KeysOf(cookies)...)
		}()
		if _, err := c.Querier.Insert(ctx, sample, samples...); err != nil {
			return err
		}
		if _, err := c.Querier.Insert(ctx, cookie, cookies...); err != nil {
			return err
		}
		a := core.Aggregation{Group: rapid.SampledFrom([][]string{nil, {"bool"}, {"text"}, {"decimal"}, {"bool", "text"}}).Draw(r, "group")}
		if rapid.Bool().Draw(r, "filtered") {
			a.Where = kit.Certain(sample.Bind(core.IContains("text", text.Draw(r, "part"))))
		}
		op := &core.Op{Kind: core.Aggregate, Resource: sample, Where: a.Where}
		for _, name := range a.Group {
			op.Order = append(op.Order, core.Order{Field: sample.Field(name)})
		}
		for _, m := range []core.Measure{core.SumOf("int"), core.SumOf("decimal"), core.MinOf("decimal"), core.MaxOf("decimal"), core.MinOf("text"), core.MaxOf("int")} {
			a.Measures = append(a.Measures, m)
			m.Field = sample.Field(m.Name)
			op.Measures = append(op.Measures, m)
		}
		got, err := c.Querier.Aggregate(ctx, sample, a)
		if want := kit.Certain(reference.Aggregate(all, op)).Groups; err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			return fmt.Errorf("groups by %q where %v: got %v, %w, want %v", a.Group, a.Where, got, err, want)
		}
		found := kit.Certain(cookie.Bind(core.Search(text.Draw(r, "word") + " " + text.Draw(r, "word"))))
		n, err := c.Querier.Count(ctx, cookie, found)
		if want := kit.Certain(reference.Count(all, &core.Op{Kind: core.Count, Resource: cookie, Where: found})); err != nil || n != want {
			return fmt.Errorf("%v: found %d, %w, want %d", found, n, err, want)
		}
		return nil
	})
}

// fill inserts a record with each key that programs use.
func (p *program) fill(r *rapid.T) {
	p.oracle.begin()
	d := kit.Drawer{T: r}
	for _, name := range []string{"jar", "cookie"} {
		res := p.oracle.model.Resource(name)
		var recs []core.Record
		for _, key := range d.AllKeys(res) {
			rec := res.RecordOf(d.Columns(res)).With(res.Key().Column(), key)
			for _, f := range res.Uniques() {
				rec = rec.With(f.Column(), core.Null)
			}
			recs = append(recs, p.fixture.Full(name, rec.Map()))
		}
		r.Logf("filled with %v", recs)
		if _, err := p.fixture.Store.Insert(p.ctx, res, recs...); err != nil {
			r.Fatalf("%v", err)
		}
		p.oracle.insert(res, recs, core.All())
	}
	p.oracle.commit()
}

// singleOperation runs one operation outside a transaction.
func (p *program) singleOperation(r *rapid.T) {
	p.oracle.begin()
	r.Log("single operation:")
	expected, err := p.operation(p.ctx, r, p.fixture.Store)
	if !expected.required() {
		expected = expected.union(p.oracle.violations())
	}
	p.checkEnd(r, expected, err)
}

// transaction runs several operations, and then commits or rolls back.
func (p *program) transaction(r *rapid.T) {
	p.oracle.begin()
	var expected expectedErrors
	err := p.fixture.Store.TxWith(p.ctx, core.TxOptions{Attempts: 1}, func(ctx context.Context, tx *core.Transaction) error {
		r.Log("begin:")
		for range 1 + (kit.Drawer{T: r}).UpTo(5, "more operations") {
			var err error
			if expected, err = p.operation(ctx, r, tx); err != nil || expected.required() {
				return err
			}
		}
		if (kit.Drawer{T: r}).UpTo(3, "commit") == 0 {
			return kit.ErrRollback
		}
		expected = p.oracle.violations()
		return nil
	})
	if errors.Is(err, kit.ErrRollback) {
		p.oracle.rollback()
		return
	}
	p.checkEnd(r, expected, err)
}

// checkEnd compares the result of a transaction with the expected errors.
func (p *program) checkEnd(r *rapid.T, expected expectedErrors, err error) {
	got := kit.PublicText(err)
	r.Logf("ended: %s", got)
	_, may := expected[got]
	switch {
	case err == nil && !expected.required():
		p.oracle.commit()
	case err != nil && may:
		p.oracle.rollback()
	default:
		r.Fatalf("got %s, want %v", got, expected)
	}
}

// operation runs one operation on both sides and compares the results. It returns the expected errors and the error.
func (p *program) operation(ctx context.Context, r *rapid.T, querier core.Querier) (expectedErrors, error) {
	d := kit.Drawer{T: r}
	res := d.Resource(p.oracle.model)
	policy := d.Conditions(res)
	policy.Related = d.Guards(p.oracle.model)
	c := &kit.Client{TB: p.fixture.TB, Ctx: ctx, Model: p.oracle.model, Querier: querier}
	s := step{program: p, d: d, c: c.GuardedBy(policy.Using, policy.Check).SeeingAll(policy.Related), res: res, Conditions: policy}
	kinds := []func() (expectedErrors, error){
		s.insert, s.insert, s.insert, s.update, s.update, s.delete, s.load, s.count, s.aggregate, s.selectPage, s.selectPage, s.nextPage, s.nextIDs,
	}
	return kinds[d.UpTo(len(kinds)-1, "kind")]()
}
