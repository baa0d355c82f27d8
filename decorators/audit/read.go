package audit

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"

	"github.com/larder-go/larder/core"
)

// read narrows the op, a read of entries, to those of records that its principal can see, and shapes before and after in the
// result.
func (t *trail) read(ctx context.Context, op *core.Op) (core.Result, error) {
	if op.Principal.IsSystem() {
		return t.next(ctx, op)
	}
	for _, f := range op.Where.Fields() {
		if f == t.before || f == t.after { // the answer would depend on fields that the principal may not read
			return core.Result{}, &core.Error{Code: core.SearchForbidden, Resource: t.entry.APIName(), Field: f.APIName()}
		}
	}
	v := view{trail: t, op: op, fields: make(map[*core.Field][]shownField)}
	shows := (op.Kind == core.Load || op.Kind == core.Select) && (op.Fields == nil || slices.Contains(op.Fields, t.before) || slices.Contains(op.Fields, t.after))
	visible := core.None()
	for _, s := range t.subjects {
		exists, err := v.readable(ctx, s.resource, s.resource.Key())
		if err != nil {
			return core.Result{}, err
		}
		to, _ := s.relation.Relation()
		visible = core.Or(visible, to.Match(exists))
		if t.ReadsDeleted != nil && t.ReadsDeleted(op.Principal, s.resource) {
			visible = core.Or(visible, core.And(s.relation.Compare(core.FilterNe, core.Null), core.Not(to.Match(core.All()))))
		}
		if shows {
			if err := v.ask(ctx, s, exists); err != nil {
				return core.Result{}, err
			}
		}
	}
	op.Using = core.And(op.Using, visible)
	if !shows {
		return t.next(ctx, op)
	}
	added := v.addRelations()
	op.Final = false // reads of related records follow
	res, err := t.next(ctx, op)
	if err == nil {
		err = v.show(ctx, res)
	}
	for i := range res.Records {
		for _, f := range added {
			res.Records[i] = res.Records[i].Set(f, core.Value{})
		}
	}
	return res, err
}

// view is what the principal of one op reads in before and after.
type view struct {
	*trail

	op     *core.Op
	fields map[*core.Field][]shownField // by the relation of the entry
}

// shownField is a field that the principal reads in some records: where the condition of the op at the position holds, or in
// every record that exists for the principal, for -1.
type shownField struct {
	*core.Field

	condition int
}

// readable returns the condition under which the principal reads the fields of a record, and None if it may not.
func (v view) readable(ctx context.Context, r *core.Resource, fields ...*core.Field) (core.Filter, error) {
	asked := v.op.Derive(core.Visibility, r)
	asked.Fields = fields
	res, err := v.op.SendRead(ctx, asked)
	if denied(err) {
		return core.None(), nil
	}
	return res.Guard, err
}

// denied reports whether a policy denies to read something, which then does not exist for the principal.
func denied(err error) bool {
	return errors.Is(err, core.Forbidden) || errors.Is(err, core.Unauthorized) || errors.Is(err, core.UnknownField)
}

// ask determines the fields that the principal reads of a resource, whose records exist for the principal under the condition. It
// adds conditions to the op for fields that the principal reads in some of these records only.
func (v view) ask(ctx context.Context, s *subject, exists core.Filter) error {
	all, err := v.readable(ctx, s.resource, s.fields...)
	if err != nil {
		return err
	}
	to, _ := s.relation.Relation()
	for _, f := range s.fields {
		reads, shown := all, shownField{f, -1}
		if !reflect.DeepEqual(all, exists) {
			if reads, err = v.readable(ctx, s.resource, f); err != nil {
				return err
			}
		}
		switch {
		case reads.Kind() == core.FilterNone:
			continue
		case !reflect.DeepEqual(reads, exists):
			shown.condition = len(v.op.Conditions)
			v.op.Conditions = append(slices.Clip(v.op.Conditions), to.Match(reads))
		}
		v.fields[s.relation] = append(v.fields[s.relation], shown)
	}
	return nil
}

// addRelations lets the op read the relations of entries, and returns those that its projection lacks.
func (v view) addRelations() (added []*core.Field) {
	if v.op.Fields == nil {
		return nil
	}
	for _, s := range v.subjects {
		sorted := slices.ContainsFunc(v.op.Order, func(o core.Order) bool { return o.Field == s.relation && o.Path == nil })
		if !slices.Contains(v.op.Fields, s.relation) && !sorted {
			added = append(added, s.relation)
		}
	}
	v.op.Fields = slices.Concat(v.op.Fields, added)
	return added
}

// show leaves in before and after of the records what the principal reads.
func (v view) show(ctx context.Context, res core.Result) error {
	images := make([][]image, len(res.Records))
	referenced := make(map[*core.Resource][]core.Value)
	for i, rec := range res.Records {
		fields := v.fieldsOf(res, i)
		for _, of := range []*core.Field{v.before, v.after} {
			was, set := rec.Value(of).Any().(map[string]any)
			if !set {
				continue
			}
			shown := image{of, fields, make(map[string]any)}
			for _, f := range fields {
				if value, has := was[f.APIName()]; has {
					shown.members[f.APIName()] = value
					referenced[f.Target()] = append(referenced[f.Target()], keysIn(f.Field, value)...)
				}
			}
			images[i] = append(images[i], shown)
		}
	}
	visible, err := v.visible(ctx, referenced)
	if err != nil {
		return err
	}
	for i := range res.Records {
		for _, shown := range images[i] {
			text, err := json.Marshal(shown.withoutHidden(visible))
			if err != nil {
				return err
			}
			value, err := core.JSON.StoredJSON(text)
			if err != nil {
				return err
			}
			res.Records[i] = res.Records[i].Set(shown.of, value)
		}
	}
	return nil
}

// image is the content of before or after that the principal reads.
type image struct {
	of      *core.Field
	fields  []shownField
	members map[string]any // by API name
}

// withoutHidden returns the members with null for a relation to a hidden record, and without hidden records in lists, as records
// show them.
func (i image) withoutHidden(visible map[*core.Resource]map[core.Value]bool) map[string]any {
	for _, f := range i.fields {
		raw := i.members[f.APIName()]
		if raw == nil || f.Target() == nil {
			continue
		}
		hidden := func(raw any) bool {
			key, err := f.TargetKey(raw)
			return err != nil || !visible[f.Target()][key]
		}
		if list, many := raw.([]any); many && f.Many() {
			i.members[f.APIName()] = slices.DeleteFunc(slices.Clone(list), hidden)
		} else if hidden(raw) {
			i.members[f.APIName()] = nil
		}
	}
	return i.members
}

// fieldsOf returns the fields that the principal reads of the record that the i-th entry is about.
func (v view) fieldsOf(res core.Result, i int) []shownField {
	for relation, fields := range v.fields {
		if res.Records[i].Value(relation).IsSet() {
			return slices.DeleteFunc(slices.Clone(fields), func(f shownField) bool { return f.condition >= 0 && !res.Conditions[i][f.condition] })
		}
	}
	return nil
}

// visible returns the keys of the records, by resource, that exist for the principal.
func (v view) visible(ctx context.Context, keys map[*core.Resource][]core.Value) (map[*core.Resource]map[core.Value]bool, error) {
	visible := make(map[*core.Resource]map[core.Value]bool, len(keys))
	for r, keys := range keys {
		if len(keys) == 0 {
			continue
		}
		load := v.op.Derive(core.Load, r)
		load.Keys, load.Fields = core.SortKeys(keys), []*core.Field{r.Key()}
		res, err := v.op.SendRead(ctx, load)
		if err != nil && !denied(err) {
			return nil, err
		}
		visible[r] = make(map[core.Value]bool, len(res.Records))
		for _, rec := range res.Records {
			visible[r][rec.Key()] = true
		}
	}
	return visible, nil
}

// keysIn returns the keys in the JSON value of a relation; nil for other fields.
func keysIn(f *core.Field, raw any) (keys []core.Value) {
	if f.Target() == nil || raw == nil {
		return nil
	}
	list := []any{raw}
	if f.Many() {
		list, _ = raw.([]any)
	}
	for _, raw := range list {
		if key, err := f.TargetKey(raw); err == nil {
			keys = append(keys, key)
		}
	}
	return keys
}
