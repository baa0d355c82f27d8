package postgres

import (
	"encoding/binary"
	"fmt"

	"github.com/larder-go/larder/core"
)

// shape is what two operations have in common that are the same statement with
// other arguments: everything but the values. While it is noted down, the
// arguments are collected, in the order in which the statement numbers them.
type shape struct {
	key  []byte
	args []any
	err  error
}

// The first byte of a shape.
const (
	shapeLoad = iota
	shapeSelect
	shapeCount
	shapeInsert
	shapeUpdate
	shapeDelete
	shapeReadBack
	shapeReferrer
	shapeRelease
)

// newShape has room for what most operations are, so that it grows once if at all.
func newShape(kind byte, r *core.Resource) shape {
	s := shape{key: make([]byte, 0, 64), args: make([]any, 0, 4)}
	s.byte(kind)
	s.number(r.Index())
	return s
}

func (s *shape) byte(b ...byte) { s.key = append(s.key, b...) }

func (s *shape) number(n int) { s.key = binary.AppendUvarint(s.key, uint64(n)) } //nolint:gosec // counts and indexes

func (s *shape) flag(set bool) bool {
	if set {
		s.byte(1)
	} else {
		s.byte(0)
	}
	return set
}

func (s *shape) argument(a any) { s.args = append(s.args, a) }

// filter notes a condition down.
func (s *shape) filter(t *table, f core.Filter) {
	s.byte(byte(f.Kind()))
	switch f.Kind() {
	case core.FilterAll, core.FilterNone:
	case core.FilterAnd, core.FilterOr, core.FilterNot:
		s.number(len(f.Filters()))
		for _, kid := range f.Filters() {
			s.filter(t, kid)
		}
	case core.FilterEq, core.FilterNe, core.FilterLt, core.FilterLe, core.FilterGt, core.FilterGe, core.FilterIn, core.FilterPrefix:
		c := t.columns[f.Field().Column()]
		if c.virtual {
			s.err = fmt.Errorf("postgres: a write has a condition on %s, which the table does not have", c.field)
			return
		}
		s.number(c.index)
		s.comparison(c, f)
	default:
		s.err = fmt.Errorf("postgres: unknown kind of filter: %d", f.Kind())
	}
}

func (s *shape) comparison(c *column, f core.Filter) {
	values := f.Values()
	switch f.Kind() {
	case core.FilterIn:
		set, null := split(c, values)
		s.flag(null)
		if s.flag(len(set) > 0) {
			s.number(int(c.verdict(set...)))
			s.argument(c.array(set))
		}
	case core.FilterPrefix:
		prefix := values[0].Text()
		s.argument(prefix)
		if end, bounded := prefixEnd(prefix); s.flag(bounded) {
			s.argument(end)
		}
	default:
		if s.flag(values[0].IsSet()) {
			s.number(int(c.verdict(values[0])))
			s.argument(c.argument(values[0]))
		}
	}
}

// keys notes the keys of a Load, Update or Delete, as an array or the one alone.
func (s *shape) keys(t *table, keys []core.Value, many bool) {
	s.number(int(t.key.verdict(keys...)))
	if s.flag(many) {
		s.argument(t.key.array(keys))
	} else {
		s.argument(t.key.argument(keys[0]))
	}
}

// split returns the values that are not null and that the column can hold, and
// whether one is null.
func split(c *column, values []core.Value) (set []core.Value, null bool) {
	set = make([]core.Value, 0, len(values))
	for _, v := range values {
		if v.IsSet() {
			set = append(set, v)
		} else {
			null = true
		}
	}
	return c.possible(set), null
}
