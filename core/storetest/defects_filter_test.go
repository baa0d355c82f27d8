package storetest_test

import (
	"cmp"
	"context"
	"iter"
	"regexp"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/reference"
	"github.com/larder-go/larder/core/storetest/internal/kit"
	"github.com/larder-go/larder/core/storetest/internal/kittest"
)

// truth is a value of SQL's three-valued logic.
type truth int

const (
	no truth = iota - 1
	unknown
	yes
)

// sql evaluates a filter in SQL's logic. compare evaluates single comparisons.
func sql(f core.Filter, rec core.Record, compare func(f core.Filter, v core.Value) truth) truth {
	switch f.Kind() {
	case core.FilterAll:
		return yes
	case core.FilterNone:
		return no
	case core.FilterNot:
		return -sql(f.Filters()[0], rec, compare)
	case core.FilterAnd, core.FilterOr:
		sign := truth(1)
		if f.Kind() == core.FilterOr {
			sign = -1
		}
		worst := yes
		for _, part := range f.Filters() {
			worst = min(worst, sign*sql(part, rec, compare))
		}
		return sign * worst
	}
	if f.Kind() == core.FilterSearch {
		found, _ := known(kit.Matches(f, rec, nil))
		return found
	}
	return compare(f, rec.At(f.Field().Column()))
}

// comparing filters with another comparison.
func (h *hooks) comparing(compare func(f core.Filter, v core.Value) truth) {
	h.among(func(op *core.Op, rec core.Record) bool {
		return sql(op.Where, rec, compare) == yes
	}, func(op *core.Op) { op.Where = core.All() })
}

// searching decides searches by a function of the words and of whether a field, whatever its guard, contains a word.
func (h *hooks) searching(decide func(words []string, has func(word string) bool) bool) {
	h.among(func(op *core.Op, rec core.Record) bool {
		words, in := op.Where.Search()
		return words == nil || decide(words, func(word string) bool {
			return slices.ContainsFunc(in, func(s core.SearchField) bool {
				return kit.Matches(s.Field.Compare(core.FilterIContains, core.TextValue(word)), rec, nil)
			})
		})
	}, func(op *core.Op) {
		if op.Where.Kind() == core.FilterSearch {
			op.Where = core.All()
		}
	})
}

// exactly compares as the contract says.
func exactly(f core.Filter, v core.Value) truth {
	values := make([]core.Value, len(f.Field().Resource().Columns()))
	values[f.Field().Column()] = v
	if kit.Matches(f, f.Field().Resource().RecordOf(values), nil) {
		return yes
	}
	return no
}

// except compares with a function for some filters, which returns false for the others.
func except(special func(f core.Filter, v core.Value) (truth, bool)) func(f core.Filter, v core.Value) truth {
	return func(f core.Filter, v core.Value) truth {
		if t, ok := special(f, v); ok {
			return t
		}
		return exactly(f, v)
	}
}

func known(b bool) (truth, bool) {
	if b {
		return yes, true
	}
	return no, true
}

var filterDefects = []defect{
	{
		name:   "comparisons with null are unknown",
		breaks: []string{"filter/null equals null and differs from every value", "filter/not inverts every filter", "filter/in matches any of its values"},
		install: func(h *hooks) {
			h.comparing(except(func(f core.Filter, v core.Value) (truth, bool) {
				return unknown, v.IsNull() || slices.Contains(f.Values(), core.Null)
			}))
		},
	},
	{
		name:   "not of a comparison with null is unknown",
		breaks: []string{"filter/not inverts every filter", "random/random programs agree with the oracle"},
		install: func(h *hooks) {
			h.comparing(except(func(f core.Filter, v core.Value) (truth, bool) {
				return unknown, v.IsNull() && f.Kind() >= core.FilterLt && f.Kind() != core.FilterIn
			}))
		},
	},
	{
		name:   "null is less than everything",
		breaks: []string{"filter/null is neither less nor greater", "filter/comparisons of int are exact"},
		install: func(h *hooks) {
			h.comparing(except(func(f core.Filter, v core.Value) (truth, bool) {
				return yes, v.IsNull() && (f.Kind() == core.FilterLt || f.Kind() == core.FilterLe)
			}))
		},
	},
	{
		name:   "in ignores null",
		breaks: []string{"filter/in matches any of its values", "filter/comparisons of int are exact"},
		install: func(h *hooks) {
			h.comparing(except(func(f core.Filter, v core.Value) (truth, bool) {
				return no, v.IsNull() && f.Kind() == core.FilterIn
			}))
		},
	},
	{
		name:   "in accepts at most a hundred values",
		breaks: []string{"filter/in accepts a thousand values"},
		install: func(h *hooks) {
			h.comparing(except(func(f core.Filter, v core.Value) (truth, bool) {
				return no, len(f.Values()) > 100 && !slices.Contains(f.Values()[:100], v)
			}))
		},
	},
	{
		name:   "prefix is LIKE",
		breaks: []string{"filter/prefix is no pattern"},
		install: func(h *hooks) {
			h.comparing(except(func(f core.Filter, v core.Value) (truth, bool) {
				if f.Kind() != core.FilterPrefix || !v.IsSet() {
					return 0, false
				}
				pattern := regexp.QuoteMeta(f.Values()[0].Text())
				pattern = strings.NewReplacer("%", ".*", "_", ".").Replace(pattern)
				return known(regexp.MustCompile("(?s)^" + pattern).MatchString(v.Text()))
			}))
		},
	},
	{
		name:   "prefix ignores case",
		breaks: []string{"filter/prefix is no pattern"},
		install: func(h *hooks) {
			h.comparing(except(func(f core.Filter, v core.Value) (truth, bool) {
				if f.Kind() != core.FilterPrefix || !v.IsSet() {
					return 0, false
				}
				return known(strings.HasPrefix(strings.ToLower(v.Text()), strings.ToLower(f.Values()[0].Text())))
			}))
		},
	},
	{
		name:   "contains is LIKE",
		breaks: []string{"filter/contains is no pattern"},
		install: func(h *hooks) {
			h.comparing(except(func(f core.Filter, v core.Value) (truth, bool) {
				if f.Kind() != core.FilterContains || !v.IsSet() {
					return 0, false
				}
				pattern := regexp.QuoteMeta(f.Values()[0].Text())
				pattern = strings.NewReplacer("%", ".*", "_", ".").Replace(pattern)
				return known(regexp.MustCompile("(?s)" + pattern).MatchString(v.Text()))
			}))
		},
	},
	{
		name:   "icontains folds all letters",
		breaks: []string{"filter/icontains folds a to z only"},
		install: func(h *hooks) {
			h.comparing(except(func(f core.Filter, v core.Value) (truth, bool) {
				if f.Kind() != core.FilterIContains || !v.IsSet() {
					return 0, false
				}
				return known(strings.Contains(strings.ToLower(v.Text()), strings.ToLower(f.Values()[0].Text())))
			}))
		},
	},
	{
		name:   "a search needs one of its words",
		breaks: []string{"filter/a search needs each word in some field", "random/random searches and figures agree with the oracle"},
		install: func(h *hooks) {
			h.searching(slices.ContainsFunc)
		},
	},
	{
		name:   "a search ignores the guards of its fields",
		breaks: []string{"related/a search looks behind the guards of its fields"},
		install: func(h *hooks) {
			h.searching(func(words []string, has func(word string) bool) bool {
				return !slices.ContainsFunc(words, func(word string) bool { return !has(word) })
			})
		},
	},
	{
		name:   "text is equal without regard to case",
		breaks: []string{"filter/text is compared exactly", "filter/comparisons of text are exact"},
		install: func(h *hooks) {
			h.comparing(except(func(f core.Filter, v core.Value) (truth, bool) {
				if f.Kind() != core.FilterEq || f.Field().Type() != core.Text || v.IsNull() || f.Values()[0].IsNull() {
					return 0, false
				}
				return known(strings.EqualFold(f.Values()[0].Text(), v.Text()))
			}))
		},
	},
	{
		name:   "text keys are patterns",
		breaks: []string{"read/keys of all types"},
		install: func(h *hooks) {
			h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
				if op.Kind == core.Load && op.Keys[0].Text() == "%" {
					op = with(op, func(op *core.Op) { op.Kind, op.Where, op.Order = core.Select, core.All(), orderByKey(op) })
				}
				return tx.Read(ctx, op)
			}
		},
	},
	{
		name:   "integers are compared as doubles",
		breaks: []string{"filter/comparisons of int are exact"},
		install: func(h *hooks) {
			h.comparing(except(func(f core.Filter, v core.Value) (truth, bool) {
				if f.Kind() != core.FilterLt || f.Field().Type() != core.Int || v.IsNull() {
					return 0, false
				}
				return known(float64(v.Int()) < float64(f.Values()[0].Int()))
			}))
		},
	},
	{
		name: "equality of some types is ignored",
		breaks: []string{
			"filter/comparisons of float are exact", "filter/comparisons of time are exact", "filter/comparisons of uuid are exact",
			"filter/comparisons of bytes are exact", "filter/comparisons of bool are exact", "filter/comparisons of list are exact",
			"filter/comparisons of date are exact", "filter/comparisons of localtime are exact", "filter/comparisons of decimal are exact", "types/times are instants",
		},
		install: func(h *hooks) {
			h.comparing(except(func(f core.Filter, v core.Value) (truth, bool) {
				t := v.Type()
				return no, f.Kind() == core.FilterEq && t != core.Int && t != core.Text && t != core.JSON && v.IsSet()
			}))
		},
	},
	{
		name:   "json is compared as text without quotes",
		breaks: []string{"filter/json is compared as a whole", "filter/comparisons of json are exact"},
		install: func(h *hooks) {
			h.comparing(except(func(f core.Filter, v core.Value) (truth, bool) {
				if f.Kind() != core.FilterEq && f.Kind() != core.FilterNe || v.Type() != core.JSON {
					return 0, false
				}
				same := strings.Trim(v.Text(), `"`) == strings.Trim(f.Values()[0].Text(), `"`)
				return known(same == (f.Kind() == core.FilterEq))
			}))
		},
	},
	{
		name:   "or is and",
		breaks: []string{"filter/and, or and not nest"},
		install: func(h *hooks) {
			h.among(func(op *core.Op, rec core.Record) bool {
				if op.Where.Kind() != core.FilterOr {
					return true
				}
				return kit.Matches(core.And(op.Where.Filters()...), rec, nil)
			}, func(*core.Op) {})
		},
	},
	{
		name:   "conditions on the key and on relations find one record",
		breaks: []string{"filter/filters by the key", "filter/filters by a reference"},
		install: func(h *hooks) {
			h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
				if f := op.Where.Field(); f != nil && (f.Key() || f.Target() != nil) {
					op = with(op, func(op *core.Op) { op.Limit = 1 })
				}
				return tx.Read(ctx, op)
			}
		},
	},
}

func orderByKey(op *core.Op) []core.Order { return []core.Order{{Field: op.Resource.Key()}} }

var projectionDefects = []defect{
	{
		name:   "a projection loses the key",
		breaks: []string{"projection/requested fields are returned", "projection/key and order fields are always returned", "projection/a load can be projected"},
		install: func(h *hooks) {
			h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
				res, err := tx.Read(ctx, op)
				for i, rec := range res.Records {
					if op.Fields != nil {
						res.Records[i] = rec.With(op.Resource.Key().Column(), core.Value{})
					}
				}
				return res, err
			}
		},
	},
	{
		name:   "a projection loses the fields of the order",
		breaks: []string{"projection/key and order fields are always returned", "projection/filters see fields that are not requested"},
		install: func(h *hooks) {
			h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
				return tx.Read(ctx, with(op, func(op *core.Op) {
					op.Fields = slices.DeleteFunc(slices.Clone(op.Fields), func(f *core.Field) bool {
						return len(op.Order) > 1 && slices.ContainsFunc(op.Order, func(o core.Order) bool { return o.Field == f })
					})
				}))
			}
		},
	},
	{
		name:   "conditions come after the projection",
		breaks: []string{"projection/filters see fields that are not requested"},
		install: func(h *hooks) {
			h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
				res, err := reference.Read(func(r *core.Resource) iter.Seq[core.Record] {
					return func(yield func(core.Record) bool) {
						for rec := range tx.Of(r) {
							if !yield(rec.Project(op.Fields)) {
								return
							}
						}
					}
				}, op)
				return res, cmp.Or(err, ctx.Err())
			}
		},
	},
	{
		name:   "fields that are not asked for are null",
		breaks: []string{"projection/requested fields are returned", "projection/a load can be projected"},
		install: func(h *hooks) {
			h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
				res, err := tx.Read(ctx, op)
				for i, rec := range res.Records {
					res.Records[i] = kittest.Nulls(rec)
				}
				return res, err
			}
		},
	},
}
