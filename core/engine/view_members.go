package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/larder-go/larder/core"
)

// Large list sides: a view shows the first records of a list side, ascending by id, and a list continues after
// them.

// NextSuffix is appended to the name of a list side for the member that links to the rest of it.
const NextSuffix = "@next"

// More describes a list side of which a view shows only the first records. [Engine.Related] lists the remaining
// records with [Query.After].
type More struct {
	// Field is the list side.
	Field *core.Field
	// Owner is the key of the record with the list side.
	Owner core.Value
	// After is the cursor after the last record in the view. It is empty if the view shows none.
	After core.Cursor
	// Depth is the depth of the shown records.
	Depth int
	// Fields are the fields that the records show, see [Query.Fields]; nil for all.
	Fields []string
}

// Continues reports whether a view may show only the first records of the to-many relation and continue them with a
// [More]. This needs an inverse that clients can set, or a join resource, because a part of a list cannot be set as the
// list. It is false for a list of ids that the record itself stores; such a list is always shown in full.
func Continues(f *core.Field) bool {
	near, _ := f.Through()
	return f.Many() && !f.Stored() && (near != nil || !f.Inverse().Hidden())
}

// loadMembers reads the records of a list side, ordered by owner: for each node as many as its part shows, for all
// nodes together as many as the budget allows. It marks nodes that have more. If a policy forbids that order,
// because it hides the owner of some records, each node is read alone. For a list through a join resource it reads the
// links.
func (b *viewBuilder) loadMembers(ctx context.Context, ex *expansion, fields []string, depth int, last bool) ([]core.Record, error) {
	keys := core.SortKeys(slices.Clone(ex.keys))
	all, err := b.loadMembersOf(ctx, ex, keys, fields, depth, last, len(keys))
	near, _ := ex.shown.field.Through()
	switch {
	case !errors.Is(err, core.SearchForbidden):
		return all, err
	case near != nil:
		return b.loadAllLinks(ctx, ex)
	case len(keys) == 1:
		return all, err
	}
	return b.loadMembersOf(ctx, ex, keys, fields, depth, last, 1)
}

// loadMembersOf reads the records that point at nodes with the keys, which must ascend. One operation reads the
// records of at most perRead nodes.
func (b *viewBuilder) loadMembersOf(
	ctx context.Context, ex *expansion, keys []core.Value, fields []string, depth int, last bool, perRead int,
) (all []core.Record, _ error) {
	field := ex.shown.field
	near, _ := field.Through()
	owner, maxMembers := ownerField(field), b.engine.opts.MaxMembers
	info := b.targetInfo(ex.shown)
	if near != nil {
		info = b.engine.info(owner.Resource())
	}
	c := chunkReader{info: info, idOnly: depth == 0 || near != nil, bytes: b.remaining.bytes}
	for batch := len(keys); len(keys) > 0; {
		asked := keys[:min(perRead, len(keys))]
		c.querier, c.final = b.querier(field, depth, last && len(asked) == len(keys))
		query := core.Query{Where: anyOf(owner, asked), Fields: fields}
		if near != nil {
			query = b.engine.linkQuery(field, asked)
			query.Order = b.engine.linkOrder(field, len(asked) > 1)
		} else if len(asked) > 1 {
			query.Order = []string{owner.Name()}
		}
		room := b.remaining.records - len(all)
		query.Limit = min(batch*maxMembers, len(asked)*maxMembers, room) + 1
		page, err := c.read(ctx, query)
		if err != nil {
			return nil, err
		}
		kept, end := ex.keepPerNode(page.Records, maxMembers)
		done, full := len(asked), len(kept) > room
		if page.Next != "" {
			tail := page.Records[end:]
			at, _ := slices.BinarySearchFunc(asked, tail[0].At(owner.Column()), core.Compare)
			switch {
			// The remaining records belong to other nodes.
			case len(tail) > maxMembers:
				done = at + 1
			// The next record has too many bytes.
			case len(kept) == len(page.Records) && len(kept) < query.Limit:
				done, full = at, true
			case full:
				done = at
			// The last node was not read to its end, so the next page begins with it.
			default:
				done, kept = at, kept[:len(kept)-len(tail)]
			}
		}
		keys, all = keys[done:], append(all, kept...)
		for _, rec := range kept {
			c.bytes -= c.info.nodeSize(rec, c.idOnly)
		}
		switch {
		case full && !b.truncate:
			return nil, b.budgetError(len(all))
		case full:
			ex.markTruncated(keys)
			return all, nil
		case c.final && len(keys) > 0:
			return nil, errEndedEarly
		}
		// Records beyond the shown ones may have filled most of the page, so the next page has fewer nodes.
		batch = 2 * done
	}
	return all, nil
}

// keepPerNode returns the first records of each node, at most maxMembers, and marks nodes that have more. The
// records are ordered by owner; the records of the last node begin at end.
func (ex *expansion) keepPerNode(records []core.Record, maxMembers int) (kept []core.Record, end int) {
	column := ownerField(ex.shown.field).Column()
	kept = make([]core.Record, 0, len(records))
	for i, rec := range records {
		if i > 0 && rec.At(column) != records[i-1].At(column) {
			end = i
		}
		if i-end < maxMembers {
			kept = append(kept, rec)
		} else if n := ex.group.find(rec.At(column)); n != nil {
			n.parts[ex.shown.part].more = new(More)
		}
	}
	return kept, end
}

// markTruncated marks the nodes with the keys as having more records.
func (ex *expansion) markTruncated(keys []core.Value) {
	for _, key := range keys {
		ex.group.find(key).parts[ex.shown.part].more = new(More)
	}
}

// chooseMembers returns the records that the answer shows, ordered by owner. An answer without pages shows as many
// as there is room for.
func (b *viewBuilder) chooseMembers(ex *expansion, records []core.Record, depth int) ([]core.Record, error) {
	column, info := ownerField(ex.shown.field).Column(), b.targetInfo(ex.shown)
	kept := make([]core.Record, 0, len(records))
	limit := b.remaining
	// The rest of the room is for the relations of the records.
	if depth > 0 && info.partCount > 0 {
		limit.bytes /= 2
		if ones := info.toOneCount() * (depth - 1); ones > 0 { // to-one relations cannot be left out
			limit.records /= 1 + ones
		} else {
			limit.records = (limit.records + 1) / 2
		}
	}
	var full *node
	for _, rec := range records {
		n := ex.group.find(rec.At(column))
		if n == nil {
			continue // a policy hides the owner
		}
		member, read := ex.member(rec)
		if read && member.IsZero() {
			continue // no read returns the member
		}
		size := ex.memberKey(rec).JSONSize() + 1
		if depth > 0 {
			size = info.size(member)
		}
		if b.truncate && (!read || n == full || n.times > limit.records || n.times*size > limit.bytes) {
			n.parts[ex.shown.part].more = new(More)
			full = n
			continue
		}
		limit.records -= n.times
		limit.bytes -= n.times * size
		if err := b.spend(n.times, 1, size); err != nil {
			return nil, err
		}
		kept = append(kept, rec)
	}
	return kept, nil
}

// attachMembers adds records of a list side to their owners, as many as the answer shows.
func (b *viewBuilder) attachMembers(ex *expansion, records []core.Record, depth int, next *level) error {
	kept, err := b.chooseMembers(ex, records, depth)
	if err != nil {
		return err
	}
	var nodes []*node
	if depth > 0 && len(kept) > 0 {
		nodes = ex.memberNodes(next.group(b.targetInfo(ex.shown)), kept)
	}
	for n, i := range ex.pairs(kept) {
		p := &n.parts[ex.shown.part]
		if depth > 0 {
			p.nodes = append(p.nodes, nodes[i])
			nodes[i].times += n.times
		} else {
			p.ids = append(p.ids, ex.memberKey(kept[i]))
		}
	}
	for _, n := range ex.group.nodes {
		if p := &n.parts[ex.shown.part]; p.more != nil {
			p.more = &More{Field: ex.shown.field, Owner: n.record.Key(), Depth: depth, Fields: b.targetInfo(ex.shown).named}
			if p.more.After, err = cursorAfter(p.more, p.lastKey()); err != nil {
				return err
			}
			if err := b.spendLink(n.times, p.more); err != nil {
				return err
			}
		}
	}
	return nil
}

// lastKey returns the key of the last record that a list side shows.
func (p *part) lastKey() core.Value {
	switch {
	case len(p.nodes) > 0:
		return p.nodes[len(p.nodes)-1].record.Key()
	case len(p.ids) > 0:
		return p.ids[len(p.ids)-1]
	}
	return core.Value{}
}

// cursorAfter returns the cursor that continues a list side after a key.
func cursorAfter(m *More, last core.Value) (core.Cursor, error) {
	if last.IsAbsent() {
		return "", nil
	}
	target := m.Field.Target()
	l := lister{of: &membership{m.Field, m.Owner}}
	q := core.Query{Scope: l.scope()}
	values := make([]core.Value, len(target.Columns()))
	values[target.Key().Column()] = last
	return target.CursorAfter(q, target.RecordOf(values))
}

// linkSize is the number of bytes of a URL in addition to names, key and cursor.
const linkSize = 128

// spendLink charges the member NAME@next. Links have a budget of their own, because a list side that fills the
// answer needs a link too.
func (b *viewBuilder) spendLink(times int, m *More) error {
	names := len(m.Field.APIName()) + len(m.Field.Resource().APIName())
	b.remaining.links -= times * (3*(names+m.Owner.JSONSize()) + len(m.After) + linkSize)
	return b.checkBudget()
}

// tooManyMembers is the error for a body that sets a list side which is not shown in full.
func tooManyMembers(f *core.Field) error {
	var instead string
	if near, _ := f.Through(); near != nil {
		instead = "create and delete records of " + near.Resource().APIName()
	} else {
		instead = "set " + f.Target().APIName() + "." + f.Inverse().APIName()
	}
	return &core.Error{Code: core.BadRequest, Message: fmt.Sprintf(
		"%s.%s holds more records than an answer shows, so it cannot be set as a list; %s instead", f.Resource().APIName(), f.APIName(), instead)}
}
