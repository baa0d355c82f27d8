package audit

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/larder-go/larder/core"
)

// Options describe an audit trail. Only Resource is required.
type Options struct {
	// Resource is the name of the resource of entries. Its relations say which resources are audited. [Resource] declares one.
	Resource string
	// Omit lists fields that the entries leave out, as "issue.description". Hidden fields are always left out. An update that
	// changes nothing else has no entry.
	Omit []string
	// Program is the value of the field by for changes of [core.System]. The zero Value means null, as for anonymous callers.
	Program core.Value
	// ReadsDeleted reports whether the principal, nil for an anonymous one, reads the entries of deleted records of the resource,
	// in addition to the rules for the entries. It takes the place of the policies for the records: true shows the entries of all
	// deleted records of the resource, those of other owners and tenants too. nil means that only [core.System] reads them.
	ReadsDeleted func(p *core.Principal, r *core.Resource) bool
	// DeletedAt is the field of decorators/softdelete, required in a stack with it: setting the field is an entry of the kind
	// Deleted, and clearing it one of the kind Restored. The entries leave the field out. Without DeletedAt, every write of a
	// record that softdelete would keep is [core.ServerError].
	DeletedAt string
}

// New returns the decorator.
//
// [core.New] fails if the model lacks the resource of entries or one of its fields, or if the options name fields that do not
// exist. The error lists every mistake and its correction.
func New(o Options) core.Decorator {
	o.Omit = slices.Clone(o.Omit)
	return core.Decorator{
		Name: "audit", Note: "entries in " + o.Resource, Kind: core.KindEffect, UsesRelated: true,
		InsidePolicies: true, Inside: []string{"softdelete", "stamp"},
		ReadOnly: func(r *core.Resource) bool { return r.Name() == o.Resource },
		Wrap: func(m *core.Model, next core.Handler) (core.Handler, error) {
			l, err := newLayout(m, o)
			if err != nil {
				return nil, err
			}
			t := &trail{o, l, next}
			return t.handle, nil
		},
	}
}

// trail is the decorator of one store. It is immutable.
type trail struct {
	Options
	*layout

	next core.Handler
}

func (t *trail) handle(ctx context.Context, op *core.Op) (core.Result, error) {
	switch s := t.of[op.Resource]; {
	case op.Resource == t.entry && op.Writes():
		if !mayWrite(ctx, op) {
			return core.Result{}, &core.Error{Code: core.ReadOnly, Resource: t.entry.APIName()}
		}
	case op.Resource == t.entry:
		return t.read(ctx, op)
	case s != nil && (op.Kind == core.Insert || op.Kind == core.Update || op.Kind == core.Delete):
		if s.deletedAt == nil && op.Keeps() {
			return core.Result{}, &core.Error{Code: core.ServerError, Cause: fmt.Errorf("audit: the store keeps the deleted records of %s, and the entries of deletes would be missing; set Options.DeletedAt to the field of softdelete", op.Resource)}
		}
		final := op.Final || op.Tx == nil
		return op.InTx(ctx, t.next, func(ctx context.Context, op *core.Op) (core.Result, error) { return t.write(ctx, op, s, final) })
	}
	return t.next(ctx, op)
}

type writeKey struct{}

// AllowWrites returns a context of the program itself, see [core.System], in which entries can be written and deleted like
// other records: to load a copy, or to erase the data of a person. [Purge] needs no such context.
func AllowWrites(ctx context.Context) context.Context {
	return context.WithValue(core.System(ctx), writeKey{}, true)
}

func mayWrite(ctx context.Context, op *core.Op) bool {
	return op.Principal.IsSystem() && ctx.Value(writeKey{}) != nil
}

// Purge deletes the entries that are older than the time, as the program. It returns their number. Each batch of at most
// size entries is a transaction of its own, oldest entries first; after an error those of earlier batches are gone.
//
// Errors: those of [core.Store]; [core.ServerError] for a store without the resource; [core.BadParam] for a size below 1.
func Purge(ctx context.Context, store *core.Store, resource string, before time.Time, size int) (deleted int, err error) {
	ctx = AllowWrites(ctx)
	r := store.Model().Resource(resource)
	if size < 1 {
		return 0, &core.Error{Code: core.BadParam, Param: "size", Accepted: "positive number"}
	}
	for {
		var keys []core.Value
		err := store.Tx(ctx, func(ctx context.Context, tx *core.Transaction) error {
			page, err := tx.Select(ctx, r, core.Query{Where: core.Lt("at", before), Fields: []string{}, Limit: size})
			keys = nil
			for _, rec := range page.Records {
				keys = append(keys, rec.Key())
			}
			if err != nil || len(keys) == 0 {
				return err
			}
			return tx.Delete(ctx, r, keys...)
		})
		if err != nil || len(keys) == 0 {
			return deleted, err
		}
		deleted += len(keys)
	}
}
