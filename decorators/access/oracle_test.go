package access_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/larder-go/larder/backends/memory"
	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/decorators/access"
)

// term is a condition of the oracle: a comparison of the int field price or baker, or an And, Or or Not of terms.
type term struct {
	op    string
	field string
	value any // an int64, or the name of a claim, or "id"
	kids  []term
}

func drawTerm(t *rapid.T, depth int) term {
	ops := []string{"eq", "ne", "lt", "ge", "eq", "ne", "lt", "ge", "and", "or", "not"}
	if depth == 0 {
		ops = ops[:4]
	}
	c := term{op: rapid.SampledFrom(ops).Draw(t, "op")}
	switch c.op {
	case "and", "or":
		c.kids = []term{drawTerm(t, depth-1), drawTerm(t, depth-1)}
	case "not":
		c.kids = []term{drawTerm(t, depth-1)}
	default:
		c.field = rapid.SampledFrom([]string{"price", "baker"}).Draw(t, "field")
		c.value = rapid.SampledFrom([]any{int64(1), int64(2), "id", "c", "missing"}).Draw(t, "value")
	}
	return c
}

func (c term) condition() access.Condition {
	var value = c.value
	switch value {
	case "id":
		value = access.PrincipalID()
	case "c", "missing":
		value = access.PrincipalClaim(c.value.(string)) //nolint:forcetypeassert // it is a string in these cases
	}
	switch c.op {
	case "eq":
		return access.Eq(c.field, value)
	case "ne":
		return access.Ne(c.field, value)
	case "lt":
		return access.Lt(c.field, value)
	case "ge":
		return access.Ge(c.field, value)
	case "and":
		return access.And(c.kids[0].condition(), c.kids[1].condition())
	case "or":
		return access.Or(c.kids[0].condition(), c.kids[1].condition())
	}
	return access.Not(c.kids[0].condition())
}

// known reports whether p has every value in the condition.
func (c term) known(p *core.Principal) bool {
	for _, kid := range c.kids {
		if !kid.known(p) {
			return false
		}
	}
	switch c.value {
	case "id":
		return p.ID.Type() == core.Int
	case "c":
		_, number := p.Claims["c"].(float64)
		return number
	}
	return c.value != "missing"
}

func (c term) holds(p *core.Principal, row core.Record) bool {
	switch c.op {
	case "and":
		return c.kids[0].holds(p, row) && c.kids[1].holds(p, row)
	case "or":
		return c.kids[0].holds(p, row) || c.kids[1].holds(p, row)
	case "not":
		return !c.kids[0].holds(p, row)
	}
	var want int64
	switch v := c.value.(type) {
	case int64:
		want = v
	case string:
		if want = p.ID.Int(); v == "c" {
			want = int64(p.Claims["c"].(float64)) //nolint:forcetypeassert // known has checked the type
		}
	}
	v := row.Get(c.field)
	switch c.op {
	case "eq":
		return v.IsSet() && v.Int() == want
	case "ne":
		return !v.IsSet() || v.Int() != want
	case "lt":
		return v.IsSet() && v.Int() < want
	}
	return v.IsSet() && v.Int() >= want
}

// oracleRule is a rule of the oracle.
type oracleRule struct {
	roles  []string
	ops    access.Operation
	fields []string // nil means all
	using  *term
	check  *term
}

func drawOracleRule(t *rapid.T) oracleRule {
	l := oracleRule{
		roles: rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", access.Authenticated}), 1, 2, rapid.ID).Draw(t, "roles"),
		ops:   rapid.SampledFrom([]access.Operation{access.Read, access.Update, access.Read | access.Update}).Draw(t, "operations"),
	}
	if rapid.Bool().Draw(t, "list") {
		l.fields = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"name", "price", "baker", "shop"}), 0, 4, rapid.ID).Draw(t, "fields")
	}
	if rapid.Bool().Draw(t, "has using") {
		c := drawTerm(t, 2)
		l.using = &c
	}
	if l.ops != access.Read && rapid.Bool().Draw(t, "has check") {
		c := drawTerm(t, 1)
		l.check = &c
	}
	return l
}

func (l oracleRule) rule() access.Rule {
	r := access.Rule{Roles: l.roles, Resource: "bread", Operations: l.ops, Fields: l.fields}
	if l.using != nil {
		r.Using = l.using.condition()
	}
	if l.check != nil {
		r.Check = l.check.condition()
	}
	return r
}

func (l oracleRule) allows(field string) bool {
	return l.fields == nil || field == "id" || slices.Contains(l.fields, field)
}

func (l oracleRule) appliesTo(p *core.Principal, op access.Operation) bool {
	isFor := slices.ContainsFunc(l.roles, func(role string) bool { return role == access.Authenticated || slices.Contains(p.Roles, role) })
	return isFor && l.ops&op != 0 && (l.using == nil || l.using.known(p)) && (l.check == nil || l.check.known(p))
}

func (l oracleRule) before(p *core.Principal, row core.Record) bool {
	return l.using == nil || l.using.holds(p, row)
}

func (l oracleRule) after(p *core.Principal, row core.Record) bool {
	if l.check == nil {
		return l.before(p, row)
	}
	return l.check.holds(p, row)
}

type oracleRules []oracleRule

func (ls oracleRules) applying(p *core.Principal, op access.Operation) oracleRules {
	return slices.DeleteFunc(slices.Clone(ls), func(l oracleRule) bool { return !l.appliesTo(p, op) })
}

func (ls oracleRules) allowing(fields ...string) oracleRules {
	return slices.DeleteFunc(slices.Clone(ls), func(l oracleRule) bool {
		return slices.ContainsFunc(fields, func(f string) bool { return !l.allows(f) })
	})
}

// shown returns the part of a row that readers see, as a string.
func (ls oracleRules) shown(p *core.Principal, row core.Record) string {
	seen := make(map[string]bool)
	for _, l := range ls {
		if l.before(p, row) {
			for _, f := range row.Resource().Columns() {
				seen[f.Name()] = seen[f.Name()] || l.allows(f.Name())
			}
		}
	}
	seen["id"] = true
	for i, f := range row.Resource().Columns() {
		if !seen[f.Name()] {
			row = row.With(i, core.Value{})
		}
	}
	return row.String() + "\n"
}

// scenario is a store with a random policy and some rows.
type scenario struct {
	*rapid.T

	store     *core.Store
	policy    access.Policy
	bread     *core.Resource
	rows      []core.Record
	rules     oracleRules
	shops     string // that role a reads: none, some or all
	principal *core.Principal
}

func newScenario(tb testing.TB, rt *rapid.T) scenario {
	g := scenario{T: rt, rules: rapid.SliceOfN(rapid.Custom(drawOracleRule), 1, 5).Draw(rt, "rules")}
	for _, l := range g.rules {
		g.policy = append(g.policy, l.rule())
	}
	g.shops = rapid.SampledFrom([]string{"none", "some", "all"}).Draw(rt, "shops")
	g.policy = append(g.policy, shopRules[g.shops]...)
	store, err := core.New(tb.Context(), bakery(), memory.New(), access.New(g.policy, access.Options{}))
	if err != nil {
		rt.Fatal(err)
	}
	g.store, g.bread = store, store.Model().Resource("bread")
	g.add(tb, store.Model().Resource("shop"), map[string]any{"id": 1, "city": "Krakow"})
	g.add(tb, store.Model().Resource("shop"), map[string]any{"id": 2, "city": "Gdansk"})
	shops := []any{2, nil, 1, 1}
	for _, price := range []any{nil, 1, 2} {
		for _, baker := range []any{nil, 1, 2} {
			shop := shops[len(g.rows)%len(shops)]
			g.rows = append(g.rows, g.add(tb, g.bread, map[string]any{"name": "n", "price": price, "baker": baker, "shop": shop})...)
		}
	}
	g.principal = &core.Principal{
		ID:     rapid.SampledFrom([]core.Value{core.IntValue(1), core.IntValue(2), core.TextValue("1"), core.Null}).Draw(rt, "id"),
		Roles:  rapid.SliceOfDistinct(rapid.SampledFrom([]string{"a", "b", "c"}), rapid.ID).Draw(rt, "roles"),
		Claims: map[string]any{"c": rapid.SampledFrom([]any{1.0, 2.0, "1", nil}).Draw(rt, "claim")},
	}
	return g
}

var shopRules = map[string]access.Policy{
	"some": {{Roles: []string{"a"}, Resource: "shop", Operations: access.Read, Using: access.Ne("city", "Gdansk")}},
	"all":  {{Roles: []string{"a"}, Resource: "shop", Operations: access.Read, Fields: []string{}}},
}

func (g scenario) add(tb testing.TB, r *core.Resource, values map[string]any) []core.Record {
	rec, err := r.NewRecord(values)
	if err != nil {
		g.Fatal(err)
	}
	added, err := g.store.Insert(core.System(tb.Context()), r, rec)
	if err != nil {
		g.Fatal(err)
	}
	return added
}

func (g scenario) seesAllShops() bool {
	return g.shops == "all" && slices.Contains(g.principal.Roles, "a")
}

func (g scenario) wantSelect(where map[string]core.Filter, order string) string {
	readers := g.rules.applying(g.principal, access.Read)
	if len(readers) == 0 {
		return "FORBIDDEN"
	}
	named := slices.Collect(maps.Keys(where))
	if order != "" {
		named = append(named, order)
	}
	meeting := readers.allowing(named...)
	if len(meeting) == 0 {
		return "FIELD_DOES_NOT_EXIST"
	}
	if slices.Contains(named, "shop") && !g.seesAllShops() {
		return "SEARCH_FORBIDDEN"
	}
	rows := slices.DeleteFunc(slices.Clone(g.rows), func(row core.Record) bool {
		for _, f := range where {
			bound, err := g.bread.Bind(f)
			matches, undecided := bound.Match(row, nil)
			if err != nil || undecided != nil || !matches {
				return true
			}
		}
		return !slices.ContainsFunc(meeting, func(l oracleRule) bool { return l.before(g.principal, row) })
	})
	if order != "" {
		by := g.bread.Field(order).Column()
		slices.SortStableFunc(rows, func(a, b core.Record) int { return core.Compare(a.At(by), b.At(by)) })
	}
	var b strings.Builder
	for _, row := range rows {
		b.WriteString(readers.shown(g.principal, row))
	}
	return b.String()
}

func TestReadsAgreeWithTheOracle(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		g := newScenario(t, rt)
		where, q := make(map[string]core.Filter), core.Query{}
		if rapid.Bool().Draw(rt, "filters") {
			f := core.Not(core.Eq("price", 1))
			where["price"], q.Where = f, f
		}
		if rapid.Bool().Draw(rt, "has a range") {
			f := core.Ge("shop", 1)
			where["shop"], q.Where = f, core.And(q.Where, core.Or(f))
		}
		order := rapid.SampledFrom([]string{"", "", "price", "baker", "shop"}).Draw(rt, "order")
		if order != "" {
			q.Order = []string{order}
		}
		page, err := g.store.Select(core.WithPrincipal(t.Context(), g.principal), g.bread, q)
		got := lines(page.Records)
		if err != nil {
			got = string(core.AsError(err).Code)
		}
		if want := g.wantSelect(where, order); got != want {
			rt.Fatalf("got\n%s\nwant\n%s", got, want)
		}
		named := slices.Collect(maps.Keys(where))
		if order != "" {
			named = append(named, order)
		}
		g.explains(named, err)
	})
}

// explains checks that Explain agrees with the result of a read that names the fields; shop is named in an order or a range.
func (g scenario) explains(named []string, err error) {
	c, compileErr := g.policy.Compile(g.store.Model())
	if compileErr != nil {
		g.Fatal(compileErr)
	}
	e := c.Explain(g.principal, access.Read, "bread", named...)
	said := e.Err
	if e.Allowed() && len(e.Unordered) > 0 {
		said = core.SearchForbidden
	}
	if (said == nil) != (err == nil) || err != nil && core.AsError(said).Code != core.AsError(err).Code {
		g.Fatalf("the store says %v, the explanation %v, %v: %s", err, e.Err, e.Unordered, e)
	}
}

func (g scenario) wantUpdate(row, patch core.Record, fields []string) string {
	writers := g.rules.applying(g.principal, access.Update)
	if len(writers) == 0 {
		return "FORBIDDEN"
	}
	writing := writers.allowing(fields...)
	if len(writing) == 0 {
		return "FIELD_"
	}
	if !slices.ContainsFunc(writing, func(l oracleRule) bool { return l.before(g.principal, row) }) {
		readers := g.rules.applying(g.principal, access.Read)
		switch {
		case !slices.ContainsFunc(readers, func(l oracleRule) bool { return l.before(g.principal, row) }):
			return "OBJECT_DOES_NOT_EXIST"
		case g.principal == nil:
			return "UNAUTHORIZED"
		}
		return "FORBIDDEN"
	}
	after := row.Merge(patch)
	if !slices.ContainsFunc(writing, func(l oracleRule) bool { return l.after(g.principal, after) }) {
		return "FORBIDDEN"
	}
	return g.rules.applying(g.principal, access.Read).shown(g.principal, after)
}

func TestUpdatesAgreeWithTheOracle(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		g := newScenario(t, rt)
		row := rapid.SampledFrom(g.rows).Draw(rt, "row")
		fields := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"price", "baker", "name"}), 1, 2, rapid.ID).Draw(rt, "fields")
		values := map[string]any{"id": row.Key()}
		for _, f := range fields {
			values[f] = rapid.SampledFrom([]any{1, 2, nil}).Draw(rt, f)
		}
		patch, err := g.bread.NewRecord(values)
		if err != nil {
			rt.Fatal(err)
		}
		want := g.wantUpdate(row, patch, fields)
		updated, err := g.store.Update(core.WithPrincipal(t.Context(), g.principal), g.bread, patch)
		got := ""
		if err != nil {
			got = string(core.AsError(err).Code)
		} else {
			got = updated[0].String() + "\n"
		}
		if got != want && (want != "FIELD_" || !strings.HasPrefix(got, want)) {
			rt.Fatalf("%s\ngot  %s\nwant %s", fmt.Sprint(values), got, want)
		}
	})
}
