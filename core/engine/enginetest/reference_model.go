package enginetest

import (
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
)

// referenceModel is a simple model of the effect of requests: records by label, with the labels of their stored
// to-one relations. The other side of a relation is computed and never stored.
type referenceModel map[*core.Resource]map[string]row

type row map[*core.Field]string

// recordSpec is a request body with labels instead of ids.
type recordSpec struct {
	label string // of an existing record or of one to create
	body  map[*core.Field][]recordSpec
	isNew bool
}

func newReferenceModel(m *core.Model) referenceModel {
	ref := make(referenceModel)
	for _, r := range m.Resources() {
		ref[r] = make(map[string]row)
	}
	return ref
}

// apply gives the record the content of the spec. Nested records are created first, from their own specs; nested
// records that point at a new record follow it. Relations are then set in the order of declaration, stored ones
// first. A replacement clears relations before it sets others.
func (m referenceModel) apply(r *core.Resource, spec recordSpec, replace bool) {
	members := make(map[*core.Field][]string)
	for _, f := range r.Fields() {
		if specs, named := spec.body[f]; named && (f.Stored() || !spec.isNew) {
			members[f] = m.memberLabels(f, specs)
		}
	}
	if spec.isNew {
		m[r][spec.label] = make(row)
	}
	if replace {
		m.clearUnnamed(r, spec)
	}
	for _, f := range r.Fields() {
		if _, named := spec.body[f]; named && f.Stored() {
			m.setToOne(f, spec.label, strings.Join(members[f], ""))
		}
	}
	for _, f := range r.Fields() {
		specs, named := spec.body[f]
		if !named || f.Stored() {
			continue
		}
		if spec.isNew {
			members[f] = m.memberLabels(f, specs)
		}
		m.setMembers(f, spec.label, members[f])
	}
}

// memberLabels creates nested records and returns the labels of all members.
func (m referenceModel) memberLabels(f *core.Field, members []recordSpec) []string {
	var labels []string
	for _, member := range members {
		if member.isNew {
			m.apply(f.Target(), member, false)
		}
		labels = append(labels, member.label)
	}
	return labels
}

// setToOne sets a stored to-one relation. In a one-to-one relation, the former holder of the partner loses it.
func (m referenceModel) setToOne(f *core.Field, from, to string) {
	if f.Inverse() != nil && !f.Inverse().Many() {
		for _, other := range m[f.Resource()] {
			if other[f] == to {
				other[f] = ""
			}
		}
	}
	m[f.Resource()][from][f] = to
}

// setMembers sets a relation that the other side stores.
func (m referenceModel) setMembers(f *core.Field, owner string, members []string) {
	stored := f.Inverse()
	for label, other := range m[stored.Resource()] {
		if other[stored] == owner && !slices.Contains(members, label) {
			other[stored] = ""
		}
	}
	for _, label := range members {
		m.setToOne(stored, label, owner)
	}
}

// clearUnnamed clears the relations that the spec does not name.
func (m referenceModel) clearUnnamed(r *core.Resource, spec recordSpec) {
	for _, f := range r.Fields() {
		_, named := spec.body[f]
		switch {
		case named || f.Target() == nil:
		case f.Stored():
			m.setToOne(f, spec.label, "")
		default:
			m.setMembers(f, spec.label, nil)
		}
	}
}

func (m referenceModel) remove(r *core.Resource, label string) {
	delete(m[r], label)
	for _, f := range r.Referrers() {
		for _, other := range m[f.Resource()] {
			if other[f] == label {
				other[f] = ""
			}
		}
	}
}

// members returns the labels that a relation of a record shows.
func (m referenceModel) members(f *core.Field, label string) []string {
	var labels []string
	if f.Stored() {
		if to := m[f.Resource()][label][f]; to != "" {
			labels = append(labels, to)
		}
		return labels
	}
	for other, row := range m[f.Target()] {
		if row[f.Inverse()] == label {
			labels = append(labels, other)
		}
	}
	slices.Sort(labels)
	return labels
}

// String lists every record with both sides of its relations.
func (m referenceModel) String() string {
	var lines []string
	for r, rows := range m {
		for label := range rows {
			words := []string{r.Name(), label}
			for _, f := range r.Fields() {
				if f.Target() != nil {
					words = append(words, f.Name()+"="+strings.Join(m.members(f, label), ","))
				}
			}
			lines = append(lines, strings.Join(words, " "))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
