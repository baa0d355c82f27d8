package engine

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/larder-go/larder/core"
)

// plan is the work of a write as plain data: the records that it creates or changes, the related records that must
// exist, and the steps in order. It depends on the body alone. Effects on other records, such as detached partners and
// cascades, depend on stored data; the steps find them when they run.
type plan struct {
	records []plannedRecord
	roots   int // the first records are those of the request itself, in order
	related []relatedRecord
	steps   []step
	// deferred is the index of the first step that must wait until the record of a setter is written. Only the plan of
	// a setter has such steps.
	deferred int

	element int // position of the body whose steps are being added
}

// plannedRecord is a record that the plan creates or changes.
type plannedRecord struct {
	info  *resourceInfo
	level int   // nesting level of its body
	path  []any // leads to its body in the request
	isNew bool
	given preset
	// relations that the body sets and other records store
	relations []*core.Field
}

// preset is a value that a new record has unless its body names the field: a key that the client chose, or the link to
// the record that it is nested in. The zero preset adds none.
type preset struct {
	field *core.Field
	value ref
}

// ref identifies a record: by its key, or by its index in the plan if key is absent.
type ref struct {
	key    core.Value
	record int
}

// relatedRecord is a record that the body names, so that it must exist and be visible.
type relatedRecord struct {
	resource *core.Resource
	key      core.Value
	element  int // position of the body, see [core.Error]
}

// stepKind is the kind of a step.
type stepKind uint8

const (
	stepBegin           stepKind = iota // start a new record with its preset
	stepSet                             // set columns to values of the body
	stepMerge                           // merge a patch into a JSON column
	stepSetter                          // run a setter, and the steps of the fields that it returns
	stepLink                            // set a relation that the record itself stores
	stepInsert                          // insert new records
	stepClear                           // empty the relations that a replacement does not name
	stepUpdate                          // update the columns of an existing record
	stepMembers                         // set a relation that other records store
	stepSetterRelations                 // run the deferred steps of a setter
)

// String returns the verb of the step.
func (k stepKind) String() string {
	return [...]string{
		"begin", "set", "merge", "setter", "link", "insert", "clear", "update", "members", "setter relations",
	}[k]
}

// step is one step of a plan. The kind determines which fields are used.
type step struct {
	kind        stepKind
	element     int          // position of the body, for errors; 0 if unknown
	record      int          // index in plan.records
	batch       []int        // stepInsert: the records to insert together
	assignments []assignment // stepSet: any number; other kinds: at most one
	members     []ref        // stepLink, stepMembers
}

// planCreate returns the plan that creates records of one resource.
func planCreate(drafts []*draft, given preset) *plan {
	p := &plan{}
	for _, d := range drafts {
		p.records = append(p.records, plannedRecord{info: d.info, level: d.level, path: d.path, isNew: true, given: given})
		p.addRelated(d)
	}
	p.roots = len(drafts)
	p.create(drafts, 0)
	return p
}

// planUpdate returns the plan that changes an existing record.
func planUpdate(d *draft, replace bool) *plan {
	p := &plan{roots: 1, records: []plannedRecord{{info: d.info, level: d.level}}}
	p.addRelated(d)
	members := p.assign(0, d.assignments)
	if replace {
		p.add(step{kind: stepClear})
	}
	p.add(step{kind: stepUpdate})
	p.relate(0, d.assignments, members)
	return p
}

// planSetter returns the plan for the fields that a setter returns for a record. The record has the index 0.
func planSetter(d *draft, isNew bool) *plan {
	p := &plan{roots: 1, records: []plannedRecord{{info: d.info, level: d.level, path: d.path, isNew: isNew}}}
	p.addRelated(d)
	members := p.assign(0, d.assignments)
	p.deferred = len(p.steps)
	p.relate(0, d.assignments, members)
	return p
}

func (p *plan) addRelated(d *draft) {
	d.relatedIDs(func(r *core.Resource, key core.Value) {
		p.related = append(p.related, relatedRecord{r, key, d.element})
	})
}

func (p *plan) add(s step) {
	s.element = p.element
	p.steps = append(p.steps, s)
}

// create adds the steps that create the records of the drafts, which have consecutive indexes from first on.
// Consecutive batchable drafts share one insert.
func (p *plan) create(drafts []*draft, first int) {
	for len(drafts) > 0 {
		n := 1
		for drafts[0].batchable && n < len(drafts) && drafts[n].batchable {
			n++
		}
		p.createBatch(drafts[:n], first)
		drafts, first = drafts[n:], first+n
	}
}

func (p *plan) createBatch(drafts []*draft, first int) {
	outer := p.element
	members := make([][][]ref, len(drafts))
	insert := step{kind: stepInsert}
	for i, d := range drafts {
		p.enter(d, outer)
		p.add(step{kind: stepBegin, record: first + i})
		members[i] = p.assign(first+i, d.assignments)
		insert.batch = append(insert.batch, first+i)
	}
	if len(drafts) > 1 {
		p.element = outer
	}
	p.add(insert)
	for i, d := range drafts {
		p.enter(d, outer)
		p.relate(first+i, d.assignments, members[i])
	}
	p.element = outer
}

// enter sets the position for errors in the steps of a draft.
func (p *plan) enter(d *draft, outer int) {
	if p.element = outer; d.element > 0 {
		p.element = d.element
	}
}

// assign adds the steps before the record is written, in the order of the assignments. Nested records are created here,
// before the relation to them is set, unless they point at a record that is new itself. It returns the members of the
// relations that other records store, by index of the assignment.
func (p *plan) assign(record int, assignments []assignment) [][]ref {
	members := make([][]ref, len(assignments))
	for i, a := range assignments {
		s := step{record: record, assignments: assignments[i : i+1 : i+1]}
		switch f := a.field; {
		case f.Computed() != nil:
			s.kind = stepSetter
		case a.merge:
			s.kind = stepMerge
		case f.Target() == nil:
			if last := len(p.steps) - 1; last >= 0 && p.steps[last].kind == stepSet && p.steps[last].record == record {
				p.steps[last].assignments = append(p.steps[last].assignments, a)
				continue
			}
			s.kind = stepSet
		case f.Stored():
			s.kind, s.members = stepLink, p.members(record, a, preset{})
		default:
			p.records[record].relations = append(p.records[record].relations, f)
			if !p.records[record].isNew {
				members[i] = p.members(record, a, linkTo(f, record))
			}
			continue
		}
		p.add(s)
	}
	return members
}

// relate adds the steps after the record is written: the relations that other records store.
func (p *plan) relate(record int, assignments []assignment, members [][]ref) {
	for i, a := range assignments {
		s := step{record: record, assignments: assignments[i : i+1 : i+1], members: members[i]}
		switch f := a.field; {
		case f.Computed() != nil:
			s.kind = stepSetterRelations
		case f.Target() == nil || f.Stored():
			continue
		default:
			if s.kind = stepMembers; p.records[record].isNew {
				s.members = p.members(record, a, linkTo(f, record))
			}
		}
		p.add(s)
	}
}

// linkTo returns the preset of new members of a list: they point at the planned record, unless links do.
func linkTo(f *core.Field, record int) preset {
	if f.Inverse() == nil {
		return preset{}
	}
	return preset{f.Inverse(), ref{record: record}}
}

// members adds the steps that create the nested records of an assignment of a record, and returns all its members.
func (p *plan) members(record int, a assignment, given preset) []ref {
	members := make([]ref, 0, len(a.items))
	first := len(p.records)
	var nested []*draft
	path := slices.Concat(p.records[record].path, []any{a.field.APIName()})
	for i, it := range a.items {
		if it.create == nil {
			members = append(members, ref{key: it.key})
			continue
		}
		at := path
		if a.field.Many() {
			at = slices.Concat(path, []any{i})
		}
		members = append(members, ref{record: len(p.records)})
		p.records = append(p.records, plannedRecord{info: it.create.info, level: it.create.level, path: at, isNew: true, given: given})
		nested = append(nested, it.create)
	}
	p.create(nested, first)
	return members
}

// String returns the plan as text, one line for each related record and each step.
func (p *plan) String() string {
	var b strings.Builder
	for _, r := range p.related {
		fmt.Fprintf(&b, "check %s %s\n", r.resource.Name(), r.key)
	}
	for _, s := range p.steps {
		b.WriteString(p.stepText(s) + "\n")
	}
	return b.String()
}

func (p *plan) stepText(s step) string {
	records := s.batch
	if s.kind != stepInsert {
		records = []int{s.record}
	}
	words := []string{s.kind.String(), p.records[records[0]].info.resource.Name()}
	for _, n := range records {
		words = append(words, refText(ref{record: n}))
	}
	if given := p.records[s.record].given; s.kind == stepBegin && given.field != nil {
		words = append(words, given.field.Name()+"="+refText(given.value))
	}
	for _, a := range s.assignments {
		text := a.field.Name()
		if a.field.Target() == nil && !a.value.IsAbsent() {
			text += "=" + string(a.value.AppendJSON(nil))
		}
		words = append(words, text)
	}
	for _, m := range s.members {
		words = append(words, refText(m))
	}
	return strings.Join(words, " ")
}

// refText returns a key as JSON, and a planned record as # with its index.
func refText(r ref) string {
	if r.key.IsSet() {
		return string(r.key.AppendJSON(nil))
	}
	return "#" + strconv.Itoa(r.record)
}
