package postgres

import (
	"fmt"
	"maps"
	"slices"

	"github.com/larder-go/larder/backends/postgres/internal/pgsql"
	"github.com/larder-go/larder/core"
)

// Source says where the records of a resource are, in the schema of the backend.
// The zero Source is the table of the resource's name, for reading and writing.
//
// With a View or a Query, every read goes there: Load, Select and Count, with their
// conditions and the policies' on the columns as they are read. Writes go to Table,
// where the policies' conditions are on the row of the table, before and after:
// a view is no policy, and rows that it leaves out can be written to by those who
// know their keys. A condition on a write about a field that only the view has fails
// closed, with [core.ServerError].
//
// Fields that the table lacks must be ReadOnly in the model. A write returns what the
// table returned, and these fields as the view has them then, or null if it does not
// show the row: for an Insert that is one more round trip, for an Update none. The
// keys of what is read must be unique, which the backend cannot see to.
//
// A resource with a View or a Query and without a Table is read-only: every write is
// refused with [core.ReadOnly]. A relation to such a resource needs no foreign key,
// and then nobody keeps it from pointing at nothing.
type Source struct {
	// Table is written to, and read if there is neither View nor Query. Default: the
	// resource's name if those are empty too, otherwise none.
	Table string
	// View is read: a view, a materialized view, a foreign table or another table. A
	// materialized view shows what it was made of.
	View string
	// Query is read instead of a View: one SELECT without parameters, whose columns
	// have the names of the fields. It is part of the statements, so that an order of
	// its own means nothing, and names in it that are without a schema are looked up
	// as the connection does.
	Query string
}

// source returns where the records of a resource are.
func (o Options) source(r *core.Resource) Source {
	s := o.Resources[r.Name()]
	if s == (Source{}) {
		s.Table = r.Name()
	}
	return s
}

// apart reports whether what is read is not what is written.
func (s Source) readsElsewhere() bool { return s.View != "" || s.Query != "" }

// what names what is read, for people.
func (s Source) kind() string {
	switch {
	case s.Query != "":
		return "query"
	case s.View != "":
		return fmt.Sprintf("view %q", s.View)
	}
	return "table"
}

// from is what is read, as a FROM has it. The query may end with a comment.
func (s Source) from(schema string) string {
	switch {
	case s.Query != "":
		return "(" + s.Query + "\n)"
	case s.View != "":
		return pgsql.Name(schema) + "." + pgsql.Name(s.View)
	}
	return pgsql.Name(schema) + "." + pgsql.Name(s.Table)
}

// checkSources refuses sources that mean nothing.
func (o Options) checkSources(m *core.Model) error {
	for _, name := range slices.Sorted(maps.Keys(o.Resources)) {
		s := o.Resources[name]
		switch {
		case m.Resource(name) == nil:
			return fmt.Errorf("postgres: Options.Resources has %q, which is no resource of the model", name)
		case s.View != "" && s.Query != "":
			return fmt.Errorf("postgres: Options.Resources: %s has a view and a query, of which only one can be read", name)
		}
	}
	return nil
}
