package storetest_test

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/reference"
	"github.com/larder-go/larder/core/storetest/internal/kit"
	"github.com/larder-go/larder/core/storetest/internal/kittest"
)

// reading evaluates all conditions and orders with another reader of related records.
func (h *hooks) reading(related func(tx *kittest.NaiveTx, rec core.Record, to core.Relation, where core.Filter) (core.Record, error)) {
	reader := func(tx *kittest.NaiveTx) core.RelatedReader {
		return func(rec core.Record, to core.Relation, where core.Filter) (core.Record, error) {
			return related(tx, rec, to, where)
		}
	}
	h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
		return read(tx, op, reader(tx)), ctx.Err()
	}
	h.count = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (int, error) {
		return len(read(tx, op, reader(tx)).Records), ctx.Err()
	}
	h.update = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
		if err := miss(tx, op, reader(tx)); err != nil {
			return nil, err
		}
		return tx.Update(ctx, with(op, all))
	}
	h.delete = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) error {
		if err := miss(tx, op, reader(tx)); err != nil {
			return err
		}
		return tx.Delete(ctx, with(op, all))
	}
}

// read answers a Load, Select or Count with the reader.
func read(tx *kittest.NaiveTx, op *core.Op, reader core.RelatedReader) (res core.Result) {
	type match struct {
		rec      core.Record
		position []core.Value
	}
	var found []match
	for rec := range tx.Of(op.Resource) {
		if kit.Certain(op.Matches(rec, reader)) {
			found = append(found, match{rec, kit.Certain(op.Position(rec, reader))})
		}
	}
	slices.SortStableFunc(found, func(a, b match) int { return core.ComparePositions(op.Order, a.position, b.position) })
	if op.Limit > 0 && len(found) > op.Limit {
		found, res.More = found[:op.Limit], true
	}
	for _, m := range found {
		res.Records = append(res.Records, m.rec.Project(op.Fields))
		res.Positions = append(res.Positions, m.position)
		var answers []bool
		for _, f := range op.Conditions {
			answers = append(answers, kit.Certain(f.Match(m.rec, reader)))
		}
		res.Conditions = append(res.Conditions, answers)
	}
	return res
}

// miss returns the error of a write whose records do not match Using.
func miss(tx *kittest.NaiveTx, op *core.Op, reader core.RelatedReader) error {
	for _, key := range op.Keys {
		if rec, ok := tx.Rows[op.Resource.Index()][key]; !ok || !kit.Certain(op.Using.Match(rec, reader)) {
			return op.Resource.NotFound(key)
		}
	}
	return nil
}

// joined returns the records that are related to the record.
func joined(tx *kittest.NaiveTx, rec core.Record, to core.Relation) (all []core.Record) {
	for candidate := range tx.Of(to.Target()) {
		if to.Joins(rec, candidate) {
			all = append(all, candidate)
		}
	}
	return all
}

func related(tx *kittest.NaiveTx, rec core.Record, to core.Relation, where core.Filter) (core.Record, error) {
	return reference.Records(tx.Of).Related(rec, to, where)
}

// rewriting changes all filters before they are evaluated.
func (h *hooks) rewriting(change func(f core.Filter) core.Filter) {
	changed := func(op *core.Op) *core.Op {
		return with(op, func(op *core.Op) {
			op.Where, op.Using = rewrite(op.Where, change), rewrite(op.Using, change)
			op.Conditions = slices.Clone(op.Conditions)
			for i, f := range op.Conditions {
				op.Conditions[i] = rewrite(f, change)
			}
		})
	}
	h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
		return tx.Read(ctx, changed(op))
	}
	h.count = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (int, error) {
		return tx.Count(ctx, changed(op))
	}
	h.update = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
		return tx.Update(ctx, changed(op))
	}
	h.delete = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) error { return tx.Delete(ctx, changed(op)) }
}

// rewrite applies the change to all parts of the filter, inner ones first. A condition on related records gets to it as it is.
func rewrite(f core.Filter, change func(f core.Filter) core.Filter) core.Filter {
	parts := slices.Clone(f.Filters())
	for i, part := range parts {
		parts[i] = rewrite(part, change)
	}
	switch f.Kind() {
	case core.FilterAnd:
		f = core.And(parts...)
	case core.FilterOr:
		f = core.Or(parts...)
	case core.FilterNot:
		f = core.Not(parts[0])
	}
	return change(f)
}

// alone returns the condition without its guards.
func alone(f core.Filter) core.Filter {
	if f.Kind() != core.FilterRelated {
		return f
	}
	return f.Relation().Match(rewrite(f.Where(), alone))
}

// onTheRecord returns the guard as a condition on fields of the record itself, where it has such fields.
func onTheRecord(r *core.Resource) func(f core.Filter) core.Filter {
	return func(f core.Filter) core.Filter {
		if own := f.Field(); own != nil && r.Field(own.Name()) != nil && r.Field(own.Name()).Type() == own.Type() {
			return r.Field(own.Name()).Compare(f.Kind(), f.Values()...)
		}
		return f
	}
}

// rotate moves the last element to the front.
func rotate[T any](list []T) []T {
	if len(list) == 0 {
		return list
	}
	return append([]T{list[len(list)-1]}, list[:len(list)-1]...)
}

// results changes the results of reads.
func (h *hooks) results(change func(op *core.Op, res *core.Result)) {
	h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
		res, err := tx.Read(ctx, op)
		change(op, &res)
		return res, err
	}
}

var relatedDefects = []defect{
	{
		name:   "any related record means all of them",
		breaks: []string{"related/any related record is enough", "related/none and all by negation", "random/random programs agree with the oracle"},
		install: func(h *hooks) {
			h.reading(func(tx *kittest.NaiveTx, rec core.Record, to core.Relation, where core.Filter) (core.Record, error) {
				everything := joined(tx, rec, to)
				for _, candidate := range everything {
					if !tx.Matches(where, candidate) {
						return core.Record{}, nil
					}
				}
				return append(everything, core.Record{})[0], nil
			})
		},
	},
	{
		name:   "each part of a condition is looked up by itself",
		breaks: []string{"related/one related record meets the whole condition"},
		install: func(h *hooks) {
			h.reading(func(tx *kittest.NaiveTx, rec core.Record, to core.Relation, where core.Filter) (found core.Record, err error) {
				if where.Kind() != core.FilterAnd {
					return related(tx, rec, to, where)
				}
				for _, part := range where.Filters() {
					if found, err = related(tx, rec, to, part); err != nil || found.IsZero() {
						return found, err
					}
				}
				return found, nil
			})
		},
	},
	{
		name:   "only the first related record is looked at",
		breaks: []string{"related/any related record is enough", "related/a list of keys relates records", "related/conditions nest over several relations"},
		install: func(h *hooks) {
			h.reading(func(tx *kittest.NaiveTx, rec core.Record, to core.Relation, where core.Filter) (core.Record, error) {
				if all := joined(tx, rec, to); len(all) > 0 && tx.Matches(where, all[0]) {
					return all[0], nil
				}
				return core.Record{}, nil
			})
		},
	},
	{
		name: "guards are ignored",
		breaks: []string{
			"related/records outside the guard do not exist", "related/related conditions see the own writes", "random/random programs agree with the oracle",
		},
		install: func(h *hooks) { h.rewriting(alone) },
	},
	{
		name:   "guards in paths are ignored",
		breaks: []string{"related/a path without a record sorts as null"},
		install: func(h *hooks) {
			h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
				return tx.Read(ctx, with(op, func(op *core.Op) { op.Order = kit.Guards{}.Path(op.Order) }))
			}
		},
	},
	{
		name:   "a guard is about the fields of the statement's record",
		breaks: []string{"related/records outside the guard do not exist"},
		install: func(h *hooks) {
			h.rewriting(func(f core.Filter) core.Filter {
				if f.Kind() != core.FilterRelated || f.Guard().Crosses() {
					return f
				}
				own := rewrite(f.Guard(), onTheRecord(f.Relation().Source()))
				if !slices.ContainsFunc(own.Fields(), func(field *core.Field) bool { return field.Resource() == f.Relation().Source() }) {
					return f
				}
				return core.And(alone(f), own)
			})
		},
	},
	{
		name:   "a negation needs a related record",
		breaks: []string{"related/none and all by negation", "related/a relation may lead to the same resource", "related/related conditions see the own writes"},
		install: func(h *hooks) {
			h.rewriting(func(f core.Filter) core.Filter {
				if f.Kind() != core.FilterNot || f.Filters()[0].Kind() != core.FilterRelated {
					return f
				}
				return core.And(f, f.Filters()[0].Relation().Match(core.All()))
			})
		},
	},
	{
		name:   "a negation is true of a record without a related one only",
		breaks: []string{"related/none and all by negation", "related/records outside the guard do not exist"},
		install: func(h *hooks) {
			h.rewriting(func(f core.Filter) core.Filter {
				if f.Kind() != core.FilterNot || f.Filters()[0].Kind() != core.FilterRelated {
					return f
				}
				return core.Not(f.Filters()[0].Relation().Match(core.All()))
			})
		},
	},
	{
		name:   "related records are those before the transaction",
		breaks: []string{"related/related conditions see the own writes", "related/check crosses relations"},
		install: func(h *hooks) {
			h.reading(func(tx *kittest.NaiveTx, rec core.Record, to core.Relation, where core.Filter) (core.Record, error) {
				return related(&kittest.NaiveTx{Backend: tx.Backend, Rows: tx.Backend.Rows}, rec, to, where)
			})
		},
	},
	{
		name:   "a reference is not looked up",
		breaks: []string{"related/related conditions see the own writes", "related/a to-one relation leads to one record"},
		install: func(h *hooks) {
			h.reading(func(tx *kittest.NaiveTx, rec core.Record, to core.Relation, where core.Filter) (core.Record, error) {
				if key := rec.At(to.Stored.Column()); !to.Reverse && !to.Stored.Many() && key.IsSet() {
					if _, there := tx.Rows[to.Target().Index()][key]; !there || to.Target().Name() == "jar" {
						return to.Target().RecordOf(make([]core.Value, len(to.Target().Columns()))).With(to.Target().Key().Column(), key), nil
					}
				}
				return related(tx, rec, to, where)
			})
		},
	},
	{
		name:   "a join repeats records",
		breaks: []string{"related/any related record is enough", "related/conditions nest over several relations"},
		install: func(h *hooks) {
			times := func(tx *kittest.NaiveTx, f core.Filter, rec core.Record) (n int) {
				if f.Kind() != core.FilterRelated {
					return 1
				}
				for _, other := range joined(tx, rec, f.Relation()) {
					if tx.Matches(f.Where(), other) {
						n++
					}
				}
				return max(1, n)
			}
			h.count = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (sum int, err error) {
				res, err := tx.Read(ctx, with(op, func(op *core.Op) { op.Kind = core.Select }))
				for _, rec := range res.Records {
					sum += times(tx, op.Where, rec)
				}
				return sum, err
			}
		},
	},
	{
		name:   "elements of a list are found by their text",
		breaks: []string{"related/a list of keys relates records"},
		install: func(h *hooks) {
			h.reading(func(tx *kittest.NaiveTx, rec core.Record, to core.Relation, where core.Filter) (core.Record, error) {
				if !to.Stored.Many() {
					return related(tx, rec, to, where)
				}
				for candidate := range tx.Of(to.Target()) {
					holder, member := rec, candidate
					if to.Reverse {
						holder, member = candidate, rec
					}
					if strings.Contains(holder.At(to.Stored.Column()).Text(), member.Key().String()) && tx.Matches(where, candidate) {
						return candidate, nil
					}
				}
				return core.Record{}, nil
			})
		},
	},
	{
		name:   "a self relation leads to the record itself",
		breaks: []string{"related/a relation may lead to the same resource", "related/conditions nest over several relations"},
		install: func(h *hooks) {
			h.reading(func(tx *kittest.NaiveTx, rec core.Record, to core.Relation, where core.Filter) (core.Record, error) {
				if to.Source() == to.Target() && tx.Matches(where, rec) {
					return rec, nil
				}
				return related(tx, rec, to, where)
			})
		},
	},
	{
		name:   "updates ignore a Using that crosses relations",
		breaks: []string{"related/using crosses relations", "related/a changed relation conflicts with its condition"},
		open:   func() core.Backend { return &optimistic{validate: validateWrites, unguarded: true} },
	},
	{
		name:   "deletes ignore a Using that crosses relations",
		breaks: []string{"related/using crosses relations"},
		install: func(h *hooks) {
			h.delete = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) error {
				if op.Using.Crosses() {
					op = with(op, all)
				}
				return tx.Delete(ctx, op)
			}
		},
	},
	{
		name:   "updates apply a Using that crosses relations to the after images",
		breaks: []string{"related/using crosses before the write"},
		install: func(h *hooks) {
			h.update = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				if !op.Using.Crosses() {
					return tx.Update(ctx, op)
				}
				recs, err := tx.Update(ctx, with(op, all))
				for _, rec := range recs {
					if !tx.Matches(op.Using, rec) {
						return nil, op.Resource.NotFound(rec.Key())
					}
				}
				return recs, err
			}
		},
	},
	{
		name:   "loads ignore a Using that crosses relations",
		breaks: []string{"related/using crosses relations", "related/check crosses relations", "related/records outside the guard do not exist"},
		install: func(h *hooks) {
			h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
				if op.Kind == core.Load && op.Using.Crosses() {
					op = with(op, all)
				}
				return tx.Read(ctx, op)
			}
		},
	},
	{
		name:   "snapshots do not notice changes of related records",
		breaks: []string{"related/a changed relation conflicts with its condition"},
		open:   func() core.Backend { return &optimistic{validate: validateRecords} },
	},
	{
		name:   "answers are those of another record",
		breaks: []string{"related/each record has its own answers"},
		install: func(h *hooks) {
			h.results(func(_ *core.Op, res *core.Result) { res.Conditions = rotate(res.Conditions) })
		},
	},
	{
		name:   "answers come in the order of the keys",
		breaks: []string{"related/each record has its own answers"},
		install: func(h *hooks) {
			h.results(func(_ *core.Op, res *core.Result) {
				byKey := make(map[core.Value][]bool)
				for i, answers := range res.Conditions {
					byKey[res.Records[i].Key()] = answers
				}
				for i, key := range core.SortKeys(slices.Collect(maps.Keys(byKey))) {
					res.Conditions[i] = byKey[key]
				}
			})
		},
	},
	{
		name:   "null sorts first along a path",
		breaks: []string{"related/a path without a record sorts as null", "related/an order may follow to-one relations"},
		install: func(h *hooks) {
			h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
				if !op.OrderCrosses() {
					return tx.Read(ctx, op)
				}
				res, err := tx.Read(ctx, with(op, func(op *core.Op) { op.Limit = 0 }))
				nulls := func(position []core.Value) int {
					return map[bool]int{true: 1}[position[0].IsNull() != op.Order[0].Desc]
				}
				order := make([]int, len(res.Records))
				for i := range order {
					order[i] = i
				}
				slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(nulls(res.Positions[b]), nulls(res.Positions[a])) })
				records, positions := res.Records, res.Positions
				res.Records, res.Positions = nil, nil
				for _, i := range order {
					res.Records, res.Positions = append(res.Records, records[i]), append(res.Positions, positions[i])
				}
				return truncated(res, op.Limit), err
			}
		},
	},
	{
		name:   "records without the related one are left out of the order",
		breaks: []string{"related/a path without a record sorts as null", "related/pages along a path add up", "related/an order may follow to-one relations"},
		install: func(h *hooks) {
			h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
				for _, o := range op.Order {
					if o.Path != nil {
						op = with(op, func(op *core.Op) { op.Where = core.And(op.Where, o.Path[0].Relation.Match(core.All())) })
					}
				}
				return tx.Read(ctx, op)
			}
		},
	},
	{
		name:   "a path sorts by the reference",
		breaks: []string{"related/an order may follow to-one relations"},
		install: func(h *hooks) {
			h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
				res, err := tx.Read(ctx, op)
				if op.OrderCrosses() && op.Limit == 0 && op.Fields == nil && len(op.Order) == 2 && !op.Order[0].Path[0].Relation.Reverse {
					by := op.Order[0].Path[0].Relation.Stored
					order := []core.Order{{Field: by, Desc: op.Order[0].Desc}, op.Order[1]}
					slices.SortFunc(res.Records, func(a, b core.Record) int { return core.CompareRecords(order, a, b) })
				}
				return res, err
			}
		},
	},
	{
		name:   "positions are those of another record",
		breaks: []string{"related/pages along a path add up", "related/pages along a path continue after changes", "related/long values of a path are not left out"},
		install: func(h *hooks) {
			h.results(func(_ *core.Op, res *core.Result) { res.Positions = rotate(res.Positions) })
		},
	},
	{
		name:   "positions along a path stop at null",
		breaks: []string{"related/pages along a path add up", "related/a path without a record sorts as null"},
		install: func(h *hooks) {
			h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
				if op.OrderCrosses() && slices.ContainsFunc(op.After, core.Value.IsNull) {
					return core.Result{}, ctx.Err()
				}
				return tx.Read(ctx, op)
			}
		},
	},
	{
		name:   "a page along a path goes on after the record and not after its position",
		breaks: []string{"related/pages along a path continue after changes", "related/long values of a path are not left out"},
		install: func(h *hooks) {
			h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
				if op.OrderCrosses() && op.After != nil {
					if _, there := tx.Rows[op.Resource.Index()][op.After[len(op.After)-1]]; !there {
						return core.Result{}, ctx.Err()
					}
				}
				return tx.Read(ctx, op)
			}
		},
	},
	{
		name:   "a related condition is dropped after the first page",
		breaks: []string{"related/pages with a related condition add up", "related/pages along a path add up"},
		install: func(h *hooks) {
			h.read = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) (core.Result, error) {
				if op.After != nil {
					op = with(op, func(op *core.Op) {
						if op.Where.Crosses() {
							op.Where = core.All()
						}
						if op.Using.Crosses() {
							op.Using = core.All()
						}
					})
				}
				return tx.Read(ctx, op)
			}
		},
	},
}

// truncated returns the result with at most limit records.
func truncated(res core.Result, limit int) core.Result {
	if limit > 0 && len(res.Records) > limit {
		res.Records, res.Positions, res.More = res.Records[:limit], res.Positions[:limit], true
	}
	return res
}
