package storetest_test

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/storetest/internal/kit"
	"github.com/larder-go/larder/core/storetest/internal/kittest"
)

// byFields compares records with a function for the values of each field.
func byFields(compare func(o core.Order, a, b core.Value) int) func(op *core.Op, a, b core.Record) int {
	return func(op *core.Op, a, b core.Record) int {
		for _, o := range op.Order {
			c := compare(o, a.At(o.Field.Column()), b.At(o.Field.Column()))
			if o.Desc {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return 0
	}
}

// beginning returns the prefix of a value that a prefix index has.
func beginning(v core.Value) core.Value {
	text := v.Text()
	switch {
	case len(text) <= 200:
		return v
	case v.Type() == core.Bytes:
		return core.BytesValue([]byte(text[:200]))
	}
	return core.TextValue(strings.ToValidUTF8(text[:200], ""))
}

var orderDefects = []defect{
	{
		name:   "nulls sort first",
		breaks: []string{"order/nulls sort last ascending, first descending", "order/values of int sort exactly", "order/references sort by key"},
		install: func(h *hooks) {
			h.sorted(byFields(func(_ core.Order, a, b core.Value) int {
				if a.IsNull() != b.IsNull() {
					return -core.Compare(a, b)
				}
				return core.Compare(a, b)
			}))
		},
	},
	{
		name:   "nulls sort last in both directions",
		breaks: []string{"order/nulls sort last ascending, first descending"},
		install: func(h *hooks) {
			h.sorted(byFields(func(o core.Order, a, b core.Value) int {
				if o.Desc && a.IsNull() != b.IsNull() {
					return -core.Compare(a, b)
				}
				return core.Compare(a, b)
			}))
		},
	},
	{
		name:   "ties come in the sort's direction",
		breaks: []string{"order/ties are broken by the key, ascending", "random/random programs agree with the oracle"},
		install: func(h *hooks) {
			h.sorted(func(op *core.Op, a, b core.Record) int {
				if c := core.CompareRecords(op.Order[:len(op.Order)-1], a, b); c != 0 || op.Order[0].Field.Key() {
					return cmp.Or(c, core.CompareRecords(op.Order, a, b))
				}
				if op.Order[0].Desc {
					return core.Compare(b.Key(), a.Key())
				}
				return core.Compare(a.Key(), b.Key())
			})
		},
	},
	{
		name:   "ties come in any order",
		breaks: []string{"order/ties are broken by the key, ascending", "cursor/pages continue within ties and nulls"},
		install: func(h *hooks) {
			n := int64(0)
			h.sorted(func(op *core.Op, a, b core.Record) int {
				n++
				if c := core.CompareRecords(op.Order[:len(op.Order)-1], a, b); c != 0 || len(op.Order) == 1 {
					return cmp.Or(c, core.CompareRecords(op.Order, a, b))
				}
				return cmp.Compare((a.Key().Int()*7+n/100)%11, (b.Key().Int()*7+n/100)%11)
			})
		},
	},
	{
		name:   "only the first field sorts",
		breaks: []string{"order/several fields sort in turn"},
		install: func(h *hooks) {
			h.sorted(func(op *core.Op, a, b core.Record) int {
				return cmp.Or(core.CompareRecords(op.Order[:1], a, b), core.Compare(a.Key(), b.Key()))
			})
		},
	},
	{
		name:   "the key sorts ascending only",
		breaks: []string{"order/the key sorts descending"},
		install: func(h *hooks) {
			h.sorted(byFields(func(o core.Order, a, b core.Value) int {
				if o.Field.Key() && o.Desc {
					return -core.Compare(a, b)
				}
				return core.Compare(a, b)
			}))
		},
	},
	{
		name:   "keys sort as text",
		breaks: []string{"read/select without filter returns all by key", "order/the key sorts descending"},
		install: func(h *hooks) {
			h.sorted(byFields(func(o core.Order, a, b core.Value) int {
				if o.Field.Key() {
					return strings.Compare(a.String(), b.String())
				}
				return core.Compare(a, b)
			}))
		},
	},
	{
		name:   "load returns records in the order of insertion",
		breaks: []string{"read/load returns existing records by key"},
		install: func(h *hooks) {
			h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
				res, err := tx.Read(ctx, op)
				if op.Kind == core.Load {
					slices.Reverse(res.Records)
				}
				return res, err
			}
		},
	},
	{
		name:   "text sorts without regard to case",
		breaks: []string{"order/text sorts by code point", "order/values of text sort exactly", "read/select without filter returns all by key"},
		install: func(h *hooks) {
			h.sorted(byFields(func(_ core.Order, a, b core.Value) int {
				if a.Type() == core.Text && b.Type() == core.Text {
					return cmp.Or(strings.Compare(strings.ToLower(a.Text()), strings.ToLower(b.Text())), core.Compare(a, b))
				}
				return core.Compare(a, b)
			}))
		},
	},
	{
		name:   "text sorts by UTF-16 units",
		breaks: []string{"order/text sorts by code point", "order/values of text sort exactly"},
		install: func(h *hooks) {
			h.sorted(byFields(func(_ core.Order, a, b core.Value) int {
				if a.Type() == core.Text && b.Type() == core.Text {
					return slices.Compare(utf16.Encode([]rune(a.Text())), utf16.Encode([]rune(b.Text())))
				}
				return core.Compare(a, b)
			}))
		},
	},
	{
		name:   "bytes, uuids and floats sort in reverse",
		breaks: []string{"order/values of bytes sort exactly", "order/values of uuid sort exactly", "order/values of float sort exactly"},
		install: func(h *hooks) {
			h.sorted(byFields(func(o core.Order, a, b core.Value) int {
				if t := a.Type(); t == b.Type() && (t == core.Bytes || t == core.UUID && !o.Field.Key() || t == core.Float) {
					return core.Compare(b, a)
				}
				return core.Compare(a, b)
			}))
		},
	},
	{
		name:   "times sort by the hour and booleans do not sort",
		breaks: []string{"order/values of time sort exactly", "order/values of bool sort exactly"},
		install: func(h *hooks) {
			h.sorted(byFields(func(_ core.Order, a, b core.Value) int {
				switch {
				case a.Type() == core.Bool && b.Type() == core.Bool:
					return 0
				case a.Type() == core.Time && b.Type() == core.Time:
					return cmp.Compare(a.Time().Unix()/3600, b.Time().Unix()/3600)
				}
				return core.Compare(a, b)
			}))
		},
	},
	{
		name:   "dates sort by the month",
		breaks: []string{"order/values of date sort exactly", "cursor/cursors have exact values"},
		install: func(h *hooks) {
			h.sorted(byFields(func(_ core.Order, a, b core.Value) int {
				if a.Type() == core.Date && b.Type() == core.Date {
					return cmp.Compare(a.Date().Format("2006-01"), b.Date().Format("2006-01"))
				}
				return core.Compare(a, b)
			}))
		},
	},
	{
		name:   "decimals sort as text",
		breaks: []string{"order/values of decimal sort exactly"},
		install: func(h *hooks) {
			h.sorted(byFields(func(_ core.Order, a, b core.Value) int {
				if a.Type() == core.Decimal && b.Type() == core.Decimal {
					return strings.Compare(a.Text(), b.Text())
				}
				return core.Compare(a, b)
			}))
		},
	},
	{
		name:   "local times sort by the minute",
		breaks: []string{"order/values of localtime sort exactly"},
		install: func(h *hooks) {
			h.sorted(byFields(func(_ core.Order, a, b core.Value) int {
				if a.Type() == core.LocalTime && b.Type() == core.LocalTime {
					return a.LocalTime().Truncate(time.Minute).Compare(b.LocalTime().Truncate(time.Minute))
				}
				return core.Compare(a, b)
			}))
		},
	},
	{
		name:   "the limit is ignored",
		breaks: []string{"cursor/only the last page has no cursor", "order/limit applies after order", "cursor/pages add up to the whole result"},
		install: func(h *hooks) {
			h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
				return tx.Read(ctx, with(op, func(op *core.Op) { op.Limit = 0 }))
			}
		},
	},
	{
		name:   "a full page always has more",
		breaks: []string{"cursor/only the last page has no cursor", "using/hidden rows do not fill pages"},
		install: func(h *hooks) {
			h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
				res, err := tx.Read(ctx, op)
				if op.Limit > 0 && len(res.Records) == op.Limit {
					res.More = true
				}
				return res, err
			}
		},
	},
	{
		name:   "no page has more",
		breaks: []string{"cursor/only the last page has no cursor", "cursor/pages add up to the whole result", "projection/filters see fields that are not requested"},
		install: func(h *hooks) {
			h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
				res, err := tx.Read(ctx, op)
				res.More = false
				return res, err
			}
		},
	},
	{
		name:   "the limit comes before the order",
		breaks: []string{"order/limit applies after order"},
		install: func(h *hooks) {
			h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
				if op.Kind == core.Load {
					return tx.Read(ctx, op)
				}
				res, err := tx.Read(ctx, with(op, func(op *core.Op) { op.Order = op.Order[len(op.Order)-1:] }))
				slices.SortFunc(res.Records, func(a, b core.Record) int { return core.CompareRecords(op.Order, a, b) })
				return res, err
			}
		},
	},
	{
		name:   "a page begins with the last record of the one before",
		breaks: []string{"cursor/pages add up to the whole result", "cursor/pages of a filtered query", "cursor/cursors have exact values"},
		install: func(h *hooks) {
			h.among(func(op *core.Op, rec core.Record) bool {
				return op.After == nil || core.After(op.Order, op.After, rec) || isAt(op, rec)
			}, func(op *core.Op) { op.After = nil })
		},
	},
	{
		name:   "a page skips the ties of the last record",
		breaks: []string{"cursor/pages continue within ties and nulls", "cursor/later records appear at their position", "cursor/a cursor works after its record was deleted"},
		install: func(h *hooks) {
			h.among(func(op *core.Op, rec core.Record) bool {
				return op.After == nil || core.After(op.Order[:1], op.After[:1], rec)
			}, func(op *core.Op) { op.After = nil })
		},
	},
	{
		name:   "a page goes on after the record and not after its position",
		breaks: []string{"cursor/a cursor works after its record was deleted"},
		install: func(h *hooks) {
			h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
				if op.After != nil {
					if _, there := tx.Rows[op.Resource.Index()][op.After[len(op.After)-1]]; !there {
						return core.Result{}, ctx.Err()
					}
				}
				return tx.Read(ctx, op)
			}
		},
	},
	{
		name:   "pages are counted, not placed",
		breaks: []string{"cursor/later records appear at their position"},
		install: func(h *hooks) {
			pages := make(map[core.Value]int)
			h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
				if op.Kind == core.Load {
					return tx.Read(ctx, op)
				}
				all, err := tx.Read(ctx, with(op, func(op *core.Op) { op.After, op.Limit = nil, 0 }))
				from := 0
				if op.After != nil {
					from = min(len(all.Records), pages[op.After[len(op.After)-1]])
				}
				page := cut(all.Records[from:], op.Limit)
				if page.More {
					pages[page.Records[op.Limit-1].Key()] = from + op.Limit
				}
				return page, err
			}
		},
	},
	{
		name:   "pages stop at null",
		breaks: []string{"cursor/pages continue within ties and nulls", "cursor/a cursor works after its record was deleted"},
		install: func(h *hooks) {
			h.among(func(op *core.Op, _ core.Record) bool {
				return !slices.ContainsFunc(op.After, core.Value.IsNull)
			}, func(*core.Op) {})
		},
	},
	{
		name:   "positions compare the beginning of a text",
		breaks: []string{"cursor/cursors of long values are short", "cursor/pages after long values are complete"},
		install: func(h *hooks) {
			h.among(func(op *core.Op, rec core.Record) bool {
				short := slices.Clone(op.After)
				for i, v := range short {
					if column := op.Order[i].Field.Column(); v.Type() == core.Text || v.Type() == core.Bytes {
						short[i], rec = beginning(v), rec.With(column, beginning(rec.At(column)))
					}
				}
				return op.After == nil || core.After(op.Order, short, rec)
			}, func(op *core.Op) { op.After = nil })
		},
	},
	{
		name:   "cursors lose the microseconds",
		breaks: []string{"cursor/cursors have exact values"},
		install: func(h *hooks) {
			h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
				return tx.Read(ctx, with(op, func(op *core.Op) {
					op.After = slices.Clone(op.After)
					for i, v := range op.After {
						if v.Type() == core.Time {
							op.After[i] = core.TimeValue(v.Time().Truncate(1e9))
						}
					}
				}))
			}
		},
	},
}

// isAt reports whether the cursor was made from the record.
func isAt(op *core.Op, rec core.Record) bool {
	return op.After[len(op.After)-1] == rec.At(op.Order[len(op.Order)-1].Field.Column())
}

// aggregating changes the op before an aggregation, and the result afterwards. Both may be nil.
func (h *hooks) aggregating(before func(op *core.Op), after func(op *core.Op, res *core.Result)) {
	h.aggregate = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
		if before != nil {
			op = with(op, before)
		}
		res, err := tx.Aggregate(ctx, op)
		if after != nil && err == nil {
			after(op, &res)
		}
		return res, err
	}
}

// replacingValues replaces the values of measures.
func (h *hooks) replacingValues(replace func(m core.Measure, v core.Value) core.Value) {
	h.aggregating(nil, func(op *core.Op, res *core.Result) {
		for _, g := range res.Groups {
			for i, m := range op.Measures {
				g.Values[i] = replace(m, g.Values[i])
			}
		}
	})
}

var aggregateDefects = []defect{
	{
		name:   "records with null are in no group",
		breaks: []string{"aggregate/records with equal values are a group", "random/random programs agree with the oracle"},
		install: func(h *hooks) {
			h.aggregating(nil, func(_ *core.Op, res *core.Result) {
				res.Groups = slices.DeleteFunc(res.Groups, func(g core.Group) bool { return slices.Contains(g.Key, core.Null) })
			})
		},
	},
	{
		name:   "an aggregation of no records has no group",
		breaks: []string{"aggregate/without fields all records are one group"},
		install: func(h *hooks) {
			h.aggregating(nil, func(_ *core.Op, res *core.Result) {
				res.Groups = slices.DeleteFunc(res.Groups, func(g core.Group) bool { return g.Count == 0 })
			})
		},
	},
	{
		name:   "sums are doubles",
		breaks: []string{"aggregate/sums are exact", "random/random searches and figures agree with the oracle"},
		install: func(h *hooks) {
			h.replacingValues(func(m core.Measure, v core.Value) core.Value {
				if m.Func != core.FuncSum || v.IsNull() {
					return v
				}
				float := kit.Certain(strconv.ParseFloat(v.Text(), 64))
				return kit.Certain(core.Decimal.Convert(float))
			})
		},
	},
	{
		name:   "a sum of no values is zero",
		breaks: []string{"aggregate/null is no value of a measure", "aggregate/without fields all records are one group"},
		install: func(h *hooks) {
			h.replacingValues(func(m core.Measure, v core.Value) core.Value {
				if m.Func == core.FuncSum && v.IsNull() {
					return kit.Certain(core.Decimal.Convert(0))
				}
				return v
			})
		},
	},
	{
		name:   "the greatest value is the least",
		breaks: []string{"aggregate/the least and greatest value by the order of the type"},
		install: func(h *hooks) {
			h.aggregating(func(op *core.Op) {
				op.Measures = slices.Clone(op.Measures)
				for i := range op.Measures {
					if op.Measures[i].Func == core.FuncMax {
						op.Measures[i].Func = core.FuncMin
					}
				}
			}, nil)
		},
	},
	{
		name:   "aggregations ignore Using",
		breaks: []string{"aggregate/aggregations see the matching records under using", "random/random programs agree with the oracle"},
		install: func(h *hooks) {
			h.aggregating(func(op *core.Op) { op.Using = core.All() }, nil)
		},
	},
	{
		name:   "groups ignore the guards of related records",
		breaks: []string{"aggregate/groups by a field of a related record"},
		install: func(h *hooks) {
			h.aggregating(func(op *core.Op) { op.Order = kit.Guards{}.Path(op.Order) }, nil)
		},
	},
	{
		name:   "aggregations see committed records only",
		breaks: []string{"aggregate/aggregations see the own writes"},
		install: func(h *hooks) {
			h.aggregate = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
				return tx.Backend.Open().Aggregate(ctx, op)
			}
		},
	},
	{
		name:   "further groups are left out",
		breaks: []string{"aggregate/at most a thousand groups"},
		install: func(h *hooks) {
			h.aggregating(nil, func(_ *core.Op, res *core.Result) { res.More = false })
		},
	},
}
