package enginetest

import (
	"maps"
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

// try applies a change, or nothing of it if the change fails.
func (m referenceModel) try(change func(copied referenceModel) error) error {
	copied := make(referenceModel)
	for r, rows := range m {
		copied[r] = make(map[string]row)
		for label, old := range rows {
			copied[r][label] = maps.Clone(old)
		}
	}
	err := change(copied)
	if err == nil {
		maps.Copy(m, copied)
	}
	return err
}

// request applies the specs one after the other. A request that deletes one of its own records as an orphan fails.
func (m referenceModel) request(r *core.Resource, replace bool, specs ...recordSpec) error {
	for _, spec := range specs {
		if err := m.apply(r, spec, replace); err != nil {
			return err
		}
	}
	for _, spec := range specs {
		if _, exists := m[r][spec.label]; !exists {
			return core.NotFound
		}
	}
	return nil
}

// apply gives the record the content of the spec. Nested records are created first, from their own specs; nested
// records that point at a new record follow it. Relations are then set in the order of declaration, stored ones
// first. A replacement clears relations before it sets others.
func (m referenceModel) apply(r *core.Resource, spec recordSpec, replace bool) error {
	members := make(map[*core.Field][]string)
	for _, f := range r.Fields() {
		if specs, named := spec.body[f]; named && (f.Stored() || !spec.isNew) {
			var err error
			if members[f], err = m.memberLabels(f, specs); err != nil {
				return err
			}
		}
	}
	if spec.isNew {
		m[r][spec.label] = make(row)
	}
	if replace {
		if err := m.clearUnnamed(r, spec); err != nil {
			return err
		}
	}
	for _, f := range r.Fields() {
		if _, named := spec.body[f]; named && f.Stored() {
			if err := m.setToOne(f, spec.label, strings.Join(members[f], "")); err != nil {
				return err
			}
		}
	}
	for _, f := range r.Fields() {
		specs, named := spec.body[f]
		if !named || f.Stored() {
			continue
		}
		if spec.isNew {
			var err error
			if members[f], err = m.memberLabels(f, specs); err != nil {
				return err
			}
		}
		if err := m.setMembers(f, spec.label, members[f]); err != nil {
			return err
		}
	}
	return nil
}

// memberLabels creates nested records and returns the labels of all members.
func (m referenceModel) memberLabels(f *core.Field, members []recordSpec) ([]string, error) {
	var labels []string
	for _, member := range members {
		if member.isNew {
			if err := m.apply(f.Target(), member, false); err != nil {
				return nil, err
			}
		}
		labels = append(labels, member.label)
	}
	return labels, nil
}

// setToOne sets a stored to-one relation. In a one-to-one relation, the former holder of the partner loses it.
func (m referenceModel) setToOne(f *core.Field, from, to string) error {
	if isOneToOne(f) && to != "" {
		for label, other := range m[f.Resource()] {
			if other[f] != to || label == from {
				continue
			}
			if f.Partner() == core.RefusePartner {
				return core.AlreadyExists
			}
			if err := m.leave(f, label); err != nil {
				return err
			}
		}
	}
	holder, exists := m[f.Resource()][from]
	if !exists { // deleted with the former holder, which was an orphan
		return core.NotFound
	}
	holder[f] = to
	return nil
}

// setLinks makes the links of an owner lead to the members. The label of a link is made of those of its ends.
func (m referenceModel) setLinks(f *core.Field, owner string, members []string) {
	near, far := f.Through()
	links := m[near.Resource()]
	maps.DeleteFunc(links, func(_ string, link row) bool { return link[near] == owner && !slices.Contains(members, link[far]) })
	for _, member := range members {
		ends := []string{near.Name() + " " + owner, far.Name() + " " + member}
		slices.Sort(ends)
		links[strings.Join(ends, ", ")] = row{near: owner, far: member}
	}
}

// setMembers sets a relation that the other side stores.
func (m referenceModel) setMembers(f *core.Field, owner string, members []string) error {
	if near, _ := f.Through(); near != nil {
		m.setLinks(f, owner, members)
		return nil
	}
	stored := f.Inverse()
	refuses := stored.Partner() == core.RefusePartner && len(members) > 0
	for label, other := range m[stored.Resource()] {
		if other[stored] != owner || slices.Contains(members, label) {
			continue
		}
		if refuses {
			return core.AlreadyExists
		}
		if err := m.leave(stored, label); err != nil {
			return err
		}
	}
	for _, label := range members {
		switch member, exists := m[stored.Resource()][label]; {
		case !exists: // an orphan that this request has deleted
			return core.NotFound
		case refuses && member[stored] != "" && member[stored] != owner:
			return core.AlreadyExists
		}
		if err := m.setToOne(stored, label, owner); err != nil {
			return err
		}
	}
	return nil
}

// leave detaches a record from the target of a relation, or deletes it as an orphan.
func (m referenceModel) leave(f *core.Field, label string) error {
	if f.Orphans() == core.DeleteOrphans {
		return m.remove(f.Resource(), label)
	}
	m[f.Resource()][label][f] = ""
	return nil
}

// clearUnnamed clears the relations that the spec does not name.
func (m referenceModel) clearUnnamed(r *core.Resource, spec recordSpec) error {
	for _, f := range r.Fields() {
		_, named := spec.body[f]
		var err error
		switch {
		case named || f.Target() == nil:
		case f.Stored():
			err = m.setToOne(f, spec.label, "")
		default:
			err = m.setMembers(f, spec.label, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// remove deletes a record with the records that cascade from it. The records that stay are detached or forbid it.
func (m referenceModel) remove(r *core.Resource, label string) error {
	type ref struct {
		resource *core.Resource
		label    string
	}
	deleted := []ref{{r, label}}
	for i := 0; i < len(deleted); i++ {
		for _, f := range deleted[i].resource.Referrers() {
			for other, row := range m[f.Resource()] {
				next := ref{f.Resource(), other}
				if row[f] == deleted[i].label && f.OnDelete() == core.Cascade && !slices.Contains(deleted, next) {
					deleted = append(deleted, next)
				}
			}
		}
	}
	for _, d := range deleted {
		delete(m[d.resource], d.label)
	}
	for _, d := range deleted {
		for _, f := range d.resource.Referrers() {
			for _, other := range m[f.Resource()] {
				if other[f] != d.label {
					continue
				}
				if f.OnDelete() == core.Restrict {
					return core.StillReferenced
				}
				other[f] = ""
			}
		}
	}
	return nil
}

func isOneToOne(f *core.Field) bool { return f.Inverse() != nil && !f.Inverse().Many() }

// members returns the labels that a relation of a record shows.
func (m referenceModel) members(f *core.Field, label string) []string {
	var labels []string
	if f.Stored() {
		if to := m[f.Resource()][label][f]; to != "" {
			labels = append(labels, to)
		}
		return labels
	}
	near, far := f.Through()
	if near != nil {
		for _, link := range m[near.Resource()] {
			if link[near] == label {
				labels = append(labels, link[far])
			}
		}
		slices.Sort(labels)
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

// isJoin reports whether the records of the resource are links, which both of their ends show.
func isJoin(r *core.Resource) bool {
	return slices.ContainsFunc(r.References(), func(f *core.Field) bool {
		return slices.ContainsFunc(f.Target().Fields(), func(list *core.Field) bool {
			near, _ := list.Through()
			return near == f
		})
	})
}

// String lists every record with both sides of its relations. It leaves out links.
func (m referenceModel) String() string {
	var lines []string
	for r, rows := range m {
		if isJoin(r) {
			continue
		}
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
