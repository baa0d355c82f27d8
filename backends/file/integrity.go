package file

import (
	"fmt"

	"github.com/larder-go/larder/core"
)

// violation is a value of a row that breaks a rule of the header.
type violation struct {
	resource  *resourceSchema
	row       row
	column    int
	duplicate bool // another row holds the unique value, too; else there is no target
}

// eachViolation calls fn with the relations to records that are not there, and the unique
// values that an earlier row holds, until it returns false.
func (c *content) eachViolation(fn func(violation) bool) {
	for _, r := range c.schema.resources {
		seen := make(map[cell]bool) // of unique fields
		for of := range c.rows[r.index].all() {
			for column, v := range of.cells() {
				f := &r.fields[column]
				if f.target != "" && !c.has(f.target, v) && !fn(violation{r, of, column, false}) {
					return
				}
				if !f.unique || !of.at(column).IsSet() {
					continue
				}
				if seen[cell{column, v}] && !fn(violation{r, of, column, true}) {
					return
				}
				seen[cell{column, v}] = true
			}
		}
	}
}

func (c *content) has(resource string, key core.Value) bool {
	target := c.schema.resource(resource)
	if target == nil {
		return false
	}
	_, ok := c.rows[target.index].get(key)
	return ok
}

// checkIntegrity returns the error of the first breach; the model is that of the shape.
func (c *content) checkIntegrity(m *core.Model) (err error) {
	c.eachViolation(func(b violation) bool {
		f := m.Resources()[b.resource.index].Columns()[b.column]
		if err = f.AlreadyExists(); !b.duplicate {
			err = f.Target().NotFound(b.row.at(b.column))
		}
		return false
	})
	return err
}

// nullViolations makes the values null that break a rule, and reports them.
func (c *content) nullViolations() (mended []string) {
	c.eachViolation(func(b violation) bool {
		mended = append(mended, fmt.Sprintf("%s %s: field %s was %s and is set to null",
			b.resource.name, b.row.at(b.resource.key), b.resource.fields[b.column].name, b.row.at(b.column)))
		b.row.with(b.column, core.Null) // which it holds, so the row stays where it is
		return true
	})
	return mended
}
