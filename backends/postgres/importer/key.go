package importer

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/larder-go/larder/core"
)

// addKeys adds the keys of [Options.Keys] to their tables.
func (c *catalog) addKeys(keys map[string][]string) error {
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		columns := keys[name]
		i := slices.IndexFunc(c.tables, func(t *table) bool { return t.resource == name })
		if i < 0 {
			return fmt.Errorf("Options.Keys: there is no table or view %s", quoteName(name))
		}
		t := c.tables[i]
		switch {
		case t.Partition:
			return fmt.Errorf("Options.Keys: %s is a partition; name the partitioned table", quoteName(name))
		case t.ownKey() != nil && t.Kind != "m":
			return fmt.Errorf("Options.Keys: the table %s has the key %s; remove the entry", quoteName(name), quoteNames(t.ownKey()))
		case len(columns) == 0:
			return fmt.Errorf("Options.Keys: the key of %s has no columns; name at least one", quoteName(name))
		}
		for i, column := range columns {
			if t.column(column) == nil || slices.Contains(columns[:i], column) {
				return fmt.Errorf("Options.Keys: %s has no column %s, or the key has it twice", quoteName(name), quoteName(column))
			}
		}
		t.namedKey = columns
	}
	return nil
}

// key returns the columns of the key; nil without a key.
func (t *table) key() []string {
	if t.namedKey != nil {
		return t.namedKey
	}
	return t.ownKey()
}

// ownKey returns the columns of the primary key, or those of a unique index that could be one: the index with the fewest
// columns, and the first of these in the order of the columns.
func (t *table) ownKey() []string {
	if primary := t.primary(); primary != nil {
		return primary
	}
	var keys [][]*column
	for _, x := range t.indexes {
		if columns := t.keyColumns(x); columns != nil {
			keys = append(keys, columns)
		}
	}
	if keys == nil {
		return nil
	}
	var names []string
	for _, c := range slices.MinFunc(keys, func(a, b []*column) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), slices.CompareFunc(a, b, func(a, b *column) int { return cmp.Compare(a.Num, b.Num) }))
	}) {
		names = append(names, c.Name)
	}
	return names
}

// keyName returns the name of the field that shows a key of several columns: "id", or another one if a column has that name;
// "" for a key of one column.
func (t *table) keyName(key []string) string {
	if len(key) == 1 {
		return ""
	}
	name := defaultKeyName
	for i := 1; t.column(name) != nil; i++ {
		if name = "key"; i > 1 {
			name += "_" + strconv.Itoa(i)
		}
	}
	return name
}

// defaultKeyName is the default of [core.ResourceSpec.KeyName].
const defaultKeyName = "id"

// specialKeyName returns the name unless it is the default.
func specialKeyName(name string) string {
	if name == defaultKeyName {
		return ""
	}
	return name
}

// keyObject returns the object of a note on the key: its column, or none for a key of several columns.
func keyObject(key []string) string {
	if len(key) == 1 {
		return key[0]
	}
	return ""
}

// keyColumns returns the columns of an index that could be a primary key; nil for other indexes. Columns of a
// materialized view are never NOT NULL.
func (t *table) keyColumns(x index) (columns []*column) {
	if !x.Unique || !x.Immediate || x.Partial || x.Expression {
		return nil
	}
	for _, name := range x.Columns {
		c := t.column(name)
		if !c.keyable(len(x.Columns) > 1) || !c.NotNull && t.Kind != "m" {
			return nil
		}
		columns = append(columns, c)
	}
	return columns
}

// keyable reports whether the column can be the key of a resource, or one of several parts of it.
func (c *column) keyable(part bool) bool {
	typ := c.keyPartType(part)
	return (typ == core.Int || typ == core.Text || typ == core.UUID || part && typ.Element()) && validName(c.Name)
}

// readOnly reports whether records can only be read: the object is no table, or the server does not keep the key unique.
func (t *table) readOnly() bool { return t.namedKey != nil || t.Kind != "r" && t.Kind != "p" }

// kind returns the kind of the object in words.
func (t *table) kind() string {
	switch t.Kind {
	case "v":
		return "view"
	case "m":
		return "materialized view"
	case "f":
		return "foreign table"
	}
	return "table"
}

// noteReadOnly adds the note on a read-only resource.
func (m *modelBuilder) noteReadOnly(t *table) {
	reason := "it is a " + t.kind()
	if t.kind() == "table" {
		reason = "the table has no key of its own"
	}
	m.note(t, "", Note{Kind: Server, Finding: "read-only, because " + reason})
}

// keyAdvice returns the advice for an object without a key.
func (t *table) keyAdvice() string {
	const name = "name the columns of its key in Options.Keys"
	switch t.Kind {
	case "v", "f":
		return name
	case "m":
		return "create a unique index on its key, or " + name
	}
	return "add a primary key, or " + name + ", which makes it read-only"
}
