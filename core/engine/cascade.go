package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/larder-go/larder/core"
)

// cascade is a delete with all records that depend on it. The records are found breadth-first, without recursion,
// and before the first write. Write rules of records that are deleted do not apply.
type cascade struct {
	work       *writer
	pending    *pendingWrites
	deleted    []map[core.Value]core.Record // by index of the resource
	references []danglingReference
	isRequest  bool // the delete is the whole request
}

// danglingReference is a record that points through the field at a deleted record.
type danglingReference struct {
	field  *core.Field
	record core.Record
}

// frontier holds keys of deleted records, by index of the resource. Their referrers must still be found.
type frontier [][]core.Value

func (f frontier) notEmpty() bool {
	return slices.ContainsFunc(f, func(keys []core.Value) bool { return len(keys) > 0 })
}

// cascadeDelete deletes the pending deletions with all records that depend on them, and drops pending updates of
// deleted records. The identity map must have the pending deletions. If the delete is the whole request, its last
// operation ends the transaction.
func (w *writer) cascadeDelete(ctx context.Context, pending *pendingWrites, isRequest bool) error {
	c := cascade{work: w, pending: pending, deleted: make([]map[core.Value]core.Record, len(w.known)), isRequest: isRequest}
	if err := w.budget.write(pending.updates.info.resource, pending.deletions...); err != nil {
		return err
	}
	next := make(frontier, len(w.known))
	for _, key := range pending.deletions {
		c.add(w.knownOf(pending.updates.info).record(key), next)
	}
	for next.notEmpty() {
		now := next
		next = make(frontier, len(w.known))
		if err := c.collect(ctx, now, next); err != nil {
			return err
		}
	}
	if err := c.checkRestrict(); err != nil {
		return err
	}
	if err := c.checkRules(ctx); err != nil {
		return err
	}
	if err := c.detachReferrers(ctx); err != nil {
		return err
	}
	pending.updates.keys = slices.DeleteFunc(pending.updates.keys, func(key core.Value) bool {
		return c.deletes(pending.updates.info.resource.Index(), key)
	})
	return c.deleteRecords(ctx)
}

// add adds a record to the deleted ones and its key to the next frontier.
func (c *cascade) add(rec core.Record, next frontier) {
	i := rec.Resource().Index()
	if c.deletes(i, rec.Key()) {
		return
	}
	if c.deleted[i] == nil {
		c.deleted[i] = make(map[core.Value]core.Record)
	}
	c.deleted[i][rec.Key()] = rec
	next[i] = append(next[i], rec.Key())
}

func (c *cascade) deletes(resource int, key core.Value) bool {
	_, dies := c.deleted[resource][key]
	return dies
}

// collect finds the records that point at the current frontier.
func (c *cascade) collect(ctx context.Context, now, next frontier) error {
	for i, keys := range now {
		if len(keys) == 0 {
			continue
		}
		r := c.work.engine.resources[i].resource
		keeps := c.work.engine.store.Keeps(r) // its records can be restored with all references
		for _, f := range r.Referrers() {
			if f.Resource().ReadOnly() || keeps && f.OnDelete() == core.Detach {
				continue
			}
			found, err := c.referrers(ctx, f, keys)
			if err != nil {
				return err
			}
			for _, rec := range found {
				if f.OnDelete() == core.Cascade && !c.pending.updates.repoints(f, rec) {
					c.add(rec, next)
				} else {
					c.references = append(c.references, danglingReference{f, rec})
				}
			}
		}
	}
	return nil
}

// referrers reads the records that point through f at one of the keys, and counts them as written.
//
// Errors: [core.StillReferenced] if the relation refuses the delete. Records beyond Options.MaxWritten are
// [core.StillReferenced] too if the delete is the whole request, otherwise [core.TooLarge].
func (c *cascade) referrers(ctx context.Context, f *core.Field, keys []core.Value) ([]core.Record, error) {
	budget := c.work.budget
	limit := budget.room(f.Resource()) + 1
	stay := f.OnDelete() == core.Restrict && !c.mayDelete(f.Resource())
	if stay {
		limit = 1
	}
	found, _, err := c.work.referrers(ctx, f, keys, limit)
	switch {
	case err != nil:
		return nil, err
	case stay && len(found) > 0:
		return nil, c.refusal(f)
	}
	referring := make([]core.Value, len(found))
	for i, rec := range found {
		referring[i] = rec.Key()
	}
	if err = budget.write(f.Resource(), referring...); err != nil && c.isRequest {
		err = f.StillReferenced()
	}
	return found, err
}

// refusal returns the error for a delete that the relation refuses.
func (c *cascade) refusal(f *core.Field) error {
	return c.work.refusal(c.pending.updates.info.resource, f.StillReferenced())
}

// mayDelete reports whether the delete may reach records of the resource.
func (c *cascade) mayDelete(r *core.Resource) bool {
	return r == c.pending.updates.info.resource ||
		slices.ContainsFunc(r.References(), func(f *core.Field) bool { return f.OnDelete() == core.Cascade })
}

// checkRestrict returns [core.StillReferenced] if a record that stays points at a deleted one through a relation with the
// rule Restrict. References of hidden records are unknown here; the commit rejects them with the same error.
func (c *cascade) checkRestrict() error {
	for _, l := range c.references {
		if l.field.OnDelete() == core.Restrict && !c.deletes(l.record.Resource().Index(), l.record.Key()) {
			if !c.pending.updates.repoints(l.field, l.record) {
				return c.refusal(l.field)
			}
		}
	}
	return nil
}

// checkRules checks the write rules of the records that stay and point at deleted records, or that
// deleted records point at.
func (c *cascade) checkRules(ctx context.Context) error {
	for _, l := range c.references {
		if c.deletes(l.record.Resource().Index(), l.record.Key()) {
			continue
		}
		if err := c.work.checkRule(ctx, l.field, l.record, l.field.Target()); err != nil {
			return err
		}
	}
	for i, records := range c.deleted {
		info := c.work.engine.resources[i]
		if len(records) == 0 || !info.inverseRules {
			continue
		}
		for _, f := range info.resource.References() {
			if err := c.work.checkPartnerRules(ctx, f.Inverse(), c.keptTargets(f, records)); err != nil {
				return err
			}
		}
		for _, f := range info.ruledLists {
			if f == c.pending.ruled {
				continue
			}
			if err := c.work.checkPartnerRules(ctx, f, c.keptOwners(f, records)); err != nil {
				return err
			}
		}
	}
	return nil
}

// keptOwners returns the keys of the records that stay and whose list through the deleted records changes. It contains an
// absent key if a policy hides a relation of some record.
func (c *cascade) keptOwners(f *core.Field, links map[core.Value]core.Record) []core.Value {
	var owners []core.Value
	for _, link := range links {
		for _, owner := range listOwners(f, link, core.Record{}) {
			if !c.deletes(f.Resource().Index(), owner) {
				owners = append(owners, owner)
			}
		}
	}
	return core.SortKeys(owners)
}

// keptTargets returns the keys of the records that deleted records point at through f and that stay. It contains
// an absent key if a policy hides the field of some record.
func (c *cascade) keptTargets(f *core.Field, records map[core.Value]core.Record) []core.Value {
	var keys []core.Value
	for _, rec := range records {
		if v := rec.At(f.Column()); !v.IsNull() && !c.deletes(f.Target().Index(), v) {
			keys = append(keys, v)
		}
	}
	return core.SortKeys(keys)
}

// detachReferrers sets the references of staying records to null.
func (c *cascade) detachReferrers(ctx context.Context) error {
	all := make([]*updateSet, len(c.deleted))
	for _, l := range c.references {
		i := l.record.Resource().Index()
		if c.deletes(i, l.record.Key()) {
			continue
		}
		if all[i] == nil {
			all[i] = c.work.engine.resources[i].newUpdateSet()
		}
		if err := all[i].point(l.record, l.field, core.Null); err != nil {
			return err
		}
	}
	for _, updates := range all {
		if updates == nil {
			continue
		}
		if err := c.work.update(ctx, updates); err != nil {
			return c.consequence(err, "changes", updates.info.resource)
		}
	}
	return nil
}

// consequence returns the error of an operation on records that depend on the deleted ones. A [core.Forbidden] says that the
// denied operation follows from the delete. The principal has read these records.
func (c *cascade) consequence(err error, verb string, r *core.Resource) error {
	e, root := core.AsError(err), c.pending.updates.info.resource
	if e.Code != core.Forbidden || r == root {
		return err
	}
	denied := *e
	denied.Message = fmt.Sprintf("the delete of %s also %s records of %s", root.APIName(), verb, r.APIName())
	return &denied
}

// deleteRecords deletes the records, one operation for each resource.
func (c *cascade) deleteRecords(ctx context.Context) error {
	order := slices.DeleteFunc(slices.Clone(c.work.engine.deletionOrder), func(i int) bool { return len(c.deleted[i]) == 0 })
	for at, i := range order {
		tx := c.work.tx
		if c.isRequest && at == len(order)-1 && c.work.engine.inTx == nil {
			tx = c.work.tx.Final()
		}
		keys := slices.Collect(maps.Keys(c.deleted[i]))
		if err := c.work.delete(ctx, tx, c.work.engine.resources[i], keys); err != nil {
			return c.consequence(err, "deletes", c.work.engine.resources[i].resource)
		}
	}
	return nil
}

// deletionOrder returns the indexes of the resources so that referring resources come before the resources they
// point at. A database may check references with every statement, and may itself delete referrers that cascade. In
// a circle of resources, the ones that cascade come first, because references without cascade can be set to null.
func deletionOrder(m *core.Model) []int {
	pointing := reachable(m, func(*core.Field) bool { return true })
	cascading := reachable(m, func(f *core.Field) bool { return f.OnDelete() == core.Cascade })
	rest := make([]int, len(m.Resources()))
	for i := range rest {
		rest[i] = i
	}
	order := make([]int, 0, len(rest))
	for len(rest) > 0 {
		next := slices.IndexFunc(rest, func(to int) bool {
			return !slices.ContainsFunc(rest, func(from int) bool {
				return pointing.oneWay(from, to) || cascading.oneWay(from, to)
			})
		})
		order = append(order, rest[next])
		rest = slices.Delete(rest, next, next+1)
	}
	return order
}

// reachability[from][to] is true if references lead from one resource to the other, by index.
type reachability [][]bool

func (r reachability) oneWay(from, to int) bool { return r[from][to] && !r[to][from] }

// reachable follows the references that counts selects, over any number of resources.
func reachable(m *core.Model, counts func(*core.Field) bool) reachability {
	r := make(reachability, len(m.Resources()))
	for i := range r {
		r[i] = make([]bool, len(r))
		next := []*core.Resource{m.Resources()[i]}
		for len(next) > 0 {
			here := next[0]
			next = next[1:]
			for _, f := range here.References() {
				if to := f.Target(); counts(f) && !r[i][to.Index()] {
					r[i][to.Index()] = true
					next = append(next, to)
				}
			}
		}
	}
	return r
}
