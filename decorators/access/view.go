package access

import "github.com/larder-go/larder/core"

// view is what a reader with some grants sees of rows.
type view []grant

// whole reports whether it is everything.
func (v view) whole() bool {
	for i := range v {
		if v[i].whole() {
			return true
		}
	}
	return false
}

// uniform reports whether all rows show the same fields.
func (v view) uniform() bool {
	for i := 1; i < len(v); i++ {
		if !v[i].rule.fields.same(v[0].rule.fields) {
			return false
		}
	}
	return true
}

// readable reports whether the field is shown of any row.
func (v view) readable(f *core.Field) bool {
	for i := range v {
		if v[i].rule.fields.allows(f) {
			return true
		}
	}
	return false
}

// cut overwrites the records with what the reader sees of each: the fields of
// the rules whose condition it fulfils, of none of them the key alone.
func (v view) cut(records []core.Record) {
	if v.whole() {
		return
	}
	for i, rec := range records {
		records[i] = v.of(rec)
	}
}

func (v view) of(rec core.Record) core.Record {
	has := make([]bool, rec.Len())
	for i := range v {
		if !complete(rec) || !v[i].using.Match(rec) {
			continue
		}
		if v[i].rule.fields == nil {
			return rec
		}
		v[i].rule.fields.addTo(has)
	}
	return newList(rec.Resource(), has).cut(rec)
}

// complete reports whether the record has every column. What a layer further in
// has cut cannot be asked whether it fulfils a condition.
func complete(rec core.Record) bool {
	for i := range rec.Len() {
		if rec.At(i).IsAbsent() {
			return false
		}
	}
	return true
}
