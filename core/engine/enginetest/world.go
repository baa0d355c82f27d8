package enginetest

import (
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
)

// world is the obviously right model of what requests do: records by their
// labels, each with the labels that its stored to-one relations point at. What
// a relation is from the other side is looked up, never kept.
type world map[*core.Resource]map[string]row

type row map[*core.Field]string

// wish is a request's body in labels.
type wish struct {
	label string // of a record to create, or of one that is there
	body  map[*core.Field][]wish
	isNew bool
}

func newWorld(m *core.Model) world {
	w := make(world)
	for _, r := range m.Resources() {
		w[r] = make(map[string]row)
	}
	return w
}

// apply makes the record what the wish says. Whoever is nested is created first,
// with wishes of their own, but those who are to point at a new record after it.
// Then the relations are set in the order of declaration, first those that the
// record stores itself. A replacement empties before it sets.
func (w world) apply(r *core.Resource, wi wish, replace bool) {
	members := make(map[*core.Field][]string)
	for _, f := range r.Fields() {
		if wishes, named := wi.body[f]; named && (f.Stored() || !wi.isNew) {
			members[f] = w.labels(f, wishes)
		}
	}
	if wi.isNew {
		w[r][wi.label] = make(row)
	}
	if replace {
		w.empty(r, wi)
	}
	for _, f := range r.Fields() {
		if _, named := wi.body[f]; named && f.Stored() {
			w.point(f, wi.label, strings.Join(members[f], ""))
		}
	}
	for _, f := range r.Fields() {
		wishes, named := wi.body[f]
		if !named || f.Stored() {
			continue
		}
		if wi.isNew {
			members[f] = w.labels(f, wishes)
		}
		w.gather(f, wi.label, members[f])
	}
}

// labels returns who the members are, created if they are new.
func (w world) labels(f *core.Field, members []wish) []string {
	var labels []string
	for _, m := range members {
		if m.isNew {
			w.apply(f.Target(), m, false)
		}
		labels = append(labels, m.label)
	}
	return labels
}

// point sets a stored to-one relation; a partner belongs to one at a time.
func (w world) point(f *core.Field, from, to string) {
	if f.Inverse() != nil && !f.Inverse().Many() {
		for _, other := range w[f.Resource()] {
			if other[f] == to {
				other[f] = ""
			}
		}
	}
	w[f.Resource()][from][f] = to
}

// gather sets a relation that the other side stores.
func (w world) gather(f *core.Field, owner string, members []string) {
	stored := f.Inverse()
	for label, other := range w[stored.Resource()] {
		if other[stored] == owner && !slices.Contains(members, label) {
			other[stored] = ""
		}
	}
	for _, label := range members {
		w.point(stored, label, owner)
	}
}

// empty does what a put does to the relations that it does not name.
func (w world) empty(r *core.Resource, wi wish) {
	for _, f := range r.Fields() {
		_, named := wi.body[f]
		switch {
		case named || f.Target() == nil:
		case f.Stored():
			w.point(f, wi.label, "")
		default:
			w.gather(f, wi.label, nil)
		}
	}
}

func (w world) remove(r *core.Resource, label string) {
	delete(w[r], label)
	for _, f := range r.Referrers() {
		for _, other := range w[f.Resource()] {
			if other[f] == label {
				other[f] = ""
			}
		}
	}
}

// members returns the labels that a relation of a record shows.
func (w world) members(f *core.Field, label string) []string {
	var labels []string
	if f.Stored() {
		if to := w[f.Resource()][label][f]; to != "" {
			labels = append(labels, to)
		}
		return labels
	}
	for other, row := range w[f.Target()] {
		if row[f.Inverse()] == label {
			labels = append(labels, other)
		}
	}
	slices.Sort(labels)
	return labels
}

// String shows every record with both sides of its relations.
func (w world) String() string {
	var lines []string
	for r, rows := range w {
		for label := range rows {
			words := []string{r.Name(), label}
			for _, f := range r.Fields() {
				if f.Target() != nil {
					words = append(words, f.Name()+"="+strings.Join(w.members(f, label), ","))
				}
			}
			lines = append(lines, strings.Join(words, " "))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
