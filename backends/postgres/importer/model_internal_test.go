package importer

import (
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/larder-go/larder/backends/postgres/internal/pgsql"
	"github.com/larder-go/larder/core"
)

// drawCatalog draws a catalog with few names, so that they collide, and with many objects that a model cannot represent.
func drawCatalog(t *rapid.T) *catalog {
	names := []string{"a", "b", "a_by_b", "b_by_a", "a_by_b_2", "a_by_a", "ä \"x\"", "c\nd"}
	types := []string{"int4", "int4", "int8", "text", "uuid", "numeric", "date", "jsonb", "timestamptz", "bool", "pair"}
	c := &catalog{schemas: []string{"s"}}
	for i, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(names), 1, 5, rapid.ID[string]).Draw(t, "tables") {
		kind := rapid.SampledFrom([]string{"r", "r", "r", "p", "v"}).Draw(t, "kind")
		table := &table{resource: name, tableRow: tableRow{OID: uint32(i), Name: name, Kind: kind, Partition: rapid.IntRange(0, 9).Draw(t, "partition") == 0}}
		for j, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(names), 1, 5, rapid.ID[string]).Draw(t, "columns") {
			typ := rapid.SampledFrom(types).Draw(t, "type")
			kind := "b"
			if typ == "pair" {
				kind = "c"
			}
			table.columns = append(table.columns, &column{
				Num: int16(j + 1), Name: name, Declared: typ, Base: typ, Type: typ, Kind: kind, Builtin: true,
				Array:     rapid.IntRange(0, 9).Draw(t, "array") == 0,
				Generated: rapid.IntRange(0, 9).Draw(t, "generated") == 0,
				NotNull:   rapid.IntRange(0, 2).Draw(t, "not null") == 0,
				Default:   rapid.SampledFrom([]string{"", "", "1", "'x'::text", "'1'::text", "true", "now()", "'{}'::jsonb"}).Draw(t, "default"),
			})
		}
		c.tables = append(c.tables, table)
	}
	for _, table := range c.tables {
		drawIndexes(t, table)
	}
	for _, table := range c.tables {
		drawForeignKeys(t, c, table)
	}
	return c
}

func columnNames(table *table) []string {
	columns := make([]string, len(table.columns))
	for i, column := range table.columns {
		columns[i] = column.Name
	}
	return columns
}

func drawIndexes(t *rapid.T, table *table) {
	columns := columnNames(table)
	some := rapid.SliceOfNDistinct(rapid.SampledFrom(columns), 1, min(2, len(columns)), rapid.ID[string])
	key := rapid.Permutation(columns[:rapid.IntRange(1, min(3, len(columns))).Draw(t, "key columns")]).Draw(t, "key")
	table.indexes = append(table.indexes, index{Name: "key", Method: "btree", Primary: true, Unique: true, Columns: key})
	for range rapid.IntRange(0, 3).Draw(t, "indexes") {
		x := index{
			Name: "index", Method: rapid.SampledFrom([]string{"btree", "gin"}).Draw(t, "method"), Unique: rapid.Bool().Draw(t, "unique"),
			Partial: rapid.IntRange(0, 2).Draw(t, "partial") == 0, Columns: some.Draw(t, "of"),
			Options: []int16{rapid.SampledFrom([]int16{0, 1, 3}).Draw(t, "first"), rapid.SampledFrom([]int16{0, 2, 3}).Draw(t, "second")},
		}
		if x.Options = x.Options[:len(x.Columns)]; x.Partial {
			x.Condition = "(" + pgsql.Name(rapid.SampledFrom(columns).Draw(t, "where")) + rapid.SampledFrom([]string{" IS NULL)", " = 5)", " = 'x'::text)", " = true)", " > 5)"}).Draw(t, "is")
		}
		table.indexes = append(table.indexes, x)
	}
}

func drawForeignKeys(t *rapid.T, c *catalog, table *table) {
	columns := columnNames(table)
	for range rapid.IntRange(0, 4).Draw(t, "foreign") {
		target := rapid.SampledFrom(c.tables).Draw(t, "target")
		k := foreignKey{
			Name: "foreign", TargetSchema: "s", Target: target.Name, MatchFull: rapid.Bool().Draw(t, "match full"),
			OnDelete: rapid.SampledFrom([]string{"a", "r", "c", "n", "d"}).Draw(t, "on delete"), Valid: rapid.Bool().Draw(t, "valid"), Enforced: rapid.Bool().Draw(t, "enforced"),
		}
		k.TargetColumns = target.primary()
		if rapid.IntRange(0, 4).Draw(t, "to") == 0 {
			k.TargetColumns = []string{target.columns[0].Name}
		}
		if n := len(k.TargetColumns); n <= len(columns) {
			k.TargetColumns = rapid.Permutation(k.TargetColumns).Draw(t, "order")
			k.Columns = rapid.SliceOfNDistinct(rapid.SampledFrom(columns), n, n, rapid.ID[string]).Draw(t, "from")
			k.SetColumns = k.Columns[:rapid.IntRange(0, n).Draw(t, "set null")]
			table.foreign = append(table.foreign, k)
		}
	}
}

func TestResourcesAlwaysMakeAModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		got := drawCatalog(t).result()
		if len(got.Resources) == 0 {
			return
		}
		if _, err := got.Model(); err != nil {
			t.Fatal(err)
		}
	})
}

// Every table, column and foreign key is in the resources or has a note, except for partitions.
func TestEveryObjectIsModelledOrNoted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCatalog(t)
		got := c.result()
		noted := func(table, object string) (n int) {
			for _, note := range got.Notes {
				if note.Kind == LeftOut && note.Table == table && note.Object == object {
					n++
				}
			}
			return n
		}
		for _, table := range c.tables {
			i := slices.IndexFunc(got.Resources, func(r core.ResourceSpec) bool { return r.Name == table.Name })
			if i < 0 {
				if noted(table.Name, "") == 0 && !table.Partition {
					t.Fatalf("table %q is neither modelled nor noted", table.Name)
				}
				continue
			}
			relations := 0
			fields := make(map[string]bool)
			for _, f := range got.Resources[i].Fields {
				fields[f.Name] = true
				if f.ToOne != "" && f.Inverse == "" {
					relations++
				}
			}
			for _, column := range table.columns {
				if !fields[column.Name] && noted(table.Name, column.Name) == 0 {
					t.Fatalf("column %q of %q is neither modelled nor noted", column.Name, table.Name)
				}
			}
			if left := noted(table.Name, "foreign"); relations+left != len(table.foreign) {
				t.Fatalf("%q has %d foreign keys, %d became relations, %d are noted", table.Name, len(table.foreign), relations, left)
			}
		}
	})
}

func TestSameCatalogGivesSameResult(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCatalog(t)
		if a, b := c.result(), c.result(); !reflect.DeepEqual(a, b) {
			t.Fatalf("first %v\nthen %v", a, b)
		}
	})
}
