package storetest_test

import (
	"context"
	"errors"
	"maps"
	"strings"

	"github.com/larder-go/larder/core"
	"github.com/larder-go/larder/core/reference"
	"github.com/larder-go/larder/core/storetest/internal/kittest"
)

// checked wraps a write with a check of the stored records.
func checked(method writeHook, check func(tx *kittest.NaiveTx) error) writeHook {
	return func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
		recs, err := method(tx, ctx, op)
		return recs, errors.Join(err, check(tx))
	}
}

// ignoring commits if the integrity check fails with one of the codes.
func ignoring(codes ...core.Code) func(h *hooks) {
	return func(h *hooks) {
		h.commit = func(tx *kittest.NaiveTx, ctx context.Context) error {
			err := tx.Check()
			for _, code := range codes {
				if errors.Is(err, code) {
					tx.Backend.Rows = tx.Rows
					return tx.Rollback(ctx)
				}
			}
			return tx.Commit(ctx)
		}
	}
}

// holder returns a record that references the key through the field.
func holder(tx *kittest.NaiveTx, f *core.Field, key core.Value) (core.Record, bool) {
	for rec := range tx.Of(f.Resource()) {
		if rec.At(f.Column()) == key {
			return rec, true
		}
	}
	return core.Record{}, false
}

// deleting calls fix for each record that references a deleted one, and then deletes.
func deleting(fix func(tx *kittest.NaiveTx, f *core.Field, rec core.Record)) func(h *hooks) {
	return func(h *hooks) {
		h.delete = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) error {
			if err := tx.Delete(ctx, op); err != nil {
				return err
			}
			for _, f := range op.Resource.Referrers() {
				for _, key := range op.Keys {
					if rec, found := holder(tx, f, key); found {
						fix(tx, f, rec)
					}
				}
			}
			return nil
		}
	}
}

// alsoUnique commits unless two tickets have the same value of the function.
func alsoUnique(value func(x *core.Index, rec core.Record) core.Value) func(h *hooks) {
	return func(h *hooks) {
		h.commit = func(tx *kittest.NaiveTx, ctx context.Context) error {
			ticket := tx.Backend.Model.Resource("ticket")
			for _, x := range ticket.Indexes() {
				found := make(map[core.Value]bool)
				for rec := range tx.Of(ticket) {
					v := value(x, rec)
					if x.Unique && v.IsSet() && found[v] {
						return errors.Join(x.AlreadyExists(), tx.Rollback(ctx))
					}
					found[v] = true
				}
			}
			return tx.Commit(ctx)
		}
	}
}

var integrityDefects = []defect{
	{
		name: "unique indexes are checked at once",
		breaks: []string{
			"integrity/values of several fields can be swapped", "integrity/a condition of a unique index is checked at commit",
		},
		install: func(h *hooks) {
			h.update = checked((*kittest.NaiveTx).Update, func(tx *kittest.NaiveTx) error {
				if err := tx.Check(); errors.Is(err, core.AlreadyExists) {
					return err
				}
				return nil
			})
		},
	},
	{
		name:   "a unique index compares its first field only",
		breaks: []string{"integrity/values of several fields occur once", "integrity/values of several fields can be swapped"},
		install: alsoUnique(func(x *core.Index, rec core.Record) core.Value {
			return rec.At(x.Order()[0].Field.Column())
		}),
	},
	{
		name:   "a unique index joins its values",
		breaks: []string{"integrity/values of several fields occur once"},
		install: alsoUnique(func(x *core.Index, rec core.Record) core.Value {
			if !x.Claim(rec).IsSet() {
				return core.Value{}
			}
			var text strings.Builder
			for _, o := range x.Order() {
				text.WriteString(rec.At(o.Field.Column()).String())
			}
			return core.TextValue(text.String())
		}),
	},
	{
		name:   "null is a value of a unique index",
		breaks: []string{"integrity/null in a unique index repeats", "integrity/a condition limits a unique index"},
		install: alsoUnique(func(x *core.Index, rec core.Record) core.Value {
			if in, err := x.Where.Match(rec, nil); !in || err != nil {
				return core.Value{}
			}
			var values []core.Value
			for _, o := range x.Order() {
				values = append(values, rec.At(o.Field.Column()))
			}
			return core.ListOf(values...)
		}),
	},
	{
		name:   "a unique index ignores its condition",
		breaks: []string{"integrity/a condition limits a unique index"},
		install: alsoUnique(func(x *core.Index, rec core.Record) core.Value {
			all := *x
			all.Where = core.All()
			return all.Claim(rec)
		}),
	},
	{
		name:   "a unique index names one field",
		breaks: []string{"integrity/values of several fields occur once", "errors/errors carry API names"},
		install: func(h *hooks) {
			h.commit = func(tx *kittest.NaiveTx, ctx context.Context) error {
				err := tx.Commit(ctx)
				if e, ok := errors.AsType[*core.Error](err); ok && len(e.Fields) > 0 {
					return &core.Error{Code: e.Code, Resource: e.Resource, Field: e.Fields[0], Value: e.Value}
				}
				return err
			}
		},
	},
	{
		name:   "an index leaves out null",
		breaks: []string{"integrity/an index with directions serves pages"},
		install: func(h *hooks) {
			h.among(func(op *core.Op, rec core.Record) bool {
				return op.Kind != core.Select || op.Order[0].Field.Name() != "due" || rec.Get("due").IsSet()
			}, func(*core.Op) {})
		},
	},
	{
		name:    "relations are not checked",
		breaks:  []string{"integrity/a reference has a target", "integrity/a failed commit changes nothing", "batch/an insert is atomic"},
		install: ignoring(core.NotFound),
	},
	{
		name:    "deletes are not checked",
		breaks:  []string{"integrity/a referenced record cannot be deleted", "integrity/a backend does not cascade", "batch/a delete is atomic"},
		install: ignoring(core.StillReferenced),
	},
	{
		name:   "a delete clears kept references",
		breaks: []string{"integrity/a kept reference needs no target"},
		install: func(h *hooks) {
			h.delete = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) error {
				f := tx.Backend.Model.Resource("entry").Field("jar")
				for _, key := range op.Keys {
					if rec, found := holder(tx, f, key); found && op.Resource == f.Target() {
						tx.Rows[f.Resource().Index()][rec.Key()] = rec.Set(f, core.Null)
					}
				}
				return tx.Delete(ctx, op)
			}
		},
	},
	{
		name:    "unique values are not checked",
		breaks:  []string{"integrity/unique values occur once", "integrity/one-to-one relations are unique", "concurrency/one of several equal unique values succeeds"},
		install: ignoring(core.AlreadyExists),
	},
	{
		name: "unique values are checked at once",
		breaks: []string{
			"integrity/unique values can be swapped", "integrity/one-to-one relations are unique", "concurrency/concurrent swaps keep all values",
		},
		install: func(h *hooks) {
			h.update = checked((*kittest.NaiveTx).Update, func(tx *kittest.NaiveTx) error {
				if err := tx.Check(); errors.Is(err, core.AlreadyExists) {
					return err
				}
				return nil
			})
		},
	},
	{
		name:    "relations are checked at once",
		breaks:  []string{"integrity/references are checked at commit"},
		install: func(h *hooks) { h.insert = checked((*kittest.NaiveTx).Insert, (*kittest.NaiveTx).Check) },
	},
	{
		name:   "targets of deletes are checked at once",
		breaks: []string{"integrity/references are checked at commit"},
		install: func(h *hooks) {
			h.delete = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) error {
				return errors.Join(tx.Delete(ctx, op), tx.Check())
			}
		},
	},
	{
		name:   "null is a unique value",
		breaks: []string{"integrity/null is not unique"},
		install: func(h *hooks) {
			h.commit = func(tx *kittest.NaiveTx, ctx context.Context) error {
				label := tx.Backend.Model.Resource("jar").Field("label")
				n := 0
				for rec := range tx.Of(label.Resource()) {
					if rec.At(label.Column()).IsNull() {
						n++
					}
				}
				if n > 1 {
					return errors.Join(label.AlreadyExists(), tx.Rollback(ctx))
				}
				return tx.Commit(ctx)
			}
		},
	},
	{
		name:   "unique values ignore case",
		breaks: []string{"integrity/unique values occur once"},
		install: func(h *hooks) {
			h.commit = func(tx *kittest.NaiveTx, ctx context.Context) error {
				label := tx.Backend.Model.Resource("jar").Field("label")
				_, a := holder(tx, label, core.TextValue("a"))
				_, b := holder(tx, label, core.TextValue("A"))
				if a && b {
					return errors.Join(label.AlreadyExists(), tx.Rollback(ctx))
				}
				return tx.Commit(ctx)
			}
		},
	},
	{
		name:   "a unique value is never free again",
		breaks: []string{"integrity/a freed unique value can be used"},
		install: func(h *hooks) {
			owner := make(map[core.Value]core.Value)
			h.commit = func(tx *kittest.NaiveTx, ctx context.Context) error {
				label := tx.Backend.Model.Resource("jar").Field("label")
				for rec := range tx.Of(label.Resource()) {
					v := rec.At(label.Column())
					if o, known := owner[v]; known && v.IsSet() && o != rec.Key() {
						return errors.Join(label.AlreadyExists(), tx.Rollback(ctx))
					}
					owner[v] = rec.Key()
				}
				return tx.Commit(ctx)
			}
		},
	},
	{
		name:   "deletes cascade",
		breaks: []string{"integrity/a backend does not cascade", "integrity/a referenced record cannot be deleted"},
		install: deleting(func(tx *kittest.NaiveTx, f *core.Field, rec core.Record) {
			delete(tx.Rows[f.Resource().Index()], rec.Key())
		}),
	},
	{
		name:   "deletes set null",
		breaks: []string{"integrity/a referenced record cannot be deleted", "integrity/records may reference themselves"},
		install: deleting(func(tx *kittest.NaiveTx, f *core.Field, rec core.Record) {
			tx.Rows[f.Resource().Index()][rec.Key()] = rec.With(f.Column(), core.Null)
		}),
	},
	{
		name:   "a delete of a target is not found",
		breaks: []string{"integrity/a referenced record cannot be deleted", "errors/errors carry API names"},
		install: func(h *hooks) {
			h.commit = func(tx *kittest.NaiveTx, ctx context.Context) error {
				if err := reference.CheckIntegrity(tx.Backend.Model, tx.Of); err != nil {
					return errors.Join(err, tx.Rollback(ctx))
				}
				return tx.Commit(ctx)
			}
		},
	},
	{
		name:   "a record cannot point at itself",
		breaks: []string{"integrity/records may reference themselves"},
		install: func(h *hooks) {
			h.insert = checked((*kittest.NaiveTx).Insert, func(tx *kittest.NaiveTx) error {
				parent := tx.Backend.Model.Resource("page").Field("parent")
				for rec := range tx.Of(parent.Resource()) {
					if rec.At(parent.Column()) == rec.Key() {
						return parent.Target().NotFound(rec.Key())
					}
				}
				return nil
			})
		},
	},
	{
		name:   "a failed commit is a commit",
		breaks: []string{"integrity/a failed commit changes nothing", "durability/uncommitted writes do not survive a restart"},
		install: func(h *hooks) {
			h.commit = func(tx *kittest.NaiveTx, ctx context.Context) error {
				err := tx.Check()
				if err == nil {
					return tx.Commit(ctx)
				}
				tx.Backend.Rows = tx.Rows
				return errors.Join(err, tx.Rollback(ctx))
			}
		},
	},
	{
		name:   "integrity is checked on the snapshot",
		breaks: []string{"concurrency/no reference loses its target", "concurrency/one of several equal unique values succeeds"},
		free:   true,
		open:   func() core.Backend { return &optimistic{validate: validateWrites, blind: true} },
	},
	{
		name:   "errors have stored names",
		breaks: []string{"errors/errors carry API names", "write/insert never overwrites"},
		install: func(h *hooks) {
			h.insert = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				recs, err := tx.Insert(ctx, op)
				if e, ok := errors.AsType[*core.Error](err); ok && e.Code == core.AlreadyExists {
					copied := *e
					copied.Resource, copied.Field = op.Resource.Name(), op.Resource.Key().Name()
					err = &copied
				}
				return recs, err
			}
		},
	},
	{
		name:   "conflicts lack the existing value",
		breaks: []string{"errors/errors hide the storage"},
		install: func(h *hooks) {
			h.insert = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				recs, err := tx.Insert(ctx, op)
				if errors.Is(err, core.AlreadyExists) {
					err = op.Resource.Key().AlreadyExists()
				}
				return recs, err
			}
		},
	},
	{
		name:   "errors show the other record",
		breaks: []string{"errors/errors hide the storage"},
		install: func(h *hooks) {
			h.insert = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				recs, err := tx.Insert(ctx, op)
				if e, ok := errors.AsType[*core.Error](err); ok && e.Code == core.AlreadyExists {
					copied := *e
					copied.Value = maps.Collect(maps.All(tx.Rows[op.Resource.Index()]))
					err = &copied
				}
				return recs, err
			}
		},
	},
	{
		name:   "errors inside a transaction differ",
		breaks: []string{"errors/a transaction returns its operation's error"},
		install: func(h *hooks) {
			h.delete = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) error {
				err := tx.Delete(ctx, op)
				if err != nil && !op.Final {
					return errors.New("current transaction is aborted")
				}
				return err
			}
		},
	},
	{
		name:   "an error breaks the connection",
		breaks: []string{"errors/the store works after errors"},
		install: func(h *hooks) {
			broken := false
			h.insert = func(tx *kittest.NaiveTx, ctx context.Context, op *core.Op) ([]core.Record, error) {
				if broken {
					return nil, errors.New("connection is closed")
				}
				recs, err := tx.Insert(ctx, op)
				broken = err != nil
				return recs, err
			}
		},
	},
}
