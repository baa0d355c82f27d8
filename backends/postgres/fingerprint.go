package postgres

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/larder-go/larder/core"
)

// fingerprint is all that a binding is made of, by what it is about, such as
// "column cookie.type".
type fingerprint map[string]property

// trait is one thing in a schema.
type property struct {
	text   string // for people
	detail string // what the text leaves out
}

// fingerprint returns that of the tables, views and queries that the model is in.
func (c *catalog) fingerprint(m *core.Model, opts Options) fingerprint {
	p := make(fingerprint)
	if c.hasDeferrable {
		p["a constraint for SET CONSTRAINTS"] = property{}
	}
	used := make(map[string]bool)
	for _, r := range m.Resources() {
		s := opts.source(r)
		for _, name := range []string{s.Table, s.View} {
			if t := c.tables[name]; t != nil {
				used[name] = true
				p.addTable(name, t)
			}
		}
		if t := c.queries[r.Name()]; t != nil {
			p.addTable("the query of "+r.Name(), t)
		}
	}
	for part, whole := range c.partitions {
		if used[c.partitions[objectName{part.schema, part.table, ""}]] {
			name := strings.TrimSpace(part.schema + "." + part.table + " " + part.name)
			p["partition "+name] = property{text: "of " + whole}
		}
	}
	return p
}

func (p fingerprint) addTable(name string, t *catalogTable) {
	p["table "+name] = property{detail: t.kind}
	for _, c := range t.columns {
		p["column "+name+"."+c.name] = c.property()
	}
	for _, x := range t.indexes {
		p["index "+x.name+" of "+name] = x.property()
	}
	for _, k := range t.foreignKeys {
		p["foreign key "+k.name+" of "+name] = k.property()
	}
	for check, columns := range t.checks {
		p["check "+check+" of "+name] = property{detail: strings.Join(columns, ", ")}
	}
}

func (c *catalogColumn) property() property {
	text := c.display
	switch {
	case c.notNull && c.hasNulls:
		text += " NOT NULL NOT VALID"
	case c.notNull:
		text += " NOT NULL"
	}
	switch {
	case c.generated:
		text += " GENERATED"
	case c.identity != "":
		text += " IDENTITY"
	case c.defaultExpr != "":
		text += " DEFAULT " + c.defaultExpr
	}
	return property{text, fmt.Sprint(
		c.num, c.typeName, c.kind, c.element, c.base, c.declared, c.size, c.identity, c.varies,
		c.sequence, c.sequenceStep, c.sequenceLow, c.sequenceLimit, c.sequenceMissing, c.byCodePoint, c.deterministic, c.mayFail,
	)}
}

func (x catalogIndex) property() property {
	text := "(" + strings.Join(x.columns, ", ") + ")"
	if x.unique {
		text = "UNIQUE " + text
	}
	if x.unique && !x.immediate {
		text += " DEFERRABLE"
	}
	return property{text: text}
}

func (k catalogForeignKey) property() property {
	text := fmt.Sprintf("(%s) REFERENCES %s.%s (%s)", k.column, k.targetSchema, k.target, k.targetColumn)
	return property{text, fmt.Sprint(k.immediate, k.hasDeleteAction)}
}

// changes says, in order, how the schema differs from what it was.
func (p fingerprint) changes(now fingerprint) (changes []string) {
	names := maps.Clone(p)
	maps.Copy(names, now)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		was, had := p[name]
		is, has := now[name]
		switch {
		case was == is && had == has:
		case !had:
			changes = append(changes, strings.TrimRight(name+" is new: "+is.text, ": "))
		case !has:
			changes = append(changes, name+" is gone")
		case was.text != is.text:
			changes = append(changes, fmt.Sprintf("%s was %s and is %s", name, was.text, is.text))
		default:
			changes = append(changes, name+" has changed")
		}
	}
	return changes
}
