package postgres

import (
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/larder-go/larder/core"
)

// number and text are elements of an [array], the most frequent ones. The next element
// takes over the place of the last one, so that none needs memory of its own, as a
// string in an interface does.
type (
	intElement  int64
	textElement string
)

func (c *column) intArray(length int, value func(i int) core.Value) array {
	n := new(intElement)
	return array{length, func(i int) any {
		v := value(i)
		if v.Type() != core.Int {
			return c.argument(v)
		}
		*n = intElement(v.Int())
		return n
	}, n}
}

func (c *column) textArray(length int, value func(i int) core.Value) array {
	s := new(textElement)
	return array{length, func(i int) any {
		v := value(i)
		if v.Type() != core.Text {
			return c.argument(v)
		}
		*s = textElement(v.Text())
		return s
	}, s}
}

// Int64Value returns the number as pgx asks for it.
func (n *intElement) Int64Value() (pgtype.Int8, error) {
	return pgtype.Int8{Int64: int64(*n), Valid: true}, nil
}

// TextValue returns the text as pgx asks for it.
func (s *textElement) TextValue() (pgtype.Text, error) {
	return pgtype.Text{String: string(*s), Valid: true}, nil
}
