package reference_test

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/reference"
)

func cookies() *core.Model {
	id := core.FieldSpec{Name: "id", Type: core.Int, Key: true}
	return core.MustModel("cookies",
		core.ResourceSpec{Name: "cookie", Fields: []core.FieldSpec{
			id,
			{Name: "type", Type: core.Text},
			{Name: "price", APIName: "cost", Type: core.Float, Default: 1},
			{Name: "jar", ToOne: "jar"},
		}},
		core.ResourceSpec{Name: "jar", Fields: []core.FieldSpec{
			id,
			{Name: "cookies", ToMany: "cookie", Inverse: "jar"},
			{Name: "label", Type: core.Text, Unique: true},
		}},
	)
}

func cookie(tb testing.TB, m *core.Model, fields map[string]any) core.Record {
	tb.Helper()
	rec, err := m.Resource("cookie").NewRecord(fields)
	if err != nil {
		tb.Fatal(err)
	}
	return rec
}

func TestReadAndCount(t *testing.T) {
	m := cookies()
	r := m.Resource("cookie")
	var all []core.Record
	for i, price := range []any{2, nil, 1, 2, 3} {
		all = append(all, cookie(t, m, map[string]any{"id": 5 - i, "price": price, "type": "x"}))
	} // price by id: 5:2 4:null 3:1 2:2 1:3
	of := func(*core.Resource) iter.Seq[core.Record] { return slices.Values(all) }
	key, price := r.Key(), r.Field("price")
	up, down := []core.Order{{Field: price}, {Field: key}}, []core.Order{{Field: price, Desc: true}, {Field: key}}
	two := core.FloatValue(2)
	for name, c := range map[string]struct {
		op   core.Op
		want string
		more bool
	}{
		"load by key":        {core.Op{Kind: core.Load, Keys: []core.Value{core.IntValue(2), core.IntValue(5), core.IntValue(9)}}, "[2 5]", false},
		"load under a guard": {core.Op{Kind: core.Load, Keys: []core.Value{core.IntValue(1), core.IntValue(2)}, Using: price.Compare(core.FilterEq, two)}, "[2]", false},
		"nulls last":         {core.Op{Kind: core.Select, Order: up}, "[3 2 5 1 4]", false},
		"nulls first":        {core.Op{Kind: core.Select, Order: down}, "[4 1 2 5 3]", false},
		"limit":              {core.Op{Kind: core.Select, Order: up, Limit: 2}, "[3 2]", true},
		"exact limit":        {core.Op{Kind: core.Select, Order: up, Limit: 5}, "[3 2 5 1 4]", false},
		"after a tie":        {core.Op{Kind: core.Select, Order: up, After: []core.Value{two, core.IntValue(2)}}, "[5 1 4]", false},
		"after null":         {core.Op{Kind: core.Select, Order: down, After: []core.Value{core.Null, core.IntValue(4)}, Limit: 3}, "[1 2 5]", true},
		"where and guard":    {core.Op{Kind: core.Select, Order: up, Where: price.Compare(core.FilterGe, two), Using: key.Compare(core.FilterLt, core.IntValue(5))}, "[2 1]", false},
	} {
		c.op.Resource = r
		res, err := reference.Read(of, &c.op)
		var keys []int64
		for _, rec := range res.Records {
			keys = append(keys, rec.Key().Int())
		}
		if got := fmt.Sprint(keys); err != nil || got != c.want || res.More != c.more {
			t.Errorf("%s: got %s, more %v", name, got, res.More)
		}
	}
	op := core.Op{Kind: core.Select, Resource: r, Order: up, Fields: []*core.Field{key, price}, Limit: 1}
	res, err := reference.Read(of, &op)
	if got := fmt.Sprint(res.Records); err != nil || got != "[cookie{id:3 price:1}]" {
		t.Errorf("projection: %s", got)
	}
	op = core.Op{Kind: core.Count, Resource: r, Where: price.Compare(core.FilterGe, two), Using: key.Compare(core.FilterLt, core.IntValue(5))}
	if got, err := reference.Count(of, &op); err != nil || got != 2 {
		t.Errorf("counted %d", got)
	}
}

func TestCheckIntegrity(t *testing.T) {
	m := cookies()
	jar := func(fields map[string]any) core.Record {
		rec, err := m.Resource("jar").NewRecord(fields)
		if err != nil {
			t.Fatal(err)
		}
		return rec
	}
	whole := []core.Record{jar(map[string]any{"id": 1, "label": "a"}), jar(map[string]any{"id": 2, "label": nil}), jar(map[string]any{"id": 3, "label": nil})}
	for name, c := range map[string]struct {
		jars   []core.Record
		cookie map[string]any
		want   *core.Error
	}{
		"whole":      {whole, map[string]any{"id": 1, "jar": 1}, nil},
		"no jar":     {whole, map[string]any{"id": 1, "jar": nil}, nil},
		"lost jar":   {whole, map[string]any{"id": 1, "jar": 9}, m.Resource("jar").NotFound(core.IntValue(9))},
		"same label": {append(slices.Clone(whole), jar(map[string]any{"id": 4, "label": "a"})), nil, m.Resource("jar").Field("label").AlreadyExistsWith(core.TextValue("a"))},
	} {
		err := reference.CheckIntegrity(m, func(r *core.Resource) iter.Seq[core.Record] {
			if r.Name() == "jar" {
				return slices.Values(c.jars)
			}
			return slices.Values([]core.Record{cookie(t, m, c.cookie)})
		})
		if got, ok := errors.AsType[*core.Error](err); (err == nil) != (c.want == nil) || err != nil && (!ok || got.Error() != c.want.Error()) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
