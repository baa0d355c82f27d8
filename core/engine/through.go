package engine

import (
	"context"
	"errors"
	"slices"

	"github.com/larder-go/larder/core"
)

// Lists through a join resource. The records of that resource are links: near points at the record with the list, far at a
// member of the list.

// ownerField returns the field of the records of a list side, or of its links, that points at the record with the list.
func ownerField(f *core.Field) *core.Field {
	if near, _ := f.Through(); near != nil {
		return near
	}
	return f.Inverse()
}

// linkQuery returns the query for the links of the owners whose members exist for the principal.
func (e *Engine) linkQuery(f *core.Field, owners []core.Value) core.Query {
	near, far := f.Through()
	q := core.Query{Where: anyOf(near, owners), Fields: []string{near.Name(), far.Name()}}
	switch {
	case e.mayHide:
		q.Where = core.And(q.Where, core.Related(far.Name(), core.All()))
	case !far.KeyPart():
		q.Where = core.And(q.Where, far.Compare(core.FilterNe, core.Null))
	}
	return q
}

// linkOrder returns the order of the links of several owners, by owner and member, or of one owner. A policy may deny an
// order by the stored ids, because they may belong to hidden records. The ids of visible records can always be compared.
func (e *Engine) linkOrder(f *core.Field, several bool) []string {
	near, far := f.Through()
	order := []string{near.Name(), far.Name()}
	if e.mayHide {
		order = []string{near.Name() + "." + near.Target().Key().Name(), far.Name() + "." + far.Target().Key().Name()}
	}
	if several {
		return order
	}
	return order[1:]
}

// withoutRelated returns the query for a store with a decorator that does not know conditions on related records: the links
// of all members, hidden ones included, in the order of their keys.
func withoutRelated(q core.Query, near *core.Field, owners []core.Value) core.Query {
	q.Where, q.Order = anyOf(near, owners), nil
	return q
}

// keepVisible removes links without a member, and those to members that a read of their keys does not return.
func keepVisible(ctx context.Context, querier core.Querier, far *core.Field, links []core.Record) ([]core.Record, error) {
	links = slices.DeleteFunc(links, func(link core.Record) bool { return !link.Value(far).IsSet() })
	if len(links) == 0 {
		return nil, nil
	}
	members, err := querier.Load(ctx, far.Target(), targetKeys(far, links), far.Target().Key().Name())
	return slices.DeleteFunc(links, func(link core.Record) bool {
		_, visible := findByKey(members, link.Value(far))
		return !visible
	}), err
}

// linkError returns the error for a list whose links cannot be read. A policy that hides a relation of the links hides the
// list.
func linkError(f *core.Field, err error) error {
	near, far := f.Through()
	e := core.AsError(err)
	if e == nil || e.Code != core.UnknownField || e.Resource != near.Resource().APIName() || e.Field != near.APIName() && e.Field != far.APIName() {
		return err
	}
	return &core.Error{Code: core.UnknownField, Resource: f.Resource().APIName(), Field: f.APIName(), Cause: err}
}

// loadAllLinks reads the links of the nodes in a store with a decorator that does not know conditions on related records.
// The order of the members is known only after all links have been read, so that more links than the answer can hold are an
// error.
func (b *viewBuilder) loadAllLinks(ctx context.Context, ex *expansion) ([]core.Record, error) {
	near, far := ex.shown.field.Through()
	q := withoutRelated(b.engine.linkQuery(ex.shown.field, nil), near, core.SortKeys(slices.Clone(ex.keys)))
	q.Limit = b.remaining.records + 1
	page, err := b.tx.Select(ctx, near.Resource(), q)
	if err != nil {
		return nil, err
	}
	if page.Next != "" {
		return nil, b.budgetError(len(page.Records))
	}
	links, err := keepVisible(ctx, b.tx, far, page.Records)
	slices.SortFunc(links, func(x, y core.Record) int {
		if c := core.Compare(x.Value(near), y.Value(near)); c != 0 {
			return c
		}
		return core.Compare(x.Value(far), y.Value(far))
	})
	kept, _ := ex.keepPerNode(links, b.engine.opts.MaxMembers)
	return kept, err
}

// loadLinked reads the members that the links lead to, in the order of their first link, up to the bytes that are left. An
// answer without pages shows as many members as it has read.
func (b *viewBuilder) loadLinked(ctx context.Context, ex *expansion, links []core.Record, depth int, last bool) error {
	f := ex.shown.field
	_, far := f.Through()
	info := b.targetInfo(ex.shown)
	ex.members = make(map[core.Value]core.Record, len(links))
	var left []core.Value
	for _, link := range links {
		key := link.Value(far)
		if _, found := ex.members[key]; !found {
			ex.members[key] = core.Record{}
			left = append(left, key)
		}
	}
	size, read := 0, 0
	for chunk := firstChunk; len(left) > 0; chunk = nextChunk(read, size, b.remaining.bytes-size) {
		n := min(len(left), chunk)
		querier, _ := b.querier(f, depth, last && n == len(left))
		members, err := querier.Load(ctx, f.Target(), core.SortKeys(slices.Clone(left[:n])), info.fieldsAt(depth)...)
		if err != nil {
			return err
		}
		for _, rec := range members {
			ex.members[rec.Key()] = rec
			size += info.nodeSize(rec, false)
		}
		if depth > 0 && !last {
			b.remember(f.Target(), members)
		}
		read, left = read+len(members), left[n:]
		if size > b.remaining.bytes && !b.truncate {
			return b.budgetError(read)
		}
		if size > b.remaining.bytes {
			break
		}
	}
	for _, key := range left {
		delete(ex.members, key)
	}
	return nil
}

// memberKey returns the key of the record that a list shows for one of its records, or of its links.
func (ex *expansion) memberKey(rec core.Record) core.Value {
	if _, far := ex.shown.field.Through(); far != nil {
		return rec.Value(far)
	}
	return rec.Key()
}

// member returns the record that a list shows for one of its records, or of its links: the zero Record if there is none. It
// reports whether the record was read.
func (ex *expansion) member(rec core.Record) (_ core.Record, read bool) {
	if ex.members == nil {
		return rec, true
	}
	rec, read = ex.members[ex.memberKey(rec)]
	return rec, read
}

// memberNodes returns the node of each member of a list.
func (ex *expansion) memberNodes(g *nodeGroup, kept []core.Record) []*node {
	if ex.members == nil {
		return g.nodesFor(kept, false)
	}
	seen := make(map[core.Value]bool, len(kept))
	var distinct []core.Record
	for _, link := range kept {
		if key := ex.memberKey(link); !seen[key] {
			seen[key] = true
			distinct = append(distinct, ex.members[key])
		}
	}
	g.nodesFor(distinct, false)
	nodes := make([]*node, len(kept))
	for i, link := range kept {
		nodes[i] = g.find(ex.memberKey(link))
	}
	return nodes
}

// links reads the links of the owner whose members exist for the principal, at most limit of them if limit is positive. all
// reports whether there are no others.
func (w *writer) links(ctx context.Context, f *core.Field, owner core.Value, limit int) (_ []core.Record, all bool, _ error) {
	near, far := f.Through()
	info := w.engine.info(near.Resource())
	q := w.engine.linkQuery(f, []core.Value{owner})
	q.Fields, q.Limit = info.relationFields, limit
	page, err := w.tx.Select(ctx, info.resource, q)
	links := page.Records
	if errors.Is(err, core.SearchForbidden) {
		q = withoutRelated(q, near, []core.Value{owner})
		q.Limit = w.engine.opts.MaxRecords + 1
		if page, err = w.tx.Select(ctx, info.resource, q); err == nil {
			links, err = keepVisible(ctx, w.tx, far, page.Records)
		}
	}
	if err != nil {
		return nil, false, linkError(f, err)
	}
	w.knownOf(info).addRead(links)
	return links, page.Next == "" && (limit == 0 || len(links) <= limit), nil
}

// setLinks makes the list of the owner consist of the members. It deletes the links to other members, and adds links to new
// ones.
func (w *writer) setLinks(ctx context.Context, c *change, m relationValue, links []core.Record) error {
	near, far := m.field.Through()
	info := w.engine.info(near.Resource())
	pending := newPendingWrites(info)
	pending.ruled = m.field
	linked := make(map[core.Value]bool, len(links))
	for _, link := range links {
		member := link.Value(far)
		if _, kept := slices.BinarySearchFunc(m.keys, member, core.Compare); kept {
			linked[member] = true
		} else {
			pending.deletions = append(pending.deletions, link.Key())
		}
	}
	added := slices.DeleteFunc(slices.Clone(m.keys), func(key core.Value) bool { return linked[key] })
	if !c.isNew && len(pending.deletions)+len(added) > 0 {
		if err := w.checkRule(ctx, m.field, c.before, m.field.Resource()); err != nil {
			return err
		}
	}
	if err := w.flush(ctx, pending); err != nil || len(added) == 0 {
		return err
	}
	changes := make([]*change, len(added))
	for i, key := range added {
		if w.knownOf(w.engine.info(m.field.Target())).record(key).IsZero() {
			return m.field.Target().NotFound(key) // a cascade of this request deleted it
		}
		changes[i] = newChange(info, c.level)
		changes[i].isNew = true
		changes[i].give(near, c.key())
		for at, v := range far.Split(key) {
			if part := far.Parts()[at]; changes[i].values[part.Column()].IsSet() && changes[i].values[part.Column()] != v {
				e := badValue(m.field, far.Type(), key.Any())
				e.Accepted = "keys with the " + part.APIName() + " of the record"
				return e
			}
		}
		changes[i].give(far, key)
	}
	return w.insertChanges(ctx, changes, m.field)
}

// listOwners returns the keys of the records whose list through the resource of the records changes with a record: owners of
// the link before and of the link after. Either can be the zero Record. A key is absent if a policy hides it.
func listOwners(f *core.Field, before, after core.Record) []core.Value {
	near, far := f.Through()
	was, now := [2]core.Value{before.Value(near), before.Value(far)}, [2]core.Value{after.Value(near), after.Value(far)}
	if was == now {
		return nil
	}
	var owners []core.Value
	for i, rec := range []core.Record{before, after} {
		link := [2][2]core.Value{was, now}[i]
		if !rec.IsZero() && !link[0].IsNull() && !link[1].IsNull() {
			owners = append(owners, link[0])
		}
	}
	return owners
}

// checkListRules checks the write rules of the lists through the resource that change with its records, from their state
// before to the one after. ruled is a list whose rule the caller has checked, or nil.
func (w *writer) checkListRules(ctx context.Context, info *resourceInfo, ruled *core.Field, before, after []core.Record) error {
	for _, f := range info.ruledLists {
		if f == ruled {
			continue
		}
		var owners []core.Value
		for i := range max(len(before), len(after)) {
			var was, now core.Record
			if before != nil {
				was = before[i]
			}
			if after != nil {
				now = after[i]
			}
			owners = append(owners, listOwners(f, was, now)...)
		}
		if err := w.checkPartnerRules(ctx, f, core.SortKeys(owners)); err != nil {
			return err
		}
	}
	return nil
}
