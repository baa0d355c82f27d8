package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/larder-go/larder/core"
)

// The list side of a relation may have more records than an answer shows. Its first
// ones are shown, ascending by id, and where a list continues them.

// NextSuffix makes the name of the member that leads to the rest of a list side.
const NextSuffix = "@next"

// More is a list side of which a view shows the first records only. The others are
// those that a [Query] of Field.Target() lists with a filter by which Field.Inverse()
// equals Owner, continued at After.
type More struct {
	Field *core.Field
	// Owner is the key of the record that shows the list side.
	Owner core.Value
	// After continues after the last record that is shown; empty if none is.
	After core.Cursor
	// Depth at which the view shows the records.
	Depth int
}

// Continues reports whether a list can show the rest of a to-many relation: where a
// client can filter by the other side. A relation whose ids the record itself stores
// is shown whole.
func Continues(f *core.Field) bool {
	return f.Many() && !f.Stored() && !f.Inverse().Hidden()
}

// members reads the records of a list side, in the order of what they point at: all
// that the answer can show, and of each node one more if there is one. Nodes for which
// the answer has no room left are marked. Where the principal may not see of all records
// what they point at, a policy refuses that order, and each node is read alone.
func (r *resolver) members(ctx context.Context, h *hop, fields []string, depth int, last bool) (all []core.Record, _ error) {
	keys := core.SortKeys(slices.Clone(h.keys))
	all, err := r.membersOf(ctx, h, keys, fields, depth, last)
	if len(keys) == 1 || !errors.Is(err, core.SearchForbidden) {
		return all, err
	}
	there := h.slot.field.Inverse()
	for i := range keys {
		more, err := r.membersOf(ctx, h, keys[i:i+1], fields, depth, last && i == len(keys)-1)
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
		switch full := shown(all, there, r.engine.opts.MaxMembers) > r.left.records; {
		case full && !r.lenient:
			return nil, r.exceeded(len(all))
		case full:
			h.mark(keys[i+1:])
			return all, nil
		}
	}
	return all, nil
}

// membersOf reads the records that point at some of the nodes, by ascending keys.
func (r *resolver) membersOf(
	ctx context.Context, h *hop, keys []core.Value, fields []string, depth int, last bool,
) (all []core.Record, _ error) {
	here := h.slot.field
	there, most := here.Inverse(), r.engine.opts.MaxMembers
	session, final := r.session(here, depth, last)
	c := chunks{shape: r.engine.shapeOf(here.Target()), session: session, final: final, bare: depth == 0, bytes: r.left.bytes}
	var order []string
	if len(keys) > 1 {
		order = []string{there.Name()}
	}
	limit := 0
	for len(keys) > 0 {
		limit = min(len(keys)*most, r.left.records) + 1
		page, err := c.read(ctx, core.Query{Where: anyOf(there, keys), Order: order, Fields: fields, Limit: limit})
		if err != nil {
			return nil, err
		}
		if page.Next == "" {
			return append(all, page.Records...), nil
		}
		end := page.Records[len(page.Records)-1].At(there.Column())
		from := slices.IndexFunc(page.Records, func(rec core.Record) bool { return rec.At(there.Column()) == end })
		at, _ := slices.BinarySearchFunc(keys, end, core.Compare)
		enough := len(page.Records)-from > most // for the last node; what follows is of others
		exhausted := len(page.Records) < limit || shown(all, there, most)+shown(page.Records, there, most) > r.left.records
		switch {
		case enough:
			all, keys = append(all, page.Records...), keys[at+1:]
		case exhausted && !r.lenient:
			return nil, r.exceeded(len(all) + len(page.Records))
		case exhausted:
			h.mark(keys[at:])
			return append(all, page.Records...), nil
		default: // the last node is not read to its end, because nodes before it had more than they show
			all, keys = append(all, page.Records[:from]...), keys[at:]
		}
		if final && len(keys) > 0 {
			return nil, errEnded
		}
	}
	return all, nil
}

// shown counts the records, ordered by what they point at, that an answer shows.
func shown(records []core.Record, there *core.Field, most int) (n int) {
	of := 0
	for i, rec := range records {
		if of++; i == 0 || rec.At(there.Column()) != records[i-1].At(there.Column()) {
			of = 1
		}
		if of <= most {
			n++
		}
	}
	return n
}

// mark notes that nodes with those keys have more records than were read.
func (h *hop) mark(keys []core.Value) {
	for _, key := range keys {
		h.group.find(key).parts[h.slot.part].more = new(More)
	}
}

// choose returns the records, ordered by what they point at, that the answer shows. If
// it cannot be split, it shows as many as there is room for.
func (r *resolver) choose(h *hop, records []core.Record, depth int) ([]core.Record, error) {
	column, s := h.slot.field.Inverse().Column(), r.engine.shapeOf(h.slot.field.Target())
	kept := make([]core.Record, 0, len(records))
	limit := r.left
	if depth > 0 && s.parts > 0 { // the rest is for what the records show of others
		limit.bytes /= 2
		if ones := s.ones() * (depth - 1); ones > 0 { // which cannot be left out
			limit.records /= 1 + ones
		} else {
			limit.records = (limit.records + 1) / 2
		}
	}
	var of *node
	room := 0 // for further records of that node
	for _, rec := range records {
		n := h.group.find(rec.At(column))
		if n == nil {
			continue // it points at something that the principal cannot see
		}
		if n != of {
			of, room = n, r.engine.opts.MaxMembers
		}
		size := s.sizeOf(rec, depth == 0)
		if r.lenient && (n.times > limit.records || n.times*size > limit.bytes) {
			room = 0
		}
		if room--; room < 0 {
			n.parts[h.slot.part].more = new(More)
			room = 0
			continue
		}
		limit.records -= n.times
		limit.bytes -= n.times * size
		if err := r.take(n.times, 1, size); err != nil {
			return nil, err
		}
		kept = append(kept, rec)
	}
	return kept, nil
}

// attachMembers hangs records of a list side below the nodes that they point at, as
// many as the answer shows.
func (r *resolver) attachMembers(ctx context.Context, h *hop, records []core.Record, depth int, next *level) error {
	kept, err := r.choose(h, records, depth)
	if err != nil {
		return err
	}
	var nodes []*node
	if depth > 0 && len(kept) > 0 {
		nodes = next.of(r.engine.shapeOf(h.slot.field.Target())).admit(kept, false)
	}
	for n, i := range h.pairs(kept) {
		p := &n.parts[h.slot.part]
		if depth > 0 {
			p.nodes = append(p.nodes, nodes[i])
			nodes[i].times += n.times
		} else {
			p.ids = append(p.ids, kept[i].Key())
		}
	}
	for _, n := range h.group.nodes {
		if p := &n.parts[h.slot.part]; p.more != nil {
			p.more = &More{Field: h.slot.field, Owner: n.record.Key(), Depth: depth}
			if p.more.After, err = r.engine.after(ctx, p.more, p.last()); err != nil {
				return err
			}
			if err := r.link(n.times, p.more); err != nil {
				return err
			}
		}
	}
	return nil
}

// last returns the key of the last record that a list side shows.
func (p *part) last() core.Value {
	switch {
	case len(p.nodes) > 0:
		return p.nodes[len(p.nodes)-1].record.Key()
	case len(p.ids) > 0:
		return p.ids[len(p.ids)-1]
	}
	return core.Value{}
}

// after returns the cursor that continues the list of a list side after a key.
func (e *Engine) after(ctx context.Context, m *More, last core.Value) (core.Cursor, error) {
	if last.IsAbsent() {
		return "", nil
	}
	target, there := m.Field.Target(), m.Field.Inverse()
	l := lister{engine: e, shape: e.shapeOf(target), query: Query{Filter: map[string]any{there.APIName(): m.Owner}}}
	if err := l.prepare(); err != nil {
		return "", err
	}
	q := core.Query{Order: l.order, Scope: l.scope()}
	if q.Scope == "" {
		var err error
		if q.Where, err = l.where(ctx, core.Session{}); err != nil { // which takes no operation
			return "", err
		}
	}
	values := make([]core.Value, len(target.Columns()))
	values[target.Key().Column()] = last
	return target.CursorAfter(q, target.RecordOf(values))
}

// linkSize is what a URL takes besides the names, the key and the cursor in it.
const linkSize = 128

// link pays for the member that leads to the rest of a list side, for which an answer
// has some room of its own: a list side that fills the answer has a link as well.
func (r *resolver) link(times int, m *More) error {
	names := len(m.Field.APIName()) + len(m.Field.Target().APIName()) + len(m.Field.Inverse().APIName())
	r.left.links -= times * (3*(names+m.Owner.JSONSize()) + len(m.After) + linkSize)
	return r.check()
}

// tooMany is the error of a list side that a body sets although it does not fit.
func tooMany(f *core.Field) error {
	return &core.Error{Code: core.BadRequest, Message: fmt.Sprintf(
		"%s.%s holds more records than an answer shows, so it cannot be set as a list; set %s.%s instead",
		f.Resource().APIName(), f.APIName(), f.Target().APIName(), f.Inverse().APIName())}
}
